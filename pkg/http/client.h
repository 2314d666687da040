// HTTP/1.1 client for one origin: keep-alive connections, TLS, proxies, deadlines, bounded bodies.
//
// Several addresses behind the origin's name are tried in turn, starting with the one that last
// worked, so that one dead API server does not stop a caller.
#ifndef CALICO_PKG_HTTP_CLIENT_H_
#define CALICO_PKG_HTTP_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/http/message.h"
#include "pkg/net/tls.h"

namespace calico::http {

struct ClientOptions {
  // `https://host[:port][/prefix]` or `http://...`; the prefix is put before every target.
  std::string origin;
  // Asked before every new connection, so that rotated files take effect. Unused for http.
  std::function<absl::StatusOr<net::TlsOptions>()> tls;
  // `http://[user:password@]host:port`, `https://...` or `socks5://...`; empty = direct.
  // A TLS proxy is verified against the system's authorities and `tls`'s, and gets no certificate.
  std::string proxy;
  std::string user_agent = "calico-operator";
  // Connections at one time; further calls wait for a free one within their deadline. A stream
  // (Open) holds its connection for as long as it lives.
  int max_connections = 8;
  // For TCP, proxy and TLS of one address; less when the deadline must be shared with the others.
  absl::Duration connect_timeout = absl::Seconds(10);
  // An unused connection older than this is closed rather than used.
  absl::Duration idle_timeout = absl::Seconds(90);
  size_t max_header_bytes = 64 << 10;
  size_t max_body_bytes = 32 << 20;  // of Do; the reader of a stream sets its own bound
  // Looks up the addresses of a host name; empty = the system's resolver.
  std::function<aio::Task<absl::StatusOr<std::vector<std::string>>>(std::string host)> resolve;
};

// A response whose body is read piece by piece (watches, large lists).
// Lifetime: must be destroyed before its client. Destroying it early closes the connection; after
// the last piece the connection is kept for the next call.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  virtual const Response& head() const = 0;  // status and headers; body is empty
  // The next piece of the body; empty at its end. Errors: kUnavailable when the connection broke,
  // kDeadlineExceeded when nothing came for `idle`; kCancelled. An error ends the stream, and is
  // returned again by later calls. Cancellation: total.
  virtual aio::Task<absl::StatusOr<std::string>> Read(absl::Duration idle) = 0;
};

// Whether an error of a Client means that no byte of the request has left (name lookup, connecting,
// TLS, no free connection): it may be sent again, whatever it asks for.
bool NotSent(const absl::Status& status);

// Threading: event loop thread only. Destroy after all its calls have ended.
class Client {
 public:
  Client(aio::Executor executor, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends `request` and reads the whole response within `timeout` (any HTTP status is OK).
  // A kept connection that was closed while it was idle is replaced without a word. When one breaks
  // under the request, before the first response byte, it is replaced once if the request is
  // repeatable or none of it has left; otherwise that is kUnavailable, as the server may have
  // acted. Errors: kUnavailable (refused, reset, closed, name lookup; may be retried if the request
  // is safe), kUnauthenticated for TLS handshake and verification failures and for TLS options that
  // cannot be used, naming the cause, kDeadlineExceeded, kResourceExhausted (head or body over the
  // bound), kInvalidArgument (options or request that cannot be sent), kCancelled. Cancellation:
  // total.
  aio::Task<absl::StatusOr<Response>> Do(Request request, absl::Duration timeout);

  // The same, but returns after the response head.
  aio::Task<absl::StatusOr<std::unique_ptr<ResponseStream>>> Open(Request request,
                                                                  absl::Duration timeout);

  // Changes ClientOptions::max_connections. Calls that wait take what is added at once; what is
  // taken away goes as calls end.
  void SetMaxConnections(int max_connections);

  // Closes idle connections, and those in use once they are idle, so that the next call makes a new
  // one (rotated credentials). Also from ClientOptions::tls.
  void CloseIdle();

  // Bytes received on all connections so far, TLS overhead included (benchmarks).
  uint64_t bytes_received() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_CLIENT_H_
