// Key usages, extended key usages and subject attributes: the small values that requests,
// certificates and their templates share.
#ifndef CALICO_PKG_PKI_USAGE_H_
#define CALICO_PKG_PKI_USAGE_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace calico::pki {

// The value is the bit's number in RFC 5280 4.2.1.3.
enum class KeyUsage : uint8_t {
  kDigitalSignature = 0,
  kContentCommitment = 1,
  kKeyEncipherment = 2,
  kDataEncipherment = 3,
  kKeyAgreement = 4,
  kCertSign = 5,
  kCrlSign = 6,
  kEncipherOnly = 7,
  kDecipherOnly = 8,
};

// "digitalSignature", "keyCertSign", ... as RFC 5280 spells them.
std::string_view ToString(KeyUsage usage);

// A set of key usages. Empty means: no keyUsage extension.
class KeyUsages {
 public:
  constexpr KeyUsages() = default;
  constexpr KeyUsages(std::initializer_list<KeyUsage> usages) {
    for (const KeyUsage usage : usages) Add(usage);
  }

  constexpr void Add(KeyUsage usage) { bits_ |= Bit(usage); }
  constexpr bool Has(KeyUsage usage) const { return (bits_ & Bit(usage)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  // Every usage of this set is in `other`.
  constexpr bool IsSubsetOf(KeyUsages other) const { return (bits_ & ~other.bits_) == 0; }
  // In the order of the bits.
  std::vector<KeyUsage> List() const;
  // "digitalSignature, keyEncipherment", for messages.
  std::string ToString() const;

  friend constexpr bool operator==(KeyUsages, KeyUsages) = default;

 private:
  static constexpr uint16_t Bit(KeyUsage usage) {
    return static_cast<uint16_t>(1U << static_cast<unsigned>(usage));
  }

  uint16_t bits_ = 0;
};

// Extended key usages travel as dotted object identifiers, so that unknown ones are not lost.
inline constexpr std::string_view kOidAnyExtendedKeyUsage = "2.5.29.37.0";
inline constexpr std::string_view kOidServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view kOidClientAuth = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view kOidCodeSigning = "1.3.6.1.5.5.7.3.3";
inline constexpr std::string_view kOidEmailProtection = "1.3.6.1.5.5.7.3.4";
inline constexpr std::string_view kOidIpsecEndSystem = "1.3.6.1.5.5.7.3.5";
inline constexpr std::string_view kOidIpsecTunnel = "1.3.6.1.5.5.7.3.6";
inline constexpr std::string_view kOidIpsecUser = "1.3.6.1.5.5.7.3.7";
inline constexpr std::string_view kOidTimeStamping = "1.3.6.1.5.5.7.3.8";
inline constexpr std::string_view kOidOcspSigning = "1.3.6.1.5.5.7.3.9";
inline constexpr std::string_view kOidMicrosoftSgc = "1.3.6.1.4.1.311.10.3.3";
inline constexpr std::string_view kOidNetscapeSgc = "2.16.840.1.113730.4.1";

// "serverAuth", "clientAuth", ... or the identifier itself when it has no name here.
// Lifetime: static, or that of `oid`.
std::string_view ExtendedKeyUsageName(std::string_view oid);

// "CN", "O", "emailAddress", ...: the short name of a subject attribute, or the identifier itself
// when it has no name here. Lifetime: static, or that of `oid`.
std::string_view SubjectAttributeName(std::string_view oid);
// The identifier of such a name; empty if it is none.
std::string_view SubjectAttributeOid(std::string_view name);

// One attribute of a subject or issuer, in the order of the encoding.
struct NameAttribute {
  std::string type;   // as SubjectAttributeName gives it
  std::string value;  // UTF-8

  friend bool operator==(const NameAttribute&, const NameAttribute&) = default;
};

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_USAGE_H_
