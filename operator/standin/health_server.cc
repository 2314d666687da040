#include "operator/standin/health_server.h"

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "operator/standin/socket.h"

namespace calico::standin {
namespace {

void Answer(const Socket& client, bool ready) {
  SetTimeout(client, 1);
  char buffer[1024];
  const ssize_t got = recv(client.fd(), buffer, sizeof(buffer), 0);
  if (got <= 0) return;
  const std::string_view request(buffer, static_cast<size_t>(got));
  const bool known =
      request.starts_with("GET /liveness ") || request.starts_with("GET /readiness ");
  const char* status = !known ? "404 Not Found"
                       : request.starts_with("GET /readiness ") && !ready
                           ? "503 Service Unavailable"
                           : "200 OK";
  const std::string answer =
      fmt::format("HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
  send(client.fd(), answer.data(), answer.size(), MSG_NOSIGNAL);
}

}  // namespace

void StartHealthServer(uint16_t port, const std::atomic<bool>& ready) {
  absl::StatusOr<Socket> listener = Listen("127.0.0.1", port);
  if (!listener.ok()) {
    std::fprintf(stderr, "health: %s\n", listener.status().ToString().c_str());
    std::exit(1);
  }
  std::thread([listener = *std::move(listener), &ready] {
    for (;;) {
      const absl::StatusOr<Socket> client = Accept(listener);
      if (client.ok()) Answer(*client, ready.load());
    }
  }).detach();
}

bool IsHealthy(uint16_t port, const std::string& path) {
  const absl::StatusOr<Socket> socket = Connect("127.0.0.1", port);
  if (!socket.ok()) return false;
  SetTimeout(*socket, 1);
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
  char buffer[256];
  if (send(socket->fd(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return false;
  const ssize_t got = recv(socket->fd(), buffer, sizeof(buffer), 0);
  return got > 0 && std::string_view(buffer, static_cast<size_t>(got)).starts_with("HTTP/1.1 200");
}

}  // namespace calico::standin
