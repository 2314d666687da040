#include "pkg/pki/host_names.h"

#include <algorithm>
#include <vector>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include "pkg/base/ip_address.h"

namespace calico::pki {
namespace {

using Labels = std::vector<std::string>;

std::string Lower(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

std::string_view WithoutFinalDot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool IsLabel(std::string_view label) {
  return !label.empty() && label.front() != '-' &&
         std::all_of(label.begin(), label.end(), [](unsigned char byte) {
           return absl::ascii_isalnum(byte) || byte == '-' || byte == '_';
         });
}

enum class FirstLabel { kPlain, kMayBeWildcard };

// Go takes underscores and no other byte beyond those of RFC 1123.
bool IsHostName(const Labels& labels, FirstLabel first) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i == 0 && first == FirstLabel::kMayBeWildcard && labels[i] == "*") continue;
    if (!IsLabel(labels[i])) return false;
  }
  return true;
}

// A wildcard stands for exactly one label, the first; `*` alone for a host of one label. What is no
// host name counts letter by letter only.
bool NameMatches(std::string_view pattern, std::string_view host) {
  const std::string wanted = Lower(host);
  const std::string offered = Lower(pattern);
  const Labels wanted_labels = absl::StrSplit(std::string(WithoutFinalDot(wanted)), '.');
  const Labels labels = absl::StrSplit(offered, '.');
  if (!IsHostName(wanted_labels, FirstLabel::kPlain) ||
      !IsHostName(labels, FirstLabel::kMayBeWildcard)) {
    return !wanted.empty() && wanted != "." && wanted == offered;
  }
  const int wildcards = labels.front() == "*" ? 1 : 0;
  return labels.size() == wanted_labels.size() &&
         std::equal(labels.begin() + wildcards, labels.end(), wanted_labels.begin() + wildcards);
}

std::string_view WithoutBrackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return host.substr(1, host.size() - 2);
  }
  return host;
}

// The host in what people write by mistake: `[fd00::1]`, `10.0.0.1:2380`, `https://a:2380`.
std::string_view HostIn(std::string_view written) {
  if (const size_t scheme = written.find("://"); scheme != written.npos) {
    written.remove_prefix(scheme + 3);
  }
  if (written.starts_with('[')) return written.substr(1, written.find(']') - 1);
  const size_t colon = written.find(':');
  return colon == written.rfind(':') ? written.substr(0, colon) : written;
}

// A DNS name or URI of the certificate that was meant to be this host.
std::string_view MeantAs(const Certificate& certificate, std::string_view host) {
  for (const auto* names : {&certificate.dns_names(), &certificate.uris()}) {
    for (const std::string& name : *names) {
      if (!name.empty() && HostIn(name) == host) return name;
    }
  }
  return {};
}

}  // namespace

std::string NameList(const Certificate& certificate) {
  std::vector<std::string> names;
  for (const std::string& name : certificate.dns_names()) {
    names.push_back(name.empty() ? "\"\"" : name);
  }
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    names.push_back(address.ToString());
  }
  return names.empty() ? "no name" : absl::StrJoin(names, ", ");
}

std::optional<std::string> HostProblem(const Certificate& certificate, std::string_view host) {
  const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(WithoutBrackets(host));
  if (address.ok()) {
    const auto& addresses = certificate.ip_addresses();
    if (std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) {
      return std::nullopt;
    }
    if (const std::string_view meant = MeantAs(certificate, host); !meant.empty()) {
      return fmt::format(
          "it has \"{}\" as a DNS name or URI, and an address that is dialled counts only as an IP "
          "address, without port",
          meant);
    }
    if (addresses.empty()) {
      return fmt::format(
          "it has no IP address as a subject alternative name (it is for {}), and it is dialled "
          "at {}",
          NameList(certificate), host);
    }
  } else {
    for (const std::string& name : certificate.dns_names()) {
      if (NameMatches(name, host)) return std::nullopt;
    }
    if (const std::string_view meant = MeantAs(certificate, host); !meant.empty()) {
      return fmt::format("it has \"{}\", and a host counts only without scheme and port", meant);
    }
  }
  return fmt::format("it is for {}, not for {}", NameList(certificate), host);
}

bool HasUsableName(const Certificate& certificate) {
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    const std::string text = address.ToString();
    if (text != "0.0.0.0" && text != "::") return true;
  }
  const auto& names = certificate.dns_names();
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return !name.empty(); });
}

}  // namespace calico::pki
