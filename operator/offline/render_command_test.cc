#include "operator/offline/render_command.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::offline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kInstallation[] = "testdata/reference/v1.42.4/c-cm-ecdsa/installation-input.yaml";
constexpr char kPullSecret[] = R"(
apiVersion: v1
kind: Secret
type: kubernetes.io/dockerconfigjson
metadata: {name: my-pull, namespace: tigera-operator}
data: {.dockerconfigjson: c2VjcmV0LXBhc3N3b3Jk}
)";

class RenderCommandTest : public testing::Test {
 protected:
  RenderCommandTest() : folder_(testing::TempDir() + "/render_command_test") {
    std::filesystem::create_directories(folder_);
  }
  ~RenderCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  static CommandResult Run(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv = {"render"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return RunRenderCommand(
        static_cast<int>(argv.size()), argv.data(), [](const std::string&) { return ""; },
        absl::FromCivil(absl::CivilDay(2026, 11, 28), absl::UTCTimeZone()));
  }

  const std::string folder_;
};

TEST_F(RenderCommandTest, PrintsObjectsThatReadBack) {
  const std::string world = File("world.yaml", kPullSecret);
  const CommandResult yaml = Run({"--installation", kInstallation, "--world", world});
  ASSERT_EQ(yaml.exit_code, 0) << yaml.err;
  const absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(yaml.out);
  ASSERT_TRUE(documents.ok()) << documents.status();
  const CommandResult text = Run({"--installation", kInstallation, "--world", world, "-o", "json"});
  const absl::StatusOr<json::object> list = codec::ParseJsonObject(text.out);
  ASSERT_TRUE(list.ok()) << list.status();
  const json::array* const items = codec::FindArray(*list, "items");
  ASSERT_NE(items, nullptr);
  EXPECT_EQ(json::array(documents->begin(), documents->end()), *items);
  EXPECT_THAT(yaml.out, AllOf(HasSubstr("kind: DaemonSet"), HasSubstr("name: my-pull")));
}

TEST_F(RenderCommandTest, SecretsAreShownOnlyWhenAskedFor) {
  const std::string world = File("world.yaml", kPullSecret);
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", world}).out,
              AllOf(HasSubstr(".dockerconfigjson: REDACTED"), Not(HasSubstr("c2VjcmV0"))));
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", world, "--show-keys"}).out,
              HasSubstr(".dockerconfigjson: c2VjcmV0LXBhc3N3b3Jk"));
}

TEST_F(RenderCommandTest, TheWorldDecidesWhatIsToldToPods) {
  const std::string world = File("world.yaml", kPullSecret);
  const std::vector<std::string> plain = {"--installation", kInstallation,  "--world", world,
                                          "--api-server",   "[fd00::1]:443"};
  EXPECT_THAT(Run(plain).out, AllOf(HasSubstr("value: fd00::1"), HasSubstr("replicas: 2")));
  std::string more = kPullSecret;
  more += R"(---
kind: ConfigMap
metadata: {name: kubernetes-services-endpoint, namespace: tigera-operator}
data: {KUBERNETES_SERVICE_HOST: 10.9.9.9, KUBERNETES_SERVICE_PORT: "6443"}
---
kind: Node
metadata: {name: a, labels: {kubernetes.io/os: linux}}
---
kind: Deployment
metadata: {name: tigera-operator, namespace: tigera-operator}
spec: {template: {spec: {dnsPolicy: Default}}}
)";
  std::vector<std::string> other = plain;
  other[3] = File("more.yaml", more);
  EXPECT_THAT(Run(other).out, AllOf(HasSubstr("value: 10.9.9.9"), Not(HasSubstr("fd00::1")),
                                    HasSubstr("replicas: 1"), HasSubstr("dnsPolicy: Default")));
}

TEST_F(RenderCommandTest, TheInstallationIsPrintedWithItsDefaultsAndOverlay) {
  const std::string world = File("world.yaml", std::string(kPullSecret) + R"(---
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: overlay}
spec: {calicoNetwork: {mtu: 1333}}
---
kind: ConfigMap
metadata: {name: rke2, namespace: kube-system}
)");
  const CommandResult result =
      Run({"--installation", kInstallation, "--world", world, "--completed"});
  const absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(result.out);
  ASSERT_TRUE(documents.ok() && !documents->empty()) << result.err;
  const json::object& installation = documents->front().get_object();
  EXPECT_EQ(codec::TextAt(installation, "kind"), "Installation");
  const json::object* const spec = codec::FindObject(installation, "spec");
  ASSERT_NE(spec, nullptr);
  EXPECT_EQ(codec::TextAt(*spec, "kubernetesProvider"), "RKE2");
  EXPECT_EQ(codec::FindObject(*spec, "calicoNetwork")->at("mtu"), 1333);
}

