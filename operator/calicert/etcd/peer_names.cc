#include "operator/calicert/etcd/peer_names.h"

#include <algorithm>

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

namespace calico::calicert::etcd {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

std::string_view WithoutFinalDot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// A wildcard stands for exactly one label, the first; `*` alone for a host of one label.
bool NameMatches(std::string_view pattern, std::string_view host) {
  const std::string wanted = Lower(WithoutFinalDot(host));
  const std::string offered = Lower(pattern);
  if (wanted.empty() || offered.empty()) return false;
  const std::vector<std::string> wanted_labels = absl::StrSplit(wanted, '.');
  const std::vector<std::string> labels = absl::StrSplit(offered, '.');
  if (labels.size() != wanted_labels.size()) return false;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i == 0 && labels[i] == "*") continue;
    if (labels[i].empty() || labels[i] != wanted_labels[i]) return false;
  }
  return true;
}

std::string_view WithoutBrackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return host.substr(1, host.size() - 2);
  }
  return host;
}

bool IsWildcard(std::string_view name) { return name.starts_with("*."); }

// No name server knows it: etcd takes neither an empty name nor a lone `*` for a source.
bool IsNobody(std::string_view name) { return name.empty() || name == "*"; }

// A name that is an address: looked up, it is that address.
bool IsThatAddress(std::string_view name, const base::IpAddress& address) {
  const absl::StatusOr<base::IpAddress> parsed = base::IpAddress::Parse(name);
  return parsed.ok() && *parsed == address;
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
std::string_view MeantAs(const pki::Certificate& certificate, std::string_view host) {
  for (const auto* names : {&certificate.dns_names(), &certificate.uris()}) {
    for (const std::string& name : *names) {
      if (!name.empty() && HostIn(name) == host) return name;
    }
  }
  return {};
}

// What a name server would have to say for the certificate to be taken.
std::string Wanted(const pki::Certificate& certificate, const base::IpAddress& source) {
  std::vector<std::string> ways;
  for (const std::string& name : certificate.dns_names()) {
    if (IsWildcard(name)) {
      ways.push_back(fmt::format("{} resolves back to a name below {}", source.ToString(),
                                 std::string_view(name).substr(2)));
    } else if (!IsNobody(name)) {
      ways.push_back(fmt::format("{} has the address {}", name, source.ToString()));
    }
  }
  return absl::StrJoin(ways, ", or ");
}

struct NameVerdict {
  bool accepted = false;
  bool unknown = false;
};

NameVerdict JudgeNames(const pki::Certificate& certificate, const base::IpAddress& source,
                       const Lookups& lookups) {
  NameVerdict verdict;
  const auto reverse = lookups.names.find(source);
  for (const std::string& name : certificate.dns_names()) {
    if (IsNobody(name)) continue;
    if (IsThatAddress(name, source)) return {.accepted = true};
    if (reverse == lookups.names.end()) {
      verdict.unknown = true;
    } else {
      for (const std::string& found : reverse->second) {
        const std::string_view back = WithoutFinalDot(found);
        const bool matches =
            IsWildcard(name) ? back.ends_with(std::string_view(name).substr(1)) : back == name;
        if (matches) verdict.accepted = true;
      }
    }
    if (IsWildcard(name)) continue;
    const auto forward = lookups.addresses.find(name);
    if (forward == lookups.addresses.end()) {
      verdict.unknown = true;
    } else if (std::find(forward->second.begin(), forward->second.end(), source) !=
               forward->second.end()) {
      verdict.accepted = true;
    }
  }
  return verdict;
}

}  // namespace

std::string NameList(const pki::Certificate& certificate) {
  std::vector<std::string> names;
  for (const std::string& name : certificate.dns_names()) {
    names.push_back(name.empty() ? "\"\"" : name);
  }
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    names.push_back(address.ToString());
  }
  return names.empty() ? "no name" : absl::StrJoin(names, ", ");
}

std::optional<std::string> HostProblem(const pki::Certificate& certificate, std::string_view host) {
  host = WithoutBrackets(host);
  const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(host);
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

bool HasUsableName(const pki::Certificate& certificate) {
  for (const base::IpAddress& address : certificate.ip_addresses()) {
    const std::string text = address.ToString();
    if (text != "0.0.0.0" && text != "::") return true;
  }
  const auto& names = certificate.dns_names();
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return !name.empty(); });
}

SourceFinding JudgeSource(const pki::Certificate& certificate, const base::IpAddress& source,
                          const Lookups& lookups) {
  const auto& addresses = certificate.ip_addresses();
  const auto& names = certificate.dns_names();
  if (addresses.empty() && names.empty()) return {};
  if (std::find(addresses.begin(), addresses.end(), source) != addresses.end()) return {};
  const std::string mismatch = fmt::format("it connects from {}, and its certificate is for {}",
                                           source.ToString(), NameList(certificate));
  const std::string wanted = Wanted(certificate, source);
  if (wanted.empty()) return {SourceVerdict::kRefused, mismatch};
  const NameVerdict verdict = JudgeNames(certificate, source, lookups);
  if (verdict.accepted) return {};
  if (verdict.unknown) {
    return {SourceVerdict::kDepends,
            fmt::format("it connects from {}, which is taken only where {}", source.ToString(),
                        wanted)};
  }
  return {SourceVerdict::kRefused,
          fmt::format("{}: name servers do not say that {}", mismatch, wanted)};
}

}  // namespace calico::calicert::etcd
