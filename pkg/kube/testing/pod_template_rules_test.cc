#include "pkg/kube/testing/pod_template_rules.h"

#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

TEST(PodTemplateRulesTest, FieldsThatExcludeEachOther) {
  struct Case {
    const char* pod;
    const char* want;  // the field; empty: fine
  };
  const Case cases[] = {
      {"{}", ""},
      {"{volumes: [{name: a, emptyDir: {}}], containers: [{env: [{name: x, value: text}]}]}", ""},
      {"{containers: [{env: [{name: x, value: '', valueFrom: {}}]}]}", ""},
      {"{containers: [{env: [{name: x, value: text, valueFrom: {}}]}]}",
       "spec.template.spec.containers[0].env[0].valueFrom"},
      {"{initContainers: [{}, {env: [{name: x, value: text, valueFrom: {}}]}]}",
       "spec.template.spec.initContainers[1].env[0].valueFrom"},
      {"{volumes: [{name: a, emptyDir: {}, hostPath: {path: /}}]}",
       "spec.template.spec.volumes[0]"},
      {"{containers: [{readinessProbe: {periodSeconds: 1, exec: {}, httpGet: {}}}]}",
       "spec.template.spec.containers[0].readinessProbe"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.pod);
    const json::value pod = *codec::ParseYaml(c.pod);
    const std::vector<FieldProblem> problems =
        CheckPodTemplate({{"spec", {{"template", {{"spec", pod}}}}}});
    ASSERT_EQ(problems.size(), *c.want == '\0' ? 0U : 1U);
    if (!problems.empty()) EXPECT_EQ(problems[0].field, c.want);
  }
  EXPECT_TRUE(CheckPodTemplate({{"data", {{"a", "b"}}}}).empty());
}

}  // namespace
}  // namespace calico::kube
