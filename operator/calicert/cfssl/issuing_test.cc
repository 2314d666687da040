#include "operator/calicert/cfssl/issuing.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cfssl/error.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::cfssl {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'080);  // 40 s after a whole minute

Request RequestOf(std::string_view text) { return ParseRequest(text, "req.json")->request; }

struct Ca {
  pki::Certificate certificate;
  pki::PrivateKey key;
};

Ca NewCa(std::string_view text = R"({"CN": "CA"})", absl::Time now = kNow) {
  const Request request = RequestOf(text);
  pki::PrivateKey key = *MakeKey(request.key);
  const Signed made = *MakeCa(request, key, now);
  return {*pki::Certificate::ParsePem(made.pem), std::move(key)};
}

Signer NewSigner(SigningConfig config = BuiltInSigningConfig()) {
  Ca ca = NewCa();
  return *Signer::Create(ca.certificate, std::move(ca.key), std::move(config), kNow);
}

SigningConfig ConfigWith(std::string_view profile) {
  return *ParseSigningConfig(R"({"signing": {"default": )" + std::string(profile) + "}}",
                             "cfg.json");
}

pki::CertificateRequest Csr(std::string_view text) {
  const Request request = RequestOf(text);
  return *ReadCertificateRequest(*MakeRequest(request, *MakeKey(request.key)));
}

pki::Certificate Parsed(const Signed& made) { return *pki::Certificate::ParsePem(made.pem); }

TEST(MakeKeyTest, WrongKindsHaveTheirCode) {
  struct Case {
    KeyRequest wanted;
    const char* words;
  };
  const Case kCases[] = {{{"rsa", 1024}, "RSA key is too weak"},
                         {{"rsa", 8193}, "RSA key size too large"},
                         {{"ecdsa", 255}, "invalid curve"},
                         {{"RSA", 2048}, "invalid algorithm"}};
  for (const Case& c : kCases) {
    const auto key = MakeKey(c.wanted);
    EXPECT_THAT(key, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.words)));
    EXPECT_EQ(CodeOf(key.status()), kKeyGeneration);
    EXPECT_THAT(ErrorText(key.status()), HasSubstr(R"({"code":2400,"message":")"));
  }
  EXPECT_TRUE(IsSlow({"rsa", 4096}));
  EXPECT_FALSE(IsSlow({"ecdsa", 521}));
}

TEST(MakeRequestTest, HasWhatTheFileSays) {
  const pki::CertificateRequest csr =
      Csr(R"({"CN": "a", "hosts": ["h.example.com", "10.0.0.1", ""], "ca": {"pathlen": 2}})");
  EXPECT_THAT(csr.dns_names(), ElementsAre("h.example.com", ""));
  EXPECT_TRUE(csr.requests_ca());
  EXPECT_EQ((*pki::ConstraintsOf(csr))->path_length, 2);
}

TEST(MakeCaTest, FiveYearsFromFiveMinutesAgo) {
  const Request request = RequestOf(R"({"CN": "CA", "hosts": ["ca.example.com", "10.0.0.1"]})");
  const auto made = MakeCa(request, *MakeKey(request.key), kNow);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(made->warnings, ElementsAre(HasSubstr("all but IP addresses are left out")));
  const pki::Certificate ca = Parsed(*made);
  EXPECT_TRUE(ca.is_ca());
  EXPECT_FALSE(ca.path_length().has_value());
  EXPECT_THAT(ca.dns_names(), IsEmpty());
  EXPECT_EQ(ca.ip_addresses().size(), 1U);
  EXPECT_EQ(absl::ToUnixSeconds(ca.not_before()) % 60, 0);
  EXPECT_EQ(ca.not_before(), absl::FromUnixSeconds(1'790'000'080 + 20) - absl::Minutes(5));
  EXPECT_EQ(ca.not_after() - ca.not_before(), absl::Hours(43800));
  EXPECT_EQ(ca.key_usages(), (pki::KeyUsages{pki::KeyUsage::kCertSign, pki::KeyUsage::kCrlSign}));
  EXPECT_THAT(made->serial, testing::MatchesRegex("[1-9][0-9]+"));
}

TEST(MakeCaTest, NobodyAndShortLivesAreRefused) {
  Request request = RequestOf(R"({"hosts": ["10.0.0.1"]})");
  const pki::PrivateKey key = *MakeKey(request.key);
  const auto nobody = MakeCa(request, key, kNow);
  EXPECT_EQ(CodeOf(nobody.status()), kPolicyRequest);
  EXPECT_THAT(nobody, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("missing subject information: there is no \"CN\" and no "
                                         "\"names\" in req.json")));
  request = RequestOf(R"({"CN": "CA", "ca": {"expiry": "240s"}})");
  EXPECT_THAT(MakeCa(request, key, kNow),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("req.json: ca.expiry: 4m is not longer than the 5m")));
}

