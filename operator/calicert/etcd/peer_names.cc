#include "operator/calicert/etcd/peer_names.h"

#include <algorithm>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/pki/host_names.h"

namespace calico::calicert::etcd {
namespace {

std::string_view WithoutFinalDot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool IsWildcard(std::string_view name) { return name.starts_with("*."); }

// No name server knows it: etcd takes neither an empty name nor a lone `*` for a source.
bool IsNobody(std::string_view name) { return name.empty() || name == "*"; }

// A name that is an address: looked up, it is that address.
bool IsThatAddress(std::string_view name, const base::IpAddress& address) {
  const absl::StatusOr<base::IpAddress> parsed = base::IpAddress::Parse(name);
  return parsed.ok() && *parsed == address;
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

SourceFinding JudgeSource(const pki::Certificate& certificate, const base::IpAddress& source,
                          const Lookups& lookups) {
  const auto& addresses = certificate.ip_addresses();
  const auto& names = certificate.dns_names();
  if (addresses.empty() && names.empty()) return {};
  if (std::find(addresses.begin(), addresses.end(), source) != addresses.end()) return {};
  const std::string mismatch = fmt::format("it connects from {}, and its certificate is for {}",
                                           source.ToString(), pki::NameList(certificate));
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
