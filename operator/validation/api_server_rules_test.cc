#include "operator/validation/api_server_rules.h"

#include "operator/validation/spec_rules_test_cases.h"

namespace calico::validation {
namespace {

TEST(ApiServerRulesTest, OverridesAreThoseOfTheApiServer) {
  constexpr const char* kPod = "spec.apiServerDeployment.spec.template.spec";
  struct Case {
    const char* pod;
    const char* path;
    const char* text;
  };
  const Case cases[] = {
      {"{containers: [{name: x}]}", ".containers[0].name", "write one of calico-apiserver"},
      {"{initContainers: [{name: x}]}", ".initContainers[0].name", "is no container here"},
      {"{containers: [{name: calico-apiserver, resources: {limits: {cpu: x}}}]}",
       ".containers[0].resources.limits[cpu]", "is no quantity"},
      {"{containers: [{name: calico-apiserver, ports: [{name: apiserver, containerPort: 0}]}]}",
       ".containers[0].ports[0].containerPort", "from 1 to 65535"},
      {"{containers: [{name: tigera-queryserver, ports: [{name: apiserver, containerPort: "
       "5443}]}]}",
       ".containers[0].ports[0].name", "is a port of the container calico-apiserver"},
      {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a}]}",
       ".topologySpreadConstraints[0].whenUnsatisfiable", "is required"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.pod);
    const std::vector<Problem> problems = CheckApiServerSpec(
        Yaml(fmt::format("apiServerDeployment: {{spec: {{template: {{spec: {}}}}}}}", c.pod)));
    ASSERT_EQ(problems.size(), 1U) << TextOf(problems);
    EXPECT_EQ(problems[0].path, std::string(kPod) + c.path);
    EXPECT_THAT(problems[0].text, testing::HasSubstr(c.text));
  }
}

TEST(ApiServerRulesTest, GoodOnesHaveNoProblem) {
  for (const char* spec :
       {"{}", "apiServerDeployment: {metadata: {labels: {a: b}}}",
        "apiServerDeployment: {spec: {template: {spec: {containers: [{name: calico-apiserver, "
        "ports: [{name: apiserver, containerPort: 5444}]}]}}}}",
        "{logging: {apiServer: {logSeverity: Warn}}, calicoWebhooksDeployment: {spec: "
        "{template: {spec: {containers: [{name: calico-webhooks}]}}}}}"}) {
    EXPECT_EQ(TextOf(CheckApiServerSpec(Yaml(spec))), "") << spec;
  }
  EXPECT_EQ(CheckApiServerSpec(Yaml("logging: {apiServer: {logSeverity: Loud}}")).size(), 1U);
  EXPECT_EQ(CheckApiServerSpec(Yaml("apiServerDeployment: {spec: {minReadySeconds: 600}}")).size(),
            1U);
}

}  // namespace
}  // namespace calico::validation
