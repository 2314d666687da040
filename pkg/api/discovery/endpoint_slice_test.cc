#include "pkg/api/discovery/endpoint_slice.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::SizeIs;

json::object Parse(std::string_view text) { return codec::ParseJsonObject(text).value(); }

TEST(EndpointSliceTest, Decodes) {
  const absl::StatusOr<EndpointSlice> slice = EndpointSlice::Decode(Parse(R"({
      "metadata": {"name": "calico-typha-abc", "namespace": "calico-system",
                   "labels": {"kubernetes.io/service-name": "calico-typha", "x": "y"}},
      "addressType": "IPv4",
      "ports": [{"name": "calico-typha", "port": 5473, "protocol": "TCP"}],
      "endpoints": [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "nodeName": "n1"},
        {"addresses": ["10.0.0.2", "10.0.0.3"], "conditions": {"ready": false}},
        {"addresses": ["10.0.0.4"], "conditions": {"ready": null}},
        {"addresses": ["10.0.0.5"]}]})"));
  ASSERT_THAT(slice, IsOk());
  EXPECT_EQ(slice->service_name, "calico-typha");
  EXPECT_EQ(slice->address_type, "IPv4");
  ASSERT_THAT(slice->ports, SizeIs(1));
  EXPECT_EQ(slice->ports[0].name, "calico-typha");
  EXPECT_EQ(slice->ports[0].protocol, "TCP");
  EXPECT_EQ(slice->ports[0].port, 5473);
  ASSERT_THAT(slice->endpoints, SizeIs(4));
  EXPECT_TRUE(slice->endpoints[0].ready);
  EXPECT_EQ(slice->endpoints[0].node_name, "n1");
  EXPECT_FALSE(slice->endpoints[1].ready);
  EXPECT_THAT(slice->endpoints[1].addresses, ElementsAre("10.0.0.2", "10.0.0.3"));
  EXPECT_TRUE(slice->endpoints[2].ready);
  EXPECT_TRUE(slice->endpoints[3].ready);
}

TEST(EndpointSliceTest, NullListsAndProblems) {
  EXPECT_THAT(EndpointSlice::Decode(
                  Parse(R"({"metadata": {"name": "s"}, "ports": null, "endpoints": null})")),
              IsOk());
  EXPECT_THAT(EndpointSlice::Decode(
                  Parse(R"({"metadata": {"name": "s"}, "endpoints": [{"addresses": "x"}]})")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "EndpointSlice.endpoints[0].addresses: expected array, got string"));
}

}  // namespace
}  // namespace calico::api
