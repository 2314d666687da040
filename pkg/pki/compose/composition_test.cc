#include "pkg/pki/compose/composition.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/compose/key_generation.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'750'000'000);

PrivateKey NewKey(KeyFamily family = KeyFamily::kEcdsa, int bits = 256) {
  return *GenerateKey(family, bits);
}

SubjectName Named(std::string common_name) { return {{{"CN", std::move(common_name)}}}; }

CertificateParts CaParts() {
  return {.subject = Named("Test CA"),
          .not_before = kStart,
          .not_after = kStart + absl::Hours(8760),
          .key_usages = {KeyUsage::kCertSign, KeyUsage::kCrlSign},
          .constraints = CaConstraints{.is_ca = true}};
}

std::string Text(const OpensslCommand& openssl, std::string_view kind, const std::string& der) {
  const std::string path = openssl.Write("parts.der", der);
  return openssl
      .Run("{} -inform DER -in {} -noout -text -nameopt RFC2253,-esc_msb,sname", kind, path)
      .output;
}

TEST(ComposeRequestTest, MultiValuedNamesAndNamesOfEachKind) {
  const OpensslCommand openssl;
  const PrivateKey key = NewKey(KeyFamily::kRsa, 3072);
  RequestParts parts;
  parts.subject = {
      {{"C", "DE"}, {"C", "US"}}, {{"O", "Ö & Co"}}, {{"1.2.3.4", "x"}}, {{"CN", "a"}}};
  parts.names.dns_names = {"b.example.com", "", "a.example.com"};
  parts.names.emails = {"a@example.com"};
  parts.names.ip_addresses = {*base::IpAddress::Parse("10.0.0.1")};
  parts.names.uris = {"spiffe://x/y"};
  const auto der = ComposeRequest(key, parts);
  ASSERT_THAT(der, IsOk());
  const auto request = CertificateRequest::ParseDer(*der);
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->VerifySignature(), IsOk());
  EXPECT_THAT(request->dns_names(), ElementsAre("b.example.com", "", "a.example.com"));
  EXPECT_THAT(request->extensions(), ElementsAre("2.5.29.17"));
  const auto subject = SubjectNameOf(*request);
  ASSERT_THAT(subject, IsOk());
  EXPECT_EQ(*subject, parts.subject);
  const std::string text = Text(openssl, "req", *der);
  EXPECT_THAT(text, HasSubstr("DNS:b.example.com, DNS:, DNS:a.example.com, email:a@example.com, "
                              "IP Address:10.0.0.1, URI:spiffe://x/y"));
  EXPECT_THAT(text, HasSubstr("sha384WithRSAEncryption"));
}

TEST(ComposeRequestTest, NothingAskedForHasNoExtensions) {
  const auto der = ComposeRequest(NewKey(KeyFamily::kEd25519, 0), {});
  ASSERT_THAT(der, IsOk());
  const auto request = CertificateRequest::ParseDer(*der);
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->extensions(), IsEmpty());
  EXPECT_THAT(request->subject(), IsEmpty());
  EXPECT_THAT(request->VerifySignature(), IsOk());
}

TEST(ComposeRequestTest, ConstraintsAndRawExtensionsComeBack) {
  RequestParts parts;
  parts.constraints = CaConstraints{.is_ca = true, .path_length = 0};
  parts.extensions = {{.oid = "1.2.3.4.5", .critical = true, .der = std::string("\x05\x00", 2)}};
  const auto der = ComposeRequest(NewKey(), parts);
  ASSERT_THAT(der, IsOk());
  const auto request = CertificateRequest::ParseDer(*der);
  ASSERT_THAT(request, IsOk());
  const auto constraints = ConstraintsOf(*request);
  ASSERT_THAT(constraints, IsOk());
  ASSERT_TRUE(constraints->has_value());
  EXPECT_TRUE((*constraints)->is_ca);
  EXPECT_EQ((*constraints)->path_length, 0);
  const auto extensions = ExtensionsOf(*request);
  ASSERT_THAT(extensions, IsOk());
  ASSERT_EQ(extensions->size(), 2U);
  EXPECT_EQ((*extensions)[1], parts.extensions[0]);
}

