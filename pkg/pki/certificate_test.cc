#include "pkg/pki/certificate.h"

#include <string>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/key.h"
#include "pkg/pki/pem.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::pki {
namespace {

using ::calico::base::IpAddress;
using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// A self-signed certificate that the openssl command makes with these extensions.
absl::StatusOr<Certificate> OpensslCertificate(std::string_view extensions,
                                               std::string_view options = "-subj /CN=x") {
  const OpensslCommand openssl;
  openssl.Write("c.cnf", fmt::format("[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=v3\n"
                                     "string_mask=utf8only\n[dn]\nCN=x\n[v3]\n{}\n",
                                     extensions));
  const OpensslCommand::Result result = openssl.Run(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -config c.cnf "
      "-utf8 {} -out c.pem",
      options);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return Certificate::ParsePem(openssl.Read("c.pem"));
}

TEST(CertificateTest, ReadsWhatOpensslMakes) {
  const absl::StatusOr<Certificate> certificate = OpensslCertificate(
      "basicConstraints=critical,CA:TRUE,pathlen:2\nkeyUsage=critical,keyCertSign,cRLSign\n"
      "extendedKeyUsage=serverAuth,1.2.3.4\nsubjectKeyIdentifier=00:01:FF\n"
      "authorityKeyIdentifier=keyid\nsubjectAltName=DNS:a.example,IP:2001:db8::1,email:a@b,"
      "URI:spiffe://x/y,RID:1.2.3",
      "-subj '/C=DE/O=Example, Inc./CN=Zürich' -set_serial 0x00c0ffee01 -days 10");
  ASSERT_THAT(certificate, IsOk());
  EXPECT_EQ(certificate->subject(), "CN=Zürich,O=Example\\, Inc.,C=DE");
  EXPECT_EQ(certificate->issuer(), certificate->subject());
  EXPECT_EQ(certificate->common_name(), "Zürich");
  EXPECT_EQ(certificate->subject_attributes().size(), 3);
  EXPECT_EQ(certificate->serial(), "C0FFEE01");
  EXPECT_EQ(certificate->not_after() - certificate->not_before(), absl::Hours(240));
  EXPECT_TRUE(certificate->is_ca());
  EXPECT_EQ(certificate->path_length(), 2);
  EXPECT_EQ(certificate->key_usages(), (KeyUsages{KeyUsage::kCertSign, KeyUsage::kCrlSign}));
  EXPECT_TRUE(certificate->AllowsKeyUsage(KeyUsage::kCertSign));
  EXPECT_FALSE(certificate->AllowsKeyUsage(KeyUsage::kDigitalSignature));
  EXPECT_THAT(certificate->extended_key_usages(), ElementsAre(kOidServerAuth, "1.2.3.4"));
  EXPECT_TRUE(certificate->HasExtendedKeyUsage(kOidServerAuth));
  EXPECT_FALSE(certificate->HasExtendedKeyUsage(kOidClientAuth));
  EXPECT_THAT(certificate->dns_names(), ElementsAre("a.example"));
  EXPECT_THAT(certificate->ip_addresses(), ElementsAre(*IpAddress::Parse("2001:db8::1")));
  EXPECT_THAT(certificate->emails(), ElementsAre("a@b"));
  EXPECT_THAT(certificate->uris(), ElementsAre("spiffe://x/y"));
  EXPECT_EQ(certificate->subject_key_id(), std::string("\x00\x01\xff", 3));
  EXPECT_EQ(certificate->public_key().Description(), "ECDSA-P256");
  EXPECT_TRUE(certificate->is_self_signed());
}

TEST(CertificateTest, AbsentExtensionsAllowEverything) {
  const absl::StatusOr<Certificate> certificate = OpensslCertificate("");
  ASSERT_THAT(certificate, IsOk());
  EXPECT_FALSE(certificate->is_ca());
  EXPECT_EQ(certificate->path_length(), std::nullopt);
  EXPECT_TRUE(certificate->AllowsKeyUsage(KeyUsage::kCertSign));
  EXPECT_THAT(certificate->extended_key_usages(), IsEmpty());
  EXPECT_EQ(certificate->subject_key_id(), "");
}

TEST(CertificateTest, TimesAfter2050) {
  const TestCa ca("far", absl::FromCivil(absl::CivilDay(2060, 3, 1), absl::UTCTimeZone()),
                  absl::Hours(24));
  EXPECT_EQ(ca.certificate().not_after(),
            absl::FromCivil(absl::CivilDay(2060, 3, 2), absl::UTCTimeZone()));
}

TEST(CertificateTest, SelfSignedMeansTheSignatureToo) {
  const TestCa ca("same-name");
  EXPECT_TRUE(ca.certificate().is_self_signed());
  const TestCa below = ca.Intermediate("below");
  EXPECT_FALSE(below.certificate().is_self_signed());
  EXPECT_EQ(below.certificate().authority_key_id(), ca.certificate().subject_key_id());
  EXPECT_EQ(below.certificate().issuer_common_name(), "same-name");
  // Named as its issuer, signed by another key.
  const TestCa impostor = ca.Intermediate("same-name");
  EXPECT_EQ(impostor.certificate().subject(), impostor.certificate().issuer());
  EXPECT_FALSE(impostor.certificate().is_self_signed());
}

TEST(CertificateTest, ReadsACertificateWithAnUnknownKindOfKey) {
  const OpensslCommand openssl;
  ASSERT_EQ(
      openssl.Run("req -x509 -newkey ed448 -nodes -keyout k.pem -subj /CN=x -out c.pem").exit_code,
      0);
  const absl::StatusOr<Certificate> certificate = Certificate::ParsePem(openssl.Read("c.pem"));
  ASSERT_THAT(certificate, IsOk());
  EXPECT_EQ(certificate->public_key().family(), KeyFamily::kOther);
}

TEST(CertificateTest, IsAValue) {
  const TestCa ca;
  const Certificate copy = ca.certificate();
  EXPECT_TRUE(copy == ca.certificate());
  EXPECT_THAT(Certificate::ParsePem(copy.pem()), base::IsOkAndHolds(copy));
  EXPECT_THAT(Certificate::ParseDer(copy.der()), base::IsOkAndHolds(copy));
  EXPECT_FALSE(copy == TestCa().certificate());
}

TEST(CertificateTest, RefusesWhatIsNotExactlyOneCertificate) {
  const TestCa ca;
  const std::string pem = ca.certificate_pem();
  const std::string& der = ca.certificate().der();
  struct Case {
    const char* name;
    std::string pem;
    const char* message;
  };
  const Case kCases[] = {
      {"empty", "", "empty"},
      {"two", pem + pem, "2 blocks"},
      {"text after", pem + "garbage", "text around"},
      {"trusted label", EncodePem("TRUSTED CERTIFICATE", der), "labelled"},
      {"key", ca.key_pem(), "labelled \"EC PRIVATE KEY\""},
      {"trailing byte", EncodePem("CERTIFICATE", der + std::string(1, '\0')), "left over"},
      {"truncated", EncodePem("CERTIFICATE", der.substr(0, der.size() / 2)), "not X.509"},
      {"garbage", EncodePem("CERTIFICATE", "garbage"), "not X.509"},
      {"empty block", EncodePem("CERTIFICATE", ""), "not X.509"},
      {"long form of a length",
       EncodePem("CERTIFICATE", "\x30\x83" + std::string(1, '\0') + der.substr(2)), "not DER"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Certificate::ParsePem(c.pem), StatusIs(kInvalid, HasSubstr(c.message)));
  }
  EXPECT_THAT(Certificate::ParseDer(std::string(129 << 10, 'x')),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

// One DER value. Lengths up to 65535.
std::string Tlv(char tag, std::string_view content) {
  const auto low = static_cast<char>(content.size() & 0xff);
  const auto high = static_cast<char>(content.size() >> 8);
  std::string value(1, tag);
  if (content.size() > 255) {
    value += {'\x82', high, low};
  } else if (content.size() > 127) {
    value += {'\x81', low};
  } else {
    value += low;
  }
  return value.append(content);
}

std::string Extension(std::string_view oid, std::string_view content) {
  return Tlv(0x30, Tlv(0x06, oid) + Tlv(0x04, content));
}

// A certificate with any extensions, and a signature that nobody has made: the openssl command
// refuses to write such nonsense.
std::string CertificateWith(std::string_view extensions) {
  static const PrivateKey* const key =
      new PrivateKey(*PrivateKey::Generate(KeyAlgorithm::kEcdsaP256));
  const std::string algorithm = Tlv(0x30, "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
  const std::string name =
      Tlv(0x30, Tlv(0x31, Tlv(0x30, std::string("\x06\x03\x55\x04\x03") + Tlv(0x0c, "x"))));
  const std::string validity = Tlv(0x30, Tlv(0x17, "270101000000Z") + Tlv(0x17, "280101000000Z"));
  const std::string body = Tlv('\xa0', Tlv(0x02, "\x02")) + Tlv(0x02, "\x01") + algorithm + name +
                           validity + name + key->public_key().der() +
                           (extensions.empty() ? "" : Tlv('\xa3', Tlv(0x30, extensions)));
  return Tlv(0x30, Tlv(0x30, body) + algorithm + Tlv(0x03, std::string("\0\x01\x02", 3)));
}

TEST(CertificateTest, RefusesMalformedExtensions) {
  constexpr std::string_view kSan = "\x55\x1d\x11", kBasic = "\x55\x1d\x13",
                             kUsage = "\x55\x1d\x0f";
  constexpr std::string_view kKeyId = "\x55\x1d\x0e", kAuthority = "\x55\x1d\x23";
  const std::string san = Extension(kSan, Tlv(0x30,
                                              "\x82\x01"
                                              "a"));
  ASSERT_THAT(Certificate::ParseDer(CertificateWith("")), IsOk());
  ASSERT_THAT(Certificate::ParseDer(CertificateWith(san)), IsOk());
  struct Case {
    const char* name;
    std::string extensions;
    const char* message;
  };
  const Case kCases[] = {
      {"twice", san + san, "2.5.29.17: it appears twice"},
      {"unknown twice", Extension("\x2a\x03", "") + Extension("\x2a\x03", "x"), "appears twice"},
      {"empty", Extension(kBasic, ""), "basicConstraints: malformed"},
      {"trailing byte", Extension(kBasic, Tlv(0x30, "") + "x"), "basicConstraints: malformed"},
      {"other type", Extension(kUsage, Tlv(0x04, "x")), "keyUsage: malformed"},
      {"no usage", Extension(kUsage, Tlv(0x03, std::string(1, '\0'))), "keyUsage: malformed"},
      {"key id", Extension(kKeyId, "\x05"), "subjectKeyIdentifier: malformed"},
      {"authority key id", Extension(kAuthority, "\x05"), "authorityKeyIdentifier: malformed"},
      {"names",
       Extension(kSan,
                 "\x30\x03\x82\x09"
                 "a"),
       "subjectAltName: malformed"},
      {"NUL in a name", Extension(kSan, Tlv(0x30, Tlv('\x82', std::string("a\0b", 3)))),
       "not ASCII"},
      {"odd address", Extension(kSan, Tlv(0x30, Tlv('\x87', "12345"))), "5 bytes"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Certificate::ParseDer(CertificateWith(c.extensions)),
                StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

TEST(CertificateBundleTest, ReadsInOrder) {
  const TestCa a("a"), b("b");
  const std::string bundle = ToPemBundle({a.certificate(), b.certificate()});
  EXPECT_EQ(bundle, a.certificate_pem() + b.certificate_pem());
  const absl::StatusOr<std::vector<Certificate>> read = Certificate::ParsePemBundle(bundle);
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(*read, ElementsAre(a.certificate(), b.certificate()));
}

TEST(CertificateBundleTest, TextOnlyWhereAllowed) {
  const TestCa ca;
  const std::string pem = ca.certificate_pem();
  for (const std::string& bundle : {"# first\n" + pem, pem + "# second\n" + pem, pem + "end"}) {
    EXPECT_THAT(Certificate::ParsePemBundle(bundle), StatusIs(kInvalid, HasSubstr("text")));
    EXPECT_THAT(Certificate::ParsePemBundle(bundle, SurroundingText::kAllow), IsOk());
  }
}

TEST(CertificateBundleTest, NamesWhatIsWrong) {
  const TestCa ca;
  const std::string pem = ca.certificate_pem();
  struct Case {
    const char* name;
    std::string bundle;
    const char* message;
  };
  const Case kCases[] = {
      {"empty", "", "no CERTIFICATE block"},
      {"text", "hello", "no CERTIFICATE block"},
      {"private key pasted in", pem + ca.key_pem(), "block 2 is labelled \"EC PRIVATE KEY\""},
      {"bad second block", pem + EncodePem("CERTIFICATE", "x"), "block 2: parse certificate"},
      {"truncated", pem + pem.substr(0, pem.size() / 2), "block 2: no END line"},
      {"headers", "-----BEGIN CERTIFICATE-----\nA: b\n\nAAAA\n-----END CERTIFICATE-----\n",
       "block 1 has headers"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    for (const SurroundingText text : {SurroundingText::kRefuse, SurroundingText::kAllow}) {
      EXPECT_THAT(Certificate::ParsePemBundle(c.bundle, text),
                  StatusIs(kInvalid, HasSubstr(c.message)));
    }
  }
}

TEST(CertificateBundleTest, ReadsThePublicRoots) {
  const OpensslCommand openssl;
  const OpensslCommand::Result bundle =
      openssl.Run("version -d > /dev/null; cat /etc/ssl/certs/ca-certificates.crt");
  if (bundle.exit_code != 0) GTEST_SKIP() << "no ca-certificates on this machine";
  const absl::StatusOr<std::vector<Certificate>> roots =
      Certificate::ParsePemBundle(bundle.output, SurroundingText::kAllow);
  ASSERT_THAT(roots, IsOk());
  EXPECT_GT(roots->size(), 50);
  for (const Certificate& root : *roots) {
    EXPECT_TRUE(root.is_ca()) << root.subject();
    EXPECT_TRUE(root.is_self_signed()) << root.subject();
  }
}

}  // namespace
}  // namespace calico::pki
