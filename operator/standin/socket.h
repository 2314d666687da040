// Blocking TCP sockets with timeouts.
#ifndef CALICO_OPERATOR_STANDIN_SOCKET_H_
#define CALICO_OPERATOR_STANDIN_SOCKET_H_

#include <cstdint>
#include <string>
#include <utility>

#include <absl/status/statusor.h>

namespace calico::standin {

// A file descriptor, closed when destroyed.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// `address` is an IPv4 or IPv6 address; "" listens on all. Errors: kUnavailable.
absl::StatusOr<Socket> Listen(const std::string& address, uint16_t port);
absl::StatusOr<Socket> Accept(const Socket& listener);
absl::StatusOr<Socket> Connect(const std::string& address, uint16_t port);
// Reads and writes on `socket` fail after that many seconds; 0 = never.
void SetTimeout(const Socket& socket, int seconds);

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_SOCKET_H_
