#include "operator/controllers/csr/address_watch.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "operator/controllers/csr/csr_test_world.h"
#include "pkg/aio/timer.h"
#include "pkg/base/ip_address.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::csr {
namespace {

using base::IsOk;

// Watches of a server that never sends a bookmark.
class AddressWatchTest : public CsrTest {
 protected:
  aio::Task<void> Start(absl::Duration longest_silence = AddressWatch::kLongestSilence) {
    watch_ =
        std::make_unique<AddressWatch>(executor(), client(), clock_, logger(), longest_silence);
    watch_->Start();
    EXPECT_THAT(co_await watch_->WaitForSync(absl::Seconds(10)), IsOk());
    EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 3; }));
  }

  // How often something was to be watched.
  int Watches() {
    return static_cast<int>(std::count_if(
        server().requests().begin(), server().requests().end(),
        [](const kube::RecordedRequest& request) { return !request.Query("watch").empty(); }));
  }

  OffsetClock clock_;
  std::unique_ptr<AddressWatch> watch_;
};

ASYNC_TEST_F(AddressWatchTest, AddressesGoOnWhereNoBookmarkEverComes) {
  co_await Start(absl::Milliseconds(100));
  clock_.Advance(absl::Minutes(10));
  EXPECT_FALSE(watch_->Health().ok());
  EXPECT_TRUE(co_await Eventually([this] { return watch_->Health().ok(); }));
  co_await watch_->Stop();
}

ASYNC_TEST_F(AddressWatchTest, AWatchCutEveryHalfMinuteStaysCurrent) {
  co_await Start();
  const int lists = server().Count("GET", "/v1/services");
  // The server counts a watch a moment before the client sees it open.
  const absl::Duration opens = absl::Milliseconds(200);
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE((co_await aio::Sleep(opens)).ok());
    clock_.Advance(absl::Seconds(35));
    server().DropWatches();
    EXPECT_TRUE(co_await Eventually([&] { return Watches() == 3 * (i + 2); }));
    EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 3; }));
    EXPECT_THAT(watch_->Health(), IsOk()) << i;
  }
  // Seven minutes: 12 watches, and a list every third time.
  EXPECT_LE(server().Count("GET", "/v1/services") - lists, 12 + 4);
  EXPECT_EQ(Logged("\"level\":\"warning\""), 0);
  // What changed while there was no watch is known.
  PutNode("n1", "192.0.2.1");
  EXPECT_TRUE(co_await Eventually([this] {
    return watch_->Others({base::IpAddress::Parse("192.0.2.1").value()}, {}).value().size() == 1;
  }));
  co_await watch_->Stop();
}

ASYNC_TEST_F(AddressWatchTest, BookmarksSpareTheList) {
  co_await Start(absl::Seconds(1));
  const int requests = server().Count("GET", "");
  for (int i = 0; i < 15; ++i) {
    server().SendBookmarks();
    EXPECT_TRUE((co_await aio::Sleep(absl::Milliseconds(100))).ok());
  }
  EXPECT_EQ(server().Count("GET", ""), requests);
  co_await watch_->Stop();
}

}  // namespace
}  // namespace calico::csr
