#include "operator/validation/ca_certificates.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/validation/ca_pem.h"
#include "pkg/base/base64.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::validation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string File(const std::string& name) { return ReadAll("testdata/pki/ca_files/" + name); }

CaVerdict Check(std::string_view text) {
  return CheckCaCertificates(text, CalicoDemands({}), pki::TestTime());
}

// The first command of `text` that works on FILE; empty if there is none.
std::string CommandIn(const std::string& text) {
  for (size_t at = text.find('`'); at != std::string::npos;) {
    const size_t end = text.find('`', at + 1);
    if (end == std::string::npos) return "";
    std::string command = text.substr(at + 1, end - at - 1);
    if (command.find("FILE") != std::string::npos) return command;
    at = text.find('`', end + 1);
  }
  return "";
}

// What a shell writes for `command` on a file with `content`.
std::string RunOn(std::string command, const std::string& content) {
  const pki::OpensslCommand folder;
  const std::string path = folder.Write("input", content);
  command.replace(command.find("FILE"), 4, path);
  EXPECT_EQ(std::system((command + " > " + folder.Path("output")).c_str()), 0) << command;
  return folder.Read("output");
}

TEST(CaPemTest, WhatPeopleHaveIsTaken) {
  const struct {
    const char* file;
    size_t certificates;
  } cases[] = {
      {"good.pem", 1},           {"bom_crlf.pem", 1},          {"text_between.pem", 2},
      {"text_after.pem", 1},     {"blank_lines_after.pem", 1}, {"comment_after.pem", 1},
      {"twice_the_same.pem", 1}, {"attributes_inside.pem", 2},
  };
  const std::string good = File("good.pem");
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    const CaVerdict verdict = Check(File(c.file));
    EXPECT_THAT(verdict.problems, IsEmpty());
    ASSERT_THAT(verdict.certificates, SizeIs(c.certificates));
    EXPECT_EQ(verdict.certificates[0].pem(), good) << "and clean PEM comes out";
  }
  EXPECT_THAT(Check(File("bom_crlf.pem") + File("bom_crlf.pem") + File("good.pem")).certificates,
              SizeIs(1))
      << "`cat` leaves a byte order mark in the middle";
  for (const std::string& comment :
       {std::string("subject=/C=US/O=Example/OU=Infrastructure/CN=ExampleRootCA"),
        std::string("issuer=/C=US/O=Example/OU=Infrastructure2024/CN=ExampleRootCA"),
        std::string("/C=US/O=Example/OU=Infrastructure2024/CN=ExampleRootCA"), std::string(72, '='),
        std::string(72, '+'), std::string(72, '/'), std::string(72, 'x'),
        std::string("/etc/pki/certificates/Example2024/IssuingCA2/FILES"),
        std::string("etc/pki/certificates/Example2024/Issuing/CA2/FILES"),
        std::string("ExampleOrganisationRootCertificateAuthorityG2")}) {
    SCOPED_TRACE(comment);
    EXPECT_THAT(Check(comment + "\n" + good + comment + "\n").problems, IsEmpty());
  }
}

