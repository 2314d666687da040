#include "operator/validation/network_rules.h"

#include "operator/validation/spec_rules_test_cases.h"

namespace calico::validation {
namespace {

TEST(NetworkRulesTest, PlugInProviderAndIpamGoTogether) {
  const BadSpec cases[] = {
      {"cni: {type: Flannel, ipam: {type: Calico}}", "spec.cni.type",
       "Calico, GKE, AmazonVPC, AzureVNET"},
      {"{kubernetesProvider: AKS, cni: {type: AmazonVPC}}", "spec.cni.type",
       "is the plug-in of EKS, and spec.kubernetesProvider is AKS"},
      {"{kubernetesProvider: EKS, cni: {type: GKE}}", "spec.cni.type", "is the plug-in of GKE"},
      {"{kubernetesProvider: RKE2, cni: {type: AzureVNET}}", "spec.cni.type",
       "is the plug-in of AKS"},
      {"cni: {ipam: {type: AmazonVPC}}", "spec.cni.ipam.type", "write Calico or HostLocal"},
      {"cni: {type: AmazonVPC, ipam: {type: Calico}}", "spec.cni.ipam.type", "write AmazonVPC"},
      {"cni: {type: GKE, ipam: {type: Calico}}", "spec.cni.ipam.type", "write HostLocal"},
      {"cni: {binDir: opt/cni}", "spec.cni.binDir", "is not an absolute path"},
      {"cni: {confDir: /etc/../x}", "spec.cni.confDir", "is not an absolute path"},
      {"cni: {installMode: Some}", "spec.cni.installMode", "All, CalicoOnly"},
      {"cni: {specVersion: 0.2.0}", "spec.cni.specVersion", "Auto, 0.3.1"},
      {"cni: {type: AmazonVPC, specVersion: Auto}", "spec.cni.specVersion", "remove it"},
      {"cni: {installMode: CalicoOnly}", "spec.cni.installMode", "needs Calico v3.33", "v3.32"},
      {"cni: {specVersion: 1.0.0}", "spec.cni.specVersion", "and v3.27 is installed", "v3.27"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"{kubernetesProvider: EKS}"},
      {"{kubernetesProvider: AKS}"},
      {"{kubernetesProvider: GKE}"},
      {"{kubernetesProvider: GKE}", "v3.27"},
      {"{kubernetesProvider: OpenShift}"},
      {"cni: {type: AmazonVPC}"},
      {"cni: {type: AmazonVPC}", "v3.32"},
      {"cni: {ipam: {type: HostLocal}}"},
      {"cni: {installMode: CalicoOnly, specVersion: 0.4.0}"},
      {"cni: {installMode: All, specVersion: Auto}", "v3.32"},
      {"{kubernetesProvider: AKS, cni: {type: Calico}}"},
  };
  ExpectNoProblem(good);
}

TEST(NetworkRulesTest, WhatOnlyCalicosPlugInDoes) {
  const BadSpec cases[] = {
      {"{cni: {type: AmazonVPC}, calicoNetwork: {hostPorts: Enabled}}",
       "spec.calicoNetwork.hostPorts", "spec.cni.type is AmazonVPC"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {hostPorts: Disabled}}",
       "spec.calicoNetwork.hostPorts", "remove it", "v3.27"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {multiInterfaceMode: Multus}}",
       "spec.calicoNetwork.multiInterfaceMode", "remove it"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {containerIPForwarding: Enabled}}",
       "spec.calicoNetwork.containerIPForwarding", "remove it"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {linuxPodInterfaceType: Netkit}}",
       "spec.calicoNetwork.linuxPodInterfaceType", "remove it"},
      {"calicoNetwork: {hostPorts: Sometimes}", "spec.calicoNetwork.hostPorts",
       "Enabled, Disabled"},
      {"calicoNetwork: {linuxPodInterfaceType: Netkit}", "spec.calicoNetwork.linuxPodInterfaceType",
       "needs Calico v3.33", "v3.32"},
      {"{cni: {type: AmazonVPC}, logging: {cni: {logSeverity: Info}}}", "spec.logging.cni",
       "is for the CNI plug-in Calico"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"{cni: {type: AmazonVPC}, calicoNetwork: {hostPorts: Disabled}}"},
      {"calicoNetwork: {linuxPodInterfaceType: Netkit, multiInterfaceMode: Multus, "
       "containerIPForwarding: Enabled, hostPorts: Disabled}"},
      {"calicoNetwork: {linuxPodInterfaceType: Veth}", "v3.27"},
  };
  ExpectNoProblem(good);
}

