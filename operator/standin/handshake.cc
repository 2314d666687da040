#include "operator/standin/handshake.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <thread>
#include <utility>

#include <absl/status/statusor.h>

#include "operator/standin/socket.h"

namespace calico::standin {

HandshakeEnds Handshake(MutualTls& server, MutualTls& client) {
  const absl::StatusOr<Socket> listener = Listen("127.0.0.1", 0);
  if (!listener.ok()) return {listener.status(), listener.status()};
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(listener->fd(), reinterpret_cast<sockaddr*>(&address), &size);
  HandshakeEnds ends;
  std::thread accepting([&] {
    absl::StatusOr<Socket> socket = Accept(*listener);
    SetTimeout(*socket, 5);
    auto connection = server.Establish(*std::move(socket));
    ends.server = connection.ok() ? (*connection)->Write("typha\n") : connection.status();
  });
  absl::StatusOr<Socket> socket = Connect("127.0.0.1", ntohs(address.sin_port));
  auto connection = client.Establish(*std::move(socket));
  ends.client = connection.ok() ? (*connection)->Read().status() : connection.status();
  connection = absl::UnavailableError("closed");
  accepting.join();
  return ends;
}

}  // namespace calico::standin