TEST(ComposeRequestTest, WhatCannotBeEncodedIsNamed) {
  RequestParts parts;
  parts.names.dns_names = {
      "b\xc3\xbc"
      "cher.example"};
  EXPECT_THAT(ComposeRequest(NewKey(), parts),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("DNS name")));
  parts.names.dns_names.clear();
  parts.subject = {{{"nonsense", "x"}}};
  EXPECT_THAT(ComposeRequest(NewKey(), parts),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nonsense")));
  parts.subject = {{{"CN", "\xff"}}};
  EXPECT_THAT(ComposeRequest(NewKey(), parts),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not UTF-8")));
}

TEST(ComposeCertificateTest, EverythingInItsOrder) {
  const OpensslCommand openssl;
  const PrivateKey ca_key = NewKey(KeyFamily::kEcdsa, 384);
  const auto ca_der = ComposeCertificate(ca_key.public_key(), CaParts(), {nullptr, &ca_key});
  ASSERT_THAT(ca_der, IsOk());
  const auto ca = Certificate::ParseDer(*ca_der);
  ASSERT_THAT(ca, IsOk());
  EXPECT_TRUE(ca->is_self_signed());
  EXPECT_THAT(ca->authority_key_id(), IsEmpty());
  EXPECT_EQ(ca->subject_key_id().size(), 20U);

  CertificateParts parts;
  parts.subject = Named("leaf");
  parts.not_before = kStart;
  parts.not_after = absl::FromCivil(absl::CivilSecond(2126, 1, 1), absl::UTCTimeZone());
  parts.key_usages = {KeyUsage::kDigitalSignature};
  parts.extended_key_usages = {std::string(kOidServerAuth), std::string(kOidClientAuth),
                               std::string(kOidServerAuth)};
  parts.constraints = CaConstraints{};
  parts.ocsp_servers = {"http://ocsp.example"};
  parts.issuer_urls = {"http://ca.example"};
  parts.crl_urls = {"http://crl.example"};
  parts.policies = {{.oid = "1.2.3.4",
                     .qualifiers = {{PolicyQualifier::Kind::kCps, "http://cps.example"},
                                    {PolicyQualifier::Kind::kUserNotice, "read this"}}}};
  parts.extensions = {{.oid = "1.3.6.1.5.5.7.48.1.5", .der = std::string("\x05\x00", 2)}};
  parts.names.dns_names = {"leaf.example"};
  const PrivateKey key = NewKey();
  const auto der = ComposeCertificate(key.public_key(), parts, {&*ca, &ca_key});
  ASSERT_THAT(der, IsOk());
  const std::string text = Text(openssl, "x509", *der);
  size_t at = 0;
  for (const char* const part :
       {"ecdsa-with-SHA384", "Not After : Jan  1 00:00:00 2126", "Key Usage: critical",
        "TLS Web Server Authentication, TLS Web Client Authentication, TLS Web Server",
        "Basic Constraints: critical", "CA:FALSE", "Subject Key Identifier",
        "Authority Key Identifier", "OCSP - URI:http://ocsp.example",
        "CA Issuers - URI:http://ca.example", "DNS:leaf.example", "URI:http://crl.example",
        "Policy: 1.2.3.4", "CPS: http://cps.example", "Explicit Text: read this",
        "OCSP No Check"}) {
    const size_t found = text.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " is not in its place:\n" << text;
    at = found;
  }
  const auto leaf = Certificate::ParseDer(*der);
  ASSERT_THAT(leaf, IsOk());
  EXPECT_EQ(leaf->authority_key_id(), ca->subject_key_id());
}

TEST(ComposeCertificateTest, NamesAreCriticalWhereTheyAreAll) {
  const PrivateKey key = NewKey();
  CertificateParts parts = CaParts();
  parts.names.dns_names = {"a.example.com"};
  const auto critical = [&] {
    const auto made =
        Certificate::ParseDer(*ComposeCertificate(key.public_key(), parts, {nullptr, &key}));
    const auto extensions = ExtensionsOf(*made);
    return extensions->back().oid == "2.5.29.17" && extensions->back().critical;
  };
  EXPECT_FALSE(critical());
  parts.subject.clear();
  EXPECT_TRUE(critical());
}

TEST(ComposeCertificateTest, SerialIsRandomUnlessGiven) {
  const PrivateKey key = NewKey();
  CertificateParts parts = CaParts();
  const auto one =
      Certificate::ParseDer(*ComposeCertificate(key.public_key(), parts, {nullptr, &key}));
  const auto two =
      Certificate::ParseDer(*ComposeCertificate(key.public_key(), parts, {nullptr, &key}));
  EXPECT_NE(one->serial(), two->serial());
  EXPECT_EQ(one->serial().size(), 40U);
  parts.serial = std::string("\x01\x00", 2);
  const auto given =
      Certificate::ParseDer(*ComposeCertificate(key.public_key(), parts, {nullptr, &key}));
  EXPECT_EQ(DecimalSerial(given->serial()), "256");
  parts.serial = std::string("\x00", 1);
  EXPECT_THAT(ComposeCertificate(key.public_key(), parts, {nullptr, &key}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("zero")));
}

TEST(ComposeCertificateTest, AnotherIssuersKeyIsRefused) {
  const PrivateKey ca_key = NewKey();
  const PrivateKey other = NewKey();
  const auto ca = Certificate::ParseDer(
      *ComposeCertificate(ca_key.public_key(), CaParts(), {nullptr, &ca_key}));
  EXPECT_THAT(ComposeCertificate(other.public_key(), CaParts(), {&*ca, &other}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CompositionTest, IdentifiersAndElements) {
  EXPECT_TRUE(IsObjectIdentifier("1.2.840.113549"));
  EXPECT_FALSE(IsObjectIdentifier("serverAuth"));
  EXPECT_FALSE(IsObjectIdentifier("9.9"));
  EXPECT_FALSE(IsObjectIdentifier(""));
  EXPECT_TRUE(IsDerElement(std::string_view("\x05\x00", 2)));
  EXPECT_FALSE(IsDerElement("text"));
  EXPECT_FALSE(IsDerElement(std::string_view("\x05\x00\x00", 3)));
}

}  // namespace
}  // namespace calico::pki
