#include "pkg/pki/ca/go_reading.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::pki {
namespace {

using base::IsOk;
using ::testing::HasSubstr;

constexpr char kFolder[] = "testdata/pki/go_reading";

// Each file differs from plain.pem in what its name says. What Go 1.26 does with each was tried
// with `kubectl --certificate-authority FILE`; of those that only its Verify refuses, read in its
// source. Empty: read; kByUsToo: our own reading refuses it already.
constexpr char kByUsToo[] = "-";
const std::map<std::string, std::string>& Cases() {
  static const std::map<std::string, std::string> cases = {
      {"plain", ""},
      {"serial_zero", ""},
      {"serial_25_octets", ""},
      {"serial_negative", "its serial number is negative"},
      {"serial_padded", kByUsToo},
      {"printable_star", ""},
      {"printable_ampersand", ""},
      {"printable_underscore", "the commonName of its issuer is a PrintableString with '_'"},
      {"printable_at", "the commonName of its issuer is a PrintableString with '@'"},
      {"printable_in_issuer", "the commonName of its issuer is a PrintableString with '_'"},
      {"printable_organization",
       "the organizationName of its subject is a PrintableString with '!'"},
      {"ia5_high_byte", "an IA5String with the byte 0xfc"},
      {"numeric_letter", "a NumericString with 'a'"},
      {"utf8_invalid", kByUsToo},
      {"utf8_umlaut", ""},
      {"t61_high_byte", ""},
      {"bmp_text", ""},
      {"bmp_odd", kByUsToo},
      {"bmp_surrogate", kByUsToo},
      {"universal_string", "of a type that is no text there (tag 28)"},
      {"visible_string", kByUsToo},
      {"general_string", kByUsToo},
      {"unique_identifier", "of a type that is no text there (tag 3)"},
      {"time_generalized", ""},
      {"time_no_seconds", ""},
      {"time_offset", ""},
      {"time_fraction", "the time of its beginning"},
      {"time_zero_offset", "the time of its beginning"},
      {"time_generalized_no_seconds", "the time of its beginning"},
      {"version_4", "its version is none of 1 to 3"},
      {"version_1_with_extensions", "says version 1"},
      {"version_2_with_extensions", "says version 2"},
      {"algorithms_differ", "its two signature algorithms differ"},
      {"long_length", "not DER"},
      {"rsa", ""},
      {"rsa_no_parameters", "lacks the NULL parameters"},
      {"rsa_negative_modulus", "negative"},
      {"rsa_padded_exponent", "RSA key is not DER"},
      {"rsa_large_exponent", "public exponent of its RSA key is not below 2^31"},
      {"ec_compressed", "compressed"},
      {"ec_explicit", "spells out the curve"},
      {"ed25519", ""},
      {"ed25519_parameters", kByUsToo},
      {"authority_key_id", ""},
      {"authority_key_id_critical", "authorityKeyIdentifier is critical"},
      {"subject_key_id_critical", "subjectKeyIdentifier is critical"},
      {"authority_info", ""},
      {"authority_info_critical", "authorityInfoAccess is critical"},
      {"usage_large_number", "extendedKeyUsage has an identifier with a number of 2^31 or more"},
      {"extension_large_number", "its identifier has a number of 2^31 or more"},
      {"policy_large_number", ""},
      {"policy_twice", "certificatePolicies names a policy twice"},
      {"critical_false", ""},
      {"critical_one", "one of its extensions is malformed"},
      {"ca_one", "basicConstraints is malformed"},
      {"key_usage_padding", "keyUsage is malformed"},
      {"alternative_name_7f", kByUsToo},
      {"constraint_leading_dot", ""},
      {"constraint_mask", "nameConstraints has an IP mask that is none"},
      {"constraint_ip_length", "nameConstraints has an IP address without a mask"},
      {"constraint_dot", "nameConstraints has a DNS name that is none"},
      {"constraint_empty", "nameConstraints is empty"},
      {"constraint_directory", ""},
      {"constraint_directory_critical",
       "nameConstraints is critical and constrains names of a kind"},
      {"unknown", ""},
      {"unknown_critical", "1.3.6.1.4.1.99999.2 is critical and Go does not know it"},
      {"issuer_alternative_name_critical", "issuerAltName is critical and Go does not know it"},
  };
  return cases;
}

std::string ReadFile(const std::string& name) {
  std::ifstream file(std::string(kFolder) + "/" + name + ".pem");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(GoReadingTest, WhatGoRefusesIsToldByItsCause) {
  for (const auto& [name, message] : Cases()) {
    SCOPED_TRACE(name);
    const auto certificate = Certificate::ParsePem(ReadFile(name));
    if (message == kByUsToo) {
      EXPECT_FALSE(certificate.ok());
      continue;
    }
    ASSERT_THAT(certificate, IsOk());
    const absl::Status verdict = CheckGoReads(*certificate);
    if (message.empty()) {
      EXPECT_THAT(verdict, IsOk());
    } else {
      EXPECT_THAT(std::string(verdict.message()), HasSubstr(message));
      EXPECT_EQ(verdict.code(), absl::StatusCode::kInvalidArgument);
    }
  }
}

TEST(GoReadingTest, EveryFileHasItsCase) {
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    EXPECT_TRUE(Cases().contains(file.path().stem().string())) << file.path();
  }
}

TEST(GoReadingTest, OurOwnAreRead) {
  const TestCa ca("root");
  EXPECT_THAT(CheckGoReads(ca.certificate()), IsOk());
  EXPECT_THAT(CheckGoReads(ca.Intermediate("issuing").certificate()), IsOk());
  const TestLeaf leaf =
      ca.Leaf({.common_name = "a", .dns_names = {"a"}, .ip_addresses = {"10.0.0.1", "fd00::1"}});
  EXPECT_THAT(CheckGoReads(leaf.certificate), IsOk());
}

}  // namespace
}  // namespace calico::pki
