#include "pkg/kube/schema/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using Holds = FieldType::Holds;
using Value = FieldType::Value;

// The field at a path of a kind, through structs, lists and maps.
const FieldType* At(const char* api_version, const char* kind, const FieldPath& path) {
  const KindSchema* const found = Schema::Kubernetes().Find(api_version, kind);
  if (found == nullptr) return nullptr;
  const StructType* type = found->type;
  const FieldType* field = nullptr;
  for (const std::string& name : path) {
    if (type == nullptr) return nullptr;
    field = type->Find(name);
    if (field == nullptr) return nullptr;
    type = field->type;
  }
  return field;
}

const FieldType* InPod(FieldPath path) {
  path.insert(path.begin(), {"spec", "template", "spec"});
  return At("apps/v1", "DaemonSet", path);
}

// What has gone wrong on real clusters, one by one; the whole is compared with real servers by
// tools/e2e/test_schema.py.
TEST(SchemaTest, ListsAndMapsOfKubernetes) {
  struct Case {
    const FieldType* field;
    Holds holds;
    std::vector<std::string> keys;
  };
  const Case cases[] = {
      {InPod({"containers"}), Holds::kKeyedList, {"name"}},
      {InPod({"initContainers"}), Holds::kKeyedList, {"name"}},
      {InPod({"containers", "env"}), Holds::kKeyedList, {"name"}},
      {InPod({"containers", "ports"}), Holds::kKeyedList, {"containerPort", "protocol"}},
      {InPod({"containers", "volumeMounts"}), Holds::kKeyedList, {"mountPath"}},
      {InPod({"containers", "args"}), Holds::kAtomicList, {}},
      {InPod({"containers", "resources", "limits"}), Holds::kMap, {}},
      {InPod({"nodeSelector"}), Holds::kAtomicMap, {}},
      {InPod({"tolerations"}), Holds::kAtomicList, {}},
      {At("v1", "Service", {"spec", "selector"}), Holds::kAtomicMap, {}},
      {At("v1", "Service", {"spec", "ports"}), Holds::kKeyedList, {"port", "protocol"}},
      {At("v1", "ConfigMap", {"data"}), Holds::kMap, {}},
      {At("v1", "ConfigMap", {"metadata", "finalizers"}), Holds::kSet, {}},
      {At("rbac.authorization.k8s.io/v1", "ClusterRole", {"rules"}), Holds::kAtomicList, {}},
      {At("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {"subjects"}),
       Holds::kAtomicList,
       {}},
      {At("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy",
          {"spec", "matchConditions"}),
       Holds::kKeyedList,
       {"name"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(&c - cases);
    ASSERT_NE(c.field, nullptr);
    EXPECT_EQ(c.field->holds, c.holds);
    EXPECT_EQ(c.field->keys, c.keys);
  }
}

TEST(SchemaTest, StructsThatAreOneValue) {
  ASSERT_NE(InPod({"affinity", "podAntiAffinity"}), nullptr);
  EXPECT_TRUE(At("apps/v1", "Deployment", {"spec", "selector"})->type->is_atomic);
  EXPECT_TRUE(InPod({"containers", "env", "valueFrom", "fieldRef"})->type->is_atomic);
  EXPECT_FALSE(InPod({"containers", "securityContext"})->type->is_atomic);
}

TEST(SchemaTest, EmptyValuesThatMeanSomething) {
  EXPECT_TRUE(InPod({"containers", "securityContext", "allowPrivilegeEscalation"})->is_pointer);
  EXPECT_TRUE(InPod({"containers", "securityContext", "runAsUser"})->is_pointer);
  EXPECT_TRUE(At("v1", "ServiceAccount", {"automountServiceAccountToken"})->is_pointer);
  EXPECT_TRUE(At("apps/v1", "Deployment", {"spec", "replicas"})->is_pointer);
  EXPECT_FALSE(InPod({"hostNetwork"})->is_pointer);
  EXPECT_FALSE(InPod({"dnsPolicy"})->is_pointer);
}

TEST(SchemaTest, QuantitiesAndPorts) {
  EXPECT_EQ(InPod({"containers", "resources", "requests"})->value, Value::kQuantity);
  EXPECT_EQ(InPod({"volumes", "emptyDir", "sizeLimit"})->value, Value::kQuantity);
  EXPECT_EQ(At("v1", "Service", {"spec", "ports", "targetPort"})->value, Value::kIntOrString);
}

TEST(SchemaTest, ImmutableFields) {
  EXPECT_THAT(Schema::Kubernetes().Find("apps/v1", "DaemonSet")->immutable,
              ElementsAre(FieldPath{"spec", "selector"}));
  EXPECT_THAT(Schema::Kubernetes().Find("rbac.authorization.k8s.io/v1", "RoleBinding")->immutable,
              ElementsAre(FieldPath{"roleRef"}));
}

TEST(SchemaTest, WhatIsNotKnown) {
  EXPECT_EQ(Schema::Kubernetes().Find("v1", "Pog"), nullptr);
  EXPECT_EQ(Schema::Kubernetes().Find(json::object{{"kind", 1}}), nullptr);
  EXPECT_EQ(InPod({"containers", "imagine"}), nullptr);
}

TEST(SchemaTest, KeysHaveDefaults) {
  const FieldType& ports = *InPod({"containers", "ports"});
  const json::object with = {{"containerPort", 1}, {"protocol", "TCP"}};
  const json::object without = {{"containerPort", 1}};
  EXPECT_EQ(KeyText(ports, without, "protocol"), "TCP");
  EXPECT_EQ(KeyTexts(ports, without), "1,TCP");
  EXPECT_TRUE(HaveSameKeys(ports, with, without));
  EXPECT_FALSE(HaveSameKeys(ports, with, json::object{{"containerPort", 2}}));
  EXPECT_FALSE(HaveSameKeys(ports, with, "text"));
}

TEST(SchemaTest, BadFilesAreRefused) {
  struct Case {
    const char* yaml;
    const char* error;
  };
  const Case cases[] = {
      {"- 1", "expected object"},
      {"{types: {}}", "kinds"},
      {"{kinds: [], types: {A: 1}}", "A: expected object"},
      {"{kinds: [], types: {A: {}}}", "A: no fields"},
      {"{kinds: [], types: {A: {fields: {b: Nope}}}}", "A.b: unknown type \"Nope\""},
      {"{kinds: [], types: {A: {fields: {b: 1}}}}", "A.b: expected a name"},
      {"{kinds: [], types: {A: {fields: {b: {list: odd, of: string}}}}}", "A.b: unknown kind"},
      {"{kinds: [], types: {A: {fields: {b: {list: keyed, of: A}}}}}", "A.b: a keyed list"},
      {"{kinds: [], types: {A: {fields: {b: {list: keyed, keys: [c], of: string}}}}}",
       "A.b: a keyed list of scalars"},
      {"{kinds: [], types: {A: {fields: {b: {of: string, when: 1}}}}}", "A.b: when"},
      {"{kinds: [{kind: K, type: B}], types: {}}", "kind K: unknown type"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Schema::Parse(c.yaml),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.yaml;
  }
}

TEST(SchemaTest, Paths) {
  EXPECT_EQ(JoinPath("", "a"), "a");
  EXPECT_EQ(JoinPath("a", ""), "a");
  EXPECT_EQ(JoinPath("a", "b"), "a.b");
  EXPECT_EQ(JoinPath("a", "[b]"), "a[b]");
}

}  // namespace
}  // namespace calico::kube
