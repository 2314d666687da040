#include "operator/config/signer_policy.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/config/builtin_policies.h"
#include "pkg/api/meta/names.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/yaml.h"
#include "pkg/pki/usage.h"

namespace calico::config {
namespace {

using codec::ObjectReader;

constexpr codec::YamlLimits kLimits = {.max_bytes = 256 << 10, .max_depth = 8, .max_nodes = 50'000};
constexpr size_t kMostEntries = 256;
constexpr size_t kMostItems = 1024;
constexpr size_t kLongestName = 253;
constexpr size_t kLongestCommonName = 64;  // RFC 5280 A.1, ub-common-name

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsDnsCharacter(char c) {
  return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
         c == '*';
}
bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

// Text of these characters, at most so many, and not none.
template <bool (*kIsCharacter)(char), size_t kLongest = kLongestName>
bool IsMadeOf(std::string_view text) {
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), kIsCharacter);
}

struct ListRule {
  bool (*is_sound)(std::string_view item);
  bool required = false;
};

// The list of strings at `key`, each checked.
std::vector<std::string> ReadList(const ObjectReader& entry, std::string_view key,
                                  const ListRule& rule) {
  std::vector<std::string> items;
  entry.ForEachString(key, [&](std::string_view item) {
    if (!rule.is_sound(item)) {
      entry.Fail(key, fmt::format("{:?} is no such name", item.substr(0, 64)));
    } else if (std::find(items.begin(), items.end(), item) != items.end()) {
      entry.Fail(key, fmt::format("{:?} is there twice", item));
    } else if (items.size() < kMostItems) {
      items.emplace_back(item);
    } else if (items.size() == kMostItems) {
      entry.Fail(key, fmt::format("more than {} items", kMostItems));
    }
  });
  if (rule.required && items.empty()) entry.Fail(key, "needs at least one item");
  return items;
}

// As ReadList; each item must be one of `known`, and an absent list means `absent`.
template <class Known>
std::vector<std::string> ReadChoices(const ObjectReader& entry, std::string_view key,
                                     const Known& known, std::vector<std::string> absent) {
  if (!entry.Has(key)) return absent;
  std::vector<std::string> items =
      ReadList(entry, key, {.is_sound = IsMadeOf<IsPrintable>, .required = true});
  for (const std::string& item : items) {
    if (std::find(known.begin(), known.end(), item) != known.end()) continue;
    entry.Fail(key, fmt::format("{:?} is not one of {}", item, fmt::join(known, ", ")));
  }
  return items;
}

bool IsDottedIdentifier(std::string_view text) {
  return text.find('.') != std::string_view::npos && !text.starts_with('.') &&
         !text.ends_with('.') && text.find("..") == std::string_view::npos &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Subject attributes as the parser of requests names them: its short name where there is one.
std::vector<std::string> ReadDroppedAttributes(const ObjectReader& entry, std::string_view key) {
  std::vector<std::string> items = ReadList(entry, key, {.is_sound = IsMadeOf<IsPrintable>});
  for (const std::string& whole : items) {
    const std::string item = whole.substr(0, whole.find('='));  // O=Example: of that value only
    if (whole.ends_with('=') && whole.size() == item.size() + 1) {
      entry.Fail(key, fmt::format("write {} for every value", item));
    }
    if (pki::SubjectAttributeName(item) == "CN" || item == "CN") {
      entry.Fail(key, "the CN cannot be dropped");
    } else if (pki::SubjectAttributeName(item) != item) {
      entry.Fail(key, fmt::format("write {} for {}", pki::SubjectAttributeName(item), item));
    } else if (pki::SubjectAttributeOid(item).empty() && !IsDottedIdentifier(item)) {
      entry.Fail(key, fmt::format("{:?} is no subject attribute, such as O, OU, C, ST, L, "
                                  "emailAddress or 1.2.3.4",
                                  item.substr(0, 64)));
    }
  }
  return items;
}

absl::Duration ReadDuration(const ObjectReader& entry, std::string_view key,
                            absl::Duration absent) {
  if (!entry.Has(key)) return absent;
  const std::string_view text = entry.StringView(key);
  absl::Duration duration;
  if (!absl::ParseDuration(absl::string_view(text.data(), text.size()), &duration) ||
      duration == absl::InfiniteDuration()) {
    entry.Fail(key, "expected a duration such as 24h or 1h30m");
    return absent;
  }
  if (duration < csr_policy::kShortestDuration) entry.Fail(key, "less than 10m");
  return duration;
}

void RefuseUnknown(const ObjectReader& object, std::initializer_list<std::string_view> known) {
  if (!object.exists()) return;
  for (const auto& field : object.object()) {
    const std::string_view key(field.key().data(), field.key().size());
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      object.Fail(key.substr(0, 64), "unknown field");
    }
  }
}

std::vector<std::string> UsageNames() {
  std::vector<std::string> names;
  for (const csr_policy::Usage& usage : csr_policy::KnownUsages()) names.emplace_back(usage.name);
  return names;
}

std::vector<std::string> KeyNames() {
  return {csr_policy::KnownKeys().begin(), csr_policy::KnownKeys().end()};
}

void ReadUsages(const ObjectReader& object, csr_policy::CsrPolicyEntry& entry) {
  entry.usages = ReadChoices(object, "usages", UsageNames(), UsageNames());
  entry.required_usages = ReadChoices(object, "requiredUsages", entry.usages, {});
  const auto has = [&](std::string_view usage) {
    return std::find(entry.usages.begin(), entry.usages.end(), usage) != entry.usages.end();
  };
  if (!has("server auth") && !has("client auth")) {
    object.Fail("usages", "needs server auth or client auth");
  }
}

void ReadCsrNames(const ObjectReader& object, csr_policy::CsrPolicyEntry& entry) {
  const auto shape_names = {csr_policy::ToString(csr_policy::CsrNameShape::kNamespacePodUid),
                            csr_policy::ToString(csr_policy::CsrNameShape::kSecretPod),
                            csr_policy::ToString(csr_policy::CsrNameShape::kNamespacePod)};
  entry.secret_names = ReadList(object, "secretNames", {.is_sound = api::IsDnsSubdomain});
  if (!object.Has("csrNames")) return;
  entry.csr_names.clear();
  for (const std::string& name : ReadChoices(object, "csrNames", std::vector(shape_names), {})) {
    const std::optional<csr_policy::CsrNameShape> shape = csr_policy::CsrNameShapeOf(name);
    if (!shape.has_value()) continue;
    entry.csr_names.push_back(*shape);
    if (*shape == csr_policy::CsrNameShape::kSecretPod && entry.secret_names.empty()) {
      object.Fail("secretNames", "needs at least one item for csrNames secret:pod");
    }
  }
}

csr_policy::CsrPolicyEntry ReadEntry(const ObjectReader& object) {
  RefuseUnknown(object,
                {"name", "signerNames", "namespaces", "serviceAccounts", "commonNames", "dnsNames",
                 "dropIPAddresses", "dropSubjectAttributes", "csrNames", "secretNames", "usages",
                 "requiredUsages", "minDuration", "maxDuration", "keys"});
  csr_policy::CsrPolicyEntry entry;
  entry.name = object.RequiredString("name");
  if (entry.name.size() > kLongestName) object.Fail("name", "too long");
  entry.signer_names = ReadList(object, "signerNames", {.is_sound = api::IsSignerName});
  if (object.Has("signerNames") && entry.signer_names.empty()) {
    object.Fail("signerNames", "needs at least one item, or leave it out");
  }
  entry.namespaces =
      ReadList(object, "namespaces", {.is_sound = api::IsDnsLabel, .required = true});
  entry.service_accounts =
      ReadList(object, "serviceAccounts", {.is_sound = api::IsDnsSubdomain, .required = true});
  entry.common_names =
      ReadList(object, "commonNames",
               {.is_sound = IsMadeOf<IsPrintable, kLongestCommonName>, .required = true});
  entry.dns_names = ReadList(object, "dnsNames", {.is_sound = IsMadeOf<IsDnsCharacter>});
  entry.drop_subject_attributes = ReadDroppedAttributes(object, "dropSubjectAttributes");
  entry.drop_ip_addresses = object.Bool("dropIPAddresses");
  ReadCsrNames(object, entry);
  ReadUsages(object, entry);
  entry.keys = ReadChoices(object, "keys", KeyNames(), KeyNames());
  entry.min_duration = ReadDuration(object, "minDuration", csr_policy::kShortestDuration);
  entry.max_duration = ReadDuration(object, "maxDuration", absl::InfiniteDuration());
  if (entry.max_duration < entry.min_duration) {
    object.Fail("maxDuration", "less than minDuration");
  }
  return entry;
}

}  // namespace