TEST(RenewCaTest, KeepsSubjectKeyAndLength) {
  const Ca ca = NewCa(R"({"CN": "CA", "names": [{"O": "b"}, {"O": "a"}], "ca": {"expiry": "48h",
                          "pathlen": 1}})");
  const auto renewed = RenewCa(ca.certificate, ca.key, kNow + absl::Hours(40));
  ASSERT_THAT(renewed, IsOk());
  const pki::Certificate after = Parsed(*renewed);
  EXPECT_EQ(after.subject(), ca.certificate.subject());
  EXPECT_EQ(after.path_length(), 1);
  EXPECT_EQ(after.not_after() - after.not_before(), absl::Hours(48));
  EXPECT_EQ(after.subject_key_id(), ca.certificate.subject_key_id());
  const auto other = RenewCa(ca.certificate, *MakeKey({}), kNow);
  EXPECT_EQ(CodeOf(other.status()), kKeyMismatch);
}

TEST(SignerTest, SignsByProfile) {
  const Signer signer = NewSigner(ConfigWith(
      R"({"expiry": "24h", "usages": ["signing", "client auth", "server auth"],
          "crl_url": "http://crl", "copy_extensions": true})"));
  const pki::CertificateRequest csr =
      Csr(R"({"CN": "leaf", "names": [{"O": "x"}], "hosts": ["a.example.com"],
              "extensions": [{"Id": [1, 2, 3], "Value": "BQA="}]})");
  const auto made = signer.Sign({.request = &csr}, kNow);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(made->warnings, IsEmpty());
  const pki::Certificate leaf = Parsed(*made);
  EXPECT_EQ(leaf.subject(), "CN=leaf,O=x");
  EXPECT_THAT(leaf.extended_key_usages(), ElementsAre(pki::kOidClientAuth, pki::kOidServerAuth));
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_EQ(leaf.not_after() - leaf.not_before(), absl::Hours(24));
  EXPECT_EQ(leaf.authority_key_id(), signer.ca().subject_key_id());
  std::vector<std::string> oids;
  const auto extensions = pki::ExtensionsOf(leaf);
  for (const pki::RawExtension& extension : *extensions) oids.push_back(extension.oid);
  EXPECT_THAT(oids, ElementsAre("2.5.29.15", "2.5.29.37", "2.5.29.19", "2.5.29.14", "2.5.29.35",
                                "2.5.29.17", "2.5.29.31", "1.2.3"));
}

TEST(SignerTest, OrderReplacesNamesAndSubject) {
  const Signer signer = NewSigner();
  const pki::CertificateRequest csr = Csr(R"({"CN": "leaf", "hosts": ["a.example.com"]})");
  SigningOrder order{.request = &csr};
  order.names = pki::AlternativeNameLists{.dns_names = {"b.example.com"}};
  order.subject = Subject{.common_name = "other"};
  const pki::Certificate leaf = Parsed(*signer.Sign(order, kNow));
  EXPECT_EQ(leaf.common_name(), "other");
  EXPECT_THAT(leaf.dns_names(), ElementsAre("b.example.com"));
}

TEST(SignerTest, OwnKeysGetTheSameWithoutARequest) {
  const Signer signer = NewSigner();
  const Request request =
      RequestOf(R"({"CN": "a", "names": [{"OU": "x", "C": "DE"}], "hosts": ["h", "10.0.0.1"]})");
  const pki::PrivateKey key = *MakeKey({});
  const pki::CertificateRequest csr = *ReadCertificateRequest(*MakeRequest(request, key));
  const pki::Certificate one = Parsed(*signer.Sign({.request = &csr}, kNow));
  const pki::Certificate two = Parsed(*signer.SignOwn(request, key.public_key(), {}, kNow));
  EXPECT_EQ(one.subject(), two.subject());
  EXPECT_EQ(*pki::ExtensionsOf(one), *pki::ExtensionsOf(two));
  EXPECT_EQ(one.not_after(), two.not_after());
}

