#include "operator/validation/bgp_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::validation {
namespace {

TEST(BgpLayoutTest, CalicoNodeMountsOneKey) {
  EXPECT_TRUE(CheckBgpLayout({{"earlyNetworkConfiguration", ""}}, "tigera-operator").ok());
  const absl::Status status = CheckBgpLayout({{"layout", "text"}}, "tigera-operator");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::StartsWith("ConfigMap tigera-operator/bgp-layout has no key "
                                  "earlyNetworkConfiguration: "));
  EXPECT_FALSE(CheckBgpLayout({}, "ns").ok());
}

}  // namespace
}  // namespace calico::validation
