// csr-signer: approves and signs CertificateSigningRequests by a policy. See --help.

#include <malloc.h>

#include <utility>

#include <absl/status/statusor.h>

#include "operator/config/signer.h"
#include "operator/controllers/csr/signer.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/base/version.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/openssl/init.h"

namespace calico {
namespace {

// The threads share one arena: each of its own would keep what one wave of requests took. Fixed
// thresholds, for glibc raises them with the first large object and then keeps megabytes.
void KeepMemorySmall() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  mallopt(M_TRIM_THRESHOLD, 128 << 10);
}

aio::Task<void> Stop(const base::Logger& logger) {
  const int signal = co_await aio::WaitForTermination();
  logger.Info("stopping", {{"signal", signal}});
}

int Run(const config::SignerConfig& config) {
  const base::Logger logger(config.log_level);
  absl::StatusOr<kube::RestConfig> api = kube::LoadRestConfig(
      {.kubeconfig = config.kubeconfig},
      config::CheckedEnvironment(config, kube::ProcessEnvironment()), base::SystemClock(), logger);
  if (!api.ok()) {
    logger.Error("no API server to talk to", {{"error", api.status()}});
    return csr::kExitBadInput;
  }
  logger.Info("starting", {{"version", base::Version()}, {"server", api->origin}});
  aio::EventLoop loop;
  return loop.Run(csr::RunSigner({.config = config, .api = *std::move(api)}, Stop(logger),
                                 base::SystemClock(), logger));
}

}  // namespace
}  // namespace calico

int main(int argc, char** argv) {
  calico::openssl::Initialize();
  calico::KeepMemorySmall();
  calico::config::SignerConfig config;
  const calico::config::ParsedFlags parsed =
      calico::config::ParseSignerConfig(argc, argv, calico::kube::ProcessEnvironment(), &config);
  if (parsed.exit_code.has_value()) return parsed.Print();
  return calico::Run(config);
}