TEST(CaPemTest, TheCommandOfTheMessageMakesItRight) {
  const std::string good = File("good.pem");
  const std::string body = good.substr(28, good.find("-----END") - 28);
  std::string crlf = body;
  for (size_t at = 0; (at = crlf.find('\n', at)) != std::string::npos; at += 2) {
    crlf.replace(at, 1, "\r\n");
  }
  std::string as_certificate = File("pkcs7.pem");
  as_certificate.replace(as_certificate.find("PKCS7"), 5, "CERTIFICATE");
  as_certificate.replace(as_certificate.rfind("PKCS7"), 5, "CERTIFICATE");
  std::string cms = File("pkcs7.pem");
  cms.replace(cms.find("PKCS7"), 5, "CMS");
  cms.replace(cms.rfind("PKCS7"), 5, "CMS");
  const std::string without_mark = File("utf16.txt").substr(2);
  const std::string mark = "\xef\xbb\xbf";
  std::string escaped, joined, indented = "  ";
  for (const char c : good) {
    escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
    joined += c == '\n' ? ' ' : c;
    indented += c == '\n' ? std::string("\n  ") : std::string(1, c);
  }
  const struct {
    const char* name;
    std::string content;
    const char* message;
    size_t certificates;
  } cases[] = {
      {"body as bytes", File("body_only.bin"), "is DER, not PEM", 1},
      {"body as text", body, "without its BEGIN and END lines", 1},
      {"body as text with CRLF", crlf, "without its BEGIN and END lines", 1},
      {"PKCS#7 body as text", base::Base64Encode(File("pkcs7.der")), "PKCS#7", 1},
      {"twice", File("twice.txt"), "encoded in base64 twice", 1},
      {"PKCS#7 in PEM", File("pkcs7.pem"), "block 1 is a PKCS7", 1},
      {"PKCS#7 as CMS", cms, "block 1 is a CMS", 1},
      {"PKCS#7 as certificate", as_certificate, "is a PKCS#7 bundle", 1},
      {"PKCS#7 in DER", File("pkcs7.der"), "PKCS#7 bundle", 1},
      {"DER", File("certificate.der"), "is DER", 1},
      {"trusted", File("trusted.pem"), "block 1 is a TRUSTED CERTIFICATE", 1},
      {"trusted and other ones", File("trusted.pem") + File("attributes_inside.pem"),
       "block 1 is a TRUSTED CERTIFICATE", 2},
      {"UTF-16", File("utf16.txt"), "UTF-16", 1},
      {"UTF-16 without a mark", without_mark, "UTF-16", 1},
      {"PKCS#7 in PEM with a mark", mark + File("pkcs7.pem"), "block 1 is a PKCS7", 1},
      {"trusted with a mark", mark + File("trusted.pem"), "block 1 is a TRUSTED", 1},
      {"trusted ones with marks", mark + File("trusted.pem") + mark + File("attributes_inside.pem"),
       "block 1 is a TRUSTED CERTIFICATE", 2},
      {"twice with a mark", mark + File("twice.txt"), "encoded in base64 twice", 1},
      {"escaped line ends", escaped, "the two letters \\n", 1},
      {"joined by blanks", joined, "joined by blanks", 1},
      {"indented", indented, "its lines are indented", 1},
      {"no line end between", File("no_newline_between.pem"), "the line end between", 2},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    // In the field, what the command writes is the new value of the field.
    const CaVerdict verdict = Check(c.content);
    ASSERT_THAT(verdict.problems, ElementsAre(HasSubstr(c.message)));
    const std::string command = CommandIn(verdict.problems[0]);
    ASSERT_NE(command, "") << verdict.problems[0];
    const auto value = base::Base64Decode(RunOn(command, c.content));
    ASSERT_TRUE(value.ok()) << value.status();
    EXPECT_THAT(Check(*value).problems, IsEmpty());
    EXPECT_THAT(Check(*value).certificates, SizeIs(c.certificates));
    // In a file, it is the new file.
    const CaPem file = ReadCaPem(c.content, CaPlace::kFile);
    ASSERT_THAT(file.problems, SizeIs(1));
    const CaPem mended = ReadCaPem(RunOn(CommandIn(file.problems[0]), c.content), CaPlace::kFile);
    EXPECT_THAT(mended.problems, IsEmpty());
    EXPECT_THAT(mended.certificates, SizeIs(c.certificates));
  }
}

TEST(CaPemTest, NothingGetsLostInSilence) {
  const std::string good = File("good.pem");
  const std::string body = good.substr(28, good.find("-----END") - 28);
  const struct {
    const char* name;
    std::string content;
    const char* message;
  } cases[] = {
      {"cut off", File("cut_off.pem"), "its last certificate is cut off"},
      {"cut off in its BEGIN line", good + "-----BEGIN CERT", "cut off"},
      {"a shorter beginning", good + "-----BEG", "(\"-----BEG\") is no whole BEGIN line"},
      {"other dashes", good + "---- BEGIN CERTIFICATE ----\n" + body, "is no whole BEGIN line"},
      {"a body after", good + body, "line 12 looks like a part of one"},
      {"a line of a body after", good + body.substr(65 * 3, 65),
       "line 12 looks like a part of one"},
      {"the last line of a body", good + body.substr(65 * 8), "line 12 looks like a part of one"},
      {"a body before", body + good, "line 1 looks like a part of one"},
      {"two in DER", File("certificate.der") + File("certificate.der"), "more after its first"},
      {"empty", "", "is required"},
      {"blank", " \n", "is required"},
      {"something else", "hello", "is not PEM"},
      {"other DER", std::string("\x30\x03\x0c\x01\x61", 5), "is DER, but of no certificate"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Check(c.content).problems, ElementsAre(HasSubstr(c.message)));
    EXPECT_THAT(Check(c.content).certificates, IsEmpty());
  }
  EXPECT_THAT(Check(good + "SHA256 " + std::string(64, 'a') + "\n" + std::string(64, 'b')).problems,
              IsEmpty())
      << "a fingerprint is a comment";
}