TEST(SignerTest, OutlivingTheCaIsAWarningOrCut) {
  const Signer signer = NewSigner(ConfigWith(R"({"expiry": "87600h", "usages": ["signing"]})"));
  const pki::CertificateRequest csr = Csr(R"({"CN": "leaf"})");
  const auto made = signer.Sign({.request = &csr}, kNow);
  ASSERT_THAT(made, IsOk());
  EXPECT_GT(made->not_after, signer.ca().not_after());
  EXPECT_THAT(made->warnings, ElementsAre(HasSubstr("its CA already at 2031-")));
  const auto cut = signer.Sign({.request = &csr, .may_outlive_ca = false}, kNow);
  ASSERT_THAT(cut, IsOk());
  EXPECT_EQ(cut->not_after, signer.ca().not_after());
  EXPECT_THAT(cut->warnings, IsEmpty());
}

TEST(SignerTest, AUseThatTheCaIsNotForIsAWarning) {
  const Signer root = NewSigner(ConfigWith(
      R"({"expiry": "1h", "usages": ["cert sign", "server auth"], "ca_constraint": {"is_ca": true}})"));
  const Request request = RequestOf(R"({"CN": "sub"})");
  pki::PrivateKey key = *MakeKey(request.key);
  const auto sub = root.SignOwn(request, key.public_key(), {}, kNow);
  ASSERT_THAT(sub, IsOk());
  const auto signer = Signer::Create(
      Parsed(*sub), std::move(key),
      ConfigWith(R"({"expiry": "30m", "usages": ["server auth", "client auth"]})"), kNow);
  ASSERT_THAT(signer, IsOk());
  const Request leaf = RequestOf(R"({"CN": "a"})");
  const auto made = signer->SignOwn(leaf, MakeKey(leaf.key)->public_key(), {}, kNow);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(made->warnings, ElementsAre(HasSubstr("lacks \"client auth\"")));
}

TEST(SignerTest, ACertificateOfLaterIsAWarning) {
  const Signer signer = NewSigner(ConfigWith(
      R"({"expiry": "100h", "usages": ["server auth"], "not_before": "2026-10-01T00:00:00Z"})"));
  const Request leaf = RequestOf(R"({"CN": "a"})");
  const auto made = signer.SignOwn(leaf, MakeKey(leaf.key)->public_key(), {}, kNow);
  ASSERT_THAT(made, IsOk());
  EXPECT_THAT(made->warnings, ElementsAre(HasSubstr("not valid before 2026-10-01T00:00:00Z")));
}

TEST(SignerTest, PolicyIsKept) {
  const pki::CertificateRequest ca_csr = Csr(R"({"CN": "sub", "ca": {"pathlen": 1}})");
  const auto no_ca = NewSigner().Sign({.request = &ca_csr}, kNow);
  EXPECT_EQ(CodeOf(no_ca.status()), kPolicyRequest);

  const Signer with_list = NewSigner(
      ConfigWith(R"({"expiry": "1h", "usages": ["signing"], "name_whitelist": "\\.lan$"})"));
  const pki::CertificateRequest good = Csr(R"({"CN": "a.lan", "hosts": ["b.lan", "10.0.0.1"]})");
  EXPECT_THAT(with_list.Sign({.request = &good}, kNow), IsOk());
  const pki::CertificateRequest bad = Csr(R"({"CN": "a.lan", "hosts": ["b.lan.example"]})");
  const auto unmatched = with_list.Sign({.request = &bad}, kNow);
  EXPECT_EQ(CodeOf(unmatched.status()), kPolicyUnmatchedWhitelist);
  EXPECT_THAT(unmatched,
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"b.lan.example\"")));

  const Signer too_short = NewSigner(ConfigWith(R"({"expiry": "4m", "usages": ["signing"]})"));
  EXPECT_THAT(too_short.Sign({.request = &good}, kNow),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("signing.default")));
}

