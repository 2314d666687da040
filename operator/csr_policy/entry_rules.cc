// Rules of the request and one entry.
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/csr_policy/rule.h"

namespace calico::csr_policy {
namespace {

MaybeViolation AllowedKey(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const std::string key = facts.request->public_key().Description();
  if (Holds(entry.keys, key)) return std::nullopt;
  return Violation{"key-strength", fmt::format("{} is not one of {}", key, Joined(entry.keys))};
}

bool Fits(const CsrFacts& facts, const CsrPolicyEntry& entry, CsrNameShape shape) {
  const std::string& name = facts.csr.meta.name;
  const Requester& requester = facts.requester;
  switch (shape) {
    case CsrNameShape::kNamespacePodUid:
      return name == fmt::format("{}:{}:{}", requester.ns, requester.pod_name,
                                 std::string_view(requester.pod_uid).substr(0, 6));
    case CsrNameShape::kNamespacePod:
      return name == fmt::format("{}:{}", requester.ns, requester.pod_name);
    case CsrNameShape::kSecretPod:
      return std::any_of(entry.secret_names.begin(), entry.secret_names.end(),
                         [&](const std::string& secret) {
                           return name == fmt::format("{}:{}", secret, requester.pod_name);
                         });
  }
  return false;
}

MaybeViolation CsrName(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  std::vector<std::string> shapes;
  for (const CsrNameShape shape : entry.csr_names) {
    if (Fits(facts, entry, shape)) return std::nullopt;
    shapes.emplace_back(ToString(shape));
  }
  return Violation{"csr-name", fmt::format("the request's name is not {} of pod {}",
                                           fmt::join(shapes, " or "), PodName(facts))};
}

// By its type alone, or by type and value.
bool IsDropped(const pki::NameAttribute& attribute, const std::vector<std::string>& dropped) {
  return Holds(dropped, attribute.type) ||
         Holds(dropped, fmt::format("{}={}", attribute.type, attribute.value));
}

MaybeViolation Subject(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  for (const pki::NameAttribute& attribute : facts.request->subject()) {
    if (attribute.type == "CN" || IsDropped(attribute, entry.drop_subject_attributes)) continue;
    return Violation{"subject", fmt::format("{}={} is asked, a certificate has the CN alone "
                                            "(dropSubjectAttributes leaves named ones out)",
                                            attribute.type.substr(0, 80), Quote(attribute.value))};
  }
  return std::nullopt;
}

MaybeViolation CommonName(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const pki::CertificateRequest& request = *facts.request;
  if (request.common_name_count() != 1) {
    return Violation{"common-name", fmt::format("the subject has {} common names, expected one",
                                                request.common_name_count())};
  }
  if (Holds(entry.common_names, request.common_name())) return std::nullopt;
  return Violation{"common-name", fmt::format("{} is not one of {}", Quote(request.common_name()),
                                              Joined(entry.common_names))};
}

MaybeViolation DnsNames(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  for (const std::string& name : facts.request->dns_names()) {
    if (name.empty() || Holds(entry.dns_names, name)) continue;
    return Violation{"dns-names",
                     fmt::format("{} is not one of {}", Quote(name), Joined(entry.dns_names))};
  }
  return std::nullopt;
}

MaybeViolation Usages(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const std::vector<std::string>& asked = facts.csr.usages;
  for (const std::string& usage : asked) {
    if (Holds(entry.usages, usage) && FindUsage(usage) != nullptr) continue;
    return Violation{"usages",
                     fmt::format("{} is not one of {}", Quote(usage), Joined(entry.usages))};
  }
  for (const std::string& usage : entry.required_usages) {
    if (!Holds(asked, usage)) return Violation{"usages", fmt::format("{} is missing", usage)};
  }
  if (!Holds(asked, "server auth") && !Holds(asked, "client auth")) {
    return Violation{"usages", "neither server auth nor client auth is asked"};
  }
  return std::nullopt;
}

MaybeViolation UsagesOfTheKey(const CsrFacts& facts, const CsrPolicyEntry&) {
  const pki::PublicKey& key = facts.request->public_key();
  const pki::KeyUsages asked = KeyUsagesOf(facts.csr.usages);
  if (asked.empty() || !FittingKeyUsages(asked, key.family()).empty()) return std::nullopt;
  return Violation{"usages", fmt::format("{} is all that is asked and nothing that a key of {} can "
                                         "do",
                                         asked.ToString(), key.Description())};
}

// The usages inside of spec.request. The certificate gets those of spec.usages. An extended one
// beyond them would be missing without a word. Key usages are looser: Calico's init container of
// v3.27 leaves key encipherment out of spec.usages alone, and nothing misses it.
MaybeViolation RequestedUsages(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  const pki::KeyUsages allowed = KeyUsagesOf(entry.usages);
  for (const pki::KeyUsage usage : facts.request->key_usages().List()) {
    if (allowed.Has(usage)) continue;
    return Violation{"usages", fmt::format("key usage {} in spec.request is not one of {}",
                                           pki::ToString(usage), Joined(entry.usages))};
  }
  const std::vector<std::string> granted = ExtendedKeyUsagesOf(facts.csr.usages);
  for (const std::string& oid : facts.request->extended_key_usages()) {
    if (Holds(granted, oid)) continue;
    return Violation{"usages", fmt::format("extended key usage {} in spec.request is not in "
                                           "spec.usages",
                                           pki::ExtendedKeyUsageName(oid).substr(0, 80))};
  }
  return std::nullopt;
}

MaybeViolation RequestedDuration(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  if (!facts.csr.expiration_seconds.has_value()) return std::nullopt;
  const absl::Duration shortest = std::max(kShortestDuration, entry.min_duration);
  if (absl::Seconds(*facts.csr.expiration_seconds) >= shortest) return std::nullopt;
  return Violation{"duration", fmt::format("{} s is less than {} s", *facts.csr.expiration_seconds,
                                           absl::ToInt64Seconds(shortest))};
}

// Why nobody has this address for himself, whatever a status says; empty if somebody can.
std::string_view AddressFault(const base::IpAddress& address) {
  const std::string_view bytes = address.bytes();
  const auto byte = [bytes](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  if (address.is_ipv4()) {
    if (byte(0) == 0) return "an unspecified address";
    if (byte(0) == 127) return "a loopback address";
    if (byte(0) == 169 && byte(1) == 254) return "a link-local address";
    if (byte(0) >= 224 && byte(0) < 240) return "a multicast address";
    return bytes.find_first_not_of('\xff') == std::string_view::npos ? "a broadcast address" : "";
  }
  if (bytes.substr(0, 15).find_first_not_of('\0') == std::string_view::npos && byte(15) <= 1) {
    return byte(15) == 0 ? "an unspecified address" : "a loopback address";
  }
  if (byte(0) == 0xff) return "a multicast address";
  return byte(0) == 0xfe && (byte(1) & 0xc0) == 0x80 ? "a link-local address" : "";
}

MaybeViolation SoundAddresses(const CsrFacts& facts, const CsrPolicyEntry& entry) {
  if (entry.drop_ip_addresses) return std::nullopt;
  for (const base::IpAddress& address : facts.request->ip_addresses()) {
    const std::string_view fault = AddressFault(address);
    if (fault.empty()) continue;
    return Violation{"ip-addresses", fmt::format("{} is {}", address.ToString(), fault)};
  }
  return std::nullopt;
}

constexpr std::array<EntryRule, 10> kEntryRules = {
    AllowedKey, CsrName,        Subject,         CommonName,        DnsNames,
    Usages,     UsagesOfTheKey, RequestedUsages, RequestedDuration, SoundAddresses,
};
constexpr std::array<EntryRule, 1> kUnparsedRules = {Usages};
constexpr std::array<EntryRule, 4> kPodlessRules = {Usages, Subject, CommonName, DnsNames};

}  // namespace

std::span<const EntryRule> EntryRules() { return kEntryRules; }
std::span<const EntryRule> UnparsedRules() { return kUnparsedRules; }
std::span<const EntryRule> PodlessRules() { return kPodlessRules; }

}  // namespace calico::csr_policy
