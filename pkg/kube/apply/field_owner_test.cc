#include "pkg/kube/apply/field_owner.h"

#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

constexpr char kManaged[] = R"(
- {manager: kubectl, operation: Update, fieldsV1: {"f:metadata": {"f:annotations": {"f:example.com/a.b": {}}}}}
- manager: gitops
  operation: Apply
  fieldsV1:
    "f:spec":
      "f:replicas": {}
      "f:template": {"f:spec": {"f:containers": {'k:{"name":"calico-node"}': {"f:image": {},
        "f:env": {'k:{"name":"X"}': {".": {}, "f:value": {}}}}}, "f:nodeSelector": {}}}
- {manager: broken}
- {manager: empty, fieldsV1: {}}
)";

TEST(FieldOwnerTest, FindsTheManagerOfAPath) {
  const json::value managed = *codec::ParseYaml(kManaged);
  struct Case {
    const char* path;
    const char* want;
  };
  const Case cases[] = {
      {"spec.replicas", "gitops"},
      {"spec.template.spec.containers[calico-node].image", "gitops"},
      {"spec.template.spec.containers[calico-node].env[X].value", "gitops"},
      {"spec.template.spec.containers[calico-node].env[Y].value", ""},
      {"spec.template.spec.containers[other].image", ""},
      {"spec.template.spec.nodeSelector.x", "gitops"},
      {"spec.template.spec", "gitops"},
      {"spec.replicasX", ""},
      {"spec.paused", ""},
      {"metadata.annotations.example.com/a.b", "kubectl"},
      {"metadata.labels.x", ""},
      {"spec.template.spec.containers[", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(OwnerOfField(managed.as_array(), c.path), c.want) << c.path;
  }
}

TEST(FieldOwnerTest, ANameIsBoundedAndPrintable) {
  const json::array managed = {
      {{"manager", "a\nb" + std::string(1000, 'x')}, {"fieldsV1", {{"f:spec", json::object()}}}}};
  const std::string owner = OwnerOfField(managed, "spec.x");
  EXPECT_EQ(owner.size(), 128U);
  EXPECT_EQ(owner.substr(0, 3), "a?b");
}

}  // namespace
}  // namespace calico::kube