TEST(SignerTest, MakesIntermediates) {
  const Signer signer = NewSigner(ConfigWith(
      R"({"expiry": "24h", "usages": ["cert sign", "crl sign"],
          "ca_constraint": {"is_ca": true, "max_path_len_zero": true}})"));
  const Request request =
      RequestOf(R"({"CN": "sub", "hosts": ["x", "10.0.0.1"], "ca": {"pathlen": 3}})");
  pki::PrivateKey key = *MakeKey({});
  const pki::CertificateRequest csr = *ReadCertificateRequest(*MakeRequest(request, key));
  const pki::Certificate sub = Parsed(*signer.Sign({.request = &csr}, kNow));
  EXPECT_TRUE(sub.is_ca());
  EXPECT_EQ(sub.path_length(), 0);
  EXPECT_THAT(sub.dns_names(), IsEmpty());
  EXPECT_EQ(sub.ip_addresses().size(), 1U);
  const Signer below = *Signer::Create(sub, std::move(key), signer.config(), kNow);
  const auto too_deep = below.Sign({.request = &csr}, kNow);
  EXPECT_EQ(CodeOf(too_deep.status()), kPolicyRequest);
  EXPECT_THAT(too_deep, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("path length 0")));
}

TEST(SignerTest, ACaThatNobodyAcceptsDoesNotSign) {
  Ca ca = NewCa();
  EXPECT_EQ(
      CodeOf(Signer::Create(ca.certificate, *MakeKey({}), BuiltInSigningConfig(), kNow).status()),
      kCertificateUnknown);
  const auto late = Signer::Create(ca.certificate, std::move(ca.key), BuiltInSigningConfig(),
                                   kNow + absl::Hours(50000));
  EXPECT_EQ(CodeOf(late.status()), kCertificateExpired);
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("gencert -renewca")));
  const Signer signer = NewSigner();
  const Request request = RequestOf(R"({"CN": "leaf"})");
  pki::PrivateKey key = *MakeKey({});
  const pki::CertificateRequest csr = *ReadCertificateRequest(*MakeRequest(request, key));
  const pki::Certificate leaf = Parsed(*signer.Sign({.request = &csr}, kNow));
  EXPECT_EQ(CodeOf(Signer::Create(leaf, std::move(key), BuiltInSigningConfig(), kNow).status()),
            kCertificateNotAuthority);
}

TEST(SelfSignTest, HasTheNamesItIsGiven) {
  const pki::PrivateKey key = *MakeKey({});
  Profile profile = BuiltInSigningConfig().default_profile;
  profile.expiry = absl::ZeroDuration();
  const auto made =
      SelfSign({.common_name = "x"}, {.dns_names = {"h.example.com"}}, key, profile, kNow);
  ASSERT_THAT(made, IsOk());
  const pki::Certificate certificate = Parsed(*made);
  EXPECT_TRUE(certificate.is_self_signed());
  EXPECT_THAT(certificate.dns_names(), ElementsAre("h.example.com"));
  EXPECT_EQ(certificate.not_after(), kNow + absl::Hours(2190));
}

TEST(ReadCertificateRequestTest, TakesTheFormsThatPeopleHave) {
  const Request request = RequestOf(R"({"CN": "x"})");
  const std::string pem = *MakeRequest(request, *MakeKey({}));
  EXPECT_THAT(ReadCertificateRequest("some text\n" + pem + "more text\n"), IsOk());
  std::string older = pem;
  for (size_t at = 0; (at = older.find("CERTIFICATE", at)) != std::string::npos; at += 15) {
    older.insert(at, "NEW ");
  }
  EXPECT_THAT(ReadCertificateRequest(older), IsOk());
  EXPECT_THAT(ReadCertificateRequest(ReadCertificateRequest(pem)->der()), IsOk());
  EXPECT_EQ(CodeOf(ReadCertificateRequest("{}").status()), kRequestDecode);
  EXPECT_EQ(CodeOf(ReadCertificateRequest(NewCa().certificate.pem()).status()), kRequestBad);
}

}  // namespace
}  // namespace calico::calicert::cfssl
