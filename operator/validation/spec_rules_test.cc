#include "operator/validation/spec_rules.h"

#include <fstream>
#include <sstream>

#include "operator/validation/spec_rules_test_cases.h"

namespace calico::validation {
namespace {

using ::testing::SizeIs;

TEST(SpecRulesTest, EveryRecordedInstallationIsGood) {
  for (const std::string release : {"v3.33", "v3.32", "v3.27"}) {
    std::ifstream stream(fmt::format("testdata/golden/defaults/{}.yaml", release));
    std::stringstream text;
    text << stream.rdbuf();
    const absl::StatusOr<std::vector<json::value>> cases = codec::ParseYamlDocuments(text.str());
    ASSERT_TRUE(cases.ok()) << cases.status();
    ASSERT_GE(cases->size(), 7U);
    for (const json::value& c : *cases) {
      EXPECT_EQ(TextOf(CheckSpec(c.at("completed").as_object(), {.release = release})), "")
          << release << " " << c.at("case");
    }
  }
}

TEST(SpecRulesTest, FieldsOfTheWholeInstallation) {
  const BadSpec cases[] = {
      {"variant: CalicoEnterprise", "spec.variant", "write Calico"},
      {"kubernetesProvider: eks", "spec.kubernetesProvider", "EKS, GKE, AKS"},
      {"registry: https://registry.example.com/", "spec.registry", "without a scheme"},
      {"registry: 'registry.example.com:5000//'", "spec.registry", "is no registry"},
      {"registry: registry..example.com/", "spec.registry", "is no registry"},
      {"registry: '-registry.example.com/'", "spec.registry", "is no registry"},
      {"registry: '[fd00::z]:5000/'", "spec.registry", "is no registry"},
      {"registry: registry.example.com/a..b/", "spec.registry", "is no registry"},
      {"imagePath: Mirror/Calico", "spec.imagePath", "write lower-case names"},
      {"imagePath: mirror/a._b", "spec.imagePath", "write lower-case names"},
      {"imagePrefix: a..", "spec.imagePrefix", "cannot begin an image's name"},
      {"imagePrefix: a/b", "spec.imagePrefix", "cannot begin an image's name"},
      {"imagePullPolicy: Sometimes", "spec.imagePullPolicy", "Always, IfNotPresent, Never"},
      {"imagePullSecrets: [{name: ok}, {name: Not_Ok}]", "spec.imagePullSecrets[1].name",
       "cannot be the name of a Secret"},
      {"imagePullSecrets: [{name: a}, {name: a}]", "spec.imagePullSecrets[1].name",
       "is listed twice"},
      {"nodeMetricsPort: 99999", "spec.nodeMetricsPort", "99999 is no port"},
      {"nodeMetricsPort: -1", "spec.nodeMetricsPort", "is no port"},
      {"typhaMetricsPort: 9098", "spec.typhaMetricsPort", "is taken on every host"},
      {"{nodeMetricsPort: 9091, typhaMetricsPort: 9091}", "spec.typhaMetricsPort",
       "spec.nodeMetricsPort too"},
      {"kubeletVolumePluginPath: var/lib/kubelet", "spec.kubeletVolumePluginPath",
       "is not an absolute path"},
      {"kubeletVolumePluginPath: /csi", "spec.kubeletVolumePluginPath", "is another folder"},
      {"kubeletVolumePluginPath: /var/run/", "spec.kubeletVolumePluginPath", "is another folder"},
      {"kubeletVolumePluginPath: /", "spec.kubeletVolumePluginPath", "is another folder"},
      {"flexVolumePath: a/b", "spec.flexVolumePath", "or write None"},
      {"calicoRunHostPath: run/calico", "spec.calicoRunHostPath", "is not an absolute path"},
      {"calicoLibHostPath: None", "spec.calicoLibHostPath", "is not an absolute path"},
      {"calicoLibHostPath: /var/lib/../x", "spec.calicoLibHostPath", "without \"..\""},
      {"controlPlaneReplicas: 0", "spec.controlPlaneReplicas", "at least 1"},
      {"controlPlaneNodeSelector: {kubernetes.io/os: windows}",
       "spec.controlPlaneNodeSelector[kubernetes.io/os]", "run on linux only"},
      {"controlPlaneTolerations: [{key: a, operator: Exists, value: b}]",
       "spec.controlPlaneTolerations[0].value", "has no place with Exists"},
      {"nodeUpdateStrategy: {type: OnDelete}", "spec.nodeUpdateStrategy.type",
       "write RollingUpdate"},
      {"nodeUpdateStrategy: {rollingUpdate: {maxUnavailable: -1}}",
       "spec.nodeUpdateStrategy.rollingUpdate.maxUnavailable", "is no number of pods"},
      {"nodeUpdateStrategy: {rollingUpdate: {maxUnavailable: 0}}",
       "spec.nodeUpdateStrategy.rollingUpdate.maxUnavailable", "must not be 0 without maxSurge"},
      {"nodeUpdateStrategy: {rollingUpdate: {maxSurge: 1}}",
       "spec.nodeUpdateStrategy.rollingUpdate.maxSurge", "write maxUnavailable: 0"},
      {"componentResources: [{componentName: Felix}]", "spec.componentResources[0].componentName",
       "Node, Typha, KubeControllers"},
      {"componentResources: [{componentName: Node, resourceRequirements: {limits: {cpu: x}}}]",
       "spec.componentResources[0].resourceRequirements.limits[cpu]", "is no quantity"},
      {"azure: {policyMode: Manual}", "spec.azure", "is for clusters of Azure"},
      {"{kubernetesProvider: AKS, azure: {policyMode: Other}}", "spec.azure.policyMode",
       "Default, Manual"},
      {"logging: {cni: {logSeverity: Warn}}", "spec.logging.cni.logSeverity", "Warning"},
      {"logging: {cni: {logFileMaxSize: 100M}}", "spec.logging.cni.logFileMaxSize", "with Ki, Mi"},
      {"logging: {cni: {logFileMaxSize: 0Mi}}", "spec.logging.cni.logFileMaxSize", "above 0"},
      {"logging: {cni: {logFileMaxSize: 100}}", "spec.logging.cni.logFileMaxSize", "with Ki, Mi"},
      {"logging: {cni: {logFileMaxCount: 0}}", "spec.logging.cni.logFileMaxCount", "at least 1"},
      {"logging: {cni: {logFileMaxAgeDays: -2}}", "spec.logging.cni.logFileMaxAgeDays",
       "at least 1"},
      {"typhaPodDisruptionBudget: {spec: {minAvailable: 1, maxUnavailable: 1}}",
       "spec.typhaPodDisruptionBudget.spec", "keep one of them"},
      {"typhaPodDisruptionBudget: {spec: {maxUnavailable: many}}",
       "spec.typhaPodDisruptionBudget.spec.maxUnavailable", "is no number of pods"},
      {"networkPolicy: {managePolicies: 'true'}", "spec.networkPolicy.managePolicies",
       "Enabled, Disabled"},
      {"tlsCipherSuites: [{name: RC4}]", "spec.tlsCipherSuites[0].name", "TLS_AES_256_GCM_SHA384"},
      {"serviceCIDRs: [10.96.0.0/12, ten]", "spec.serviceCIDRs[1]", "is no network"},
  };
  ExpectOneProblemEach(cases);
}

// Tigera's operator takes it, so that clusters have it.
TEST(SpecRulesTest, AMetricsPortOfZeroIsTakenWithAWarning) {
  const std::string spec = "{nodeMetricsPort: 0, typhaMetricsPort: 0}";
  EXPECT_EQ(TextOf(ProblemsOf(spec)), "");
  const json::object parsed = codec::ParseYaml(spec)->as_object();
  EXPECT_THAT(WarningsOf(parsed),
              testing::ElementsAre(testing::HasSubstr("spec.nodeMetricsPort: 0 is any port"),
                                   testing::HasSubstr("spec.typhaMetricsPort: 0 is any port")));
  EXPECT_THAT(WarningsOf({{"nodeMetricsPort", 9091}}), testing::IsEmpty());
}

TEST(SpecRulesTest, NamesOfImagesThatNoKubeletTakes) {
  const std::string path(200, 'a');
  const std::vector<Problem> problems =
      ProblemsOf(fmt::format("{{registry: registry.example.com/, imagePath: {}}}", path));
  ASSERT_EQ(problems.size(), 1U) << TextOf(problems);
  EXPECT_EQ(problems[0].path, "spec.imagePath");
  EXPECT_THAT(problems[0].text, testing::HasSubstr("at most 191 characters"));
  const std::string spec = fmt::format(
      "{{registry: '[fd00::1]:5000/a__b/c---d', imagePath: {}, imagePrefix: a-}}", path.substr(90));
  EXPECT_EQ(TextOf(ProblemsOf(spec)), "");
}

TEST(SpecRulesTest, ModesThatOnlySomeReleasesHave) {
  const BadSpec cases[] = {
      {"fipsMode: Enabled", "spec.fipsMode", "Calico v3.33 has no images for it"},
      {"nonPrivileged: Enabled", "spec.nonPrivileged", "runs calico-node privileged"},
      {"nonPrivileged: Enabled", "spec.nonPrivileged", "runs calico-node privileged", "v3.32"},
      {"{nonPrivileged: Enabled, calicoNetwork: {linuxDataplane: BPF}}", "spec.nonPrivileged",
       "not possible with the BPF data plane", "v3.27"},
      {"fipsMode: 'on'", "spec.fipsMode", "Enabled, Disabled"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"{fipsMode: Enabled, nonPrivileged: Enabled}", "v3.27"},
      {"fipsMode: Enabled", "v3.32"},
      {"{fipsMode: Disabled, nonPrivileged: Disabled}"},
  };
  ExpectNoProblem(good);
}

TEST(SpecRulesTest, WhatSaysNothingOrWhatIsSoAnywayIsGood) {
  const GoodSpec good[] = {
      {"{nonPrivileged: '', controlPlaneTolerations: [], controlPlaneNodeSelector: {}, "
       "componentResources: [], serviceCIDRs: [], typhaAffinity: {}, kubeletVolumePluginPath: "
       "None, calicoNetwork: {sysctl: [], nodeAddressAutodetectionV4: {firstFound: true, "
       "interface: '', cidrs: []}}}"},
      {"{registry: UseDefault, imagePath: UseDefault, imagePrefix: UseDefault}"},
      {"{flexVolumePath: None, nodeUpdateStrategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: "
       "10%}}}"},
      {"calicoNetwork: {hostPorts: null}"},
      // Of Windows nothing is rendered; the note on fields without effect says so.
      {"{calicoNetwork: {windowsDataplane: HNS}, windowsNodes: {cniBinDir: /x}, "
       "calicoWindowsUpgradeDaemonSet: {}}"},
      {"componentResources: [{componentName: FelixWindows}]"},
      // Typha on fewer nodes, and IPv6 alone.
      {"calicoNetwork: {bgp: Enabled, ipPools: [{cidr: 'fd00:42::/112', blockSize: 122, "
       "encapsulation: None, natOutgoing: Enabled}], nodeAddressAutodetectionV6: {firstFound: "
       "true}}"},
  };
  ExpectNoProblem(good);
}

TEST(SpecRulesTest, AllProblemsAreToldAtOnce) {
  const std::vector<Problem> problems = ProblemsOf(
      "{controlPlaneReplicas: 0, nodeMetricsPort: 70000, flexVolumePath: x, calicoNetwork: {mtu: "
      "-5, ipPools: [{cidr: a}, {cidr: b}]}, typhaDeployment: {spec: {minReadySeconds: -1}}}");
  EXPECT_THAT(problems, SizeIs(7)) << TextOf(problems);
}

TEST(SpecRulesTest, NoShapeOfASpecIsTooOdd) {
  for (const char* value : {"5", "x", "[1, [2]]", "{a: {b: c}}", "true", "null", "-1"}) {
    const json::object completed =
        defaults::CompleteSpec(Yaml("calicoNodeDaemonSet: {spec: {template: {spec: {}}}}"), {});
    for (const json::key_value_pair& member : completed) {
      json::object changed = completed;
      changed[member.key()] = codec::ParseYaml(fmt::format("v: {}", value))->at("v");
      for (const Problem& problem : CheckSpec(changed, {.release = "v3.33"})) {
        EXPECT_LT(problem.path.size() + problem.text.size(), 1000U);
      }
    }
  }
  EXPECT_EQ(TextOf(CheckSpec({}, {.release = "v9.9"})), "");
}

TEST(SpecRulesTest, ValuesAreShownInOneBoundedLine) {
  json::object spec = defaults::CompleteSpec({}, {.release = "v3.33"});
  spec["registry"] = std::string("a\nb\x1b[31m") + std::string(5000, 'x');
  const std::vector<Problem> problems = CheckSpec(spec, {.release = "v3.33"});
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_LT(problems[0].text.size(), 300U);
  EXPECT_EQ(problems[0].text.find('\n'), std::string::npos);
  EXPECT_EQ(problems[0].text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace calico::validation
