#include "operator/config/operator.h"

#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/releases.h"

namespace calico::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Parsed {
  ParsedFlags flags;
  OperatorConfig config;
};

Parsed Parse(std::vector<const char*> words, std::map<std::string, std::string> environment = {}) {
  words.insert(words.begin(), "calico-operator");
  Parsed parsed;
  parsed.flags = ParseOperatorConfig(
      static_cast<int>(words.size()), words.data(),
      [&](const std::string& name) { return environment[name]; }, &parsed.config);
  return parsed;
}

TEST(OperatorConfigTest, Defaults) {
  const Parsed parsed = Parse({});
  EXPECT_FALSE(parsed.flags.exit_code.has_value()) << parsed.flags.text;
  EXPECT_TRUE(parsed.config.leader_elect);
  EXPECT_FALSE(parsed.config.manage_crds);
  EXPECT_EQ(parsed.config.operator_name, "tigera-operator");
  EXPECT_EQ(OperatorNamespace(parsed.config, ""), "tigera-operator");
  EXPECT_EQ(OperatorNamespace(parsed.config, "mine"), "mine");
}

TEST(OperatorConfigTest, FlagsAndEnvironment) {
  const Parsed parsed = Parse({"--kubeconfig=f", "--manage-crds", "--leader-elect=false",
                               "--metrics-addr=:1", "--health-addr", "", "--log-level=debug"},
                              {{"OPERATOR_NAMESPACE", "ns"},
                               {"OPERATOR_NAME", "op"},
                               {"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                               {"KUBERNETES_SERVICE_PORT", "443"}});
  EXPECT_FALSE(parsed.flags.exit_code.has_value()) << parsed.flags.text;
  EXPECT_EQ(parsed.config.kubeconfig, "f");
  EXPECT_TRUE(parsed.config.manage_crds);
  EXPECT_FALSE(parsed.config.leader_elect);
  EXPECT_EQ(parsed.config.metrics_address, ":1");
  EXPECT_EQ(parsed.config.health_address, "");
  EXPECT_EQ(parsed.config.log_level, base::LogLevel::kDebug);
  EXPECT_EQ(OperatorNamespace(parsed.config, "other"), "ns");
  EXPECT_EQ(parsed.config.operator_name, "op");
  EXPECT_EQ(parsed.config.service_host, "10.0.0.1");
  EXPECT_EQ(parsed.config.service_port, "443");
}

TEST(OperatorConfigTest, TheAddressOfTheApiServerIsTrimmedAndChecked) {
  Parsed parsed = Parse(
      {}, {{"KUBERNETES_SERVICE_HOST", "[fd00::10]\n"}, {"KUBERNETES_SERVICE_PORT", " 6443\n"}});
  EXPECT_FALSE(parsed.flags.exit_code.has_value()) << parsed.flags.text;
  EXPECT_EQ(parsed.config.service_host, "fd00::10");
  EXPECT_EQ(parsed.config.service_port, "6443");
  const EnvironmentReader checked =
      CheckedEnvironment(parsed.config, [](const std::string& name) { return "raw " + name; });
  EXPECT_EQ(checked("KUBERNETES_SERVICE_HOST"), "fd00::10");
  EXPECT_EQ(checked("KUBERNETES_SERVICE_PORT"), "6443");
  EXPECT_EQ(checked("HOME"), "raw HOME");

  parsed = Parse({}, {{"KUBERNETES_SERVICE_HOST", "https://10.0.0.10:6443"},
                      {"KUBERNETES_SERVICE_PORT", "443"}});
  EXPECT_EQ(parsed.flags.exit_code, kExitUsage);
  EXPECT_THAT(parsed.flags.text, HasSubstr("KUBERNETES_SERVICE_HOST"));
  EXPECT_THAT(parsed.flags.text, HasSubstr("ConfigMap kubernetes-services-endpoint"));
}

// The kubelet's other variables are not overwritten: from there the status can tell what is wrong.
TEST(OperatorConfigTest, AWrongAddressGivesWayToTheClustersService) {
  const Parsed parsed = Parse({}, {{"KUBERNETES_SERVICE_HOST", "10.0.0.10"},
                                   {"KUBERNETES_SERVICE_PORT", "https"},
                                   {"KUBERNETES_PORT_443_TCP_ADDR", "10.96.0.1"},
                                   {"KUBERNETES_PORT_443_TCP_PORT", "443"}});
  EXPECT_FALSE(parsed.flags.exit_code.has_value()) << parsed.flags.text;
  EXPECT_EQ(parsed.config.service_host, "10.96.0.1");
  EXPECT_EQ(parsed.config.service_port, "443");
  EXPECT_THAT(parsed.config.service_problem, HasSubstr("KUBERNETES_SERVICE_PORT: \"https\""));
}

TEST(OperatorConfigTest, MetricsFromTheEnvironment) {
  struct Case {
    std::map<std::string, std::string> environment;
    std::vector<const char*> words;
    const char* want;
  };
  const Case cases[] = {
      {{}, {}, ""},
      {{{"METRICS_HOST", "127.0.0.1"}, {"METRICS_PORT", "1"}}, {}, ""},
      {{{"METRICS_ENABLED", "false"}}, {}, ""},
      {{{"METRICS_ENABLED", "true"}}, {}, "0.0.0.0:9484"},
      {{{"METRICS_ENABLED", "true"}, {"METRICS_HOST", "::1"}, {"METRICS_PORT", "1"}},
       {},
       "[::1]:1"},
      {{{"METRICS_ENABLED", "true"}}, {"--metrics-addr=127.0.0.1:2"}, "127.0.0.1:2"},
      {{{"METRICS_ENABLED", "true"}}, {"--metrics-addr="}, ""},
  };
  for (const Case& c : cases) {
    const Parsed parsed = Parse(c.words, c.environment);
    EXPECT_FALSE(parsed.flags.exit_code.has_value()) << parsed.flags.text;
    EXPECT_EQ(parsed.config.metrics_address, c.want);
  }
}

TEST(OperatorConfigTest, AnotherRelease) {
  EXPECT_EQ(Parse({}).config.release->version(), "v3.33");
  for (const std::string& version : render::Releases::Embedded().versions()) {
    const std::string flag = "--release=" + version;
    EXPECT_EQ(Parse({flag.c_str()}).config.release->version(), version);
    EXPECT_EQ(Parse({}, {{"CALICO_RELEASE", version}}).config.release->version(), version);
  }
  EXPECT_EQ(Parse({"--release=v0.1"}).flags.exit_code, kExitUsage);
  EXPECT_THAT(Parse({}, {{"CALICO_RELEASE", "v0.1"}}).flags.text, HasSubstr("v3.32"));
}

TEST(OperatorConfigTest, Prints) {
  EXPECT_EQ(Parse({"--print-images"}).flags.exit_code, 0);
  EXPECT_THAT(Parse({"--print-images"}).flags.text,
              StartsWith("quay.io/calico/calico:v3.33.1\n"
                         "quay.io/calico/key-cert-provisioner:v0.1.0\n"
                         "quay.io/calico/node:v3.33.1\n"));
  EXPECT_THAT(Parse({"--print-images", "--release=v3.27"}).flags.text,
              StartsWith("docker.io/calico/apiserver:v3.27.5\n"));
  EXPECT_THAT(Parse({"--print-crds"}).flags.text, HasSubstr("installations.operator.tigera.io"));
  EXPECT_THAT(Parse({"--print-crds"}).flags.text, HasSubstr("\n---\n"));
  EXPECT_EQ(Parse({"--print-calico-crds"}).flags.exit_code, 0);
  EXPECT_EQ(Parse({"--manage-crds", "--calico-crds=a.yaml"}).config.calico_crds_file, "a.yaml");
  EXPECT_THAT(Parse({"--calico-crds=a.yaml"}).flags.text, HasSubstr("without --manage-crds"));
  EXPECT_THAT(Parse({"--print-calico-crds"}).flags.text,
              HasSubstr("ippools.crd.projectcalico.org"));
  EXPECT_THAT(Parse({"--version"}).flags.text, HasSubstr("(Calico v3.27, v3.32, v3.33)"));
  EXPECT_THAT(Parse({"--help"}).flags.text, HasSubstr("--manage-crds"));
}

TEST(OperatorConfigTest, MustNotRunInTheNamespaceThatItManages) {
  const Parsed parsed = Parse({}, {{"OPERATOR_NAMESPACE", "calico-system"}});
  EXPECT_EQ(parsed.flags.exit_code, kExitUsage);
  EXPECT_THAT(parsed.flags.text, HasSubstr("OPERATOR_NAMESPACE"));
}

TEST(OperatorConfigTest, UnknownFlags) {
  EXPECT_EQ(Parse({"--print-image"}).flags.exit_code, kExitUsage);
}

}  // namespace
}  // namespace calico::config