TEST_F(RenderCommandTest, WhatTheApiServerWouldDropOrRefuseIsAProblem) {
  const std::string bad = File("bad.yaml", R"(
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec:
  calicoNetwork: {bpg: Enabled, mtu: "1440"}
---
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: overlay}
spec: {calicoNetwork: {linuxDataplane: eBPF}}
)");
  const CommandResult result = Run({"--installation", bad});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("render: spec.calicoNetwork.bpg: unknown field"),
                                HasSubstr("render: spec.calicoNetwork.mtu: expected integer"),
                                HasSubstr("render: Installation overlay: spec.calicoNetwork."
                                          "linuxDataplane: unsupported value")));
}

TEST_F(RenderCommandTest, CalicosOwnConfigurationIsShownAsItWillBe) {
  const std::string fresh = File("world.yaml", kPullSecret);
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", fresh}).out,
              AllOf(HasSubstr("kind: IPPool"), HasSubstr("cidr: 192.168.0.0/16"),
                    HasSubstr("kind: FelixConfiguration"), HasSubstr("vxlanVNI: 4096")));
  const std::string used = File("used.yaml", std::string(kPullSecret) + R"(---
apiVersion: crd.projectcalico.org/v1
kind: FelixConfiguration
metadata: {name: default, resourceVersion: "7"}
spec: {vxlanVNI: 77, logSeverityScreen: Debug}
)");
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", used}).out,
              AllOf(HasSubstr("vxlanVNI: 77"), HasSubstr("logSeverityScreen: Debug"),
                    Not(HasSubstr("vxlanVNI: 4096"))));
}

TEST_F(RenderCommandTest, CalicosSettingsReachPods) {
  const std::string world = File("world.yaml", std::string(kPullSecret) + R"(---
apiVersion: crd.projectcalico.org/v1
kind: FelixConfiguration
metadata: {name: default}
spec: {healthPort: 9999, cgroupV2Path: /run/elsewhere}
---
apiVersion: crd.projectcalico.org/v1
kind: BGPConfiguration
metadata: {name: default}
spec: {bindMode: NodeIP}
)");
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", world}).out,
              AllOf(HasSubstr("port: 9999"), HasSubstr("port: 9998"),
                    HasSubstr("value: /run/elsewhere"), HasSubstr("bgp-bind-mode: ")));
}

TEST_F(RenderCommandTest, TheLayoutForEarlyNetworkingReachesCalicoNode) {
  const std::string layout = std::string(kPullSecret) + R"(---
apiVersion: v1
kind: ConfigMap
metadata: {name: bgp-layout, namespace: tigera-operator}
)";
  const std::string world =
      File("world.yaml", layout + "data: {earlyNetworkConfiguration: 'nodes: some'}\n");
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", world}).out,
              AllOf(HasSubstr("nodes: some"), HasSubstr("subPath: earlyNetworkConfiguration")));
  const std::string wrong = File("wrong.yaml", layout + "data: {layout: text}\n");
  EXPECT_THAT(Run({"--installation", kInstallation, "--world", wrong}).err,
              HasSubstr("ConfigMap tigera-operator/bgp-layout has no key "
                        "earlyNetworkConfiguration: "));
}

TEST_F(RenderCommandTest, AnImageSetIsOfTheRelease) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string installation =
      File("plain.yaml", "{kind: Installation, metadata: {name: default}}");
  std::string set = "kind: ImageSet\nmetadata: {name: calico-v3.32.1}\nspec:\n  images:\n";
  for (const char* image : {"node", "cni", "typha", "pod2daemon-flexvol", "kube-controllers", "csi",
                            "node-driver-registrar"}) {
    set += fmt::format("    - {{image: calico/{}, digest: '{}'}}\n", image, digest);
  }
  const std::vector<std::string> arguments = {
      "--installation", installation, "--release", "v3.32", "--world", File("set.yaml", set)};
  const CommandResult result = Run(arguments);
  EXPECT_THAT(result.out, HasSubstr("image: quay.io/calico/node@" + digest)) << result.err;
  std::vector<std::string> other = arguments;
  other[3] = "v3.33";
  EXPECT_THAT(Run(other).err, HasSubstr("none named calico-v3.33."));
}

