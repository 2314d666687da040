// A configuration file of the environment changes nothing, whatever a program does first.

#include "pkg/openssl/init.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include "pkg/base/testing/started_program.h"

namespace calico::openssl {
namespace {

using ::testing::HasSubstr;

constexpr char kProbe[] = "pkg/openssl/testing/probe";

// Takes all algorithms away (no default provider) and wants TLS 1.0 at most.
constexpr char kHostile[] = R"(
openssl_conf = init
[init]
providers = providers
ssl_conf = ssl
[providers]
base = base
[base]
activate = 1
[ssl]
system_default = tls
[tls]
MaxProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
)";
// Looks for a module of this name as a shared library, and stops who does not find it.
constexpr char kBroken[] = R"(
config_diagnostics = 1
openssl_conf = init
[init]
no_such_module = x
)";
constexpr char kGarbage[] = "openssl_conf = nowhere\n[[[\n";

std::string WriteConfig(const std::string& name, const std::string& text) {
  const std::string path = fmt::format("{}/{}.cnf", ::testing::TempDir(), name);
  std::ofstream(path) << text;
  return path;
}

TEST(InitializeTest, ConfigurationFileChangesNothing) {
  const std::pair<const char*, std::string> kConfigs[] = {
      {"hostile", WriteConfig("hostile", kHostile)},
      {"broken", WriteConfig("broken", kBroken)},
      {"garbage", WriteConfig("garbage", kGarbage)},
      {"missing", "/nonexistent/openssl.cnf"},
  };
  for (const auto& [name, path] : kConfigs) {
    for (const char* first : {"global", "digest", "key", "tls", "library"}) {
      SCOPED_TRACE(fmt::format("{} configuration, first use: {}", name, first));
      base::StartedProgram program(kProbe,
                                   {"OPENSSL_CONF=" + path, fmt::format("PROBE_FIRST={}", first)});
      EXPECT_EQ(program.Wait(), 0) << program.output();
      EXPECT_THAT(program.output(), HasSubstr("all works"));
    }
  }
}

// Otherwise the test above proves nothing.
TEST(InitializeTest, TheConfigurationsAreHarmfulToOthers) {
  for (const auto& [name, text] : {std::pair("hostile", kHostile), std::pair("broken", kBroken)}) {
    const std::string path = WriteConfig(fmt::format("harmful-{}", name), text);
    EXPECT_NE(std::system(fmt::format("OPENSSL_CONF={} openssl dgst -sha256 /dev/null "
                                      ">/dev/null 2>&1",
                                      path)
                              .c_str()),
              0)
        << name;
  }
}

TEST(InitializeTest, RandomNumbersComeFromAHashOfFullStrength) {
  for (EVP_RAND_CTX* generator : {RAND_get0_private(nullptr), RAND_get0_public(nullptr)}) {
    ASSERT_NE(generator, nullptr);
    EXPECT_STREQ(EVP_RAND_get0_name(EVP_RAND_CTX_get0_rand(generator)), "HASH-DRBG");
    EXPECT_EQ(EVP_RAND_get_strength(generator), 256U);
  }
}

// By the names that certificates, keys and PEM headers have for them.
TEST(InitializeTest, AlgorithmsThatAreLookedUpByNameAreFound) {
  for (const int nid : {NID_md5, NID_sha1, NID_sha224, NID_sha256, NID_sha384, NID_sha512,
                        NID_sha512_224, NID_sha512_256, NID_sha3_224, NID_sha3_256, NID_sha3_384,
                        NID_sha3_512, NID_sha1WithRSAEncryption, NID_sha256WithRSAEncryption}) {
    EXPECT_NE(EVP_get_digestbynid(nid), nullptr) << OBJ_nid2sn(nid);
  }
  for (const char* name : {"DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC",
                           "CAMELLIA-256-CBC", "ARIA-256-CBC"}) {
    EXPECT_NE(EVP_get_cipherbyname(name), nullptr) << name;
  }
}

TEST(InitializeTest, EverythingElseIsFoundInTheProviders) {
  for (const char* name : {"AES-256-GCM", "CHACHA20-POLY1305", "AES-256-WRAP", "DES-EDE3-CBC"}) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
    EXPECT_NE(cipher, nullptr) << name;
    EVP_CIPHER_free(cipher);
  }
  for (const char* name : {"SHA256", "SHA2-256", "SHA-256", "2.16.840.1.101.3.4.2.1", "SHAKE256"}) {
    EVP_MD* digest = EVP_MD_fetch(nullptr, name, nullptr);
    EXPECT_NE(digest, nullptr) << name;
    EVP_MD_free(digest);
  }
}

TEST(InitializeTest, MayBeRepeated) {
  Initialize();
  Initialize();
}

}  // namespace
}  // namespace calico::openssl
