// Stand-in for the image quay.io/calico/apiserver: TLS with the mounted pair, and what the
// aggregator and the probes ask for.

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <absl/status/statusor.h>

#include "operator/standin/api_responses.h"
#include "operator/standin/program.h"
#include "operator/standin/socket.h"
#include "operator/standin/termination.h"
#include "operator/standin/tls_server.h"

namespace calico::standin {
namespace {

constexpr const char* kPort = "5443";

}  // namespace

int RunApiServer(const Arguments& arguments) {
  ExitOnTermination();
  std::signal(SIGPIPE, SIG_IGN);
  const absl::StatusOr<std::unique_ptr<TlsServer>> tls =
      TlsServer::Load(Flag(arguments, "tls-cert-file"), Flag(arguments, "tls-private-key-file"));
  if (!tls.ok()) {
    std::fprintf(stderr, "apiserver: %s\n", tls.status().ToString().c_str());
    return 1;
  }
  const absl::StatusOr<Socket> listener =
      Listen("", static_cast<uint16_t>(std::stoi(Flag(arguments, "secure-port", kPort))));
  if (!listener.ok()) {
    std::fprintf(stderr, "apiserver: %s\n", listener.status().ToString().c_str());
    return 1;
  }
  std::puts("serving");
  std::fflush(stdout);
  for (;;) {
    absl::StatusOr<Socket> client = Accept(*listener);
    if (!client.ok()) continue;
    std::thread([&tls, socket = *std::move(client)]() mutable {
      (*tls)->Answer(std::move(socket), &Respond);
    }).detach();
  }
}

int CheckApiServer(const Arguments&) {
  return Connect("127.0.0.1", static_cast<uint16_t>(std::stoi(kPort))).ok() ? 0 : 1;
}

}  // namespace calico::standin
