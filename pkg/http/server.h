// Small HTTP/1.1 server for metrics, health and in-process tests: one coroutine per connection,
// bounded heads and bodies, a deadline on each read and write.
#ifndef CALICO_PKG_HTTP_SERVER_H_
#define CALICO_PKG_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/http/message.h"
#include "pkg/net/tls.h"

namespace calico::http {

// The peer of a request. `certificate_pem` is the verified client certificate, if any.
struct Peer {
  std::string address;
  std::string certificate_pem;
};

// Writes one chunked response piece by piece (a fake watch).
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  // Sends status and headers; the body follows in chunks. At most once, before Write.
  // Errors of both: kUnavailable (client gone), kDeadlineExceeded (it does not read), kCancelled.
  virtual aio::Task<absl::Status> Start(int status, Headers headers) = 0;
  virtual aio::Task<absl::Status> Write(std::string chunk) = 0;
  // Ends the connection at once, without the last chunk.
  virtual void Abort() = 0;
};

// Returns the response, or nullopt when it has written one through `writer`. Cancelled when the
// connection breaks and when the server stops. A client that has closed its side only (RFC 9112,
// section 9.6) still gets its response; the handler is cancelled then once it has started one
// through `writer`, which may have no end, and after ServerOptions::idle_timeout. `writer` lives
// until the handler's task ends.
using Handler = std::function<aio::Task<std::optional<Response>>(Request request, Peer peer,
                                                                 ResponseWriter& writer)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0 = any free one
  std::optional<net::TlsServerOptions> tls;
  size_t max_body_bytes = 4 << 20;
  int max_connections = 1024;  // further ones are closed at once
  // For a whole request to arrive, the wait for it included, for each write, and for the handler
  // when the client has closed its side.
  absl::Duration idle_timeout = absl::Seconds(60);
};

// Threading: event loop thread only. Stop before destruction.
class Server {
 public:
  // Listens at once. Errors: kUnavailable naming address and port; kInvalidArgument for bad TLS.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(aio::Executor executor,
                                                        ServerOptions options, Handler handler);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
  // Accepts and serves until Stop or until it is cancelled. At most once.
  virtual aio::Task<void> Run() = 0;
  // Closes the socket and all connections, and cancels the handlers; Run then ends.
  virtual void Stop() = 0;
};

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_SERVER_H_
