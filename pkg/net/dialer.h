// Dialer: new connections to one origin, through a proxy where there is one, by whichever of its
// addresses answers.
#ifndef CALICO_PKG_NET_DIALER_H_
#define CALICO_PKG_NET_DIALER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/net/connection.h"
#include "pkg/net/tls.h"
#include "pkg/net/tls_context.h"
#include "pkg/net/url.h"

namespace calico::net {

struct DialerOptions {
  Url origin;
  std::optional<Url> proxy;
  std::function<absl::StatusOr<TlsOptions>()> tls;
  std::function<aio::Task<absl::StatusOr<std::vector<std::string>>>(std::string host)> resolve;
  // Of the first connection at most kFirstTimeout, for all its addresses together; then each one
  // may take 2 s at least.
  absl::Duration connect_timeout = absl::Seconds(10);
  std::shared_ptr<uint64_t> received;
};

// How long one address may take, when `left` addresses share the time up to the deadline: an equal
// share, but not under `least` and not over `connect_timeout`.
absl::Duration AddressTimeout(absl::Duration remaining, size_t left, absl::Duration least,
                              absl::Duration connect_timeout);

// Threading: event loop thread only. Must outlive its tasks.
class Dialer {
 public:
  // Who waits for a first connection, in vain, is to learn the reason soon; then there is patience.
  static constexpr absl::Duration kFirstTimeout = absl::Seconds(4);

  explicit Dialer(DialerOptions options) : options_(std::move(options)) {}

  // A connection whose next bytes are the caller's and the origin's. Errors: kUnavailable,
  // kUnauthenticated (some address answered, but TLS or the proxy's password failed; or the TLS
  // options cannot be used), kCancelled. Cancellation: total.
  aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Dial(absl::Duration remaining);

 private:
  aio::Task<absl::StatusOr<std::vector<std::string>>> LookUp(std::string host,
                                                             absl::Duration timeout);
  aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> DialAddress(std::string address);
  aio::Task<absl::Status> Prepare(Connection& connection);
  absl::Status LoadTls();

  const DialerOptions options_;
  std::string last_good_;  // the address to begin with
  bool is_first_ = true;   // no dial has come to its end

  // Built anew when the options change.
  TlsOptions tls_options_;
  std::shared_ptr<const TlsContext> tls_;
  std::shared_ptr<const TlsContext> proxy_tls_;
  std::string server_name_;
};

}  // namespace calico::net

#endif  // CALICO_PKG_NET_DIALER_H_
