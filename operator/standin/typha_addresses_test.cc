#include "operator/standin/typha_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::standin {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

api::EndpointSlice Slice() {
  api::EndpointSlice slice;
  slice.ports = {{.name = "calico-typha-metrics", .protocol = "TCP", .port = 9093},
                 {.name = "calico-typha", .protocol = "TCP", .port = 5473}};
  slice.endpoints = {{.addresses = {"198.18.0.11"}}};
  return slice;
}

TEST(AddTyphasTest, TakesThePortByItsName) {
  std::vector<TyphaAddress> typhas;
  AddTyphas(Slice(), typhas);
  ASSERT_THAT(typhas, SizeIs(1));
  EXPECT_EQ(typhas[0].address, "198.18.0.11");
  EXPECT_EQ(typhas[0].port, 5473);
}

TEST(AddTyphasTest, LeavesOutWhatIsNotReadyOrNotTypha) {
  std::vector<TyphaAddress> typhas;
  api::EndpointSlice slice = Slice();
  slice.endpoints[0].ready = false;
  AddTyphas(slice, typhas);
  slice = Slice();
  slice.ports.pop_back();
  AddTyphas(slice, typhas);
  EXPECT_THAT(typhas, IsEmpty());
}

}  // namespace
}  // namespace calico::standin
