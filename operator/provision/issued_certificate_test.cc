#include "operator/provision/issued_certificate.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/provision/pair_directory.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::provision {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

Config ConfigFor(const pki::TestCa& ca) {
  Config config;
  config.common_name = "typha-client";
  config.dns_names = {"typha-client"};
  config.ip_addresses = {*base::IpAddress::Parse("198.18.0.11"),
                         *base::IpAddress::Parse("fd00::b")};
  config.ca_pem = ca.certificate_pem();
  config.ca_file = "ca.crt";
  config.ca_certificates = {ca.certificate()};
  return config;
}

pki::TestLeafOptions GoodLeaf() {
  return {.common_name = "typha-client",
          .dns_names = {"typha-client"},
          .ip_addresses = {"198.18.0.11", "fd00::b"}};
}

TEST(VerifyIssuedCertificateTest, AcceptsWhatWasAskedFor) {
  const pki::TestCa ca("root");
  const pki::TestLeaf leaf = ca.Leaf(GoodLeaf());
  EXPECT_THAT(
      VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), ConfigFor(ca), ca.now()),
      IsOk());
}

// A signer may drop addresses; Calico looks at names only.
TEST(VerifyIssuedCertificateTest, ACertificateWithoutTheAddressesIsAccepted) {
  const pki::TestCa ca("root");
  pki::TestLeafOptions options = GoodLeaf();
  options.ip_addresses.clear();
  const pki::TestLeaf leaf = ca.Leaf(options);
  EXPECT_THAT(
      VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), ConfigFor(ca), ca.now()),
      IsOk());
}

TEST(VerifyIssuedCertificateTest, OnlyTheUsagesThatWereAskedForAreDemanded) {
  const pki::TestCa ca("root");
  pki::TestLeafOptions options = GoodLeaf();
  options.extended_key_usages = {std::string(pki::kOidClientAuth)};
  const pki::TestLeaf leaf = ca.Leaf(options);
  Config config = ConfigFor(ca);
  const auto verify = [&] {
    return VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), config, ca.now());
  };
  EXPECT_THAT(verify(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("serverAuth is missing")));
  config.usages = {pki::ExtendedKeyUsage::kClientAuth};
  EXPECT_THAT(verify(), IsOk());
}

TEST(VerifyIssuedCertificateTest, NamesAreDemanded) {
  const pki::TestCa ca("root");
  pki::TestLeafOptions options = GoodLeaf();
  options.dns_names = {"other"};
  const pki::TestLeaf leaf = ca.Leaf(options);
  EXPECT_THAT(
      VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), ConfigFor(ca), ca.now()),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("check DNS names: 'typha-client' is missing")));
}

class ExistingSetTest : public testing::Test {
 protected:
  ExistingSetTest() : ca_("root"), leaf_(ca_.Leaf(GoodLeaf())), config_(ConfigFor(ca_)) {
    std::string pattern = testing::TempDir() + "/setXXXXXX";
    config_.directory = mkdtemp(pattern.data());
  }
  ~ExistingSetTest() override { std::filesystem::remove_all(config_.directory); }
  void Write(const std::string& key, const std::string& certificate, const std::string& ca) {
    ASSERT_THAT(
        ReplaceSet(config_.directory,
                   {{"tls.key", key, 0600}, {"tls.crt", certificate, 0644}, {"ca.crt", ca, 0644}}),
        IsOk());
  }

  pki::TestCa ca_;
  pki::TestLeaf leaf_;
  Config config_;
};

TEST_F(ExistingSetTest, FitsOrSaysWhyNot) {
  EXPECT_THAT(VerifyExistingSet(config_, ca_.now()), StatusIs(absl::StatusCode::kNotFound));
  Write(leaf_.key_pem, leaf_.chain_pem, config_.ca_pem);
  EXPECT_THAT(VerifyExistingSet(config_, ca_.now()), IsOk());
  EXPECT_THAT(VerifyExistingSet(config_, ca_.now() + absl::Hours(24) - absl::Minutes(9)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("about to expire")));
  Write(ca_.Leaf(GoodLeaf()).key_pem, leaf_.chain_pem, config_.ca_pem);
  EXPECT_THAT(VerifyExistingSet(config_, ca_.now()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check key")));
  Write(leaf_.key_pem, leaf_.chain_pem, "another");
  EXPECT_THAT(VerifyExistingSet(config_, ca_.now()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("CA file")));
}

}  // namespace
}  // namespace calico::provision
