// A CA in memory for tests: P-256 keys, made in under a millisecond, valid from an hour before
// `now`.
//
//   TestCa ca("example-ca");
//   TestLeaf typha = ca.Leaf({.common_name = "typha-server", .dns_names = {"typha"}});
//   context.UsePair(typha.chain_pem, typha.key_pem);
//
// Failures end the test program; there is nothing for a test to handle.
#ifndef CALICO_PKG_PKI_TESTING_TEST_CA_H_
#define CALICO_PKG_PKI_TESTING_TEST_CA_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"

namespace calico::pki {

// 2027-01-15, the time at which base::FakeClock starts. Tests that talk real TLS pass absl::Now().
inline absl::Time TestTime() { return absl::FromUnixSeconds(1'800'000'000); }

struct TestLeaf {
  PrivateKey key;
  Certificate certificate;
  std::string key_pem;
  std::string certificate_pem;
  std::string chain_pem;  // the leaf and the intermediates, no root
};

struct TestLeafOptions {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // text
  std::vector<std::string> extended_key_usages = {std::string(kOidServerAuth),
                                                  std::string(kOidClientAuth)};
  absl::Duration valid_from_now = absl::Hours(-1);
  absl::Duration valid_until_now = absl::Hours(24);
  KeyAlgorithm key_algorithm = KeyAlgorithm::kEcdsaP256;
};

class TestCa {
 public:
  explicit TestCa(std::string_view common_name = "test-ca", absl::Time now = TestTime(),
                  absl::Duration lifetime = absl::Hours(24 * 365));

  // A CA below this one; its leaves' chain_pem holds it.
  TestCa Intermediate(std::string_view common_name, std::optional<int> path_length = 0) const;

  TestLeaf Leaf(const TestLeafOptions& options) const;
  // A certificate for a key that somebody else holds, for instance a request's.
  Certificate Issue(const PublicKey& key, const CertificateTemplate& wanted) const;

  const Certificate& certificate() const { return authority_.certificate(); }
  std::string certificate_pem() const { return certificate().pem(); }
  const std::string& key_pem() const { return key_pem_; }
  const CertificateAuthority& authority() const { return authority_; }
  absl::Time now() const { return now_; }

 private:
  TestCa(std::string_view common_name, PrivateKey key, absl::Time now, absl::Duration lifetime);
  TestCa(CertificateAuthority authority, std::string key_pem, absl::Time now)
      : now_(now), key_pem_(std::move(key_pem)), authority_(std::move(authority)) {}

  absl::Time now_;
  std::string key_pem_;
  CertificateAuthority authority_;
};

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_TESTING_TEST_CA_H_
