#include "operator/csr_policy/policy.h"

#include <algorithm>
#include <array>
#include <utility>

namespace calico::csr_policy {
namespace {

constexpr std::array<std::pair<CsrNameShape, std::string_view>, 3> kShapes = {{
    {CsrNameShape::kNamespacePodUid, "namespace:pod:uid6"},
    {CsrNameShape::kSecretPod, "secret:pod"},
    {CsrNameShape::kNamespacePod, "namespace:pod"},
}};

constexpr std::array<Usage, 5> kUsages = {{
    {"digital signature", pki::KeyUsage::kDigitalSignature, {}},
    {"key encipherment", pki::KeyUsage::kKeyEncipherment, {}},
    {"key agreement", pki::KeyUsage::kKeyAgreement, {}},
    {"server auth", std::nullopt, pki::kOidServerAuth},
    {"client auth", std::nullopt, pki::kOidClientAuth},
}};

constexpr std::array<std::string_view, 8> kKeys = {
    "RSA-2048",   "RSA-3072",   "RSA-4096",   "RSA-8192",
    "ECDSA-P256", "ECDSA-P384", "ECDSA-P521", "Ed25519",
};

bool Holds(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::string_view ToString(CsrNameShape shape) {
  for (const auto& [value, text] : kShapes) {
    if (value == shape) return text;
  }
  return "";
}

std::optional<CsrNameShape> CsrNameShapeOf(std::string_view text) {
  for (const auto& [value, name] : kShapes) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::span<const Usage> KnownUsages() { return kUsages; }

const Usage* FindUsage(std::string_view name) {
  const auto found = std::find_if(kUsages.begin(), kUsages.end(),
                                  [&](const Usage& usage) { return usage.name == name; });
  return found == kUsages.end() ? nullptr : &*found;
}

std::span<const std::string_view> KnownKeys() { return kKeys; }

bool CsrPolicyEntry::AppliesTo(std::string_view signer_name, std::string_view ns,
                               std::string_view service_account) const {
  return (signer_names.empty() || Holds(signer_names, signer_name)) && Holds(namespaces, ns) &&
         Holds(service_accounts, service_account);
}

std::vector<std::string> CsrPolicy::Namespaces() const {
  std::vector<std::string> all;
  for (const CsrPolicyEntry& entry : entries) {
    all.insert(all.end(), entry.namespaces.begin(), entry.namespaces.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace calico::csr_policy
