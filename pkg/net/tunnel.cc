#include "pkg/net/tunnel.h"

#include <cstdint>
#include <memory>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/base/ip_address.h"
#include "pkg/base/status_macros.h"
#include "pkg/net/connect_reply.h"

namespace calico::net {
namespace {

absl::Status ProxyError(std::string_view cause) {
  return absl::UnavailableError(fmt::format("proxy: {}", cause));
}

// Reads exactly `size` bytes. SOCKS messages are short and the server says no more than asked, so
// surplus bytes are a protocol error.
aio::Task<absl::StatusOr<std::string>> ReadExactly(Connection& connection, std::string& buffer,
                                                   size_t size) {
  while (buffer.size() < size) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string piece, co_await connection.Read());
    if (piece.empty()) co_return ProxyError("connection closed");
    buffer += piece;
  }
  std::string out = buffer.substr(0, size);
  buffer.erase(0, size);
  co_return out;
}

aio::Task<absl::Status> Socks5Login(Connection& connection, std::string& buffer, const Url& proxy) {
  if (proxy.user.size() > 255 || proxy.password.size() > 255) {
    co_return absl::UnauthenticatedError("proxy: user or password is longer than 255 bytes");
  }
  std::string message = "\x01";
  message.push_back(static_cast<char>(proxy.user.size()));
  message += proxy.user;
  message.push_back(static_cast<char>(proxy.password.size()));
  message += proxy.password;
  CALICO_CO_RETURN_IF_ERROR(co_await connection.Write(message));
  CALICO_CO_ASSIGN_OR_RETURN(const std::string reply, co_await ReadExactly(connection, buffer, 2));
  if (reply[1] != 0) co_return absl::UnauthenticatedError("proxy: credentials refused");
  co_return absl::OkStatus();
}

std::string Socks5Request(const std::string& host, uint16_t port) {
  std::string out("\x05\x01\x00", 3);
  if (const auto address = base::IpAddress::Parse(host); address.ok()) {
    out += address->is_ipv4() ? '\x01' : '\x04';
    out += address->bytes();
  } else {
    out += '\x03';
    out.push_back(static_cast<char>(host.size()));  // ParseUrl allows at most 255
    out += host;
  }
  out.push_back(static_cast<char>(port >> 8));
  out.push_back(static_cast<char>(port & 255));
  return out;
}

std::string_view Socks5Failure(uint8_t code) {
  constexpr std::string_view kTexts[] = {
      "succeeded",           "general failure",     "not allowed by its rules",
      "network unreachable", "host unreachable",    "connection refused",
      "TTL expired",         "command unsupported", "address type unsupported"};
  return code < std::size(kTexts) ? kTexts[code] : "unknown failure";
}

// The bound address follows the reply; it is of no interest, but has to be read.
aio::Task<absl::Status> Socks5SkipAddress(Connection& connection, std::string& buffer, char type) {
  size_t size = type == 1 ? 4 : 16;
  if (type == 3) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string length,
                               co_await ReadExactly(connection, buffer, 1));
    size = static_cast<uint8_t>(length[0]);
  } else if (type != 1 && type != 4) {
    co_return ProxyError("malformed SOCKS5 reply");
  }
  co_return (co_await ReadExactly(connection, buffer, size + 2)).status();
}

}  // namespace

std::string BasicAuthorization(const Url& proxy) {
  if (proxy.user.empty() && proxy.password.empty()) return "";
  return fmt::format("Basic {}",
                     base::Base64Encode(fmt::format("{}:{}", proxy.user, proxy.password)));
}

aio::Task<absl::Status> OpenHttpTunnel(Connection& connection, Url proxy, std::string host,
                                       uint16_t port) {
  const std::string authority = JoinHostPort(host, port);
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", authority);
  if (const std::string basic = BasicAuthorization(proxy); !basic.empty()) {
    request += fmt::format("Proxy-Authorization: {}\r\n", basic);
  }
  request += "\r\n";
  CALICO_CO_RETURN_IF_ERROR(co_await connection.Write(request));

  ConnectReply reply;
  while (!reply.done()) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string piece, co_await connection.Read());
    if (piece.empty()) co_return ProxyError("connection closed");
    const absl::Status parsed = reply.Feed(piece);
    if (!parsed.ok()) co_return ProxyError(std::string(parsed.message()));
  }
  if (reply.status() == 407) {
    co_return absl::UnauthenticatedError("proxy: credentials wanted or refused (status 407)");
  }
  if (reply.status() / 100 != 2) {
    co_return ProxyError(fmt::format("CONNECT {}: status {}", authority, reply.status()));
  }
  if (reply.has_rest()) co_return ProxyError("bytes before the tunnel was used");
  co_return absl::OkStatus();
}

aio::Task<absl::Status> OpenSocks5Tunnel(Connection& connection, Url proxy, std::string host,
                                         uint16_t port) {
  const bool login = !proxy.user.empty() || !proxy.password.empty();
  // Version 5, the methods that we can do: none (0), password (2).
  std::string hello = login ? std::string("\x05\x02\x00\x02", 4) : std::string("\x05\x01\x00", 3);
  CALICO_CO_RETURN_IF_ERROR(co_await connection.Write(hello));
  std::string buffer;
  CALICO_CO_ASSIGN_OR_RETURN(const std::string method, co_await ReadExactly(connection, buffer, 2));
  if (method[0] != 5) co_return ProxyError("does not speak SOCKS5");
  if (method[1] == 2 && login) {
    CALICO_CO_RETURN_IF_ERROR(co_await Socks5Login(connection, buffer, proxy));
  } else if (method[1] != 0) {
    co_return absl::UnauthenticatedError("proxy: no accepted authentication method");
  }
  CALICO_CO_RETURN_IF_ERROR(co_await connection.Write(Socks5Request(host, port)));
  CALICO_CO_ASSIGN_OR_RETURN(const std::string reply, co_await ReadExactly(connection, buffer, 4));
  if (reply[1] != 0) {
    co_return ProxyError(fmt::format("connect to {}: {}", JoinHostPort(host, port),
                                     Socks5Failure(static_cast<uint8_t>(reply[1]))));
  }
  CALICO_CO_RETURN_IF_ERROR(co_await Socks5SkipAddress(connection, buffer, reply[3]));
  if (!buffer.empty()) co_return ProxyError("bytes before the tunnel was used");
  co_return absl::OkStatus();
}

}  // namespace calico::net