TEST(NetworkRulesTest, DataPlanesAndRoutes) {
  const BadSpec cases[] = {
      {"calicoNetwork: {linuxDataplane: Windows}", "spec.calicoNetwork.linuxDataplane",
       "Iptables, BPF, VPP, Nftables"},
      {"calicoNetwork: {linuxDataplane: Nftables}", "spec.calicoNetwork.linuxDataplane",
       "needs Calico v3.32", "v3.27"},
      {"calicoNetwork: {linuxDataplane: VPP, bgp: Disabled, ipPools: []}", "spec.calicoNetwork.bgp",
       "VPP has its routes of BGP"},
      {"calicoNetwork: {linuxDataplane: VPP, hostPorts: Disabled}", "spec.calicoNetwork.hostPorts",
       "must not be Disabled"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {linuxDataplane: VPP, bgp: Enabled}}",
       "spec.calicoNetwork.linuxDataplane", "spec.cni.type is AmazonVPC"},
      {"calicoNetwork: {linuxDataplane: BPF, nodeAddressAutodetectionV4: {}}",
       "spec.calicoNetwork.nodeAddressAutodetectionV4", "must have a method"},
      {"calicoNetwork: {linuxDataplane: BPF, nodeAddressAutodetectionV6: {firstFound: false}, "
       "ipPools: [{cidr: 'fd00::/64'}]}",
       "spec.calicoNetwork.nodeAddressAutodetectionV6", "must have a method"},
      {"calicoNetwork: {linuxDataplane: BPF, ipPools: [{cidr: 10.0.0.0/16}, {cidr: 'fd00::/64'}]}",
       "spec.calicoNetwork.linuxDataplane", "does not carry IPv4 and IPv6 together", "v3.27"},
      {"calicoNetwork: {bpfNetworkBootstrap: Enabled}", "spec.calicoNetwork.bpfNetworkBootstrap",
       "needs the BPF data plane"},
      {"calicoNetwork: {kubeProxyManagement: Enabled}", "spec.calicoNetwork.kubeProxyManagement",
       "needs the BPF data plane"},
      {"calicoNetwork: {linuxDataplane: BPF, kubeProxyManagement: Enabled}",
       "spec.calicoNetwork.kubeProxyManagement", "needs Calico v3.32", "v3.27"},
      {"calicoNetwork: {clusterRoutingMode: Kernel}", "spec.calicoNetwork.clusterRoutingMode",
       "BIRD, Felix, FelixIPIPOnly"},
      {"calicoNetwork: {clusterRoutingMode: FelixIPIPOnly}",
       "spec.calicoNetwork.clusterRoutingMode", "needs Calico v3.33", "v3.32"},
      {"calicoNetwork: {clusterRoutingMode: Felix}", "spec.calicoNetwork.clusterRoutingMode",
       "needs Calico v3.32", "v3.27"},
      {"calicoNetwork: {linuxPolicySetupTimeoutSeconds: -1}",
       "spec.calicoNetwork.linuxPolicySetupTimeoutSeconds", "at least 0"},
      {"calicoNetwork: {linuxDataplane: VPP, linuxPolicySetupTimeoutSeconds: 1}",
       "spec.calicoNetwork.linuxPolicySetupTimeoutSeconds", "has no effect with the VPP"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"calicoNetwork: {linuxDataplane: Nftables}", "v3.32"},
      {"calicoNetwork: {linuxDataplane: VPP}"},
      {"calicoNetwork: {linuxDataplane: BPF, bpfNetworkBootstrap: Enabled, kubeProxyManagement: "
       "Enabled, ipPools: [{cidr: 10.0.0.0/16}, {cidr: 'fd00::/64'}]}"},
      {"calicoNetwork: {linuxDataplane: BPF, linuxPolicySetupTimeoutSeconds: 10}"},
      {"{cni: {type: AmazonVPC}, calicoNetwork: {linuxDataplane: BPF}}"},
      {"calicoNetwork: {clusterRoutingMode: BIRD}", "v3.27"},
      {"calicoNetwork: {bpfNetworkBootstrap: Disabled}", "v3.27"},
  };
  ExpectNoProblem(good);
}