TEST(CaPemTest, APrivateKeyIsRefusedInEveryFormAndNeverEchoed) {
  const pki::TestCa ca("root");
  const std::string key = ca.key_pem();
  const size_t begin = key.find('\n') + 1;
  const std::string body = key.substr(begin, key.find("-----END") - begin);
  std::string utf16 = "\xff\xfe";
  for (const char c : key) utf16 += {c, '\0'};
  for (const std::string& content : {key, ca.certificate_pem() + key, base::Base64Encode(key), body,
                                     utf16, base::Base64Decode(body).value()}) {
    const CaVerdict verdict = Check(content);
    ASSERT_THAT(verdict.problems, SizeIs(1));
    EXPECT_THAT(verdict.problems[0], HasSubstr("is a private key: remove it"));
    EXPECT_THAT(verdict.problems[0], Not(HasSubstr(body.substr(0, 16))));
  }
  EXPECT_THAT(Check(ca.certificate_pem() + body).problems[0], Not(HasSubstr(body.substr(0, 16))));
}

TEST(CaCertificatesTest, ACaThatWillNotDoIsRefusedByItsCause) {
  const struct {
    const char* file;
    std::vector<const char*> texts;  // of the only problem; empty: none
  } cases[] = {
      {"server_auth_root.pem", {"CN=Field Test Server CA", "lacks clientAuth", "calico-node"}},
      {"server_auth_issuing.pem",
       {"certificate 1 of 2 (CN=Field Test Server Issuing CA", "lacks clientAuth"}},
      {"both_usages_issuing.pem", {}},
      {"constrained_dns.pem", {"\"example.com\"", "\"typha-client\"", "\"typha-server\""}},
      {"constrained_no_addresses.pem", {}},
      {"constrained_ten.pem", {}},
      {"constrained_directory.pem", {"subjects below O=Example, not CN=typha-client"}},
      {"constrained_subjects.pem", {}},
      {"negative_serial.pem", {"serial number is negative", "Go", "make it anew"}},
      {"printable_underscore.pem", {"commonName", "PrintableString with '_'", "UTF8String"}},
      {"printable_at.pem", {"commonName", "PrintableString with '@'", "UTF8String"}},
      {"serial_zero.pem", {}},
      {"serial_25_octets.pem", {}},
      {"expired.pem", {"expired on 2020-01-01"}},
      {"future.pem", {"is not valid before 2040-01-01"}},
      {"new_and_expired.pem", {}},
      {"good_and_future.pem", {}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    const CaVerdict verdict = Check(File(c.file));
    ASSERT_THAT(verdict.problems, SizeIs(c.texts.empty() ? 0 : 1)) << verdict.problems[0];
    for (const char* text : c.texts) EXPECT_THAT(verdict.problems[0], HasSubstr(text));
  }
  EXPECT_THAT(Check(File("new_and_expired.pem")).warnings,
              ElementsAre(HasSubstr("certificate 2 of 2")));
  EXPECT_THAT(Check(File("new_and_expired.pem")).warnings[0], HasSubstr("expired on 2020-01-01"));
  EXPECT_THAT(Check(File("good_and_future.pem")).warnings,
              ElementsAre(HasSubstr("is not valid before 2040-01-01")));
}

// The signer may leave addresses out, so that such a CA can do.
TEST(CaCertificatesTest, AddressesThatAreNotPermittedAreANote) {
  const std::vector<base::IpAddress> inside = {base::IpAddress::Parse("10.1.2.3").value()};
  const std::vector<base::IpAddress> outside = {base::IpAddress::Parse("10.1.2.3").value(),
                                                base::IpAddress::Parse("192.168.1.5").value(),
                                                base::IpAddress::Parse("fd00::5").value()};
  const std::string ten = File("constrained_ten.pem");
  EXPECT_THAT(CheckCaCertificates(ten, CalicoDemands(inside), pki::TestTime()).warnings, IsEmpty());
  EXPECT_THAT(CheckCaCertificates(ten, CalicoDemands(outside), pki::TestTime()).warnings,
              ElementsAre(HasSubstr("10.0.0.0/8, not 192.168.1.5, fd00::5")));
  EXPECT_THAT(Check(File("constrained_no_addresses.pem")).warnings,
              ElementsAre(HasSubstr("permits no IP address")));
}

}  // namespace
}  // namespace calico::validation
