#include "operator/standin/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace calico::standin {
namespace {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

absl::Status SocketError(std::string_view what, const std::string& address, uint16_t port) {
  return absl::UnavailableError(
      fmt::format("{} [{}]:{}: {}", what, address, port, strerror(errno)));
}

absl::StatusOr<Endpoint> ParseEndpoint(const std::string& address, uint16_t port) {
  Endpoint endpoint;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&endpoint.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&endpoint.storage);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    endpoint.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, address.empty() ? "::" : address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    endpoint.size = sizeof(sockaddr_in6);
  } else {
    return absl::InvalidArgumentError(fmt::format("'{}' is not an IP address", address));
  }
  return endpoint;
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Socket> Listen(const std::string& address, uint16_t port) {
  absl::StatusOr<Endpoint> endpoint = ParseEndpoint(address, port);
  if (!endpoint.ok()) return endpoint.status();
  Socket socket(::socket(endpoint->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (endpoint->storage.ss_family == AF_INET6) {
    setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (bind(socket.fd(), reinterpret_cast<sockaddr*>(&endpoint->storage), endpoint->size) != 0 ||
      listen(socket.fd(), 128) != 0) {
    return SocketError("listen on", address, port);
  }
  return socket;
}

absl::StatusOr<Socket> Accept(const Socket& listener) {
  const int fd = accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return absl::UnavailableError(fmt::format("accept: {}", strerror(errno)));
  return Socket(fd);
}

absl::StatusOr<Socket> Connect(const std::string& address, uint16_t port) {
  absl::StatusOr<Endpoint> endpoint = ParseEndpoint(address, port);
  if (!endpoint.ok()) return endpoint.status();
  Socket socket(::socket(endpoint->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SetTimeout(socket, 5);
  if (connect(socket.fd(), reinterpret_cast<sockaddr*>(&endpoint->storage), endpoint->size) != 0) {
    return SocketError("connect to", address, port);
  }
  return socket;
}

void SetTimeout(const Socket& socket, int seconds) {
  const timeval limit{.tv_sec = seconds, .tv_usec = 0};
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

}  // namespace calico::standin
