// Stand-in for the image quay.io/calico/node.
//
// Without arguments it is Felix: it finds Typha through the Service's EndpointSlices, connects with
// its own certificate, checks Typha's and reports readiness from that connection. Like the real one
// it reads its files at every connection attempt. -felix-ready asks the running one; -init and
// -shutdown, and `calico component node init` and `shutdown`, do what the real ones do to TLS:
// nothing.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/standin/environment.h"
#include "operator/standin/health_server.h"
#include "operator/standin/mutual_tls.h"
#include "operator/standin/program.h"
#include "operator/standin/socket.h"
#include "operator/standin/termination.h"
#include "operator/standin/typha_addresses.h"
#include "pkg/aio/event_loop.h"
#include "pkg/api/discovery/endpoint_slice.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"

namespace calico::standin {
namespace {

std::atomic<bool> ready = false;

uint16_t HealthPort() {
  return static_cast<uint16_t>(std::stoi(Variable("FELIX_HEALTHPORT", "9099")));
}

aio::Task<void> ListTyphas(aio::Executor executor, const base::Logger& logger,
                           absl::StatusOr<std::vector<TyphaAddress>>& typhas) {
  absl::StatusOr<kube::RestConfig> config =
      kube::LoadRestConfig({}, kube::ProcessEnvironment(), base::SystemClock(), logger);
  if (!config.ok()) {
    typhas = config.status();
    co_return;
  }
  kube::Client client(executor, *std::move(config), logger, {.user_agent = "calico-node"});
  kube::ListOptions options;
  options.ns = Variable("FELIX_TYPHAK8SNAMESPACE");
  options.label_selector = "kubernetes.io/service-name=" + Variable("FELIX_TYPHAK8SSERVICENAME");
  std::vector<TyphaAddress> found;
  const auto keep = [&found](const json::object& object) -> absl::Status {
    const absl::StatusOr<api::EndpointSlice> slice = api::EndpointSlice::Decode(object);
    if (!slice.ok()) return slice.status();
    AddTyphas(*slice, found);
    return absl::OkStatus();
  };
  const absl::StatusOr<std::string> listed =
      co_await client.List(api::kEndpointSlices, options, keep);
  if (listed.ok()) {
    typhas = std::move(found);
  } else {
    typhas = listed.status();
  }
}

absl::StatusOr<std::vector<TyphaAddress>> FindTyphas(const base::Logger& logger) {
  absl::StatusOr<std::vector<TyphaAddress>> typhas = absl::InternalError("not listed");
  aio::EventLoop loop;
  loop.Run(ListTyphas(loop.executor(), logger, typhas));
  return typhas;
}

// Returns when the connection has ended, with the reason.
absl::Status StayConnected(const TyphaAddress& typha) {
  const MutualTlsFiles files{.certificate = Variable("FELIX_TYPHACERTFILE"),
                             .key = Variable("FELIX_TYPHAKEYFILE"),
                             .ca = Variable("FELIX_TYPHACAFILE")};
  const PeerIdentity server{.common_name = Variable("FELIX_TYPHACN"),
                            .uri_san = Variable("FELIX_TYPHAURISAN")};
  absl::StatusOr<std::unique_ptr<MutualTls>> tls = MutualTls::Load(TlsSide::kClient, files, server);
  if (!tls.ok()) return tls.status();
  absl::StatusOr<Socket> socket = Connect(typha.address, typha.port);
  if (!socket.ok()) return socket.status();
  absl::StatusOr<std::unique_ptr<TlsConnection>> connection = (*tls)->Establish(*std::move(socket));
  if (!connection.ok()) return connection.status();
  for (;;) {
    const absl::StatusOr<std::string> heard = (*connection)->Read();
    if (!heard.ok()) return heard.status();
    if (!ready.exchange(true)) {
      std::printf("connected to typha %s as %s\n", typha.address.c_str(),
                  (*connection)->peer_common_name().c_str());
      std::fflush(stdout);
    }
  }
}

int RunFelix() {
  ExitOnTermination();
  std::signal(SIGPIPE, SIG_IGN);
  for (const char* name : {"FELIX_TYPHACERTFILE", "FELIX_TYPHAKEYFILE", "FELIX_TYPHACAFILE"}) {
    const std::string file = Variable(name);
    std::FILE* opened = std::fopen(file.c_str(), "r");
    if (opened == nullptr) {
      std::fprintf(stderr, "calico-node: open %s (%s): %s\n", file.c_str(), name,
                   std::strerror(errno));
      return 1;
    }
    std::fclose(opened);
  }
  StartHealthServer(HealthPort(), ready);
  const base::Logger logger(base::LogLevel::kWarning);
  for (size_t attempt = 0;; ++attempt) {
    const absl::StatusOr<std::vector<TyphaAddress>> typhas = FindTyphas(logger);
    absl::Status ended = typhas.status();
    if (typhas.ok() && typhas->empty()) ended = absl::NotFoundError("no ready typha endpoint");
    if (ended.ok()) ended = StayConnected((*typhas)[attempt % typhas->size()]);
    ready = false;
    std::printf("typha: %s\n", ended.ToString().c_str());
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

int RunNode(const Arguments& arguments) {
  if (arguments.empty()) return RunFelix();
  for (const std::string& argument : arguments) {
    if (argument == "-felix-ready" || argument == "--felix-ready") {
      return IsHealthy(HealthPort(), "/readiness") ? 0 : 1;
    }
  }
  return 0;  // -init, -shutdown
}

}  // namespace calico::standin
