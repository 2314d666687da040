#include "pkg/pki/usage.h"

namespace calico::pki {
namespace {

constexpr std::string_view kKeyUsageNames[] = {
    "digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",           "encipherOnly",    "decipherOnly",
};

struct NamedPurpose {
  std::string_view oid;
  std::string_view name;
};

constexpr NamedPurpose kPurposes[] = {
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
  for (const NamedPurpose& purpose : kPurposes) {
    if (purpose.oid == oid) return purpose.name;
  }
  return oid;
}

}  // namespace calico::pki
