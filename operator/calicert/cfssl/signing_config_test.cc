#include "operator/calicert/cfssl/signing_config.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cfssl/error.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string WithPeer(std::string_view profile) {
  return R"({"signing": {"default": {"expiry": "8760h"}, "profiles": {"peer": )" +
         std::string(profile) + "}}}";
}

TEST(SigningConfigTest, ReadsAProfile) {
  const auto config = ParseSigningConfig(
      WithPeer(R"({"expiry": "1h30m", "backdate": "1m", "crl_url": "c", "ocsp_url": "o",
        "usages": ["client auth", "digital signature", "server auth", "client auth"],
        "issuer_urls": ["i"], "ocsp_no_check": true, "copy_extensions": true,
        "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true},
        "name_whitelist": "exam.le", "policies": [{"ID": "1.2.3",
        "Qualifiers": [{"Type": "id-qt-cps", "Value": "http://cps"}]}]})"),
      "cfg.json");
  ASSERT_THAT(config, IsOk());
  const Profile& peer = config->profiles.at("peer");
  EXPECT_EQ(peer.path, "signing.profiles.peer");
  EXPECT_EQ(peer.expiry, absl::Minutes(90));
  EXPECT_EQ(peer.backdate, absl::Minutes(1));
  EXPECT_EQ(peer.key_usages, pki::KeyUsages{pki::KeyUsage::kDigitalSignature});
  EXPECT_THAT(peer.extended_key_usages,
              ElementsAre(pki::kOidClientAuth, pki::kOidServerAuth, pki::kOidClientAuth));
  EXPECT_TRUE(peer.ca.is_ca);
  EXPECT_EQ(peer.ca.path_length, 0);
  EXPECT_TRUE(peer.name_whitelist->Matches("an.example.com"));
  EXPECT_FALSE(peer.name_whitelist->Matches("other"));
  ASSERT_EQ(peer.policies.size(), 1U);
  EXPECT_EQ(peer.policies[0].qualifiers[0].value, "http://cps");
}

TEST(SigningConfigTest, WithoutADefaultTheBuiltInOneCounts) {
  const auto config = ParseSigningConfig(R"({"signing": {}})", "cfg.json");
  ASSERT_THAT(config, IsOk());
  const auto chosen = ChooseProfile(*config, "");
  ASSERT_THAT(chosen, IsOk());
  EXPECT_EQ(chosen->profile->expiry, absl::Hours(8760));
  EXPECT_THAT(chosen->profile->usages,
              ElementsAre("signing", "key encipherment", "server auth", "client auth"));
}

TEST(SigningConfigTest, ErrorsNamePathAndWhatToWrite) {
  struct Case {
    std::string text;
    const char* error;
  };
  const Case kCases[] = {
      {WithPeer(R"({"expiry": "10y", "usages": ["signing"]})"),
       "signing.profiles.peer.expiry: \"10y\": there is no unit y: write hours, 87600h"},
      {WithPeer(R"({"expiry": 8760, "usages": ["signing"]})"),
       "signing.profiles.peer.expiry: must be a text in double quotes, not a number (8760)"},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing", "server auth", "cleint auth"]})"),
       "usages[2] \"cleint auth\" is unknown, did you mean \"client auth\"?"},
      {WithPeer(R"({"expiry": "1h"})"), "signing.profiles.peer.usages: is missing"},
      {WithPeer(R"({"usages": ["signing"]})"), "signing.profiles.peer.expiry: is missing"},
      {WithPeer(R"({"expiry": "-1h", "usages": ["signing"]})"), "must be longer than 0"},
      {WithPeer(R"({"expiry": "1h", "usages": "signing, server auth"})"),
       "signing.profiles.peer.usages: must be a list"},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing"], "name_whitelist": "("})"),
       "name_whitelist: no regular expression"},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing"], "auth_key": "k"})"),
       "auth_key: \"k\" is not in \"auth_keys\""},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing"], "not_before": "today"})"),
       "not_before: must be a time"},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing"], "policies": [{"ID": "x"}]})"),
       "policies[0].ID: must be an object identifier"},
      {R"({"signing": {"expiry": "87600h", "profiles": {"peer": {"usages": ["signing"]}}}})",
       "it belongs into \"default\" or into a profile"},
      {"{\"profiles\": {}}", "No \"signing\" field present"},
      {"{\"signing\": {},}", "cfg.json:1:16: '}' after a comma"},
      {"", "cfg.json:1:1: the file is empty"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const auto config = ParseSigningConfig(c.text, "cfg.json");
    ASSERT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    EXPECT_EQ(CodeOf(config.status()), kPolicyInvalid);
  }
}

TEST(ChooseProfileTest, UnknownProfileFallsBackLoudly) {
  const auto config = ParseSigningConfig(
      R"({"signing": {"default": {"expiry": "1h", "usages": ["signing"]},
          "profiles": {"client": {"expiry": "1h", "usages": ["client auth"]},
                       "server": {"expiry": "1h", "usages": ["server auth"]}}}})",
      "cfg.json");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->warnings, IsEmpty());
  const auto chosen = ChooseProfile(*config, "sever");
  ASSERT_THAT(chosen, IsOk());
  EXPECT_EQ(chosen->profile->name, "default");
  EXPECT_THAT(chosen->warnings,
              ElementsAre("profile \"sever\" not found in cfg.json: there are client, server; did "
                          "you mean \"server\"?; the default is used"));
  EXPECT_EQ(ChooseProfile(*config, "server")->profile->name, "server");
}

TEST(ChooseProfileTest, WithoutUsagesItIsCode5100WithTheReason) {
  const auto config = ParseSigningConfig(
      R"({"signing": {"default": {"expiry": "1h"}}, "profiles": {"peer": {}}})", "cfg.json");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("it belongs into \"signing\"")));
  const auto named = ChooseProfile(*config, "peer");
  EXPECT_EQ(CodeOf(named.status()), kPolicyNoUsages);
  EXPECT_THAT(named,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("Invalid policy: no key usage available"),
                             HasSubstr("profile \"peer\" not found"), HasSubstr("there are none"),
                             HasSubstr("\"profiles\" belongs into \"signing\""))));
  EXPECT_THAT(ChooseProfile(*config, ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("signing.default.usages")));
}

TEST(ChooseProfileTest, WhatIsSignedElsewhereIsUnimplemented) {
  const auto config = ParseSigningConfig(WithPeer(R"({"remote": "r"})"), "cfg.json");
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(ChooseProfile(*config, "peer"), StatusIs(absl::StatusCode::kUnimplemented));
  const auto logs = ParseSigningConfig(
      WithPeer(R"({"expiry": "1h", "usages": ["signing"], "ct_log_servers": ["x"]})"), "cfg.json");
  ASSERT_THAT(logs, IsOk());
  EXPECT_THAT(ChooseProfile(*logs, "peer"),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("ct_log_servers")));
}

TEST(DescribeTest, SaysWhatTheResultMayDo) {
  const SigningConfig config = BuiltInSigningConfig();
  EXPECT_EQ(Describe(config, config.default_profile),
            "profile default (built in): signing, key encipherment, server auth, client auth; no "
            "CA; 8760h");
}

TEST(UsageNamesTest, AreThoseOfKubernetes) { EXPECT_EQ(UsageNames().size(), 23U); }

}  // namespace
}  // namespace calico::calicert::cfssl
