// Tests that are coroutines, against a FakeApiServer.
//
//   using MyTest = FakeApiServerTest;
//   ASYNC_TEST_F(MyTest, GetsWhatIsThere) {
//     server().Put(...);
//     CO_ASSERT_OK_AND_ASSIGN(json::object object, co_await client().Get(...));
//     EXPECT_EQ(...);
//   }
//
// gtest's ASSERT_ macros return without co_; use EXPECT_ and the CO_ASSERT_ macros.
#ifndef CALICO_PKG_KUBE_TESTING_ASYNC_TEST_H_
#define CALICO_PKG_KUBE_TESTING_ASYNC_TEST_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/testing/fake_api_server.h"

namespace calico::kube {

class FakeApiServerTest : public testing::Test {
 public:
  aio::Executor executor() const { return loop_.executor(); }
  FakeApiServer& server() { return server_; }
  // A client of kubernetes-admin, made at the first call.
  Client& client();
  const base::Logger& logger() const { return logger_; }
  // What was logged, one JSON object each.
  const std::vector<std::string>& log() const { return log_; }

  // Starts the server, runs `body` to its end, stops the server.
  void RunTest(aio::Task<void> body);

 protected:
  explicit FakeApiServerTest(FakeApiServerOptions options = {});

 private:
  aio::Task<void> StartAndStop(aio::Task<void> body);

  aio::EventLoop loop_;
  std::vector<std::string> log_;
  base::Logger logger_;
  FakeApiServer server_;
  std::unique_ptr<Client> client_;
};

}  // namespace calico::kube

#define ASYNC_TEST_F(fixture, name)                                                       \
  class fixture##_##name##_Async : public fixture {                                       \
   public:                                                                                \
    ::calico::aio::Task<void> Body();                                                     \
    void TestBody() override { this->RunTest(Body()); }                                   \
    static const ::testing::TestInfo* const kInfo;                                        \
  };                                                                                      \
  const ::testing::TestInfo* const fixture##_##name##_Async::kInfo =                      \
      ::testing::RegisterTest(#fixture, #name, nullptr, nullptr, __FILE__, __LINE__,      \
                              []() -> fixture* { return new fixture##_##name##_Async; }); \
  ::calico::aio::Task<void> fixture##_##name##_Async::Body()

#define CO_ASSERT_OK(...)                                                                         \
  do {                                                                                            \
    const absl::Status co_assert_status = ::calico::base::base_internal::AsStatus((__VA_ARGS__)); \
    if (!co_assert_status.ok()) {                                                                 \
      ADD_FAILURE() << #__VA_ARGS__ << ": " << co_assert_status;                                  \
      co_return;                                                                                  \
    }                                                                                             \
  } while (false)

#define CO_ASSERT_OK_AND_ASSIGN_IMPL(temporary, target, ...)     \
  auto temporary = (__VA_ARGS__);                                \
  if (!temporary.ok()) {                                         \
    ADD_FAILURE() << #__VA_ARGS__ << ": " << temporary.status(); \
    co_return;                                                   \
  }                                                              \
  target = *std::move(temporary)

#define CO_ASSERT_OK_AND_ASSIGN(target, ...) \
  CO_ASSERT_OK_AND_ASSIGN_IMPL(CALICO_MACRO_JOIN(co_assert_or_, __LINE__), target, __VA_ARGS__)

#define CO_ASSERT_TRUE(...)                         \
  do {                                              \
    if (!(__VA_ARGS__)) {                           \
      ADD_FAILURE() << #__VA_ARGS__ << " is false"; \
      co_return;                                    \
    }                                               \
  } while (false)

#endif  // CALICO_PKG_KUBE_TESTING_ASYNC_TEST_H_
