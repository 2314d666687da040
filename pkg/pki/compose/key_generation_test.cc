#include "pkg/pki/compose/key_generation.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

TEST(GenerateKeyTest, MakesEachKindAndReadsItAgain) {
  struct Case {
    KeyFamily family;
    int bits;
    const char* description;
  };
  const Case kCases[] = {
      {KeyFamily::kRsa, 2048, "RSA-2048"},    {KeyFamily::kRsa, 2056, "RSA-2056"},
      {KeyFamily::kRsa, 3072, "RSA-3072"},    {KeyFamily::kEcdsa, 256, "ECDSA-P256"},
      {KeyFamily::kEcdsa, 384, "ECDSA-P384"}, {KeyFamily::kEcdsa, 521, "ECDSA-P521"},
      {KeyFamily::kEd25519, 0, "Ed25519"}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.description);
    const auto key = GenerateKey(c.family, c.bits);
    ASSERT_THAT(key, IsOk());
    EXPECT_EQ(key->public_key().Description(), c.description);
    EXPECT_THAT(key->public_key().CheckStrength(), IsOk());
    const auto again = PrivateKey::ParsePem(key->ToPem().view());
    ASSERT_THAT(again, IsOk());
    EXPECT_TRUE(again->public_key() == key->public_key());
  }
}

TEST(GenerateKeyTest, OtherSizesAreRefused) {
  EXPECT_THAT(GenerateKey(KeyFamily::kRsa, 2047),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2048 to 8192 bits")));
  EXPECT_THAT(GenerateKey(KeyFamily::kRsa, 2049),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("even number")));
  EXPECT_THAT(GenerateKey(KeyFamily::kRsa, 8193), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(GenerateKey(KeyFamily::kEcdsa, 255),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("256, 384, 521")));
  EXPECT_THAT(GenerateKey(KeyFamily::kOther, 256), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace calico::pki
