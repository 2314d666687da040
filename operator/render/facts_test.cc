#include "operator/render/facts.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using base::StatusIs;
using testing::HasSubstr;

api::Installation WithSpec(const char* yaml) {
  api::Installation installation;
  installation.spec = codec::ParseYaml(yaml)->as_object();
  return installation;
}

TEST(FactsTest, AnEmptyInstallationHasTheFirstValues) {
  const Facts facts = FactsOf({}, {});
  ASSERT_EQ(facts.size(), FactDefinitions().size());
  for (const FactDefinition& definition : FactDefinitions()) {
    EXPECT_EQ(facts.at(definition.name), definition.values.front()) << definition.name;
  }
}

TEST(FactsTest, FollowTheInstallationAndTheCluster) {
  const api::Installation installation = WithSpec(R"(
      calicoNetwork: {linuxDataplane: BPF, bgp: Disabled, mtu: 1400}
      kubernetesProvider: EKS
      cni: {type: AmazonVPC, ipam: {type: AmazonVPC}}
      nonPrivileged: Enabled
      nodeMetricsPort: 1
      typhaMetricsPort: 2)");
  Inputs inputs;
  inputs.node_dns.config.emplace();
  inputs.has_admission_policies = true;
  inputs.api_endpoint.emplace();
  EXPECT_EQ(FactsOf(installation, inputs), (Facts{{"admissionPolicies", "Served"},
                                                  {"apiEndpoint", "Known"},
                                                  {"bgp", "Disabled"},
                                                  {"cni", "AmazonVPC"},
                                                  {"dataplane", "BPF"},
                                                  {"ipam", "AmazonVPC"},
                                                  {"mtu", "Given"},
                                                  {"nodeDnsConfig", "Given"},
                                                  {"nodeMetrics", "Enabled"},
                                                  {"nonPrivileged", "Enabled"},
                                                  {"provider", "EKS"},
                                                  {"typhaMetrics", "Enabled"}}));
}

TEST(FactsTest, AValueOfALaterVersionIsTheFirstOne) {
  EXPECT_EQ(FactsOf(WithSpec("{kubernetesProvider: Moon, calicoNetwork: {mtu: 0}}"), {}),
            FactsOf({}, {}));
}

TEST(FactsTest, DefinitionsAreSortedAndOfTwoValuesAtLeast) {
  const auto all = FactDefinitions();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const FactDefinition& definition : all) EXPECT_GE(definition.values.size(), 2U);
}

TEST(WhenTest, EachFactHasOneOfItsValues) {
  struct Case {
    const char* when;
    bool holds;
  };
  const Case cases[] = {
      {"{dataplane: Iptables}", true},
      {"{dataplane: BPF}", false},
      {"{dataplane: [BPF, Iptables]}", true},
      {"{dataplane: Iptables, bgp: Disabled}", false},
      {"{dataplane: Iptables, bgp: Enabled}", true},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<When> when = When::Parse(codec::ParseYaml(c.when)->as_object());
    ASSERT_THAT(when, base::IsOk());
    EXPECT_EQ(when->Holds(FactsOf({}, {})), c.holds) << c.when;
  }
}

TEST(WhenTest, UnknownFactsAndValuesAreRefused) {
  struct Case {
    const char* when;
    const char* error;
  };
  const Case cases[] = {
      {"{}", "names no fact"},
      {"{dataplan: BPF}", "there is no fact dataplan"},
      {"{dataplane: [], bgp: Enabled}", "dataplane names no value"},
      {"{dataplane: Bpf}", "dataplane is one of Iptables, BPF, Nftables, VPP, not \"Bpf\""},
      {"{dataplane: [BPF, 1]}", "not 1"},
      {"{mtu: 1400}", "mtu is one of"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(When::Parse(codec::ParseYaml(c.when)->as_object()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.when;
  }
}

}  // namespace
}  // namespace calico::render
