#include "operator/calicert/inventory/cluster_source.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/cluster/testing/cluster_program.h"
#include "operator/calicert/cluster/testing/cluster_test.h"
#include "operator/calicert/inventory/found_certificates.h"
#include "operator/calicert/inventory/serving_pods.h"
#include "pkg/base/base64.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert::inventory {
namespace {

using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ParseObjectNameTest, TakesKindNamespaceAndName) {
  struct Case {
    const char* name;
    const char* kind;
    const char* key;
  };
  const Case kCases[] = {{"secret/a", "Secret", "ns/a"},
                         {"secret/b/a", "Secret", "b/a"},
                         {"configmap/a", "ConfigMap", "ns/a"},
                         {"csr/ns:pod:uid", "CertificateSigningRequest", "ns:pod:uid"},
                         {"installation", "Installation", "default"},
                         {"installation/other", "Installation", "other"}};
  for (const Case& c : kCases) {
    const auto found = ParseObjectName(c.name, "ns");
    ASSERT_TRUE(found.ok()) << c.name;
    EXPECT_EQ(found->resource->kind, c.kind);
    EXPECT_EQ(found->key.ToString(), c.key);
  }
  for (const char* const bad : {"secret", "secret/", "pod/a", "secret/a/", ""}) {
    EXPECT_FALSE(ParseObjectName(bad, "ns").ok()) << bad;
  }
}

TEST(PemOfTest, TakesCertificatesAndNoKey) {
  const pki::TestCa ca;
  const pki::TestLeaf leaf = ca.Leaf({.common_name = "web"});
  const json::object secret{
      {"kind", "Secret"},
      {"metadata", json::object{{"name", "a"}}},
      {"data", json::object{{"ca.crt", base::Base64Encode(ca.certificate_pem())},
                            {"tls.crt", base::Base64Encode(leaf.certificate_pem)},
                            {"tls.key", base::Base64Encode(leaf.key_pem)}}}};
  EXPECT_THAT(PemOf(secret), IsOkAndHolds(leaf.certificate_pem + ca.certificate_pem()));
  EXPECT_THAT(
      PemOf({{"kind", "Secret"}, {"metadata", json::object{{"name", "a"}}}}),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("Secret a: there is no certificate")));
}

class ClusterSourceTest : public ClusterProgramTest {};

ASYNC_TEST_F(ClusterSourceTest, InspectShowsWhatIsInTheCluster) {
  const pki::TestCa ca;
  server().Put(
      {{"apiVersion", "v1"},
       {"kind", "Secret"},
       {"metadata", json::object{{"name", "a"}, {"namespace", "default"}}},
       {"data", json::object{{"tls.crt", base::Base64Encode(
                                             ca.Leaf({.common_name = "web"}).certificate_pem)}}}});
  server().Put(StoredRequest("b"));
  const RunResult secret =
      co_await Run(CertificateCommands(ClusterSources()), {"inspect", "--short", "secret/a"});
  EXPECT_EQ(secret.code, 0) << secret.err;
  EXPECT_THAT(secret.out, HasSubstr("web"));
  const RunResult none =
      co_await Run(CertificateCommands(ClusterSources()), {"inspect", "secret/none"});
  EXPECT_NE(none.code, 0);
  EXPECT_THAT(none.err, HasSubstr("Error from server (NotFound)"));
}

json::object Pod(const char* phase, const char* ports) {
  return codec::ParseJsonObject(std::string(R"({"metadata":{"name":"a","namespace":"n"},
    "spec":{"containers":[{"ports":)") +
                                ports + R"(}]},"status":{"podIP":"10.0.0.1","phase":")" + phase +
                                "\"}}")
      .value();
}

TEST(ServingPortsTest, AreThoseThatLookLikeTls) {
  const auto ports = [](const json::object& pod) {
    std::vector<int> numbers;
    for (const ServingPort& port : ServingPortsOf(pod)) numbers.push_back(port.port);
    return numbers;
  };
  const char* const some =
      R"([{"containerPort":80},{"containerPort":8443},{"name":"my-https","containerPort":9000},
          {"name":"tls","containerPort":9001,"protocol":"UDP"},{"containerPort":"443"},
          {"name":"https","containerPort":70000},7])";
  EXPECT_THAT(ports(Pod("Running", some)), ElementsAre(8443, 9000));
  EXPECT_THAT(ports(Pod("Pending", some)), IsEmpty());
  EXPECT_THAT(ports({}), IsEmpty());
}

}  // namespace
}  // namespace calico::calicert::inventory