TEST(NetworkRulesTest, BootstrapNeedsNoAddressFromTheUser) {
  const std::vector<Problem> problems =
      ProblemsOf("calicoNetwork: {linuxDataplane: BPF, bpfNetworkBootstrap: Enabled}", "v3.33",
                 /*has_api_endpoint=*/true);
  ASSERT_EQ(problems.size(), 1U) << TextOf(problems);
  EXPECT_THAT(problems[0].text, testing::HasSubstr("kubernetes-services-endpoint"));
}

TEST(NetworkRulesTest, NumbersAddressesAndKeys) {
  const BadSpec cases[] = {
      {"calicoNetwork: {mtu: -5}", "spec.calicoNetwork.mtu", "-5 is no MTU"},
      {"calicoNetwork: {mtu: 70000}", "spec.calicoNetwork.mtu", "is no MTU"},
      {"calicoNetwork: {mtu: big}", "spec.calicoNetwork.mtu", "\"big\" is no MTU"},
      {"calicoNetwork: {nodeAddressAutodetectionV4: {firstFound: true, interface: eth0}}",
       "spec.calicoNetwork.nodeAddressAutodetectionV4", "firstFound, interface are set"},
      {"calicoNetwork: {nodeAddressAutodetectionV6: {kubernetes: NodeInternalIP, cidrs: "
       "['fd00::/8']}}",
       "spec.calicoNetwork.nodeAddressAutodetectionV6", "kubernetes, cidrs are set"},
      {"calicoNetwork: {nodeAddressAutodetectionV4: {kubernetes: NodeExternalIP}}",
       "spec.calicoNetwork.nodeAddressAutodetectionV4.kubernetes", "write NodeInternalIP"},
      {"calicoNetwork: {nodeAddressAutodetectionV4: {cidrs: [10.0.0.0/8, 10.0.0]}}",
       "spec.calicoNetwork.nodeAddressAutodetectionV4.cidrs[1]", "is no network"},
      {"calicoNetwork: {nodeAddressAutodetectionV4: {cidrs: ['fd00::/8']}}",
       "spec.calicoNetwork.nodeAddressAutodetectionV4.cidrs[0]", "has no IPv4 address"},
      {"calicoNetwork: {sysctl: [{key: net.ipv4.ip_forward, value: '1'}]}",
       "spec.calicoNetwork.sysctl[0].key", "net.ipv4.tcp_keepalive_intvl"},
      {"calicoNetwork: {sysctl: [{key: net.ipv4.tcp_keepalive_time, value: soon}]}",
       "spec.calicoNetwork.sysctl[0].value", "is no number"},
      {"calicoNetwork: {sysctl: [{key: net.ipv4.tcp_keepalive_time, value: '1'}, {key: "
       "net.ipv4.tcp_keepalive_time, value: '2'}]}",
       "spec.calicoNetwork.sysctl[1].key", "is there twice"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"calicoNetwork: {mtu: 0}"},
      {"calicoNetwork: {mtu: 9000, nodeAddressAutodetectionV4: {firstFound: false, interface: "
       "'eth.*|en.*'}}"},
      {"calicoNetwork: {nodeAddressAutodetectionV4: {firstFound: true, interface: '', cidrs: []}}"},
      {"calicoNetwork: {sysctl: [{key: net.ipv4.tcp_keepalive_time, value: '40'}]}"},
  };
  ExpectNoProblem(good);
}

}  // namespace
}  // namespace calico::validation
