#include "pkg/net/dialer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/cancellation.h"
#include "pkg/aio/timer.h"
#include "pkg/base/clock.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/address.h"
#include "pkg/net/resolve.h"
#include "pkg/net/tunnel.h"

namespace calico::net {
namespace {

constexpr size_t kMaxAddresses = 16;
// A dead first address must leave time for the next, and each one enough of it to answer.
constexpr absl::Duration kLeastAddressTimeout = absl::Seconds(2);

// One status for the failures of all addresses: who answered but could not prove himself says more
// than who did not answer.
absl::Status Summary(const std::vector<absl::Status>& failures) {
  std::string text;
  auto code = absl::StatusCode::kUnavailable;
  for (const absl::Status& failure : failures) {
    if (failure.code() != absl::StatusCode::kDeadlineExceeded &&
        failure.code() != absl::StatusCode::kUnavailable) {
      code = failure.code();
    }
    text += fmt::format("{}{}", text.empty() ? "" : "; ", std::string(failure.message()));
  }
  return absl::Status(code, text);
}

// Bad TLS material is no bad request: the files may be in order the next time.
absl::StatusOr<std::shared_ptr<const TlsContext>> Usable(
    absl::StatusOr<std::shared_ptr<const TlsContext>> context) {
  if (!absl::IsInvalidArgument(context.status())) return context;
  return absl::UnauthenticatedError(context.status().message());
}

}  // namespace

absl::Duration AddressTimeout(absl::Duration remaining, size_t left, absl::Duration least,
                              absl::Duration connect_timeout) {
  const absl::Duration share = remaining / static_cast<int64_t>(left);
  return std::min(std::max(share, least), connect_timeout);
}

aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Dialer::Dial(absl::Duration remaining) {
  if (options_.origin.scheme == "https") CALICO_CO_RETURN_IF_ERROR(LoadTls());
  const absl::Duration least = is_first_ ? absl::ZeroDuration() : kLeastAddressTimeout;
  if (is_first_) remaining = std::min(remaining, kFirstTimeout);
  const absl::Time deadline = base::SystemClock().SteadyNow() + remaining;
  const Url& hop = options_.proxy.has_value() ? *options_.proxy : options_.origin;
  absl::StatusOr<std::vector<std::string>> looked_up = co_await LookUp(hop.host, remaining);
  if (!looked_up.ok()) co_return looked_up.status();
  std::vector<std::string> addresses = *std::move(looked_up);
  if (addresses.size() > kMaxAddresses) addresses.resize(kMaxAddresses);
  if (const auto good = std::find(addresses.begin(), addresses.end(), last_good_);
      good != addresses.end()) {
    std::rotate(addresses.begin(), good, addresses.end());
  }

  std::vector<absl::Status> failures;
  for (size_t i = 0; i < addresses.size(); ++i) {
    // Should this address use up the caller's whole time, the next call begins with the next one.
    last_good_ = addresses[(i + 1) % addresses.size()];
    const absl::Duration timeout =
        AddressTimeout(deadline - base::SystemClock().SteadyNow(), addresses.size() - i, least,
                       options_.connect_timeout);
    auto connection = co_await aio::WithDeadline(DialAddress(addresses[i]), timeout);
    is_first_ = false;
    if (connection.ok()) {
      last_good_ = addresses[i];
      co_return std::move(connection);
    }
    if (co_await aio::IsCancelled()) co_return absl::CancelledError("connect: cancelled");
    failures.push_back(base::Annotate(
        connection.status(), fmt::format("connect {}", JoinHostPort(addresses[i], hop.port))));
  }
  co_return Summary(failures);
}

aio::Task<absl::StatusOr<std::vector<std::string>>> Dialer::LookUp(std::string host,
                                                                   absl::Duration timeout) {
  absl::StatusOr<std::vector<std::string>> addresses = co_await aio::WithDeadline(
      options_.resolve ? options_.resolve(host) : Resolve(host), timeout);
  if (absl::IsDeadlineExceeded(addresses.status())) {
    is_first_ = false;
    co_return absl::UnavailableError(fmt::format("look up {}: no answer within {}: timed out", host,
                                                 absl::FormatDuration(timeout)));
  }
  if (addresses.ok() && addresses->empty()) {
    co_return absl::UnavailableError(fmt::format("look up {}: no address", host));
  }
  co_return addresses;
}

aio::Task<absl::StatusOr<std::unique_ptr<Connection>>> Dialer::DialAddress(std::string address) {
  const uint16_t port = options_.proxy.has_value() ? options_.proxy->port : options_.origin.port;
  CALICO_CO_ASSIGN_OR_RETURN(
      std::unique_ptr<Connection> connection,
      co_await Connection::Connect(std::move(address), port, options_.received));
  CALICO_CO_RETURN_IF_ERROR(co_await Prepare(*connection));
  co_return std::move(connection);
}

aio::Task<absl::Status> Dialer::Prepare(Connection& connection) {
  const Url& origin = options_.origin;
  const bool https = origin.scheme == "https";
  // Other calls may replace the members while this one waits.
  const std::shared_ptr<const TlsContext> tls = tls_;
  const std::string server_name = server_name_;
  if (options_.proxy.has_value()) {
    const Url& proxy = *options_.proxy;
    if (proxy.scheme == "https") {
      if (proxy_tls_ == nullptr) {
        CALICO_CO_ASSIGN_OR_RETURN(proxy_tls_, Usable(TlsContext::NewProxyClient("")));
      }
      CALICO_CO_RETURN_IF_ERROR(
          base::Annotate(co_await connection.StartTls(proxy_tls_, proxy.host), "proxy"));
    }
    if (proxy.scheme.starts_with("socks5")) {
      CALICO_CO_RETURN_IF_ERROR(
          co_await OpenSocks5Tunnel(connection, proxy, origin.host, origin.port));
    } else if (https) {
      CALICO_CO_RETURN_IF_ERROR(
          co_await OpenHttpTunnel(connection, proxy, origin.host, origin.port));
    }
  }
  if (https) CALICO_CO_RETURN_IF_ERROR(co_await connection.StartTls(tls, server_name));
  co_return absl::OkStatus();
}

absl::Status Dialer::LoadTls() {
  TlsOptions tls;
  if (options_.tls) {
    CALICO_ASSIGN_OR_RETURN(tls, options_.tls());
  }
  if (tls_ != nullptr && tls == tls_options_) return absl::OkStatus();
  std::string server_name = tls.server_name.empty() ? options_.origin.host : tls.server_name;
  if (!IsServerName(server_name)) {
    return absl::UnauthenticatedError("TLS server name is neither a DNS name nor an address");
  }
  CALICO_ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> context,
                          Usable(TlsContext::NewClient(tls)));
  std::shared_ptr<const TlsContext> proxy_context;
  if (options_.proxy.has_value() && options_.proxy->scheme == "https") {
    CALICO_ASSIGN_OR_RETURN(proxy_context, Usable(TlsContext::NewProxyClient(tls.ca_pem)));
  }
  tls_ = std::move(context);
  proxy_tls_ = std::move(proxy_context);
  server_name_ = std::move(server_name);
  tls_options_ = std::move(tls);
  return absl::OkStatus();
}

}  // namespace calico::net
