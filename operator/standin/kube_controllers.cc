// Stand-in for the image quay.io/calico/kube-controllers: it reads the trust bundle and becomes
// ready when the API server has let it list the nodes, as the real one does before it starts.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/standin/environment.h"
#include "operator/standin/health_server.h"
#include "operator/standin/program.h"
#include "operator/standin/termination.h"
#include "pkg/aio/event_loop.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"

namespace calico::standin {
namespace {

constexpr const char* kHealthPort = "9440";
std::atomic<bool> ready = false;

aio::Task<void> ListNodes(aio::Executor executor, const base::Logger& logger,
                          absl::Status& result) {
  absl::StatusOr<kube::RestConfig> config =
      kube::LoadRestConfig({}, kube::ProcessEnvironment(), base::SystemClock(), logger);
  if (!config.ok()) {
    result = config.status();
    co_return;
  }
  kube::Client client(executor, *std::move(config), logger, {.user_agent = "kube-controllers"});
  const auto ignore = [](const json::object&) { return absl::OkStatus(); };
  const absl::StatusOr<std::string> listed = co_await client.List(api::kNodes, {}, ignore);
  result = listed.status();
}

bool AsksForHealth(const std::string& port, const std::string& type) {
  return IsHealthy(static_cast<uint16_t>(std::stoi(port)), "/" + type);
}

}  // namespace

int RunKubeControllers(const Arguments& arguments) {
  ExitOnTermination();
  const std::string bundle = Variable("CA_CRT_PATH");
  if (!bundle.empty() && !std::ifstream(bundle)) {
    std::perror(bundle.c_str());
    return 1;
  }
  StartHealthServer(static_cast<uint16_t>(std::stoi(Flag(arguments, "health-port", kHealthPort))),
                    ready);
  const base::Logger logger(base::LogLevel::kWarning);
  while (!ready) {
    absl::Status listed;
    aio::EventLoop loop;
    loop.Run(ListNodes(loop.executor(), logger, listed));
    ready = listed.ok();
    std::printf("nodes: %s\n", listed.ToString().c_str());
    std::fflush(stdout);
    if (!ready) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  WaitForever();
}

int CheckHealth(const Arguments& arguments) {
  return AsksForHealth(Flag(arguments, "port", kHealthPort), Flag(arguments, "type", "readiness"))
             ? 0
             : 1;
}

int CheckKubeControllers(const Arguments& arguments) {
  const bool is_liveness = !arguments.empty() && arguments.front() == "-l";
  return AsksForHealth(kHealthPort, is_liveness ? "liveness" : "readiness") ? 0 : 1;
}

}  // namespace calico::standin
