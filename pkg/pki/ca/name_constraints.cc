#include "pkg/pki/ca/name_constraints.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <absl/strings/match.h>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/der_reader.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/internal/x509.h"

namespace calico::pki {
namespace {

using internal::DerReader;

constexpr uint8_t kDnsName = internal::ContextTag(2);
constexpr uint8_t kDirectoryName = internal::ConstructedTag(4);
constexpr uint8_t kIpAddress = internal::ContextTag(7);
constexpr size_t kMostListed = 4;

struct IpRange {
  std::string net;
  std::string mask;
};

struct Subtrees {
  std::vector<std::string> dns_names;
  std::vector<IpRange> ip_ranges;
  std::vector<std::string> directories;  // DER of the GeneralName
};

struct Constraints {
  Subtrees permitted;
  Subtrees excluded;
  bool has_distance = false;  // a minimum or maximum, which nobody supports
};

bool ReadSubtrees(std::string_view list, Subtrees& out, bool& has_distance) {
  for (DerReader reader(list); !reader.empty();) {
    const auto subtree = reader.Take(internal::kDerSequence);
    if (!subtree.has_value()) return false;
    DerReader parts(*subtree);
    const auto base = parts.Take();
    if (!base.has_value()) return false;
    has_distance |= !parts.empty();
    const std::string_view content = base->content;
    const size_t half = content.size() / 2;
    switch (base->tag) {
      case kDnsName:
        out.dns_names.emplace_back(content);
        break;
      case kDirectoryName:
        out.directories.emplace_back(base->whole);
        break;
      case kIpAddress:
        if (content.size() != 8 && content.size() != 32) return false;
        out.ip_ranges.push_back(
            {std::string(content.substr(0, half)), std::string(content.substr(half))});
        break;
      default:
        break;  // names that we never ask for
    }
  }
  return true;
}

// Nothing: none, or (when `is_unreadable`) some that cannot be read.
std::optional<Constraints> Read(const Certificate& ca, bool& is_unreadable) {
  X509* x509 = internal::CertificateAccess::Handle(ca);
  const int at = X509_get_ext_by_NID(x509, NID_name_constraints, -1);
  is_unreadable = false;
  if (at < 0) return std::nullopt;
  const std::string_view der = internal::ContentOf(X509_EXTENSION_get_data(X509_get_ext(x509, at)));
  const auto content = DerReader(der).Take(internal::kDerSequence);
  Constraints constraints;
  is_unreadable = !content.has_value();
  if (is_unreadable) return std::nullopt;
  DerReader reader(*content);
  for (Subtrees* subtrees : {&constraints.permitted, &constraints.excluded}) {
    const uint8_t tag = internal::ConstructedTag(subtrees == &constraints.permitted ? 0 : 1);
    if (!reader.Sees(tag)) continue;
    const auto list = reader.Take(tag);
    is_unreadable = !list.has_value() || !ReadSubtrees(*list, *subtrees, constraints.has_distance);
    if (is_unreadable) return std::nullopt;
  }
  return constraints;
}

bool Matches(const std::string& constraint, std::string_view name) {
  if (constraint.empty()) return true;
  if (name.size() < constraint.size()) return false;
  const std::string_view end = name.substr(name.size() - constraint.size());
  if (!absl::EqualsIgnoreCase(absl::string_view(end.data(), end.size()), constraint)) return false;
  return name.size() == constraint.size() || constraint.front() == '.' ||
         name[name.size() - constraint.size() - 1] == '.';
}

bool Matches(const IpRange& range, const base::IpAddress& address) {
  const std::string_view bytes = address.bytes();
  if (bytes.size() != range.net.size()) return false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (((bytes[i] ^ range.net[i]) & range.mask[i]) != 0) return false;
  }
  return true;
}

struct FreeConstraints {
  void operator()(NAME_CONSTRAINTS* constraints) const { NAME_CONSTRAINTS_free(constraints); }
};

// A constraint that excludes the directory name `der` and nothing else; null when it has no sense.
std::unique_ptr<NAME_CONSTRAINTS, FreeConstraints> Excluding(const std::string& der) {
  std::unique_ptr<NAME_CONSTRAINTS, FreeConstraints> constraints(NAME_CONSTRAINTS_new());
  auto name = internal::DecodeAll<openssl::GeneralNamePtr>(d2i_GENERAL_NAME, der);
  GENERAL_SUBTREE* subtree = GENERAL_SUBTREE_new();
  if (constraints == nullptr || name == nullptr || subtree == nullptr) {
    GENERAL_SUBTREE_free(subtree);
    return nullptr;
  }
  GENERAL_NAME_free(subtree->base);
  subtree->base = name.release();
  constraints->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
  if (constraints->excludedSubtrees == nullptr ||
      sk_GENERAL_SUBTREE_push(constraints->excludedSubtrees, subtree) <= 0) {
    GENERAL_SUBTREE_free(subtree);
    return nullptr;
  }
  return constraints;
}

// The subject that has this common name only. Names are compared in OpenSSL's canonical form.
bool MatchesDirectory(const std::string& der, const std::string& common_name) {
  const auto constraints = Excluding(der);
  const openssl::X509Ptr x509(X509_new());
  if (constraints == nullptr || x509 == nullptr) return false;
  const openssl::ErrorScope scope;
  X509_NAME* subject = X509_get_subject_name(x509.get());
  return internal::WriteName(subject, common_name, {}).ok() &&
         NAME_CONSTRAINTS_check(x509.get(), constraints.get()) == X509_V_ERR_EXCLUDED_VIOLATION;
}

std::string ToText(const std::string& name) { return fmt::format("\"{}\"", name); }
std::string ToText(const base::IpAddress& address) { return address.ToString(); }

std::string ToText(const IpRange& range) {
  int bits = 0;
  for (const char byte : range.mask) bits += __builtin_popcount(static_cast<uint8_t>(byte));
  const auto net = base::IpAddress::FromBytes(range.net);
  return fmt::format("{}/{}", net.ok() ? net->ToString() : "?", bits);
}

std::string DirectoryText(const std::string& der) {
  const auto name = internal::DecodeAll<openssl::GeneralNamePtr>(d2i_GENERAL_NAME, der);
  return name == nullptr || name->type != GEN_DIRNAME ? "?"
                                                      : internal::NameText(name->d.directoryName);
}

// "a, b and 3 more".
template <class List, class Text>
std::string Listed(const List& list, Text text) {
  std::string result;
  for (size_t i = 0; i < list.size() && i < kMostListed; ++i) {
    result += fmt::format("{}{}", i == 0 ? "" : ", ", text(list[i]));
  }
  if (list.size() > kMostListed) result += fmt::format(" and {} more", list.size() - kMostListed);
  return result;
}

// Adds what `permitted` and `excluded` forbid of `names`.
template <class Constraint, class Name, class Match, class ConstraintText, class NameText>
void Judge(std::string_view kind, const std::vector<Constraint>& permitted,
           const std::vector<Constraint>& excluded, absl::Span<const Name> names, Match matches,
           ConstraintText constraint_text, NameText name_text,
           std::vector<std::string>& violations) {
  std::vector<Name> outside;
  for (const Name& name : names) {
    const auto covers = [&](const Constraint& constraint) { return matches(constraint, name); };
    const auto out = std::find_if(excluded.begin(), excluded.end(), covers);
    if (out != excluded.end()) {
      violations.push_back(fmt::format("its name constraints exclude the {} {}, and with it {}",
                                       kind, constraint_text(*out), name_text(name)));
    } else if (!permitted.empty() && std::none_of(permitted.begin(), permitted.end(), covers)) {
      outside.push_back(name);
    }
  }
  if (outside.empty()) return;
  violations.push_back(fmt::format("its name constraints permit only the {} {}, not {}", kind,
                                   Listed(permitted, constraint_text), Listed(outside, name_text)));
}

}  // namespace

