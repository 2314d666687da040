#include "pkg/pki/usage.h"

#include <gtest/gtest.h>

namespace calico::pki {
namespace {

TEST(KeyUsagesTest, IsASet) {
  KeyUsages usages = {KeyUsage::kKeyEncipherment, KeyUsage::kDigitalSignature};
  EXPECT_TRUE(usages.Has(KeyUsage::kDigitalSignature));
  EXPECT_FALSE(usages.Has(KeyUsage::kCertSign));
  EXPECT_EQ(usages, (KeyUsages{KeyUsage::kDigitalSignature, KeyUsage::kKeyEncipherment}));
  usages.Add(KeyUsage::kDecipherOnly);
  EXPECT_TRUE(usages.Has(KeyUsage::kDecipherOnly));
  EXPECT_EQ(usages.ToString(), "digitalSignature, keyEncipherment, decipherOnly");
  EXPECT_EQ(usages.List().size(), 3);
}

TEST(KeyUsagesTest, Subset) {
  const KeyUsages small = {KeyUsage::kDigitalSignature};
  const KeyUsages large = {KeyUsage::kDigitalSignature, KeyUsage::kKeyAgreement};
  EXPECT_TRUE(small.IsSubsetOf(large));
  EXPECT_FALSE(large.IsSubsetOf(small));
  EXPECT_TRUE(KeyUsages().IsSubsetOf(small));
}

TEST(KeyUsagesTest, EmptyHasNoText) {
  EXPECT_TRUE(KeyUsages().empty());
  EXPECT_EQ(KeyUsages().ToString(), "");
}

TEST(KeyUsagesTest, NamesEveryBit) {
  for (uint8_t bit = 0; bit < 9; ++bit) {
    EXPECT_FALSE(ToString(static_cast<KeyUsage>(bit)).empty()) << int{bit};
  }
  EXPECT_EQ(ToString(KeyUsage::kCertSign), "keyCertSign");
  EXPECT_EQ(ToString(KeyUsage::kCrlSign), "cRLSign");
}

TEST(ExtendedKeyUsageNameTest, KnownAndUnknown) {
  EXPECT_EQ(ExtendedKeyUsageName("1.3.6.1.5.5.7.3.1"), "serverAuth");
  EXPECT_EQ(ExtendedKeyUsageName(kOidClientAuth), "clientAuth");
  EXPECT_EQ(ExtendedKeyUsageName("1.2.3.4"), "1.2.3.4");
}

TEST(SubjectAttributeNameTest, KnownAndUnknown) {
  EXPECT_EQ(SubjectAttributeName("2.5.4.10"), "O");
  EXPECT_EQ(SubjectAttributeName("1.2.840.113549.1.9.1"), "emailAddress");
  EXPECT_EQ(SubjectAttributeName("1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(SubjectAttributeOid("OU"), "2.5.4.11");
  EXPECT_EQ(SubjectAttributeOid("Organization"), "");
  EXPECT_EQ(SubjectAttributeOid("2.5.4.10"), "");
}

}  // namespace
}  // namespace calico::pki
