#include "operator/provision/issued_certificate.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

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

TEST(VerifyIssuedCertificateTest, AcceptsAChainWithAnIntermediate) {
  const pki::TestCa root("root");
  const pki::TestLeaf leaf = root.Intermediate("intermediate").Leaf(GoodLeaf());
  EXPECT_THAT(
      VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), ConfigFor(root), root.now()),
      IsOk());
}

TEST(VerifyIssuedCertificateTest, AcceptsEveryFormOfBothUsages) {
  using Usages = std::vector<std::string>;
  const std::string server(pki::kOidServerAuth);
  const std::string client(pki::kOidClientAuth);
  const pki::TestCa ca("root");
  // No extension at all leaves the key unrestricted: RFC 5280, section 4.2.1.12.
  for (const Usages& usages :
       {Usages{server, client}, Usages{client, server, "1.3.6.1.5.5.7.3.9"}, Usages{}}) {
    SCOPED_TRACE(usages.size());
    pki::TestLeafOptions options = GoodLeaf();
    options.extended_key_usages = usages;
    const pki::TestLeaf leaf = ca.Leaf(options);
    EXPECT_EQ(leaf.certificate.extended_key_usages().size(), usages.size());
    EXPECT_THAT(
        VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), ConfigFor(ca), ca.now()),
        IsOk());
  }
}

struct BadLeaf {
  const char* name;
  std::function<void(pki::TestLeafOptions&)> spoil;
  const char* check;
};

TEST(VerifyIssuedCertificateTest, NamesTheCheckThatFails) {
  const BadLeaf kCases[] = {
      {"expired", [](auto& o) { o.valid_until_now = absl::Seconds(-1); },
       "check validity: expired"},
      {"not yet", [](auto& o) { o.valid_from_now = absl::Hours(1); }, "check validity: not valid"},
      {"cn", [](auto& o) { o.common_name = "typha-server"; }, "check common name"},
      {"dns", [](auto& o) { o.dns_names = {"other"}; }, "check DNS names"},
      {"ip", [](auto& o) { o.ip_addresses = {"198.18.0.11"}; }, "IP addresses: fd00::b is missing"},
      {"eku", [](auto& o) { o.extended_key_usages = {std::string(pki::kOidClientAuth)}; },
       "check extended key usages: serverAuth is missing"},
      {"eku of the other side",
       [](auto& o) { o.extended_key_usages = {std::string(pki::kOidServerAuth)}; },
       "check extended key usages: clientAuth is missing"},
  };
  const pki::TestCa ca("root");
  for (const BadLeaf& c : kCases) {
    SCOPED_TRACE(c.name);
    pki::TestLeafOptions options = GoodLeaf();
    c.spoil(options);
    const pki::TestLeaf leaf = ca.Leaf(options);
    EXPECT_THAT(
        VerifyIssuedCertificate(leaf.chain_pem, leaf.key.public_key(), ConfigFor(ca), ca.now()),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(c.check)));
  }
}

TEST(VerifyIssuedCertificateTest, RefusesAnotherKeyAnotherCaAndGarbage) {
  const pki::TestCa ca("root");
  const pki::TestCa other("root");
  const pki::TestLeaf leaf = ca.Leaf(GoodLeaf());
  const pki::TestLeaf second = ca.Leaf(GoodLeaf());
  const auto verify = [&](const std::string& pem, const Config& config) {
    return VerifyIssuedCertificate(pem, leaf.key.public_key(), config, ca.now());
  };
  EXPECT_THAT(verify(second.chain_pem, ConfigFor(ca)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check key")));
  EXPECT_THAT(verify(leaf.chain_pem, ConfigFor(other)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check chain to CA_CERT")));
  EXPECT_THAT(verify("not a certificate", ConfigFor(ca)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check form")));
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
