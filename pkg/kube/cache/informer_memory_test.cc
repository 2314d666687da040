// A large cluster must not cost memory: only what the decoder keeps may stay.
//
// The server makes each pod up when it is asked for, so that what grows is the informer.
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/log.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/http/server.h"
#include "pkg/kube/cache/informer.h"

namespace calico::kube {
namespace {

// Sanitizers keep what was freed.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMeasure = false;
#else
constexpr bool kMeasure = true;
#endif

constexpr int kPods = 10'000;
constexpr int kPage = 500;

size_t ResidentBytes() {
  size_t total = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// About 6 KB, as a pod with managed fields has. Every 500th runs on the node of interest.
std::string PodText(int i) {
  static const std::string padding(5800, 'x');
  return fmt::format(
      R"({{"metadata":{{"name":"pod-{}","namespace":"ns","resourceVersion":"{}","annotations":)"
      R"({{"padding":"{}"}}}},"spec":{{"nodeName":"node-{}"}}}})",
      i, i + 1, padding, i % 500);
}

// One page of the list, or a watch without events.
aio::Task<std::optional<http::Response>> Answer(http::Request request,
                                                http::ResponseWriter& writer) {
  const bool watch = request.target.find("watch=true") != std::string::npos;
  absl::Status sent = co_await writer.Start(200, {{"Content-Type", "application/json"}});
  if (watch) {
    (co_await aio::Sleep(absl::InfiniteDuration())).IgnoreError();
    writer.Abort();
    co_return std::nullopt;
  }
  const size_t token = request.target.find("continue=");
  const int begin = token == std::string::npos ? 0 : std::stoi(request.target.substr(token + 9));
  const int end = std::min(begin + kPage, kPods);
  const std::string next = end < kPods ? std::to_string(end) : "";
  sent.Update(co_await writer.Write(fmt::format(
      R"({{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[)",
      kPods, next)));
  for (int i = begin; i < end && sent.ok(); ++i) {
    sent = co_await writer.Write((i == begin ? "" : ",") + PodText(i));
  }
  sent.Update(co_await writer.Write("]}"));
  co_return std::nullopt;
}

class NoCredentials : public Credentials {
  absl::StatusOr<net::TlsOptions> Tls() override { return net::TlsOptions(); }
  absl::StatusOr<base::SharedSecret> Authorization() override { return base::SharedSecret(); }
  bool Invalidate() override { return false; }
};

struct Kept {
  std::string node;
};

absl::StatusOr<std::optional<Kept>> DecodeIf(const json::object& object, bool keep_all) {
  const std::string_view node =
      codec::View(object.at("spec").get_object().at("nodeName").get_string());
  if (!keep_all && node != "node-7") return std::nullopt;
  return Kept{std::string(node)};
}

// The growth of resident memory by a list of all pods.
aio::Task<void> Measure(aio::Executor executor, uint16_t port, bool keep_all, size_t& pods,
                        size_t& growth) {
  base::Logger logger(base::LogLevel::kError);
  Client client(executor,
                {.origin = fmt::format("http://127.0.0.1:{}", port),
                 .credentials = std::make_shared<NoCredentials>()},
                logger);
  Informer<Kept> informer(
      client, api::kPods, {},
      [keep_all](const json::object& object) { return DecodeIf(object, keep_all); },
      base::SystemClock(), logger, executor);
  aio::TaskGroup group(executor);
  const size_t before = ResidentBytes();
  group.Spawn(informer.Run());
  EXPECT_THAT(co_await informer.WaitForSync(absl::Seconds(120)), base::IsOk());
  growth = ResidentBytes() - before;
  pods = informer.store().size();
  co_await group.Stop();
}

aio::Task<void> Serve(aio::Executor executor, bool keep_all, size_t& pods, size_t& growth) {
  absl::StatusOr<std::unique_ptr<http::Server>> server = http::Server::Listen(
      executor, {}, [](http::Request request, const http::Peer&, http::ResponseWriter& writer) {
        return Answer(std::move(request), writer);
      });
  EXPECT_THAT(server, base::IsOk());
  aio::TaskGroup group(executor);
  group.Spawn((*server)->Run());
  co_await Measure(executor, (*server)->port(), keep_all, pods, growth);
  (*server)->Stop();
  co_await group.Stop();
}

size_t GrowthWith(bool keep_all, size_t want_pods) {
  aio::EventLoop loop;
  size_t pods = 0;
  size_t growth = 0;
  loop.Run(Serve(loop.executor(), keep_all, pods, growth));
  EXPECT_EQ(pods, want_pods);
  fmt::print("{} of {} pods kept: resident memory grew by {} KiB\n", pods, kPods, growth / 1024);
  return growth;
}

TEST(InformerMemoryTest, PodsOfNoInterestCostNothing) {
  const size_t growth = GrowthWith(false, kPods / 500);
  if (kMeasure) EXPECT_LT(growth, size_t{3} << 20);
}

TEST(InformerMemoryTest, AKeptPodCostsItsProjection) {
  const size_t growth = GrowthWith(true, kPods);
  if (kMeasure) EXPECT_LT(growth, size_t{6} << 20);
}

}  // namespace
}  // namespace calico::kube
