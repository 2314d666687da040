#include "operator/validation/pool_rules.h"

#include "operator/validation/spec_rules_test_cases.h"

namespace calico::validation {
namespace {

TEST(PoolRulesTest, WhatIsWrongWithAPoolIsNamed) {
  const BadSpec cases[] = {
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0}]}", "spec.calicoNetwork.ipPools[0].cidr",
       "\"10.0.0.0\" is no network (no slash"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0}]}", "spec.calicoNetwork.ipPools[0].cidr",
       "is no network", "v3.27"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/40}]}", "spec.calicoNetwork.ipPools[0].cidr",
       "between 0 and 32"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.4.5/16}]}", "spec.calicoNetwork.ipPools[0].cidr",
       "has bits behind the length: write 10.0.0.0/16"},
      {"calicoNetwork: {ipPools: [{cidr: 169.254.0.0/20}]}", "spec.calicoNetwork.ipPools[0].cidr",
       "has link-local addresses (169.254.0.0/16)"},
      {"calicoNetwork: {ipPools: [{cidr: 'fe80:1::/64'}]}", "spec.calicoNetwork.ipPools[0].cidr",
       "has link-local addresses"},
      {"calicoNetwork: {ipPools: [{name: a, nodeSelector: all()}]}",
       "spec.calicoNetwork.ipPools[0].cidr", "is required"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}, {cidr: 10.0.0.0/16}]}",
       "spec.calicoNetwork.ipPools[1].cidr", "is the network of spec.calicoNetwork.ipPools[0] too"},
      {"calicoNetwork: {ipPools: [{cidr: 'fd00::/64', name: a}, {cidr: 'fd00:0::/64', name: b}]}",
       "spec.calicoNetwork.ipPools[1].cidr", "is the network of"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}, {cidr: 10.0.128.0/17}]}",
       "spec.calicoNetwork.ipPools[1].cidr", "has addresses of spec.calicoNetwork.ipPools[0]"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, name: a}, {cidr: 10.1.0.0/16, name: a}]}",
       "spec.calicoNetwork.ipPools[1].name", "is the name of spec.calicoNetwork.ipPools[0] too"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, name: A_b}]}",
       "spec.calicoNetwork.ipPools[0].name", "cannot be the name of an IPPool"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, encapsulation: GRE}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "write one of IPIP, VXLAN"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, natOutgoing: true}]}",
       "spec.calicoNetwork.ipPools[0].natOutgoing", "true is not known"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, assignmentMode: Auto}]}",
       "spec.calicoNetwork.ipPools[0].assignmentMode", "Automatic, Manual"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, allowedUses: [Pods]}]}",
       "spec.calicoNetwork.ipPools[0].allowedUses[0]", "Workload, Tunnel, LoadBalancer"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, blockSize: 19}]}",
       "spec.calicoNetwork.ipPools[0].blockSize", "from 20 to 32"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, blockSize: 33}]}",
       "spec.calicoNetwork.ipPools[0].blockSize", "from 20 to 32"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, blockSize: -1}]}",
       "spec.calicoNetwork.ipPools[0].blockSize", "-1 is no size"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/27}]}", "spec.calicoNetwork.ipPools[0].blockSize",
       "blocks of /26 are larger than the pool, 10.0.0.0/27"},
      {"calicoNetwork: {ipPools: [{cidr: 'fd00::/64', blockSize: 115}]}",
       "spec.calicoNetwork.ipPools[0].blockSize", "from 116 to 128"},
      {"calicoNetwork: {ipPools: [{cidr: 'fd00::/123'}]}",
       "spec.calicoNetwork.ipPools[0].blockSize", "blocks of /122 are larger"},
      {"calicoNetwork: {ipPools: [{cidr: 'fd00::/64', encapsulation: IPIP}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "not possible for an IPv6 pool"},
      {"calicoNetwork: {ipPools: [{cidr: 'fd00::/64', encapsulation: IPIPCrossSubnet}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "not possible for an IPv6 pool", "v3.27"},
  };
  ExpectOneProblemEach(cases);
}

