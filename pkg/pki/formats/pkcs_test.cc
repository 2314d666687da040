#include <unistd.h>

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/formats/pkcs12.h"
#include "pkg/pki/formats/pkcs7.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::pki {
namespace {

using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A CA, an intermediate and a leaf, as files of the openssl command.
struct Files {
  Files()
      : root("root", absl::Now()),
        leaf(root.Intermediate("middle").Leaf({.common_name = "typha"})) {
    openssl.Write("key.pem", leaf.key_pem);
    openssl.Write("leaf.pem", leaf.certificate_pem);
    openssl.Write("chain.pem", leaf.chain_pem);
    openssl.Write("root.pem", root.certificate_pem());
  }
  OpensslCommand openssl;
  TestCa root;
  TestLeaf leaf;
};

std::vector<std::string> Subjects(const std::vector<Certificate>& certificates) {
  std::vector<std::string> subjects;
  for (const Certificate& certificate : certificates) subjects.push_back(certificate.subject());
  return subjects;
}

TEST(Pkcs12Test, ReadsWhatOpensslWrites) {
  const Files files;
  for (const char* options :
       {"", "-certpbe AES-256-CBC -keypbe AES-256-CBC -iter 10000", "-certpbe NONE -keypbe NONE",
        "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1", "-nomac"}) {
    SCOPED_TRACE(options);
    ASSERT_EQ(
        files.openssl
            .Run("pkcs12 -export -inkey key.pem -in chain.pem -certfile root.pem -name web {} "
                 "-passout pass:secret -out out.p12",
                 options)
            .exit_code,
        0);
    const std::string der = files.openssl.Read("out.p12");
    EXPECT_TRUE(LooksLikePkcs12(der));
    const auto contents = ParsePkcs12(der, "secret");
    ASSERT_THAT(contents, base::IsOk());
    ASSERT_EQ(contents->keys.size(), 1U);
    EXPECT_EQ(contents->keys[0].public_key(), files.leaf.key.public_key());
    EXPECT_THAT(Subjects(contents->certificates), ElementsAre("CN=typha", "CN=middle", "CN=root"));
    EXPECT_EQ(contents->friendly_name, "web");
  }
}

TEST(Pkcs12Test, AnEmptyPassphraseIsOne) {
  const Files files;
  ASSERT_EQ(
      files.openssl.Run("pkcs12 -export -inkey key.pem -in leaf.pem -passout pass: -out out.p12")
          .exit_code,
      0);
  EXPECT_THAT(ParsePkcs12(files.openssl.Read("out.p12"), ""), base::IsOk());
}

TEST(Pkcs12Test, RefusesWithTheCause) {
  const Files files;
  const auto export_with = [&](std::string_view options) {
    EXPECT_EQ(files.openssl
                  .Run("pkcs12 -export -inkey key.pem -in leaf.pem {} -passout pass:secret -out "
                       "out.p12",
                       options)
                  .exit_code,
              0);
    return files.openssl.Read("out.p12");
  };
  const std::string der = export_with("");
  EXPECT_THAT(ParsePkcs12(der, "other"), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(ParsePkcs12(der.substr(0, der.size() - 1), "secret"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const auto old = ParsePkcs12(export_with("-legacy"), "secret");
  EXPECT_THAT(old, StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(std::string(old.status().message()), HasSubstr("RC2"));
  EXPECT_THAT(ParsePkcs12(export_with("-iter 20000000 -nomac"), "secret"),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(Pkcs12Test, WhatIsWrittenOpensslReads) {
  const Files files;
  const auto chain = Certificate::ParsePemBundle(files.leaf.chain_pem);
  ASSERT_THAT(chain, base::IsOk());
  const auto der = WritePkcs12(files.leaf.key, *chain, "web", "secret");
  ASSERT_THAT(der, base::IsOk());
  const std::string file = files.openssl.Write("ours.p12", der->view());
  const auto shown = files.openssl.Run("pkcs12 -in {} -passin pass:secret -nodes -info", file);
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("friendlyName: web"));
  EXPECT_THAT(shown.output, HasSubstr("AES-256-CBC"));
  const auto again = ParsePkcs12(der->view(), "secret");
  ASSERT_THAT(again, base::IsOk());
  EXPECT_EQ(again->certificates, *chain);
  EXPECT_THAT(WritePkcs12(files.leaf.key, {files.root.certificate()}, "", "x"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(WritePkcs12(files.leaf.key, *chain, "", ""),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// Java's own tool, where the machine has it.
TEST(Pkcs12Test, KeytoolReadsOursAndWeReadKeytools) {
  if (system("keytool -help >/dev/null 2>&1") != 0) GTEST_SKIP() << "no keytool";
  const Files files;
  const auto chain = Certificate::ParsePemBundle(files.leaf.chain_pem);
  const auto der = WritePkcs12(files.leaf.key, *chain, "web", "secret-1");
  ASSERT_THAT(der, base::IsOk());
  const std::string ours = files.openssl.Write("ours.p12", der->view());
  const std::string theirs = files.openssl.Path("theirs.p12");
  EXPECT_EQ(system(("keytool -list -storetype PKCS12 -storepass secret-1 -alias web -keystore " +
                    ours + " >&2")
                       .c_str()),
            0);
  ASSERT_EQ(system(("keytool -genkeypair -keyalg EC -groupname secp256r1 -dname CN=java -alias j "
                    "-storetype PKCS12 -storepass secret-1 -keystore " +
                    theirs + " >&2")
                       .c_str()),
            0);
  const auto contents = ParsePkcs12(files.openssl.Read("theirs.p12"), "secret-1");
  ASSERT_THAT(contents, base::IsOk());
  EXPECT_EQ(contents->keys.size(), 1U);
  EXPECT_THAT(Subjects(contents->certificates), ElementsAre("CN=java"));
  EXPECT_EQ(contents->friendly_name, "j");
}

TEST(Pkcs7Test, ReadsWhatOpensslWrites) {
  const Files files;
  ASSERT_EQ(
      files.openssl
          .Run("crl2pkcs7 -nocrl -certfile chain.pem -certfile root.pem -outform DER -out a.p7b")
          .exit_code,
      0);
  const std::string der = files.openssl.Read("a.p7b");
  EXPECT_TRUE(LooksLikePkcs7(der));
  const auto certificates = ParsePkcs7(der);
  ASSERT_THAT(certificates, base::IsOk());
  EXPECT_THAT(Subjects(*certificates), ElementsAre("CN=typha", "CN=middle", "CN=root"));
}

TEST(Pkcs7Test, RefusesWithTheCause) {
  const Files files;
  ASSERT_EQ(files.openssl.Run("crl2pkcs7 -nocrl -outform DER -out empty.p7b").exit_code, 0);
  EXPECT_THAT(std::string(ParsePkcs7(files.openssl.Read("empty.p7b")).status().message()),
              HasSubstr("no certificate in it"));
  EXPECT_FALSE(ParsePkcs7("").ok());
  EXPECT_FALSE(LooksLikePkcs7(files.leaf.certificate.der()));
  EXPECT_FALSE(LooksLikePkcs12(files.leaf.certificate.der()));
}

}  // namespace
}  // namespace calico::pki
