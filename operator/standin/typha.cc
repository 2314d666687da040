// Stand-in for the image quay.io/calico/typha: mutual TLS on 5473, health on localhost.
// Like the real one it reads its certificate and CA once, at start.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <absl/status/statusor.h>

#include "operator/standin/environment.h"
#include "operator/standin/health_server.h"
#include "operator/standin/mutual_tls.h"
#include "operator/standin/program.h"
#include "operator/standin/socket.h"
#include "operator/standin/termination.h"

namespace calico::standin {
namespace {

std::atomic<bool> ready = false;

void Serve(MutualTls& tls, Socket socket) {
  SetTimeout(socket, 10);
  absl::StatusOr<std::unique_ptr<TlsConnection>> connection = tls.Establish(std::move(socket));
  if (!connection.ok()) {
    std::printf("refused client: %s\n", connection.status().ToString().c_str());
    std::fflush(stdout);
    return;
  }
  std::printf("accepted client %s\n", (*connection)->peer_common_name().c_str());
  std::fflush(stdout);
  // Felix waits for the first message before it calls itself connected.
  while ((*connection)->Write("typha\n").ok()) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
}

}  // namespace

int RunTypha(const Arguments&) {
  ExitOnTermination();
  std::signal(SIGPIPE, SIG_IGN);
  const MutualTlsFiles files{.certificate = Variable("TYPHA_SERVERCERTFILE"),
                             .key = Variable("TYPHA_SERVERKEYFILE"),
                             .ca = Variable("TYPHA_CAFILE")};
  const PeerIdentity clients{.common_name = Variable("TYPHA_CLIENTCN"),
                             .uri_san = Variable("TYPHA_CLIENTURISAN")};
  absl::StatusOr<std::unique_ptr<MutualTls>> tls =
      MutualTls::Load(TlsSide::kServer, files, clients);
  if (!tls.ok()) {
    std::fprintf(stderr, "typha: %s\n", tls.status().ToString().c_str());
    return 1;
  }
  const auto port = static_cast<uint16_t>(std::stoi(Variable("TYPHA_SERVERPORT", "5473")));
  const absl::StatusOr<Socket> listener = Listen("", port);
  if (!listener.ok()) {
    std::fprintf(stderr, "typha: %s\n", listener.status().ToString().c_str());
    return 1;
  }
  ready = true;
  if (Variable("TYPHA_HEALTHENABLED") == "true") {
    StartHealthServer(static_cast<uint16_t>(std::stoi(Variable("TYPHA_HEALTHPORT", "9098"))),
                      ready);
  }
  std::puts("serving");
  std::fflush(stdout);
  for (;;) {
    absl::StatusOr<Socket> client = Accept(*listener);
    if (!client.ok()) continue;
    std::thread([&tls, socket = *std::move(client)]() mutable {
      Serve(**tls, std::move(socket));
    }).detach();
  }
}

}  // namespace calico::standin
