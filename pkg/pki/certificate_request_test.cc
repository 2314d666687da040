#include "pkg/pki/certificate_request.h"

#include <string>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/key.h"
#include "pkg/pki/pem.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::pki {
namespace {

using ::calico::base::IpAddress;
using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

const PrivateKey& TestKey() {
  static const PrivateKey* const key =
      new PrivateKey(*PrivateKey::Generate(KeyAlgorithm::kEcdsaP256));
  return *key;
}

std::string MustCreate(const CertificateRequestTemplate& request) {
  absl::StatusOr<std::string> pem = CreateCertificateRequest(TestKey(), request);
  EXPECT_THAT(pem, IsOk());
  return pem.ok() ? *pem : std::string();
}

TEST(CreateCertificateRequestTest, AsksForWhatTheReferenceAsks) {
  const OpensslCommand openssl;
  CertificateRequestTemplate request;
  request.common_name = "typha-server";
  request.dns_names = {"typha-server", "calico-typha.calico-system.svc"};
  request.ip_addresses = {*IpAddress::Parse("192.0.2.7"), *IpAddress::Parse("2001:db8::7")};
  openssl.Write("r.csr", MustCreate(request));

  EXPECT_EQ(openssl.Run("req -in r.csr -verify -noout").exit_code, 0);
  const std::string text = openssl.Run("req -in r.csr -noout -text").output;
  EXPECT_THAT(text, HasSubstr("Subject: CN = typha-server\n"));
  EXPECT_THAT(text, HasSubstr("X509v3 Basic Constraints: critical\n                    CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("X509v3 Key Usage: critical\n                    Digital Signature, "
                              "Key Encipherment, Key Agreement\n"));
  EXPECT_THAT(text, HasSubstr("X509v3 Extended Key Usage: \n                    TLS Web Server "
                              "Authentication, TLS Web Client Authentication\n"));
  EXPECT_THAT(text, HasSubstr("DNS:typha-server, DNS:calico-typha.calico-system.svc, IP "
                              "Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7\n"));
  EXPECT_THAT(text, HasSubstr("Signature Algorithm: ecdsa-with-SHA256"));
}

TEST(CreateCertificateRequestTest, RoundTripsThroughTheParser) {
  CertificateRequestTemplate wanted;
  wanted.common_name = "übung";
  wanted.subject = {{"C", "US"}, {"O", "Example, Inc."}, {"OU", "a"}, {"OU", "b"}};
  wanted.dns_names = {"a.example", "*.b.example"};
  wanted.ip_addresses = {*IpAddress::Parse("::1")};
  wanted.emails = {"a@example.com"};
  wanted.uris = {"spiffe://example/x"};
  wanted.is_ca = true;
  wanted.key_usages = {KeyUsage::kCertSign, KeyUsage::kDecipherOnly};
  wanted.extended_key_usages = {"1.2.3.4", std::string(kOidCodeSigning)};

  const absl::StatusOr<CertificateRequest> request =
      CertificateRequest::ParsePem(MustCreate(wanted));
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->VerifySignature(), IsOk());
  EXPECT_EQ(request->common_name(), "übung");
  EXPECT_EQ(request->common_name_count(), 1);
  EXPECT_EQ(request->other_subject_attributes(), wanted.subject);
  EXPECT_EQ(request->subject().size(), 5);
  EXPECT_EQ(request->subject_text(), "CN=übung,OU=b,OU=a,O=Example\\, Inc.,C=US");
  EXPECT_EQ(request->dns_names(), wanted.dns_names);
  EXPECT_EQ(request->ip_addresses(), wanted.ip_addresses);
  EXPECT_EQ(request->emails(), wanted.emails);
  EXPECT_EQ(request->uris(), wanted.uris);
  EXPECT_THAT(request->other_san_kinds(), IsEmpty());
  EXPECT_THAT(request->attributes(), IsEmpty());
  EXPECT_TRUE(request->requests_ca());
  EXPECT_EQ(request->key_usages(), wanted.key_usages);
  EXPECT_EQ(request->extended_key_usages(), wanted.extended_key_usages);
  EXPECT_THAT(request->extensions(),
              ElementsAre("2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"));
  EXPECT_THAT(request->unknown_critical_extensions(), IsEmpty());
  EXPECT_TRUE(request->public_key() == TestKey().public_key());
}

TEST(CreateCertificateRequestTest, SubjectAltNameIsCriticalWithoutASubject) {
  const OpensslCommand openssl;
  openssl.Write("r.csr", MustCreate({.dns_names = {"a.example"}}));
  EXPECT_THAT(openssl.Run("req -in r.csr -noout -text").output,
              HasSubstr("X509v3 Subject Alternative Name: critical"));
}

