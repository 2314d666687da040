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
      {WithPeer(R"({"expiry": "1h", "usages": ["signing", "nonRepudiation"]})"),
       "cfg.json:1:106: signing.profiles.peer.usages: usages[1] \"nonRepudiation\" is unknown, did "
       "you mean \"content commitment\"?"},
      {WithPeer(R"({"expiry": "1h", "usages": ["server"]})"), "did you mean \"server auth\"?"},
      {WithPeer(R"({"expiry": "1h", "usages": ["cert signing"]})"), "did you mean \"cert sign\"?"},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing, server auth"]})"), "one entry for each"},
      {WithPeer("null"), "signing.profiles.peer: must be an object {...}, not null"},
      {WithPeer("\"x\""),
       "cfg.json:1:67: signing.profiles.peer: must be an object {...}, not a text"},
      {WithPeer(R"({"expiry": "1h", "usages": ["signing"], "name_whitelist": "*.example.com"})"),
       "it is no pattern of a shell"},
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

TEST(ChooseProfileTest, ABuiltInDefaultOfAFileIsSaid) {
  const auto config = ParseSigningConfig(
      R"({"signing": {"profiles": {"peer": {"expiry": "1h", "usages": ["signing"]}}}})",
      "cfg.json");
  ASSERT_THAT(config, IsOk());
  const auto chosen = ChooseProfile(*config, "");
  ASSERT_THAT(chosen, IsOk());
  EXPECT_THAT(chosen->warnings,
              ElementsAre("no -profile is given, and cfg.json has no \"default\": the built-in "
                          "profile is used: there are peer"));
  EXPECT_THAT(Describe(*config, *chosen->profile),
              HasSubstr("profile default (built in, cfg.json has none): "));
  EXPECT_THAT(ChooseProfile(BuiltInSigningConfig(), "")->warnings, IsEmpty());
  EXPECT_THAT(ChooseProfile(BuiltInSigningConfig(), "peer")->warnings,
              ElementsAre(HasSubstr("there is no -config that could have it")));
}

TEST(SigningConfigTest, LikelyMistakesAreWarnings) {
  struct Case {
    const char* profile;
    const char* warning;
  };
  const Case kCases[] = {
      {R"({"expiry": "1h", "usages": ["cert sign"]})", "the profile makes no CA"},
      {R"({"expiry": "1h", "usages": ["signing"], "ca_constraint": {"is_ca": true}})",
       "lacks \"cert sign\""},
      {R"({"expiry": "1h", "usages": ["cert sign", "server auth"], "ca_constraint": {"is_ca": true}})",
       "limited to the purposes that it has"},
      {R"({"expiry": "1h", "usages": ["signing"], "ca_constraint": {"pathlen": 1}})",
       "did you mean \"max_path_len\"?"},
      {R"({"expiry": "1h", "usages": ["signing"], "hosts": []})", "into the request (CSR JSON)"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.profile);
    const auto config = ParseSigningConfig(WithPeer(c.profile), "cfg.json");
    ASSERT_THAT(config, IsOk());
    EXPECT_THAT(config->warnings, ElementsAre(HasSubstr(c.warning)));
  }
}

TEST(SigningConfigTest, AProfileOutsideOfProfilesAndOneGivenTwiceAreWarnings) {
  const auto outside = ParseSigningConfig(
      R"({"signing": {"server": {"expiry": "1h", "usages": ["signing"]}}})", "cfg.json");
  ASSERT_THAT(outside, IsOk());
  EXPECT_THAT(outside->warnings,
              ElementsAre(HasSubstr("a profile belongs into \"profiles\": {\"server\": ...}")));
  const auto twice = ParseSigningConfig(
      R"({"signing": {"profiles": {"a": {"expiry": "1h", "usages": ["signing"]},
                                   "a": {"expiry": "2h", "usages": ["signing"]}}}})",
      "cfg.json");
  ASSERT_THAT(twice, IsOk());
  EXPECT_THAT(twice->warnings, ElementsAre(HasSubstr("\"a\" given twice")));
  EXPECT_EQ(twice->profiles.at("a").expiry, absl::Hours(2));
}

TEST(SigningConfigTest, KeysOfServersAreLookedAtWhereTheyAreUsed) {
  const auto with = [](std::string_view keys) {
    return ParseSigningConfig(
        R"({"signing": {"default": {"expiry": "1h", "usages": ["signing"], "auth_key": "k"}},
            "auth_keys": )" +
            std::string(keys) + "}",
        "cfg.json");
  };
  EXPECT_THAT(with(R"({"k": {"type": "standard", "key": "0aff"}, "other": {}})"), IsOk());
  EXPECT_THAT(with(R"({"k": {"type": "standard", "key": "env:KEY"}})"), IsOk());
  EXPECT_THAT(with(R"({"k": {"type": "hmac", "key": "0aff"}})"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("auth_keys.k.type")));
  EXPECT_THAT(with(R"({"k": {"type": "standard", "key": "0af"}})"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pairs of hexadecimal")));
}

TEST(DescribeTest, SaysWhatTheResultMayDo) {
  const SigningConfig config = BuiltInSigningConfig();
  const absl::Time begin = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_EQ(Describe(config, config.default_profile),
            "profile default (built in): signing, key encipherment, server auth, client auth; no "
            "CA; 8760h");
  EXPECT_THAT(DescribeIssued(config, config.default_profile, begin, begin + absl::Hours(2)),
              HasSubstr("; no CA; 2h, until 2027-01-15T10:00:00Z"));
  Profile fixed = config.default_profile;
  fixed.not_after = begin;
  EXPECT_THAT(Describe(config, fixed), HasSubstr("; no CA; until 2027-01-15T08:00:00Z"));
}

TEST(UsageNamesTest, AreThoseOfKubernetes) { EXPECT_EQ(UsageNames().size(), 23U); }

}  // namespace
}  // namespace calico::calicert::cfssl
