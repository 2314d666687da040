#include "pkg/serving/serving.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/serving/process_metrics.h"

namespace calico::serving {
namespace {

using ::testing::HasSubstr;

TEST(RespondTest, AnswersByMethodAndPath) {
  metrics::Registry registry;
  registry.AddCounter("a_total", "A.");
  const auto failing = [] { return absl::UnavailableError("cache pods is not in sync"); };
  const Endpoints all{.metrics = &registry, .ready = failing, .live = AlwaysOk};
  struct Case {
    const char* method;
    const char* target;
    Endpoints endpoints;
    int status;
    const char* body;
  };
  const Case kCases[] = {
      {"GET", "/metrics", all, 200, "a_total 0\n"},
      {"GET", "/metrics?name[]=a_total", all, 200, "a_total 0\n"},
      {"GET", "/livez", all, 200, "ok\n"},
      {"GET", "/healthz", all, 200, "ok\n"},
      {"GET", "/readyz", all, 503, "cache pods is not in sync\n"},
      {"GET", "/readyz?verbose", all, 503, "cache pods is not in sync\n"},
      {"HEAD", "/readyz", all, 503, ""},
      {"GET", "/", all, 404, "not served here\n"},
      {"GET", "/metrics/", all, 404, "not served here\n"},
      {"GET", "", all, 404, "not served here\n"},
      {"POST", "/livez", all, 405, "only GET and HEAD\n"},
      {"GET", "/metrics", {.live = AlwaysOk}, 404, "not served here\n"},
      {"GET", "/readyz", {.live = AlwaysOk}, 404, "not served here\n"},
      {"GET", "/livez", {.metrics = &registry}, 404, "not served here\n"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.method) + " " + c.target);
    const http::Response response = Respond({.method = c.method, .target = c.target}, c.endpoints);
    EXPECT_EQ(response.status, c.status);
    EXPECT_THAT(response.body, testing::EndsWith(c.body));
  }
  EXPECT_EQ(http::FindHeader(Respond({.target = "/metrics"}, all).headers, "content-type"),
            metrics::kContentType);
}

class ServeTest : public testing::Test {
 public:
  aio::EventLoop loop_;
  std::vector<std::string> log_;
  base::Logger logger_{base::LogLevel::kInfo,
                       [this](base::LogLevel, std::string_view line) { log_.emplace_back(line); }};
};

aio::Task<void> GetFromServer(ServeTest& test, Endpoints endpoints, std::string target,
                              http::Response& response) {
  aio::TaskGroup group(test.loop_.executor());
  aio::Notifier listening(test.loop_.executor());
  uint16_t port = 0;
  group.Spawn(Serve("test", "127.0.0.1:0", std::move(endpoints), test.logger_,
                    [&port, &listening](uint16_t p) {
                      port = p;
                      listening.Notify();
                    }));
  (co_await listening.Wait()).IgnoreError();
  http::Client client(test.loop_.executor(),
                      {.origin = "http://127.0.0.1:" + std::to_string(port)});
  absl::StatusOr<http::Response> got =
      co_await client.Do({.target = std::move(target)}, absl::Seconds(10));
  EXPECT_THAT(got, base::IsOk());
  if (got.ok()) response = *std::move(got);
  client.CloseIdle();
  co_await group.Stop();
}

TEST_F(ServeTest, ServesUntilCancelled) {
  metrics::Registry registry;
  AddProcessMetrics(registry);
  http::Response response;
  loop_.Run(GetFromServer(*this, {.metrics = &registry}, "/metrics", response));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\nprocess_resident_memory_bytes "));
}

// As many as are let in, none of which asks for anything.
aio::Task<void> ProbeBesideIdlePeers(ServeTest& test, absl::Duration& waited) {
  aio::TaskGroup group(test.loop_.executor());
  aio::Notifier listening(test.loop_.executor());
  uint16_t port = 0;
  group.Spawn(Serve("test", "127.0.0.1:0", {.live = AlwaysOk}, test.logger_,
                    [&port, &listening](uint16_t p) {
                      port = p;
                      listening.Notify();
                    }));
  (co_await listening.Wait()).IgnoreError();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> idle;
  for (int i = 0; i < 64; ++i) {
    idle.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(idle.back(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  const absl::Time start = absl::Now();
  http::Client client(test.loop_.executor(),
                      {.origin = "http://127.0.0.1:" + std::to_string(port)});
  const http::Request probe{.target = "/livez", .repeatable = true};
  bool answered = false;
  while (!answered && absl::Now() - start < absl::Seconds(50)) {
    answered = (co_await client.Do(probe, absl::Seconds(1))).ok();
    (co_await aio::Sleep(absl::Milliseconds(200))).IgnoreError();
  }
  waited = absl::Now() - start;
  for (const int socket : idle) close(socket);
  client.CloseIdle();
  co_await group.Stop();
}

TEST_F(ServeTest, ConnectionsThatAskForNothingKeepProbesOutForAWhileOnly) {
  absl::Duration waited;
  loop_.Run(ProbeBesideIdlePeers(*this, waited));
  EXPECT_LT(waited, absl::Seconds(20));
}

TEST_F(ServeTest, ReturnsAndSaysWhyWhenItCannotListen) {
  loop_.Run(Serve("metrics", "192.0.2.1:80", {}, logger_));
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(log_[0], HasSubstr(R"("server":"metrics")"));
  EXPECT_THAT(log_[0], HasSubstr("192.0.2.1"));
}

TEST(ProcessMetricsTest, AreThoseOfThisProcess) {
  metrics::Registry registry;
  AddProcessMetrics(registry);
  const std::string text = registry.Expose();
  const auto value = [&text](const std::string& name) {
    const size_t line = text.find("\n" + name + " ");
    return line == std::string::npos ? -1 : std::stod(text.substr(line + name.size() + 2));
  };
  EXPECT_GT(value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(value("process_cpu_seconds_total"), 0);
  EXPECT_GE(value("process_open_fds"), 3);
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_LE(value("process_start_time_seconds"), now + 0.1);
  EXPECT_GT(value("process_start_time_seconds"), now - 600);
}

}  // namespace
}  // namespace calico::serving
