#include "operator/defaults/overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::defaults {
namespace {

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() && value->is_object() ? value->as_object() : json::object();
}

TEST(MergeOverlayTest, WhatTheOverlaySetsWins) {
  struct Case {
    const char* name;
    const char* base;
    const char* overlay;
    const char* want;
  };
  const Case cases[] = {
      {"another value", "{registry: a/, imagePath: p}", "{registry: b/}",
       "{registry: b/, imagePath: p}"},
      {"what says nothing", "{registry: a/, controlPlaneReplicas: 2}",
       "{registry: '', controlPlaneReplicas: null}", "{registry: a/, controlPlaneReplicas: 2}"},
      {"zero and false say something", "{nodeMetricsPort: 5}", "{nodeMetricsPort: 0}",
       "{nodeMetricsPort: 0}"},
      {"a list as a whole", "{imagePullSecrets: [{name: a}, {name: b}]}",
       "{imagePullSecrets: [{name: c}]}", "{imagePullSecrets: [{name: c}]}"},
      {"an empty list", "{calicoNetwork: {bgp: Enabled, ipPools: [{cidr: 10.0.0.0/16}]}}",
       "{calicoNetwork: {ipPools: []}}", "{calicoNetwork: {bgp: Enabled, ipPools: []}}"},
      {"networks and CNI field by field", "{cni: {type: Calico, ipam: {type: Calico}}}",
       "{cni: {binDir: /x, ipam: {type: HostLocal}}, calicoNetwork: {mtu: 1400}}",
       "{cni: {type: Calico, binDir: /x, ipam: {type: HostLocal}}, calicoNetwork: {mtu: 1400}}"},
      {"an address detection as a whole",
       "{calicoNetwork: {nodeAddressAutodetectionV4: {firstFound: true}}}",
       "{calicoNetwork: {nodeAddressAutodetectionV4: {interface: eth0}}}",
       "{calicoNetwork: {nodeAddressAutodetectionV4: {interface: eth0}}}"},
      {"certificateManagement as a whole",
       "{certificateManagement: {caCert: YQ==, signerName: a.b/c, keyAlgorithm: RSAWithSize4096}}",
       "{certificateManagement: {caCert: Yg==, signerName: a.b/d}}",
       "{certificateManagement: {caCert: Yg==, signerName: a.b/d}}"},
      {"labels as a whole, beside annotations",
       "{typhaDeployment: {metadata: {labels: {a: x}, annotations: {n: o}}}}",
       "{typhaDeployment: {metadata: {labels: {b: y}}}}",
       "{typhaDeployment: {metadata: {labels: {b: y}, annotations: {n: o}}}}"},
      {"a strategy as a whole",
       "{nodeUpdateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}}",
       "{nodeUpdateStrategy: {rollingUpdate: {maxSurge: 1}}}",
       "{nodeUpdateStrategy: {rollingUpdate: {maxSurge: 1}}}"},
      {"something of another shape", "{cni: wrong}", "{cni: {type: Calico}}",
       "{cni: {type: Calico}}"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(MergeOverlay(Yaml(c.base), Yaml(c.overlay)), Yaml(c.want)) << c.name;
  }
}

// Lists of init containers, spread constraints and DNS settings are fields like the others.
TEST(MergeOverlayTest, EveryFieldOfAPodTemplateIsMerged) {
  const json::object base = Yaml(
      "typhaDeployment:\n"
      "  spec:\n"
      "    minReadySeconds: 5\n"
      "    template:\n"
      "      spec:\n"
      "        nodeSelector: {a: b}\n"
      "        containers: [{name: calico-typha, resources: {limits: {cpu: 1}}}]\n"
      "        initContainers: []\n"
      "calicoNodeDaemonSet: {spec: {template: {spec: {dnsPolicy: ClusterFirst}}}}\n");
  const json::object overlay = Yaml(
      "typhaDeployment:\n"
      "  spec:\n"
      "    template:\n"
      "      metadata: {labels: {x: z}}\n"
      "      spec:\n"
      "        initContainers: [{name: one}, {name: two}]\n"
      "        topologySpreadConstraints: [{maxSkew: 1}]\n"
      "calicoNodeDaemonSet: {spec: {template: {spec: {dnsConfig: {nameservers: [10.0.0.1]}}}}}\n");
  EXPECT_EQ(MergeOverlay(base, overlay),
            Yaml("typhaDeployment:\n"
                 "  spec:\n"
                 "    minReadySeconds: 5\n"
                 "    template:\n"
                 "      metadata: {labels: {x: z}}\n"
                 "      spec:\n"
                 "        nodeSelector: {a: b}\n"
                 "        containers: [{name: calico-typha, resources: {limits: {cpu: 1}}}]\n"
                 "        initContainers: [{name: one}, {name: two}]\n"
                 "        topologySpreadConstraints: [{maxSkew: 1}]\n"
                 "calicoNodeDaemonSet:\n"
                 "  spec:\n"
                 "    template:\n"
                 "      spec: {dnsPolicy: ClusterFirst, dnsConfig: {nameservers: [10.0.0.1]}}\n"));
}

TEST(MergeOverlayTest, WithoutAnOverlayNothingChanges) {
  const json::object base = Yaml("{registry: a/, cni: {type: Calico}}");
  EXPECT_EQ(MergeOverlay(base, {}), base);
  EXPECT_EQ(MergeOverlay({}, base), base);
}

}  // namespace
}  // namespace calico::defaults
