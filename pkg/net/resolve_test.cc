#include "pkg/net/resolve.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::net {
namespace {

using base::IsOkAndHolds;
using base::StatusIs;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Result = absl::StatusOr<std::vector<std::string>>;

aio::Task<void> Store(aio::Task<Result> task, std::optional<Result>& out) {
  out = co_await std::move(task);
}

TEST(ResolveTest, AddressesStayAsTheyAre) {
  for (const char* address : {"10.0.0.1", "fd00::1", "fe80::1%eth0"}) {
    aio::EventLoop loop;
    std::optional<Result> result;
    loop.Run(Store(Resolve(address), result));
    EXPECT_THAT(*result, IsOkAndHolds(ElementsAre(address)));
  }
}

TEST(ResolveTest, Localhost) {
  aio::EventLoop loop;
  std::optional<Result> result;
  loop.Run(Store(Resolve("localhost"), result));
  EXPECT_THAT(*result, IsOkAndHolds(Contains(AnyOf("127.0.0.1", "::1"))));
}

TEST(ResolveTest, NameThatCannotExist) {
  aio::EventLoop loop;
  std::optional<Result> result;
  loop.Run(Store(Resolve("not a name"), result));
  EXPECT_THAT(*result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("look up not a name: ")));
}

TEST(ResolveTest, CancellationDoesNotWaitForTheLookup) {
  aio::EventLoop loop;
  std::optional<Result> result;
  loop.Run([&]() -> aio::Task<void> {
    aio::TaskGroup group(loop.executor());
    group.Spawn(Store(Resolve("localhost"), result));
    co_await aio::Yield();
    co_await group.Stop();
  }());
  // The lookup may have been faster.
  EXPECT_THAT(result->status().code(), AnyOf(absl::StatusCode::kCancelled, absl::StatusCode::kOk));
}

// The thread of a lookup that outlives its event loop must not touch it.
TEST(ResolveTest, LoopMayEndFirst) {
  for (int i = 0; i < 50; ++i) {
    std::optional<Result> result;
    aio::EventLoop loop;
    loop.Run([&]() -> aio::Task<void> {
      (void)co_await aio::WithDeadline(Resolve("localhost"), absl::ZeroDuration());
    }());
  }
}

}  // namespace
}  // namespace calico::net