absl::StatusOr<csr_policy::CsrPolicy> ParseSignerPolicy(std::string_view yaml) {
  CALICO_ASSIGN_OR_RETURN(const json::value document, codec::ParseYaml(yaml, kLimits));
  if (!document.is_object()) {
    return absl::InvalidArgumentError("policy: expected a mapping with version and entries");
  }
  codec::Decoder decoder("policy");
  const ObjectReader root = decoder.Read(document.get_object());
  RefuseUnknown(root, {"version", "entries"});
  if (root.Int64("version") != 1) root.Fail("version", "expected 1");
  if (!root.Has("entries")) root.Fail("entries", "required");

  csr_policy::CsrPolicy policy;
  std::set<std::string> names;
  root.ForEach("entries", [&](const ObjectReader& object) {
    if (policy.entries.size() == kMostEntries) {
      object.Fail("name", fmt::format("more than {} entries", kMostEntries));
      return;
    }
    policy.entries.push_back(ReadEntry(object));
    if (!names.insert(policy.entries.back().name).second) {
      object.Fail("name", "there is another entry of that name");
    }
  });
  CALICO_RETURN_IF_ERROR(decoder.status());
  return policy;
}

std::optional<std::string_view> BuiltinSignerPolicy(std::string_view name) {
  for (const base::EmbeddedFile& file : BuiltinPolicies()) {
    if (file.name == fmt::format("policies/{}.yaml", name)) return file.content;
  }
  return std::nullopt;
}

std::vector<std::string_view> BuiltinSignerPolicyNames() {
  constexpr std::string_view kFolder = "policies/";
  constexpr std::string_view kSuffix = ".yaml";
  std::vector<std::string_view> names;
  for (const base::EmbeddedFile& file : BuiltinPolicies()) {
    names.push_back(
        file.name.substr(kFolder.size(), file.name.size() - kFolder.size() - kSuffix.size()));
  }
  return names;
}

}  // namespace calico::config