TEST(CreateCertificateRequestTest, RefusesWhatCannotBeEncoded) {
  struct Case {
    const char* name;
    CertificateRequestTemplate request;
    const char* message;
  };
  const Case kCases[] = {
      {"other family", {.signature_algorithm = SignatureAlgorithm::kSha256WithRsa}, "cannot sign"},
      {"long CN", {.common_name = std::string(65, 'a')}, "CN="},
      {"NUL in CN", {.common_name = std::string("a\0b", 3)}, "NUL"},
      {"CN not UTF-8", {.common_name = "\xff\xfe"}, "CN="},
      {"unknown attribute", {.subject = {{"nonsense", "x"}}}, "nonsense"},
      {"long country", {.subject = {{"C", "USA"}}}, "C="},
      {"empty DNS name", {.dns_names = {""}}, "empty"},
      {"space in DNS name", {.dns_names = {"a b"}}, "not printable ASCII"},
      {"NUL in DNS name", {.dns_names = {std::string("a\0b", 3)}}, "not printable ASCII"},
      {"DNS name not ASCII", {.dns_names = {"übung"}}, "not printable ASCII"},
      {"long DNS name", {.dns_names = {std::string(254, 'a')}}, "limit 253"},
      {"empty e-mail", {.emails = {""}}, "empty"},
      {"empty URI", {.uris = {""}}, "empty"},
      {"bad EKU", {.extended_key_usages = {"serverAuth"}}, "no identifier"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(CreateCertificateRequest(TestKey(), c.request),
                StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

TEST(CreateCertificateRequestTest, Ed25519HasNoChoiceOfHash) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genpkey -algorithm ED25519 -out k.pem").exit_code, 0);
  const absl::StatusOr<PrivateKey> key = PrivateKey::ParsePem(openssl.Read("k.pem"));
  ASSERT_THAT(key, IsOk());
  const absl::StatusOr<std::string> pem = CreateCertificateRequest(*key, {.common_name = "x"});
  ASSERT_THAT(pem, IsOk());
  const absl::StatusOr<CertificateRequest> request = CertificateRequest::ParsePem(*pem);
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->VerifySignature(), IsOk());
  EXPECT_THAT(
      CreateCertificateRequest(*key, {.signature_algorithm = SignatureAlgorithm::kEcdsaWithSha256}),
      StatusIs(kInvalid, HasSubstr("cannot sign")));
}

// A request that the openssl command makes from a configuration's extension section.
class OpensslRequest {
 public:
  explicit OpensslRequest(std::string_view extensions, std::string_view subject = "/CN=x",
                          std::string_view options = "") {
    openssl_.Write("r.cnf",
                   fmt::format("oid_section=oids\n[oids]\noddName=1.2.3.4.5\n"
                               "[req]\nprompt=no\ndistinguished_name=dn\nreq_extensions=v3\n"
                               "string_mask=utf8only\nutf8=yes\n[dn]\n[v3]\n{}\n",
                               extensions));
    const OpensslCommand::Result result = openssl_.Run(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -config r.cnf "
        "-utf8 -subj '{}' {} -out r.csr",
        subject, options);
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
  absl::StatusOr<CertificateRequest> Parse() const {
    return CertificateRequest::ParsePem(openssl_.Read("r.csr"));
  }

 private:
  OpensslCommand openssl_;
};

TEST(CertificateRequestTest, ReadsEveryKindOfAlternativeName) {
  const absl::StatusOr<CertificateRequest> request =
      OpensslRequest(
          "subjectAltName=DNS:a.example,DNS:b,IP:192.0.2.1,IP:2001:db8::1,email:a@b.c,URI:http://x/"
          ",RID:1.2.3,otherName:1.2.3.4;UTF8:other,dirName:dir\n[dir]\nCN=directory")
          .Parse();
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->dns_names(), ElementsAre("a.example", "b"));
  EXPECT_THAT(request->ip_addresses(),
              ElementsAre(*IpAddress::Parse("192.0.2.1"), *IpAddress::Parse("2001:db8::1")));
  EXPECT_THAT(request->emails(), ElementsAre("a@b.c"));
  EXPECT_THAT(request->uris(), ElementsAre("http://x/"));
  EXPECT_THAT(request->other_san_kinds(),
              ElementsAre("registeredID", "otherName", "directoryName"));
}

TEST(CertificateRequestTest, ReadsSubjectsAsTheyAre) {
  const absl::StatusOr<CertificateRequest> request =
      OpensslRequest("", "/C=US/O=system:masters/CN=first/emailAddress=a@b/CN=second/oddName=odd")
          .Parse();
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->common_name(), "first");
  EXPECT_EQ(request->common_name_count(), 2);
  EXPECT_THAT(request->other_subject_attributes(),
              ElementsAre(NameAttribute{"C", "US"}, NameAttribute{"O", "system:masters"},
                          NameAttribute{"emailAddress", "a@b"}, NameAttribute{"1.2.3.4.5", "odd"}));
  EXPECT_THAT(request->extensions(), IsEmpty());
  EXPECT_TRUE(request->key_usages().empty());
  EXPECT_FALSE(request->requests_ca());
}

TEST(CertificateRequestTest, ReadsASubjectWithoutCommonName) {
  const absl::StatusOr<CertificateRequest> request = OpensslRequest("", "/O=x").Parse();
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->common_name(), "");
  EXPECT_EQ(request->common_name_count(), 0);
}

