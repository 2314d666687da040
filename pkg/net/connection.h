// Connection: a TCP connection with its layers, for client and server. Keeps no buffers while it
// waits, so that many idle ones cost little.
#ifndef CALICO_PKG_NET_CONNECTION_H_
#define CALICO_PKG_NET_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/aio/task.h"
#include "pkg/net/tls_context.h"

namespace calico::net {

// Threading: event loop thread only. One read and one write may run at the same time. Destruction
// closes; its tasks must have ended by then.
class Connection {
 public:
  // Connects to an IP address. `received` counts the bytes off the socket; nullptr = uncounted.
  // Errors: kUnavailable naming the cause, kCancelled. Cancellation: total.
  static aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Connect(
      std::string address, uint16_t port, std::shared_ptr<uint64_t> received);

  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Puts TLS on top and shakes hands, as the context's side. Requires and errors: see
  // TlsContext::Wrap. Cancellation: total; the connection is of no use then.
  aio::Task<absl::Status> StartTls(std::shared_ptr<const TlsContext> context,
                                   std::string peer_name);
  // 1 byte to 16 KiB, or empty when the peer has closed. Errors: kUnavailable, kUnauthenticated
  // (TLS alerts), kCancelled. Cancellation: total; no bytes are lost.
  aio::Task<absl::StatusOr<std::string>> Read();
  // Writes all of `data`, which must live until the task has ended. Errors as Read. Cancellation:
  // total; the connection is of no use then.
  aio::Task<absl::Status> Write(std::string_view data);
  // Bytes that Write has handed over so far. None since before a Write that failed: the peer has
  // got nothing of its data that it could make sense of.
  uint64_t written() const;

  // Whether a kept connection has been closed by the peer, or holds bytes that nobody asked for.
  bool IsStale();
  // Tells the peer that nothing more comes; reading goes on.
  void FinishWriting();
  // Closes; reads and writes in progress end with kUnavailable.
  void Close();

  // `address:port` of the other side.
  const std::string& peer() const;
  // The verified certificate of the other side, or empty.
  std::string PeerCertificatePem() const;

 private:
  std::unique_ptr<Impl> impl_;
};

// A listening socket. Threading: event loop thread only.
class Listener {
 public:
  // Errors: kUnavailable naming address and port.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(aio::Executor executor,
                                                          const std::string& address,
                                                          uint16_t port);
  virtual ~Listener() = default;
  virtual uint16_t port() const = 0;
  // Errors: kUnavailable, kResourceExhausted (file descriptors), kCancelled. Cancellation: total.
  virtual aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Accept() = 0;
  // Closes; an Accept in progress ends with kCancelled.
  virtual void Close() = 0;
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_CONNECTION_H_