TEST(PoolRulesTest, EncapsulationMustBeCarried) {
  const BadSpec cases[] = {
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 10.0.0.0/16}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "IPIP needs BGP", "v3.32"},
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 10.0.0.0/16}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "IPIP needs BGP", "v3.27"},
      {"calicoNetwork: {bgp: Disabled, clusterRoutingMode: BIRD, ipPools: [{cidr: 10.0.0.0/16}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "IPIP needs BGP"},
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 10.0.0.0/16, encapsulation: None}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "None needs BGP"},
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 'fd00::/64'}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "None needs BGP", "v3.32"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, encapsulation: "
       "VXLAN}]}}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "the CNI plug-in AmazonVPC"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {bgp: Enabled, ipPools: [{cidr: 10.0.0.0/16}]}}",
       "spec.calicoNetwork.bgp", "not possible with the CNI plug-in AmazonVPC"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, nodeSelector: "
       "has(x)}]}}",
       "spec.calicoNetwork.ipPools[0].nodeSelector", "write all()"},
      {"{cni: {ipam: {type: HostLocal}}, calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16, "
       "encapsulation: VXLANCrossSubnet}]}}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "not possible with IPAM HostLocal"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 10.0.0.0/16}]}"},
      {"calicoNetwork: {bgp: Disabled, clusterRoutingMode: FelixIPIPOnly, ipPools: [{cidr: "
       "10.0.0.0/16, encapsulation: IPIPCrossSubnet}]}"},
      {"calicoNetwork: {bgp: Disabled, clusterRoutingMode: Felix, ipPools: [{cidr: 10.0.0.0/16, "
       "encapsulation: None}]}"},
      {"calicoNetwork: {bgp: Disabled, clusterRoutingMode: Felix, ipPools: [{cidr: 10.0.0.0/16}]}",
       "v3.32"},
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 10.0.0.0/16, encapsulation: VXLAN}]}",
       "v3.27"},
      {"calicoNetwork: {bgp: Disabled, ipPools: [{cidr: 10.0.0.0/16, encapsulation: VXLAN}, "
       "{cidr: 'fd00::/64'}]}",
       "v3.27"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}]}}"},
      {"{cni: {ipam: {type: HostLocal}}, calicoNetwork: {bgp: Disabled, ipPools: [{cidr: "
       "10.0.0.0/16}]}}",
       "v3.32"},
      {"calicoNetwork: {ipPools: []}"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/26}, {cidr: 10.0.0.64/26}]}"},
  };
  ExpectNoProblem(good);
}

TEST(PoolRulesTest, PoolsOfLoadBalancersAreOnlyThat) {
  const BadSpec cases[] = {
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/24, encapsulation: None, allowedUses: "
       "[LoadBalancer, Workload]}]}",
       "spec.calicoNetwork.ipPools[0].allowedUses[1]", "cannot stand beside LoadBalancer"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/24, allowedUses: [LoadBalancer]}]}",
       "spec.calicoNetwork.ipPools[0].encapsulation", "write None"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/24, encapsulation: None, nodeSelector: has(a), "
       "allowedUses: [LoadBalancer]}]}",
       "spec.calicoNetwork.ipPools[0].nodeSelector", "must be all()"},
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/24, encapsulation: None, disableBGPExport: true, "
       "allowedUses: [LoadBalancer]}]}",
       "spec.calicoNetwork.ipPools[0].disableBGPExport", "must be false"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"calicoNetwork: {ipPools: [{cidr: 10.0.0.0/24, encapsulation: None, "
       "allowedUses: [LoadBalancer]}]}"}};
  ExpectNoProblem(good);
}

TEST(PoolRulesTest, HowManyPoolsTheReleaseTakes) {
  constexpr const char* kTwo =
      "calicoNetwork: {ipPools: [{cidr: 10.0.0.0/16}, {cidr: "
      "10.1.0.0/16}]}";
  const GoodSpec good[] = {{kTwo}, {kTwo, "v3.32"}};
  ExpectNoProblem(good);
  const BadSpec bad[] = {
      {kTwo, "spec.calicoNetwork.ipPools[1]", "is another IPv4 pool: Calico v3.27", "v3.27"},
      {"calicoNetwork: {ipPools: [{cidr: 'fd00::/64'}, {cidr: 'fd01::/64'}]}",
       "spec.calicoNetwork.ipPools[1]", "is another IPv6 pool", "v3.27"},
  };
  ExpectOneProblemEach(bad);
  // The pools of the cluster stand in for those that nobody gave, however many there are; how many
  // can be given is the definition's matter.
  std::string many = "calicoNetwork: {ipPools: [";
  for (int i = 0; i < 40; ++i) many += fmt::format("{{cidr: 10.{}.0.0/16}}, ", i);
  EXPECT_THAT(ProblemsOf(many + "]}"), testing::IsEmpty());
}

}  // namespace
}  // namespace calico::validation
