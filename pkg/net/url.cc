#include "pkg/net/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/net/address.h"
#include "pkg/net/ascii.h"

namespace calico::net {
namespace {

constexpr size_t kMaxUrlBytes = 8 << 10;

absl::Status Bad(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("parse URL: {}", cause));
}

uint16_t DefaultPort(std::string_view scheme) {
  if (scheme == "http") return 80;
  if (scheme == "https") return 443;
  return 1080;  // socks5
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

absl::Status ParseCredentials(std::string_view text, Url& url) {
  const size_t colon = text.find(':');
  const std::optional<std::string> user = PercentDecode(text.substr(0, colon));
  const std::optional<std::string> password =
      PercentDecode(colon == text.npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return Bad("bad percent-encoding in the credentials");
  url.user = *user;
  url.password = *password;
  return absl::OkStatus();
}

absl::Status ParsePort(std::string_view text, Url& url) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > 65535) {
    return Bad("port is not a number from 1 to 65535");
  }
  url.port = static_cast<uint16_t>(value);
  return absl::OkStatus();
}

bool IsName(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '.' || c == '_'; });
}

// The address between brackets; its zone is written `%25eth0` (RFC 6874), and often `%eth0`.
absl::StatusOr<std::string> ParseIpv6(std::string_view text) {
  const std::string address(text.substr(0, text.find('%')));
  if (address.find(':') == address.npos || !IsIpAddress(address)) return Bad("bad IPv6 address");
  if (address.size() == text.size()) return address;
  std::string_view zone = text.substr(address.size() + 1);
  if (zone.starts_with("25")) zone.remove_prefix(2);
  if (zone.empty() || !IsName(zone)) return Bad("bad zone of an IPv6 address");
  return fmt::format("{}%{}", address, zone);
}

absl::Status ParseHostPort(std::string_view text, Url& url) {
  std::string host;
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == text.npos) return Bad("missing ] after an IPv6 address");
    CALICO_ASSIGN_OR_RETURN(host, ParseIpv6(text.substr(1, end - 1)));
    text.remove_prefix(end + 1);
  } else {
    host = text.substr(0, text.find(':'));
    text.remove_prefix(host.size());
    if (!IsName(host)) return Bad("bad character in the host");
  }
  if (host.empty()) return Bad("missing host");
  if (host.size() > 255) return Bad("host is longer than 255 characters");
  url.host = ToLower(host);
  if (text.empty()) return absl::OkStatus();
  if (text.front() != ':') return Bad("unexpected characters after the host");
  if (text.size() == 1) return absl::OkStatus();  // `host:`, as RFC 3986 3.2.3 allows
  return ParsePort(text.substr(1), url);
}

absl::Status ParsePath(std::string_view text, Url& url) {
  for (const char c : text) {
    if (c <= ' ' || c == 0x7f || c == '\\') return Bad("bad character in the path");
    if (c == '?' || c == '#') return Bad("a query or fragment is not allowed here");
  }
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  url.path = text;
  return absl::OkStatus();
}

}  // namespace

std::string JoinHostPort(std::string_view host, uint16_t port) {
  if (host.find(':') != host.npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

std::string Url::Authority() const { return JoinHostPort(host, port); }

std::string Url::HostHeader() const {
  const std::string name = host.substr(0, host.find('%'));
  if (port != DefaultPort(scheme)) return JoinHostPort(name, port);
  return name.find(':') == name.npos ? name : fmt::format("[{}]", name);
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return Bad("longer than 8 KiB");
  Url url;
  const size_t scheme_end = text.find("://");
  if (scheme_end == text.npos) return Bad("missing scheme");
  url.scheme = ToLower(text.substr(0, scheme_end));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "socks5" &&
      url.scheme != "socks5h") {
    return Bad("scheme is none of http, https, socks5, socks5h");
  }
  url.port = DefaultPort(url.scheme);
  text.remove_prefix(scheme_end + 3);

  std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  const std::string_view path = text.substr(authority.size());
  if (const size_t at = authority.rfind('@'); at != authority.npos) {
    CALICO_RETURN_IF_ERROR(ParseCredentials(authority.substr(0, at), url));
    authority.remove_prefix(at + 1);
  }
  CALICO_RETURN_IF_ERROR(ParseHostPort(authority, url));
  CALICO_RETURN_IF_ERROR(ParsePath(path, url));
  return url;
}

}  // namespace calico::net
