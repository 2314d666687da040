#include "pkg/pki/ca/go_extensions.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <openssl/objects.h>

#include "pkg/base/status_macros.h"
#include "pkg/pki/ca/go_text.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/der_reader.h"

namespace calico::pki::internal {
namespace {

struct Extension {
  int nid = NID_undef;
  std::string name;  // "nameConstraints", or the dotted identifier
  bool is_critical = false;
  std::string_view value;
};

absl::Status Refuse(const Extension& extension, std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("its extension {} {}", extension.name, cause));
}

absl::Status Malformed(const Extension& extension) {
  return Refuse(extension, "is malformed: make it anew");
}

std::optional<Extension> ReadExtension(std::string_view content) {
  DerReader reader(content);
  const std::optional<DerReader::Element> oid = reader.Take();
  if (!oid.has_value() || oid->tag != kDerObjectId) return std::nullopt;
  Extension extension;
  const unsigned char* in = ToBytes(oid->whole);
  ASN1_OBJECT* object = d2i_ASN1_OBJECT(nullptr, &in, static_cast<long>(oid->whole.size()));
  if (object == nullptr) return std::nullopt;
  extension.nid = OBJ_obj2nid(object);
  extension.name = OidOf(object);
  ASN1_OBJECT_free(object);
  if (!IsObjectId(oid->content)) return std::nullopt;
  if (reader.Sees(kDerBoolean)) {
    const auto critical = reader.Take(kDerBoolean);
    if (!critical || (*critical != std::string_view("\0", 1) && *critical != "\xff")) {
      return std::nullopt;
    }
    extension.is_critical = *critical == "\xff";
  }
  const auto value = reader.Take(kDerOctetString);
  if (!value.has_value()) return std::nullopt;
  extension.value = *value;
  if (extension.nid != NID_undef) extension.name = OBJ_nid2sn(extension.nid);
  return extension;
}

// What Go's Verify can handle when it is critical.
bool IsKnownToGo(int nid) {
  constexpr int kKnown[] = {NID_key_usage,          NID_basic_constraints,
                            NID_subject_alt_name,   NID_name_constraints,
                            NID_ext_key_usage,      NID_crl_distribution_points,
                            NID_policy_constraints, NID_certificate_policies,
                            NID_policy_mappings,    NID_inhibit_any_policy};
  return std::find(std::begin(kKnown), std::end(kKnown), nid) != std::end(kKnown);
}

bool IsLowAscii(const DerReader::Element& name) { return IsAscii(name.content); }

absl::Status CheckAlternativeNames(const Extension& extension) {
  const auto list = DerReader(extension.value).Take(kDerSequence);
  if (!list.has_value()) return Malformed(extension);
  bool has_known = false;
  for (DerReader names(*list); !names.empty();) {
    const std::optional<DerReader::Element> name = names.Take();
    if (!name.has_value()) return Malformed(extension);
    const bool is_text =
        name->tag == ContextTag(1) || name->tag == ContextTag(2) || name->tag == ContextTag(6);
    if (is_text && !IsLowAscii(*name)) return Malformed(extension);
    if (name->tag == ContextTag(7) && name->content.size() != 4 && name->content.size() != 16) {
      return Malformed(extension);
    }
    has_known |= is_text || name->tag == ContextTag(7);
  }
  if (has_known || !extension.is_critical) return absl::OkStatus();
  return Refuse(extension,
                "is critical and holds no name that Go knows, so that its Verify refuses every "
                "chain: make it anew without that");
}

absl::Status CheckPolicies(const Extension& extension) {
  const auto list = DerReader(extension.value).Take(kDerSequence);
  if (!list.has_value()) return Malformed(extension);
  std::set<std::string_view> seen;
  for (DerReader policies(*list); !policies.empty();) {
    const auto policy = policies.Take(kDerSequence);
    const auto oid = policy.has_value() ? DerReader(*policy).Take(kDerObjectId) : std::nullopt;
    if (!oid.has_value()) return Malformed(extension);
    if (!seen.insert(*oid).second) {
      return Refuse(extension, "names a policy twice: make it anew");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckUsages(const Extension& extension) {
  const auto list = DerReader(extension.value).Take(kDerSequence);
  if (!list.has_value()) return Malformed(extension);
  for (DerReader usages(*list); !usages.empty();) {
    const auto oid = usages.Take(kDerObjectId);
    if (!oid.has_value()) return Malformed(extension);
    if (!IsObjectId(*oid)) {
      return Refuse(extension, "has an identifier with a number of 2^31 or more: make it anew");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckKeyUsage(const Extension& extension) {
  const auto bits = DerReader(extension.value).Take(kDerBitString);
  if (!bits.has_value() || bits->empty()) return Malformed(extension);
  const auto unused = static_cast<uint8_t>(bits->front());
  if (unused > 7 || (bits->size() == 1 && unused != 0)) return Malformed(extension);
  const unsigned mask = (1U << unused) - 1;
  return bits->size() > 1 && (static_cast<uint8_t>(bits->back()) & mask) != 0 ? Malformed(extension)
                                                                              : absl::OkStatus();
}

absl::Status CheckBasicConstraints(const Extension& extension) {
  const auto content = DerReader(extension.value).Take(kDerSequence);
  if (!content.has_value()) return Malformed(extension);
  DerReader reader(*content);
  if (reader.Sees(kDerBoolean)) {
    const auto is_ca = reader.Take(kDerBoolean);
    if (!is_ca || (*is_ca != std::string_view("\0", 1) && *is_ca != "\xff")) {
      return Malformed(extension);
    }
  }
  if (!reader.Sees(kDerInteger)) return absl::OkStatus();
  const auto length = reader.Take(kDerInteger);
  return length.has_value() && IsShortestInteger(*length) && !IsNegative(*length)
             ? absl::OkStatus()
             : Malformed(extension);
}

bool IsMask(std::string_view mask) {
  bool seen_zero = false;
  for (const char c : mask) {
    const auto byte = static_cast<uint8_t>(c);
    if (seen_zero && byte != 0) return false;
    // Ones, then zeros: the inverse plus one is a power of two.
    const unsigned inverse = ~unsigned{byte} & 0xffU;
    if ((inverse & (inverse + 1)) != 0) return false;
    seen_zero |= byte != 0xff;
  }
  return true;
}

// Errors: of one subtree. `is_known` becomes false for a kind that Go does not handle.
absl::Status CheckSubtree(const Extension& extension, const DerReader::Element& base,
                          bool& is_known) {
  const std::string_view content = base.content;
  switch (base.tag) {
    case ContextTag(2):
      if (IsAscii(content) && IsGoDomain(content)) return absl::OkStatus();
      return Refuse(extension, "has a DNS name that is none: make it anew");
    case ContextTag(7):
      if (content.size() != 8 && content.size() != 32) {
        return Refuse(extension, "has an IP address without a mask of its length: make it anew");
      }
      if (IsMask(content.substr(content.size() / 2))) return absl::OkStatus();
      return Refuse(extension, "has an IP mask that is none: make it anew");
    case ContextTag(1):
    case ContextTag(6):
      return IsAscii(content) ? absl::OkStatus() : Malformed(extension);
    default:
      is_known = false;
      return absl::OkStatus();
  }
}

absl::Status CheckConstraints(const Extension& extension) {
  DerReader outer(extension.value);
  const auto content = outer.Take(kDerSequence);
  if (!content.has_value() || !outer.empty()) return Malformed(extension);
  DerReader reader(*content);
  bool is_known = true;
  size_t count = 0;
  for (const uint8_t number : {uint8_t{0}, uint8_t{1}}) {
    if (!reader.Sees(ConstructedTag(number))) continue;
    const auto list = reader.Take(ConstructedTag(number));
    if (!list.has_value()) return Malformed(extension);
    for (DerReader subtrees(*list); !subtrees.empty(); ++count) {
      const auto subtree = subtrees.Take(kDerSequence);
      const auto base = subtree.has_value() ? DerReader(*subtree).Take() : std::nullopt;
      if (!base.has_value()) return Malformed(extension);
      CALICO_RETURN_IF_ERROR(CheckSubtree(extension, *base, is_known));
    }
  }
  if (!reader.empty()) return Malformed(extension);
  if (count == 0) return Refuse(extension, "is empty: make it anew");
  if (is_known || !extension.is_critical) return absl::OkStatus();
  return Refuse(extension,
                "is critical and constrains names of a kind that Go does not check (a directory "
                "name, say), so that its Verify refuses every chain: make it anew without that");
}

absl::Status CheckKeyIdentifier(const Extension& extension) {
  if (extension.is_critical) {
    return Refuse(extension, "is critical, which RFC 5280 forbids: make it anew");
  }
  const uint8_t outer =
      extension.nid == NID_subject_key_identifier ? kDerOctetString : kDerSequence;
  const auto content = DerReader(extension.value).Take(outer);
  if (!content.has_value()) return Malformed(extension);
  if (extension.nid != NID_info_access) return absl::OkStatus();
  for (DerReader accesses(*content); !accesses.empty();) {
    const auto access = accesses.Take(kDerSequence);
    const auto method = access.has_value() ? DerReader(*access).Take(kDerObjectId) : std::nullopt;
    if (!method.has_value() || !IsObjectId(*method)) return Malformed(extension);
  }
  return absl::OkStatus();
}

// Sequences of sequences, of which more is read only by those who use them.
absl::Status CheckList(const Extension& extension) {
  const auto list = DerReader(extension.value).Take(kDerSequence);
  if (!list.has_value()) return Malformed(extension);
  for (DerReader items(*list); !items.empty();) {
    const auto item = items.Take(kDerSequence);
    if (!item.has_value()) return Malformed(extension);
    for (DerReader parts(*item); !parts.empty();) {
      if (!parts.Take().has_value()) return Malformed(extension);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOne(const Extension& extension) {
  switch (extension.nid) {
    case NID_key_usage:
      return CheckKeyUsage(extension);
    case NID_basic_constraints:
      return CheckBasicConstraints(extension);
    case NID_subject_alt_name:
      return CheckAlternativeNames(extension);
    case NID_name_constraints:
      return CheckConstraints(extension);
    case NID_ext_key_usage:
      return CheckUsages(extension);
    case NID_certificate_policies:
      return CheckPolicies(extension);
    case NID_authority_key_identifier:
    case NID_subject_key_identifier:
    case NID_info_access:
      return CheckKeyIdentifier(extension);
    case NID_crl_distribution_points:
    case NID_policy_mappings:
      return CheckList(extension);
    default:
      break;
  }
  if (!extension.is_critical || IsKnownToGo(extension.nid)) return absl::OkStatus();
  return Refuse(extension,
                "is critical and Go does not know it, so that its Verify refuses every chain: make "
                "it anew without that");
}

}  // namespace

absl::Status CheckGoExtensions(std::string_view list) {
  for (DerReader extensions(list); !extensions.empty();) {
    const auto content = extensions.Take(kDerSequence);
    const std::optional<Extension> extension =
        content.has_value() ? ReadExtension(*content) : std::nullopt;
    if (!extension.has_value()) {
      return absl::InvalidArgumentError(
          "one of its extensions is malformed, or its identifier has a number of 2^31 or more: "
          "make "
          "it anew");
    }
    CALICO_RETURN_IF_ERROR(CheckOne(*extension));
  }
  return absl::OkStatus();
}

}  // namespace calico::pki::internal
