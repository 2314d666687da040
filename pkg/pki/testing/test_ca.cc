#include "pkg/pki/testing/test_ca.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace calico::pki {
namespace {

template <class T>
T ValueOrDie(absl::StatusOr<T> value, const char* what) {
  if (!value.ok()) {
    std::fprintf(stderr, "test CA: %s: %s\n", what, value.status().ToString().c_str());
    std::abort();
  }
  return *std::move(value);
}

PrivateKey NewKey(KeyAlgorithm algorithm = KeyAlgorithm::kEcdsaP256) {
  return ValueOrDie(PrivateKey::Generate(algorithm), "generate key");
}

CertificateAuthority NewRoot(std::string_view common_name, PrivateKey key, absl::Time now,
                             absl::Duration lifetime) {
  CertificateTemplate wanted;
  wanted.common_name = std::string(common_name);
  wanted.not_before = now - absl::Hours(48);
  wanted.not_after = now + lifetime;
  wanted.is_ca = true;
  Certificate root = ValueOrDie(SelfSign(key, wanted), "sign root");
  return ValueOrDie(CertificateAuthority::Create({std::move(root)}, std::move(key)), "load root");
}

std::string PemOf(const PrivateKey& key) { return std::string(key.ToPem().view()); }

}  // namespace

TestCa::TestCa(std::string_view common_name, absl::Time now, absl::Duration lifetime)
    : TestCa(common_name, NewKey(), now, lifetime) {}

TestCa::TestCa(std::string_view common_name, PrivateKey key, absl::Time now,
               absl::Duration lifetime)
    : now_(now),
      key_pem_(PemOf(key)),
      authority_(NewRoot(common_name, std::move(key), now, lifetime)) {}

TestCa TestCa::Intermediate(std::string_view common_name, std::optional<int> path_length) const {
  PrivateKey key = NewKey();
  CertificateTemplate wanted;
  wanted.common_name = std::string(common_name);
  wanted.not_before = certificate().not_before();
  wanted.not_after = certificate().not_after();
  wanted.is_ca = true;
  wanted.path_length = path_length;
  wanted.key_usages = {KeyUsage::kCertSign, KeyUsage::kCrlSign};
  std::vector<Certificate> chain = {Issue(key.public_key(), wanted)};
  chain.insert(chain.end(), authority_.chain().begin(), authority_.chain().end());
  std::string pem = PemOf(key);
  return TestCa(
      ValueOrDie(CertificateAuthority::Create(std::move(chain), std::move(key)), "load CA"),
      std::move(pem), now_);
}

TestLeaf TestCa::Leaf(const TestLeafOptions& options) const {
  PrivateKey key = NewKey(options.key_algorithm);
  CertificateTemplate wanted;
  wanted.common_name = options.common_name;
  wanted.dns_names = options.dns_names;
  for (const std::string& address : options.ip_addresses) {
    wanted.ip_addresses.push_back(ValueOrDie(base::IpAddress::Parse(address), "parse address"));
  }
  wanted.key_usages = {KeyUsage::kDigitalSignature, KeyUsage::kKeyEncipherment};
  wanted.extended_key_usages = options.extended_key_usages;
  wanted.not_before = now_ + options.valid_from_now;
  wanted.not_after = now_ + options.valid_until_now;
  // Issued at its own beginning, so that a test can have an expired certificate.
  const absl::Time issue_time =
      std::max(certificate().not_before(), std::min(now_, wanted.not_before));
  Certificate leaf =
      ValueOrDie(authority_.Issue(key.public_key(), wanted, issue_time), "issue leaf");
  std::string key_pem = PemOf(key);
  std::string certificate_pem = leaf.pem();
  std::string chain_pem = authority_.ChainPem(leaf);
  return {.key = std::move(key),
          .certificate = std::move(leaf),
          .key_pem = std::move(key_pem),
          .certificate_pem = std::move(certificate_pem),
          .chain_pem = std::move(chain_pem)};
}

Certificate TestCa::Issue(const PublicKey& key, const CertificateTemplate& wanted) const {
  return ValueOrDie(authority_.Issue(key, wanted, now_), "issue certificate");
}

}  // namespace calico::pki
