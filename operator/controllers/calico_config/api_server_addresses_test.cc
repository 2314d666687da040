#include "operator/controllers/calico_config/api_server_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::calico_config {
namespace {

using base::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_THAT(value, IsOk());
  return value.ok() ? value->as_object() : json::object();
}

class ApiServerAddressesTest : public kube::FakeApiServerTest {
 protected:
  aio::Task<void> Until(const char* what, std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition()) << what;
  }
  void PutObjects() {
    server().Put(Yaml(R"(
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 'fd00::1'],
       ports: [{name: https, port: 443, targetPort: 6443}]}
)"));
    server().Put(Yaml(R"(
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default,
           labels: {kubernetes.io/service-name: kubernetes}}
endpoints: [{addresses: [192.0.2.2]}, {addresses: [192.0.2.1]}]
ports: [{name: https, port: 6443}]
)"));
  }
};

ASYNC_TEST_F(ApiServerAddressesTest, AreWatchedOnlyWhileTheyAreUsed) {
  PutObjects();
  ApiServerAddresses addresses(client(), base::SystemClock(), logger(), executor());
  aio::TaskGroup group(executor());
  group.Spawn(addresses.Run());
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(50)), IsOk());
  EXPECT_EQ(server().requests().size(), 0U);
  EXPECT_THAT(addresses.States(), IsEmpty());

  addresses.Use(true);
  co_await Until("known", [&] { return addresses.IsKnown(); });
  EXPECT_THAT(addresses.ServiceAddresses(), ElementsAre("10.96.0.1:443", "[fd00::1]:443"));
  EXPECT_THAT(addresses.Endpoints(), ElementsAre("192.0.2.1:6443", "192.0.2.2:6443"));

  addresses.Use(false);
  co_await Until("forgotten", [&] { return !addresses.IsKnown() && server().watches() == 0; });
  EXPECT_THAT(addresses.ServiceAddresses(), IsEmpty());
  co_await group.Stop();
}

ASYNC_TEST_F(ApiServerAddressesTest, WithoutTheObjectsThereAreNone) {
  ApiServerAddresses addresses(client(), base::SystemClock(), logger(), executor());
  aio::TaskGroup group(executor());
  group.Spawn(addresses.Run());
  addresses.Use(true);
  co_await Until("known", [&] { return addresses.IsKnown(); });
  EXPECT_THAT(addresses.Endpoints(), IsEmpty());
  PutObjects();
  co_await Until("there", [&] { return addresses.Endpoints().size() == 2; });
  co_await group.Stop();
}

}  // namespace
}  // namespace calico::calico_config
