#include "operator/validation/api_endpoint.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <absl/strings/str_replace.h>
#include <fmt/format.h>

#include "pkg/api/meta/names.h"
#include "pkg/base/ip_address.h"

namespace calico::validation {
namespace {

constexpr size_t kMostQuotedBytes = 100;
constexpr int kLargestPort = 65535;
constexpr size_t kMostPortDigits = 9;  // fits into an int

// As it may be shown: in one line, of bounded length.
std::string Quote(std::string_view text) {
  std::string quoted(text.substr(0, kMostQuotedBytes));
  std::replace_if(
      quoted.begin(), quoted.end(), [](char c) { return !absl::ascii_isprint(c) || c == '"'; },
      '?');
  return fmt::format("\"{}{}\"", quoted, text.size() > kMostQuotedBytes ? "..." : "");
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(text.front())) text.remove_prefix(1);
  while (!text.empty() && absl::ascii_isspace(text.back())) text.remove_suffix(1);
  return text;
}

// A name that ends in a number is a mistyped IPv4 address, and no name: RFC 1123 section 2.1.
bool EndsInNumber(std::string_view name) {
  const size_t dot = name.rfind('.');
  return IsDigits(dot == std::string_view::npos ? name : name.substr(dot + 1));
}

// What of a URL or of host:port is the host, for the advice.
std::string_view HostInside(std::string_view text) {
  if (const size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find_first_of("/?#"));
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end == std::string_view::npos ? std::string_view() : text.substr(1, end - 1);
  }
  return text.substr(0, text.find(':'));
}

// The host as it is used; empty for what is none.
std::string HostOf(std::string_view text) {
  const bool has_brackets = text.starts_with('[') && text.ends_with(']');
  const std::string_view bare = has_brackets ? text.substr(1, text.size() - 2) : text;
  if (const auto address = base::IpAddress::Parse(bare); address.ok()) {
    const std::string canonical = address->ToString();
    const bool is_unspecified = canonical == "0.0.0.0" || canonical == "::";
    if (is_unspecified || (has_brackets && !address->is_ipv6())) return "";
    return canonical;
  }
  if (has_brackets) return "";
  std::string name(bare);
  absl::AsciiStrToLower(&name);
  if (name.ends_with('.')) name.pop_back();
  if (!api::IsDnsSubdomain(name) || EndsInNumber(name)) return "";
  return name;
}

std::string HostProblem(std::string_view text) {
  const std::string inside = HostOf(HostInside(text));
  const std::string advice =
      inside.empty() ? std::string("an IP address or a DNS name alone") : Quote(inside);
  const bool has_scheme = text.find("://") != std::string_view::npos;
  return fmt::format("{}: {} is not a host: write {}, {}", kServiceHostKey, Quote(text), advice,
                     has_scheme ? "without scheme, port and path"
                                : fmt::format("the port belongs into {}", kServicePortKey));
}

void ReadHost(std::string_view text, EndpointVerdict& verdict) {
  if (text.empty()) {
    verdict.problems.push_back(fmt::format(
        "{}: is empty, though there is a port: write the API server's IP address or DNS name",
        kServiceHostKey));
    return;
  }
  verdict.host = HostOf(text);
  if (verdict.host.empty()) verdict.problems.push_back(HostProblem(text));
}

void ReadPort(std::string_view text, EndpointVerdict& verdict) {
  int number = 0;
  const bool is_number = IsDigits(text) && text.size() <= kMostPortDigits;
  for (const char digit : is_number ? text : std::string_view()) number = number * 10 + digit - '0';
  if (is_number && number >= 1 && number <= kLargestPort) {
    verdict.port = fmt::format("{}", number);
    return;
  }
  verdict.problems.push_back(fmt::format(
      "{}: {}: write a number from 1 to {}, such as 6443 or 443", kServicePortKey,
      text.empty() ? "is missing" : fmt::format("{} is not a port", Quote(text)), kLargestPort));
}

}  // namespace

EndpointVerdict ReadApiEndpoint(std::string_view host, std::string_view port,
                                std::string_view key_suffix) {
  EndpointVerdict verdict;
  host = Trimmed(host);
  port = Trimmed(port);
  if (host.empty() && port.empty()) return verdict;
  ReadHost(host, verdict);
  ReadPort(port, verdict);
  const std::string host_key = fmt::format("{}{}", kServiceHostKey, key_suffix);
  const std::string port_key = fmt::format("{}{}", kServicePortKey, key_suffix);
  for (std::string& problem : verdict.problems) {
    problem = absl::StrReplaceAll(problem,
                                  {{{kServiceHostKey.data(), kServiceHostKey.size()}, host_key},
                                   {{kServicePortKey.data(), kServicePortKey.size()}, port_key}});
  }
  return verdict;
}

}  // namespace calico::validation