TEST_F(RenderCommandTest, TheBootstrapOfEbpfIsToldWhereTheApiServersAre) {
  const std::string installation = File("bpf.yaml", R"(
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec: {calicoNetwork: {linuxDataplane: BPF, bpfNetworkBootstrap: Enabled}}
)");
  const std::string world = File("world.yaml", R"(
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIPs: [10.96.0.1, "fd00::1"], ports: [{port: 443}]}
---
kind: EndpointSlice
metadata: {name: k, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
endpoints: [{addresses: [192.0.2.1]}, {addresses: [192.0.2.2]}]
ports: [{port: 6443}]
)");
  EXPECT_THAT(Run({"--installation", installation, "--world", world, "--release", "v3.32"}).out,
              AllOf(HasSubstr("value: 10.96.0.1:443,[fd00::1]:443"),
                    HasSubstr("value: 192.0.2.1:6443,192.0.2.2:6443")));
  EXPECT_THAT(Run({"--installation", installation, "--release", "v3.32"}).err,
              HasSubstr("spec.calicoNetwork.bpfNetworkBootstrap"));
}

// With the namespace, which is the APIServer's, or with the kind itself.
TEST_F(RenderCommandTest, TheKeyPairOfCalicosApiServerBelongsToItsKind) {
  const std::string installation = File("both.yaml", R"(
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
---
apiVersion: operator.tigera.io/v1
kind: APIServer
metadata: {name: default}
)");
  const CommandResult result = Run({"--installation", installation, "-o", "json"});
  const absl::StatusOr<json::object> list = codec::ParseJsonObject(result.out);
  ASSERT_TRUE(list.ok()) << result.err;
  std::map<std::string, std::string> owners;
  for (const json::value& object : list->at("items").as_array()) {
    const json::value& metadata = object.at("metadata");
    if (object.at("kind") != "Secret") continue;
    owners.emplace(metadata.at("name").as_string(),
                   metadata.at("ownerReferences").at(0).at("kind").as_string());
  }
  EXPECT_EQ(owners["calico-apiserver-certs"], "APIServer");
  EXPECT_EQ(owners["typha-certs"], "Installation");
}

TEST_F(RenderCommandTest, AConflictWithTheClusterIsAProblem) {
  const std::string world = File("world.yaml", std::string(kPullSecret) + R"(---
kind: ConfigMap
metadata: {name: kubeadm-config, namespace: kube-system}
data:
  ClusterConfiguration: |
    networking:
      podSubnet: 10.244.0.0/16
)");
  const std::string bad = File("bad.yaml", R"(
kind: Installation
metadata: {name: default}
spec:
  calicoNetwork: {ipPools: [{cidr: 192.168.0.0/16}]}
)");
  EXPECT_THAT(Run({"--installation", bad, "--world", world}).err,
              HasSubstr("spec.calicoNetwork.ipPools[0].cidr"));
}

TEST_F(RenderCommandTest, EveryProblemHasItsLine) {
  const std::string bad = File("bad.yaml", R"(
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec:
  imagePullSecrets: [{name: gone}]
  certificateManagement: {caCert: bm9uc2Vuc2U=, signerName: bad}
)");
  const CommandResult result = Run({"--installation", bad});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, AllOf(HasSubstr("render: spec.certificateManagement.caCert:"),
                                HasSubstr("render: spec.certificateManagement.signerName:"),
                                HasSubstr("render: spec.imagePullSecrets: Secret "
                                          "tigera-operator/gone is not among")));
}

TEST_F(RenderCommandTest, WrongFlagsAndFilesAreExitCodeTwo) {
  const std::string empty = File("empty.yaml", "kind: Node\nmetadata: {name: a}\n");
  const std::vector<std::vector<std::string>> kCases = {
      {},
      {"--installation", folder_ + "/absent.yaml"},
      {"--installation", empty},
      {"--installation", kInstallation, "--release", "v0.1"},
      {"--installation", kInstallation, "--api-server", "10.0.0.1"},
      {"--installation", kInstallation, "--world", kInstallation},
  };
  for (const std::vector<std::string>& arguments : kCases) {
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err, "");
    EXPECT_EQ(result.out, "");
  }
  EXPECT_EQ(Run({"--help"}).exit_code, 0);
  EXPECT_THAT(RenderCommandCompletion("bash"), HasSubstr("_calico_operator_render()"));
}

TEST_F(RenderCommandTest, OfSecretsNothingIsSaidWhileTheirFieldIsWrong) {
  const std::string installation = File("wrong.yaml", R"(
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec: {imagePullSecrets: [{name: Not_Ok}]}
)");
  const CommandResult result = Run({"--installation", installation});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("spec.imagePullSecrets[0].name"), Not(HasSubstr("--world"))));
}

}  // namespace
}  // namespace calico::offline
