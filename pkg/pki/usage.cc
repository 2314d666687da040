#include "pkg/pki/usage.h"

namespace calico::pki {
namespace {

constexpr std::string_view kKeyUsageNames[] = {
    "digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",           "encipherOnly",    "decipherOnly",
};

struct NamedOid {
  std::string_view oid;
  std::string_view name;
};

// RFC 4519 and PKCS#9, with the names that RFC 4514 and the openssl command use.
constexpr NamedOid kSubjectAttributes[] = {
    {"2.5.4.3", "CN"},
    {"2.5.4.4", "SN"},
    {"2.5.4.5", "serialNumber"},
    {"2.5.4.6", "C"},
    {"2.5.4.7", "L"},
    {"2.5.4.8", "ST"},
    {"2.5.4.9", "street"},
    {"2.5.4.10", "O"},
    {"2.5.4.11", "OU"},
    {"2.5.4.12", "title"},
    {"2.5.4.17", "postalCode"},
    {"2.5.4.42", "GN"},
    {"0.9.2342.19200300.100.1.1", "UID"},
    {"0.9.2342.19200300.100.1.25", "DC"},
    {"1.2.840.113549.1.9.1", "emailAddress"},
};

constexpr NamedOid kPurposes[] = {
    {kOidAnyExtendedKeyUsage, "anyExtendedKeyUsage"},
    {kOidServerAuth, "serverAuth"},
    {kOidClientAuth, "clientAuth"},
    {kOidCodeSigning, "codeSigning"},
    {kOidEmailProtection, "emailProtection"},
    {kOidIpsecEndSystem, "ipsecEndSystem"},
    {kOidIpsecTunnel, "ipsecTunnel"},
    {kOidIpsecUser, "ipsecUser"},
    {kOidTimeStamping, "timeStamping"},
    {kOidOcspSigning, "OCSPSigning"},
    {kOidMicrosoftSgc, "microsoftSGC"},
    {kOidNetscapeSgc, "netscapeSGC"},
};

}  // namespace

std::string_view ToString(KeyUsage usage) { return kKeyUsageNames[static_cast<size_t>(usage)]; }

std::vector<KeyUsage> KeyUsages::List() const {
  std::vector<KeyUsage> list;
  for (size_t bit = 0; bit < std::size(kKeyUsageNames); ++bit) {
    if (Has(static_cast<KeyUsage>(bit))) list.push_back(static_cast<KeyUsage>(bit));
  }
  return list;
}

std::string KeyUsages::ToString() const {
  std::string text;
  for (const KeyUsage usage : List()) {
    if (!text.empty()) text += ", ";
    text += pki::ToString(usage);
  }
  return text;
}

std::string_view ExtendedKeyUsageName(std::string_view oid) {
  for (const NamedOid& purpose : kPurposes) {
    if (purpose.oid == oid) return purpose.name;
  }
  return oid;
}

std::string_view SubjectAttributeName(std::string_view oid) {
  for (const NamedOid& attribute : kSubjectAttributes) {
    if (attribute.oid == oid) return attribute.name;
  }
  return oid;
}

std::string_view SubjectAttributeOid(std::string_view name) {
  for (const NamedOid& attribute : kSubjectAttributes) {
    if (attribute.name == name) return attribute.oid;
  }
  return {};
}

}  // namespace calico::pki
