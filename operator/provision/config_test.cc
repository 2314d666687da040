#include "operator/provision/config.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/base64.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::provision {
namespace {

using ::calico::base::IsOk;
using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Variables = std::map<std::string, std::string>;

Variables Good() {
  return {{"CERTIFICATE_PATH", "/certs-share/"},
          {"SECRET_NAME", "node-certs"},
          {"SIGNER", "example.com/signer"},
          {"COMMON_NAME", "typha-client"},
          {"KEY_ALGORITHM", ""},
          {"SIGNATURE_ALGORITHM", ""},
          {"KEY_NAME", "tls.key"},
          {"CERT_NAME", "tls.crt"},
          {"APP_NAME", "calico-system"},
          {"DNS_NAMES", "typha-client"},
          {"POD_IP", "198.18.0.11"},
          {"POD_NAME", "calico-node-5ckvq"},
          {"POD_NAMESPACE", "calico-system"},
          {"POD_UID", "9a3a1042-aaaa-bbbb-cccc-1234567890ab"}};
}

absl::StatusOr<Config> Load(const Variables& variables) {
  return LoadConfig([&variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

TEST(ConfigTest, TakesTheReferencesEnvironment) {
  const absl::StatusOr<Config> config = Load(Good());
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->RequestName(), "calico-system:calico-node-5ckvq:9a3a10");
  EXPECT_EQ(config->key_algorithm, pki::KeyAlgorithm::kRsa2048);
  EXPECT_EQ(config->signature_algorithm, pki::SignatureAlgorithm::kSha256WithRsa);
  EXPECT_THAT(config->dns_names, ElementsAre("typha-client"));
  EXPECT_EQ(config->timeout, absl::Seconds(90));
  EXPECT_THAT(config->ip_addresses, SizeIs(1));
}

TEST(ConfigTest, EveryPodAddressOnceAndInOrder) {
  Variables variables = Good();
  variables["POD_IPS"] = "198.18.0.11,fd00::b";
  const absl::StatusOr<Config> config = Load(variables);
  ASSERT_THAT(config, IsOk());
  ASSERT_THAT(config->ip_addresses, SizeIs(2));
  EXPECT_EQ(config->ip_addresses[0].ToString(), "198.18.0.11");
  EXPECT_EQ(config->ip_addresses[1].ToString(), "fd00::b");
}

TEST(ConfigTest, WhatTheCertificateIsForIsBothUnlessSaid) {
  using enum pki::ExtendedKeyUsage;
  EXPECT_THAT(Load(Good())->usages, ElementsAre(kServerAuth, kClientAuth));
  Variables variables = Good();
  variables["EXTENDED_KEY_USAGES"] = "client auth";
  EXPECT_THAT(Load(variables)->usages, ElementsAre(kClientAuth));
  variables["EXTENDED_KEY_USAGES"] = "server auth, client auth";
  EXPECT_THAT(Load(variables)->usages, ElementsAre(kServerAuth, kClientAuth));
  variables["EXTENDED_KEY_USAGES"] = "server auth,code signing";
  EXPECT_THAT(Load(variables),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("EXTENDED_KEY_USAGES 'code signing' is not one of")));
}

TEST(ConfigTest, EmptyDnsNamesMeanNone) {
  Variables variables = Good();
  variables["DNS_NAMES"] = "";
  const absl::StatusOr<Config> config = Load(variables);
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->dns_names, SizeIs(0));
}

TEST(ConfigTest, EmptySignatureAlgorithmFollowsTheKeysFamily) {
  Variables variables = Good();
  variables["KEY_ALGORITHM"] = "ECDSAWithCurve384";
  const absl::StatusOr<Config> config = Load(variables);
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->signature_algorithm, pki::SignatureAlgorithm::kEcdsaWithSha256);
}

TEST(ConfigTest, ReadsTheCaInBothAlphabets) {
  const pki::TestCa ca("ca");
  for (const base::Base64 variant : {base::Base64::kUrl, base::Base64::kStandard}) {
    Variables variables = Good();
    variables["CA_CERT"] = base::Base64Encode(ca.certificate_pem() + "\xC2\xA0\xC3\xBF", variant);
    variables["CA_CERT_NAME"] = "ca.crt";
    const absl::StatusOr<Config> config = Load(variables);
    ASSERT_THAT(config, IsOk());
    ASSERT_THAT(config->ca_certificates, SizeIs(1));
    EXPECT_TRUE(config->ca_certificates[0] == ca.certificate());
  }
}

TEST(ConfigTest, ReportsEveryProblemAtOnce) {
  const absl::StatusOr<Config> config = Load({{"KEY_NAME", "../tls.key"},
                                              {"KEY_ALGORITHM", "RSAWithSize1024"},
                                              {"POD_IP", "10.0.0"},
                                              {"CA_CERT", "%%%"},
                                              {"TIMEOUT_DURATION", "-1s"},
                                              {"POD_UID", "9a3"}});
  EXPECT_THAT(
      config,
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("CERTIFICATE_PATH is not set"), HasSubstr("SIGNER is not set"),
                     HasSubstr("COMMON_NAME is not set"), HasSubstr("POD_NAME is not set"),
                     HasSubstr("POD_NAMESPACE is not set"), HasSubstr("APP_NAME is not set"),
                     HasSubstr("KEY_NAME '../tls.key' is not a plain file name"),
                     HasSubstr("'RSAWithSize1024' is not one of"),
                     HasSubstr("'10.0.0' is not an IP address"), HasSubstr("CA_CERT is not base64"),
                     HasSubstr("TIMEOUT_DURATION '-1s'"),
                     HasSubstr("POD_UID is shorter than 6 characters"))));
}

TEST(ConfigTest, RefusesASignatureOfAnotherFamily) {
  Variables variables = Good();
  variables["KEY_ALGORITHM"] = "ECDSAWithCurve256";
  variables["SIGNATURE_ALGORITHM"] = "SHA256WithRSA";
  EXPECT_THAT(Load(variables), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("cannot be made with a key of KEY_ALGORITHM")));
}

TEST(ParseGoDurationTest, ReadsGoDurations) {
  EXPECT_THAT(ParseGoDuration("1m30s"), IsOkAndHolds(absl::Seconds(90)));
  EXPECT_THAT(ParseGoDuration("1.5h"), IsOkAndHolds(absl::Minutes(90)));
  for (const char* bad : {"", "90", "0s", "inf", "soon"}) {
    EXPECT_THAT(ParseGoDuration(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

}  // namespace
}  // namespace calico::provision
