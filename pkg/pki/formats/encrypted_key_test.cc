#include "pkg/pki/formats/encrypted_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::pki {
namespace {

using base::StatusIs;
using ::testing::HasSubstr;

PassphraseReader Passphrase(std::string text) {
  return [text = std::move(text)]() -> absl::StatusOr<base::SecretString> {
    return base::SecretString(text);
  };
}

absl::StatusOr<base::SecretString> NotAsked() { return absl::InternalError("asked"); }

TEST(EncryptedKeyTest, ReadsWhatOpensslEncrypts) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genrsa -traditional -out rsa.pem 2048").exit_code, 0);
  ASSERT_EQ(openssl.Run("ecparam -genkey -noout -name prime256v1 -out ec.pem").exit_code, 0);
  struct Case {
    const char* command;
    const char* encoding;
    const char* encryption;
  };
  const Case cases[] = {
      {"pkcs8 -topk8 -in rsa.pem -v2 aes256 -passout pass:secret -out out", "PKCS#8",
       "PBES2 (aes-256-cbc)"},
      {"pkcs8 -topk8 -in ec.pem -scrypt -passout pass:secret -out out", "PKCS#8",
       "PBES2 (aes-256-cbc)"},
      {"pkcs8 -topk8 -in ec.pem -v2 des3 -outform DER -passout pass:secret -out out", "PKCS#8",
       "PBES2 (des-ede3-cbc)"},
      {"rsa -in rsa.pem -aes128 -traditional -passout pass:secret -out out", "PKCS#1",
       "AES-128-CBC"},
      {"ec -in ec.pem -des3 -passout pass:secret -out out", "SEC1", "DES-EDE3-CBC"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.command);
    ASSERT_EQ(openssl.Run("{}", c.command).exit_code, 0);
    const std::string text = openssl.Read("out");
    EXPECT_TRUE(LooksLikeKey(text));
    const auto parsed = ParseAnyKey(text, Passphrase("secret"));
    ASSERT_THAT(parsed, base::IsOk());
    EXPECT_TRUE(parsed->form.is_encrypted);
    EXPECT_EQ(parsed->form.encoding, c.encoding);
    EXPECT_EQ(parsed->form.encryption, c.encryption);
    EXPECT_THAT(ParseAnyKey(text, Passphrase("other")),
                StatusIs(absl::StatusCode::kUnauthenticated));
    EXPECT_THAT(ParseAnyKey(text, NotAsked), StatusIs(absl::StatusCode::kInternal));
  }
}

TEST(EncryptedKeyTest, ReadsPlainKeysWithoutAsking) {
  const OpensslCommand openssl;
  struct Case {
    const char* command;
    const char* encoding;
    bool is_pem;
  };
  const Case cases[] = {
      {"ecparam -genkey -name secp384r1 -out out", "SEC1", true},
      {"genpkey -algorithm ed25519 -out out", "PKCS#8", true},
      {"genpkey -algorithm ed25519 -outform DER -out out", "PKCS#8", false},
      {"ecparam -genkey -noout -name prime256v1 -outform DER -out out", "SEC1", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.command);
    ASSERT_EQ(openssl.Run("{}", c.command).exit_code, 0);
    const auto parsed = ParseAnyKey(openssl.Read("out"), NotAsked);
    ASSERT_THAT(parsed, base::IsOk());
    EXPECT_EQ(parsed->form.encoding, c.encoding);
    EXPECT_EQ(parsed->form.is_pem, c.is_pem);
    EXPECT_FALSE(parsed->form.is_encrypted);
  }
}

TEST(EncryptedKeyTest, ReadsTheLabelOfCfsslsEd25519) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genpkey -algorithm ed25519 -out out").exit_code, 0);
  std::string text = openssl.Read("out");
  for (size_t at = 0; (at = text.find("PRIVATE KEY", at)) != std::string::npos; at += 19) {
    text.insert(at, "Ed25519 ");
  }
  EXPECT_THAT(ParseAnyKey(text, NotAsked), base::IsOk());
}

TEST(EncryptedKeyTest, WhatIsWrittenOpensslReads) {
  const OpensslCommand openssl;
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::kRsa2048, KeyAlgorithm::kEcdsaP256}) {
    const auto key = PrivateKey::Generate(algorithm);
    ASSERT_THAT(key, base::IsOk());
    const auto encrypted = ToEncryptedPkcs8Pem(*key, "secret");
    ASSERT_THAT(encrypted, base::IsOk());
    const std::string file = openssl.Write("key.pem", *encrypted);
    EXPECT_EQ(openssl.Run("pkey -in {} -passin pass:secret -noout -check", file).exit_code, 0);
    EXPECT_NE(openssl.Run("pkey -in {} -passin pass:other -noout", file).exit_code, 0);
    const auto parsed = ParseAnyKey(*encrypted, Passphrase("secret"));
    ASSERT_THAT(parsed, base::IsOk());
    EXPECT_EQ(parsed->key.public_key(), key->public_key());
    const std::string plain(ToPkcs8Pem(*key).view());
    EXPECT_THAT(plain, ::testing::StartsWith("-----BEGIN PRIVATE KEY-----\n"));
    EXPECT_EQ(openssl.Run("pkey -in {} -noout -check", openssl.Write("plain.pem", plain)).exit_code,
              0);
  }
}

TEST(EncryptedKeyTest, RefusesWithTheCause) {
  const OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genpkey -algorithm ed25519 -out key.pem").exit_code, 0);
  const std::string key = openssl.Read("key.pem");
  ASSERT_EQ(openssl
                .Run("pkcs8 -topk8 -in key.pem -v2 aes256 -iter 20000000 -passout pass:x -out "
                     "slow.pem")
                .exit_code,
            0);
  struct Case {
    std::string text;
    const char* want;
  };
  const Case cases[] = {
      {"", "no PEM block with a private key"},
      {key + key, "several private keys"},
      {openssl.Read("slow.pem"), "10000000 iterations"},
      {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
       "damaged encrypted PKCS#8"},
      {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ROT13,00\n\nAAAA\n"
       "-----END RSA PRIVATE KEY-----\n",
       "the encryption \"ROT13\" of its headers is not known"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseAnyKey(c.text, Passphrase("x"));
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(c.want));
  }
}

}  // namespace
}  // namespace calico::pki