std::vector<std::string> NameConstraintViolations(const Certificate& ca,
                                                  const SubjectNames& wanted) {
  bool is_unreadable = false;
  const std::optional<Constraints> constraints = Read(ca, is_unreadable);
  if (is_unreadable) return {"its name constraints cannot be read"};
  if (!constraints.has_value()) return {};
  const Subtrees& permitted = constraints->permitted;
  const Subtrees& excluded = constraints->excluded;
  std::vector<std::string> violations;
  if (constraints->has_distance) {
    violations.emplace_back("its name constraints have a minimum or maximum, which no peer takes");
  }
  const auto quoted = [](const std::string& name) { return ToText(name); };
  Judge<std::string, std::string>(
      "DNS names", permitted.dns_names, excluded.dns_names, wanted.dns_names,
      [](const std::string& constraint, const std::string& name) {
        return Matches(constraint, name);
      },
      quoted, quoted, violations);
  Judge<IpRange, base::IpAddress>(
      "IP addresses", permitted.ip_ranges, excluded.ip_ranges, wanted.ip_addresses,
      [](const IpRange& range, const base::IpAddress& address) { return Matches(range, address); },
      [](const IpRange& range) { return ToText(range); },
      [](const base::IpAddress& address) { return ToText(address); }, violations);
  if (wanted.common_name.empty()) return violations;
  const std::string common_name(wanted.common_name);
  Judge<std::string, std::string>(
      "subjects below", permitted.directories, excluded.directories, {&common_name, 1},
      MatchesDirectory, DirectoryText,
      [](const std::string& name) { return fmt::format("CN={}", name); }, violations);
  return violations;
}

absl::Status CheckNameConstraints(absl::Span<const Certificate> cas,
                                  absl::Span<const std::string> dns_names,
                                  absl::Span<const base::IpAddress> ip_addresses,
                                  std::string_view common_name) {
  std::string all;
  for (const Certificate& ca : cas) {
    for (const std::string& violation : NameConstraintViolations(
             ca,
             {.common_name = common_name, .dns_names = dns_names, .ip_addresses = ip_addresses})) {
      all += fmt::format("{}the CA {:?}: {}", all.empty() ? "" : "; ", ca.subject(), violation);
    }
  }
  return all.empty() ? absl::OkStatus() : absl::FailedPreconditionError(all);
}

bool ConstrainsIpAddresses(const Certificate& ca) {
  bool is_unreadable = false;
  const std::optional<Constraints> constraints = Read(ca, is_unreadable);
  return constraints.has_value() &&
         !(constraints->permitted.ip_ranges.empty() && constraints->excluded.ip_ranges.empty());
}

bool ForbidsEveryIpAddress(const Certificate& ca) {
  bool is_unreadable = false;
  const std::optional<Constraints> constraints = Read(ca, is_unreadable);
  if (!constraints.has_value()) return false;
  const std::vector<IpRange>& permitted = constraints->permitted.ip_ranges;
  const std::vector<IpRange>& excluded = constraints->excluded.ip_ranges;
  const auto leaves_some = [&](size_t size) {
    const auto is_of_size = [size](const IpRange& range) { return range.net.size() == size; };
    const auto is_all = [size](const IpRange& range) {
      return range.mask == std::string(size, '\0');
    };
    return (permitted.empty() || std::any_of(permitted.begin(), permitted.end(), is_of_size)) &&
           std::none_of(excluded.begin(), excluded.end(), is_all);
  };
  return !leaves_some(4) && !leaves_some(16);
}

}  // namespace calico::pki
