#include "pkg/serving/address.h"

#include <charconv>

#include <fmt/format.h>

#include "pkg/base/ip_address.h"

namespace calico::serving {
namespace {

absl::Status Bad(std::string_view text, std::string_view problem) {
  return absl::InvalidArgumentError(
      fmt::format("parse address \"{}\": {}, expected host:port", text, problem));
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text, "no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  ListenAddress address;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return Bad(text, "the port is no number from 0 to 65535");
  }
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() && !bracketed) {
    address.host = "::";
    return address;
  }
  if (host == "localhost" && !bracketed) host = "127.0.0.1";
  const absl::StatusOr<base::IpAddress> ip = base::IpAddress::Parse(host);
  if (!ip.ok() || (host.find(':') != std::string_view::npos) != bracketed) {
    return Bad(text, "the host is no IP address (IPv6 in brackets)");
  }
  address.host = ip->ToString();
  return address;
}

}  // namespace calico::serving
