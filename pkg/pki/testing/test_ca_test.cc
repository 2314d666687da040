#include "pkg/pki/testing/test_ca.h"

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;

TEST(TestCaTest, LeavesVerify) {
  const TestCa root("root");
  const TestCa middle = root.Intermediate("middle");
  const TestLeaf leaf = middle.Leaf(
      {.common_name = "typha-server", .dns_names = {"typha"}, .ip_addresses = {"192.0.2.1"}});
  const absl::StatusOr<std::vector<Certificate>> chain =
      Certificate::ParsePemBundle(leaf.chain_pem);
  ASSERT_THAT(chain, IsOk());
  ASSERT_EQ(chain->size(), 2);
  EXPECT_THAT(VerifyChain(chain->front(), {chain->back()}, {root.certificate()},
                          ExtendedKeyUsage::kServerAuth, root.now()),
              IsOk());
  EXPECT_THAT(KeyMatches(leaf.certificate, *PrivateKey::ParsePem(leaf.key_pem)), IsOk());
  EXPECT_EQ(leaf.certificate.ip_addresses().front().ToString(), "192.0.2.1");
}

TEST(TestCaTest, MakesExpiredAndFutureLeaves) {
  const TestCa ca;
  const TestLeaf expired = ca.Leaf(
      {.common_name = "x", .valid_from_now = absl::Hours(-2), .valid_until_now = absl::Hours(-1)});
  const TestLeaf future = ca.Leaf({.common_name = "x", .valid_from_now = absl::Hours(1)});
  for (const TestLeaf* leaf : {&expired, &future}) {
    EXPECT_THAT(
        VerifyChain(leaf->certificate, {}, {ca.certificate()}, ExtendedKeyUsage::kAny, ca.now()),
        StatusIs(absl::StatusCode::kFailedPrecondition));
  }
}

TEST(TestCaTest, KeyPemIsTheCasKey) {
  const TestCa ca;
  EXPECT_THAT(KeyMatches(ca.certificate(), *PrivateKey::ParsePem(ca.key_pem())), IsOk());
}

}  // namespace
}  // namespace calico::pki
