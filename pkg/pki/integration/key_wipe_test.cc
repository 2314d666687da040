// Proves that keys are wiped: makes one, writes it as PEM, destroys all of it, and then searches
// the whole writable memory of this process for the key's private numbers.

#include <string.h>

#include <string>

#include "pkg/base/testing/memory_search.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/key.h"
#include "pkg/pki/pem.h"

namespace calico::pki {
namespace {

using base::CountInMemory;
using base::MaskedNeedle;
using base::WipeStack;

// Needles in the DER of the key: `offset` from its end or its start lies within a private number.
struct Needles {
  MaskedNeedle der;
  MaskedNeedle pem;
};

[[gnu::noinline]] Needles TakeNeedles(const PrivateKey& key, const char* label, size_t offset) {
  const base::SecretString pem = key.ToPem();
  EXPECT_THAT(PrivateKey::ParsePem(pem.view()), base::IsOk());  // reading must be clean, too
  std::string der = *ParseSinglePem(pem.view(), label);
  const Needles needles{MaskedNeedle(der.data() + offset), MaskedNeedle(pem.view().data() + 100)};
  EXPECT_GT(CountInMemory(needles.der), 0) << "the search does not work";
  EXPECT_GT(CountInMemory(needles.pem), 0) << "the search does not work";
  explicit_bzero(der.data(), der.size());
  return needles;
}

[[gnu::noinline]] Needles MakeKeyAndForgetIt(KeyAlgorithm algorithm, const char* label,
                                             size_t offset) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(algorithm);
  const Needles needles = TakeNeedles(*key, label, offset);
  EXPECT_GT(CountInMemory(needles.der), 0) << "the living key is not found";
  EXPECT_EQ(CountInMemory(needles.pem), 0) << "PEM is left while the key lives";
  return needles;
}

TEST(KeyWipeTest, NothingOfAKeyStaysInMemory) {
  if (!base::kCanSearchMemory) GTEST_SKIP() << "a sanitizer's shadow is terabytes to search";
  struct Case {
    const char* name;
    KeyAlgorithm algorithm;
    const char* label;
    size_t offset;
  };
  const Case kCases[] = {
      // PKCS#1: n has 257 bytes from offset 11; d begins at 277, p at 537, q at 669.
      {"RSA d", KeyAlgorithm::kRsa2048, "RSA PRIVATE KEY", 320},
      {"RSA p", KeyAlgorithm::kRsa2048, "RSA PRIVATE KEY", 580},
      {"RSA q", KeyAlgorithm::kRsa2048, "RSA PRIVATE KEY", 720},
      // SEC1: the scalar has 32 bytes from offset 7.
      {"EC scalar", KeyAlgorithm::kEcdsaP256, "EC PRIVATE KEY", 8},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const Needles needles = MakeKeyAndForgetIt(c.algorithm, c.label, c.offset);
    WipeStack();
    EXPECT_EQ(CountInMemory(needles.der), 0);
    EXPECT_EQ(CountInMemory(needles.pem), 0);
  }
}

}  // namespace
}  // namespace calico::pki
