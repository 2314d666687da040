// Proves that the keys of a plan are wiped with it: makes one, reads it back as the cluster would
// give it, destroys both, and searches the memory of this process.

#include <gtest/gtest.h>

#include "operator/certificates/plan.h"
#include "operator/certificates/testing/certificate_world.h"
#include "pkg/base/testing/memory_search.h"

namespace calico::certificates {
namespace {

using base::CountInMemory;
using base::MaskedNeedle;

// In the middle of the PEM body, where the private number is.
MaskedNeedle NeedleOf(const PlannedSecret& secret) {
  return MaskedNeedle(secret.data.at("tls.key").view().data() + 50);
}

[[gnu::noinline]] MaskedNeedle PlanAndForget() {
  Demands demands{
      .release = "v3.33", .operator_namespace = "tigera-operator", .key_pairs = {NodeKeyPair()}};
  Live live;
  const Plan plan = MakePlan(live, demands, absl::Now(), [](pki::KeyAlgorithm) {
                      return pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256);
                    }).value();
  const MaskedNeedle needle = NeedleOf(*FindPlanned(plan.originals, kCaSecret));
  EXPECT_GT(CountInMemory(needle), 0) << "the living key is not found";
  // As it comes back from the cluster: the values are shared, not copied.
  for (const PlannedSecret& planned : plan.originals) {
    api::Secret secret;
    secret.meta.ns = planned.ns;
    secret.meta.name = planned.name;
    secret.data = planned.data;
    live.secrets.push_back(std::move(secret));
  }
  EXPECT_FALSE(MakePlan(live, demands, absl::Now(), pki::PrivateKey::Generate)->HasNewKeys());
  EXPECT_EQ(CountInMemory(needle), 1);
  return needle;
}

TEST(WipeTest, NothingOfAPlansKeysStaysInMemory) {
  if (!base::kCanSearchMemory) GTEST_SKIP() << "a sanitizer's shadow is terabytes to search";
  const MaskedNeedle needle = PlanAndForget();
  base::WipeStack();
  EXPECT_EQ(CountInMemory(needle), 0);
}

}  // namespace
}  // namespace calico::certificates