TEST(CertificateRequestTest, ListsUnknownExtensions) {
  const absl::StatusOr<CertificateRequest> request =
      OpensslRequest(
          "basicConstraints=critical,CA:TRUE,pathlen:3\nkeyUsage=keyCertSign\n"
          "1.2.3.4=critical,ASN1:UTF8String:x\n1.2.3.5=ASN1:NULL\nsubjectKeyIdentifier=hash")
          .Parse();
  ASSERT_THAT(request, IsOk());
  EXPECT_TRUE(request->requests_ca());
  EXPECT_TRUE(request->requests_path_length());
  EXPECT_EQ(request->key_usages(), KeyUsages{KeyUsage::kCertSign});
  EXPECT_THAT(request->unknown_critical_extensions(), ElementsAre("1.2.3.4"));
  EXPECT_THAT(request->extensions(),
              ElementsAre("2.5.29.19", "2.5.29.15", "1.2.3.4", "1.2.3.5", "2.5.29.14"));
}

TEST(CertificateRequestTest, RefusesExtensionsThatTwoReadersCouldReadDifferently) {
  struct Case {
    const char* name;
    const char* extensions;
    const char* message;
  };
  const Case kCases[] = {
      {"twice", "subjectAltName=DNS:a\n2.5.29.17=DER:30:03:82:01:62", "appears twice"},
      {"unknown twice", "1.2.3.4.5=ASN1:NULL\noddName=critical,ASN1:NULL",
       "1.2.3.4.5: it appears twice"},
      {"bytes after", "2.5.29.17=DER:30:03:82:01:61:00", "subjectAltName: malformed"},
      {"wrong type", "2.5.29.15=DER:04:01:00", "keyUsage: malformed"},
      {"keyUsage without bits", "2.5.29.15=DER:03:01:00", "keyUsage: malformed"},
      {"keyUsage with a tenth bit", "2.5.29.15=DER:03:03:06:00:40", "keyUsage: malformed"},
      {"negative path length", "2.5.29.19=DER:30:06:01:01:ff:02:01:ff", "basicConstraints: malf"},
      {"empty EKU", "2.5.29.37=DER:30:00", "extKeyUsage: malformed"},
      {"address of five bytes", "2.5.29.17=DER:30:07:87:05:01:02:03:04:05", "5 bytes"},
      {"NUL in DNS name", "2.5.29.17=DER:30:05:82:03:61:00:62", "not ASCII"},
      {"high byte in DNS name", "2.5.29.17=DER:30:04:82:02:c3:bc", "not ASCII"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(OpensslRequest(c.extensions).Parse(), StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

TEST(CertificateRequestTest, RefusesWhatIsNotExactlyOneRequest) {
  const std::string pem = MustCreate({.common_name = "x"});
  const std::string der = *ParseSinglePem(pem, "CERTIFICATE REQUEST");
  struct Case {
    const char* name;
    std::string pem;
    const char* message;
  };
  const Case kCases[] = {
      {"empty", "", "empty"},
      {"DER", der, "no PEM block"},
      {"two", pem + pem, "2 blocks"},
      {"text before", "hello\n" + pem, "text around"},
      {"text after", pem + "hello", "text around"},
      {"other label", EncodePem("NEW CERTIFICATE REQUEST", der), "labelled"},
      {"certificate label", EncodePem("CERTIFICATE", der), "labelled"},
      {"trailing byte", EncodePem("CERTIFICATE REQUEST", der + "x"), "left over"},
      {"truncated", EncodePem("CERTIFICATE REQUEST", der.substr(0, der.size() - 1)), "PKCS#10"},
      {"garbage", EncodePem("CERTIFICATE REQUEST", "garbage"), "PKCS#10"},
      {"empty block", EncodePem("CERTIFICATE REQUEST", ""), "PKCS#10"},
      {"headers",
       "-----BEGIN CERTIFICATE REQUEST-----\nA: b\n\nAAAA\n-----END CERTIFICATE "
       "REQUEST-----\n",
       "headers"},
      // The outer length in BER's long form.
      {"BER", EncodePem("CERTIFICATE REQUEST", std::string("\x30\x83\0", 3) + der.substr(2)), ""},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(CertificateRequest::ParsePem(c.pem), StatusIs(kInvalid, HasSubstr(c.message)));
  }
  EXPECT_THAT(CertificateRequest::ParsePem(std::string(65 << 10, 'x')),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(CertificateRequest::ParseDer(std::string(49 << 10, 'x')),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(CertificateRequestTest, AFlippedBitNeverVerifies) {
  const std::string der =
      *ParseSinglePem(MustCreate({.common_name = "x", .dns_names = {"y"}}), "CERTIFICATE REQUEST");
  for (size_t bit = 0; bit < der.size() * 8; ++bit) {
    std::string broken = der;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    const absl::StatusOr<CertificateRequest> request = CertificateRequest::ParseDer(broken);
    if (request.ok()) EXPECT_THAT(request->VerifySignature(), Not(IsOk())) << "bit " << bit;
  }
}

TEST(CertificateRequestTest, ProofOfPossessionNeedsTheKeyAndAGoodHash) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl
                .Run("req -new -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=x -sha1 -out "
                     "sha1.csr")
                .exit_code,
            0);
  absl::StatusOr<CertificateRequest> sha1 = CertificateRequest::ParsePem(openssl.Read("sha1.csr"));
  ASSERT_THAT(sha1, IsOk());
  EXPECT_THAT(sha1->VerifySignature(), StatusIs(kInvalid, HasSubstr("RSA-SHA1 is not accepted")));

  // The key of one request in the body of another: same sizes, so the bytes can be swapped.
  const std::string mine = *ParseSinglePem(MustCreate({.common_name = "x"}), "CERTIFICATE REQUEST");
  const absl::StatusOr<PrivateKey> other = PrivateKey::Generate(KeyAlgorithm::kEcdsaP256);
  ASSERT_THAT(other, IsOk());
  std::string stolen = mine;
  const std::string& key = TestKey().public_key().der();
  const size_t at = stolen.find(key);
  ASSERT_NE(at, std::string::npos);
  stolen.replace(at, key.size(), other->public_key().der());
  const absl::StatusOr<CertificateRequest> forged = CertificateRequest::ParseDer(stolen);
  ASSERT_THAT(forged, IsOk());
  EXPECT_THAT(forged->VerifySignature(), StatusIs(kInvalid, HasSubstr("not by the request's own")));
}

TEST(CertificateRequestTest, ListsOtherAttributes) {
  const OpensslCommand openssl;
  openssl.Write("r.cnf",
                "[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\n[dn]\nCN=x\n"
                "[at]\nchallengePassword=secret\n");
  ASSERT_EQ(openssl.Run("req -new -newkey rsa:2048 -nodes -keyout k.pem -config r.cnf -out r.csr")
                .exit_code,
            0);
  const absl::StatusOr<CertificateRequest> request =
      CertificateRequest::ParsePem(openssl.Read("r.csr"));
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->VerifySignature(), IsOk());
  EXPECT_EQ(request->public_key().Description(), "RSA-2048");
  EXPECT_THAT(request->attributes(), ElementsAre("1.2.840.113549.1.9.7"));
}

TEST(CertificateRequestTest, RefusesBerInsideOfExtensions) {
  struct Case {
    const char* extensions;
    const char* message;
  };
  const Case kCases[] = {
      {"2.5.29.17=DER:30:81:03:82:01:61", "a length that is not as short as it can be at byte 0"},
      {"2.5.29.19=DER:30:03:01:01:00", "a FALSE that is the default"},
      {"2.5.29.19=DER:30:03:01:01:01", "a BOOLEAN that is neither 00 nor ff"},
      {"2.5.29.15=DER:03:02:00:80", "named bits that ends with zeros"},
      {"2.5.29.15=DER:03:02:07:81", "an unused bit that is set"},
      {"2.5.29.37=DER:30:82:00:0a:06:08:2b:06:01:05:05:07:03:01", "a length that is not as short"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.extensions);
    EXPECT_THAT(OpensslRequest(c.extensions).Parse(), StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

}  // namespace
}  // namespace calico::pki
