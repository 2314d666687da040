#include "pkg/kube/apply/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"
#include "pkg/kube/apply/quantity.h"

namespace calico::kube {
namespace {

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value->as_object();
}

struct Case {
  const char* name;
  const char* live;
  const char* desired;
  const char* difference;  // nullptr: none
};

void Expect(const Case& c) {
  SCOPED_TRACE(c.name);
  const std::optional<std::string> got = FirstDifference(Yaml(c.live), Yaml(c.desired));
  if (c.difference == nullptr) {
    EXPECT_EQ(got, std::nullopt) << *got;
  } else {
    EXPECT_EQ(got, c.difference);
  }
}

TEST(CompareTest, LiveMayHoldMore) {
  const Case cases[] = {
      {"defaults", "{spec: {a: 1, b: 2}, status: {x: 1}}", "{spec: {a: 1}}", nullptr},
      {"user's label", "{metadata: {labels: {ours: x, mine: y}}}",
       "{metadata: {labels: {ours: x}}}", nullptr},
      {"user's variable", "{env: [{name: MINE, value: z}, {name: A, value: b}]}",
       "{env: [{name: A, value: b}]}", nullptr},
      {"user's container", "{containers: [{name: a, image: i, x: 1}, {name: b}]}",
       "{containers: [{name: a, image: i}]}", nullptr},
      {"other owner", "{metadata: {ownerReferences: [{uid: u1}, {uid: u2, kind: K}]}}",
       "{metadata: {ownerReferences: [{uid: u2, kind: K}]}}", nullptr},
      {"finalizer", "{finalizers: [a, b]}", "{finalizers: [b]}", nullptr},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(CompareTest, DifferencesAreFound) {
  const Case cases[] = {
      {"scalar", "{spec: {a: 1}}", "{spec: {a: 2}}", "spec.a"},
      {"absent", "{spec: {}}", "{spec: {a: 2}}", "spec.a"},
      {"type", "{spec: {port: '5473'}}", "{spec: {port: 5473}}", "spec.port"},
      {"image", "{spec: {containers: [{name: a, image: x}]}}",
       "{spec: {containers: [{name: a, image: y}]}}", "spec.containers[a].image"},
      {"missing variable", "{env: [{name: A}]}", "{env: [{name: B, value: c}]}", "env[B]"},
      {"mount", "{volumeMounts: [{mountPath: /a, name: x}]}",
       "{volumeMounts: [{mountPath: /a, name: y}]}", "volumeMounts[/a].name"},
      {"container port", "{ports: [{containerPort: 1, protocol: TCP}]}",
       "{ports: [{containerPort: 1, protocol: UDP}]}", "ports[1]"},
      {"service port", "{ports: [{port: 1, protocol: TCP, targetPort: a}]}",
       "{ports: [{port: 1, targetPort: b}]}", "ports[1].targetPort"},
      {"finalizer", "{finalizers: [a]}", "{finalizers: [b]}", "finalizers"},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(CompareTest, OtherListsMustBeEqual) {
  const Case cases[] = {
      {"equal", "{args: [a, b]}", "{args: [a, b]}", nullptr},
      {"longer", "{args: [a, b, c]}", "{args: [a, b]}", "args"},
      {"order", "{args: [b, a]}", "{args: [a, b]}", "args[0]"},
      {"a rule that was widened", "{rules: [{verbs: [get], resources: [a]}, {verbs: ['*']}]}",
       "{rules: [{verbs: [get], resources: [a]}]}", "rules"},
      {"a rule that was narrowed", "{rules: [{verbs: [get], resourceNames: [x]}]}",
       "{rules: [{verbs: [get]}]}", "rules[0].resourceNames"},
      {"a toleration with an addition", "{tolerations: [{operator: Exists, tolerationSeconds: 5}]}",
       "{tolerations: [{operator: Exists}]}", "tolerations[0].tolerationSeconds"},
      {"keyed lists inside are equal too", "{x: [{env: [{name: a}, {name: b}]}]}",
       "{x: [{env: [{name: a}]}]}", "x[0].env"},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(CompareTest, EmptyEqualsAbsent) {
  const Case cases[] = {
      {"desired text", "{}", "{a: ''}", nullptr},
      {"desired object", "{}", "{a: {}}", nullptr},
      {"desired object of empties", "{}", "{a: {b: '', c: []}}", nullptr},
      {"desired list", "{}", "{a: []}", nullptr},
      {"desired null", "{a: {}}", "{a: null}", nullptr},
      {"desired false", "{}", "{a: false}", nullptr},
      {"desired zero", "{}", "{a: 0}", nullptr},
      {"inside a list", "{rules: [{apiGroups: ['']}]}", "{rules: [{apiGroups: [''], x: ''}]}",
       nullptr},
      {"not empty", "{a: x}", "{a: ''}", "a"},
      {"list is not empty", "{args: [x]}", "{args: []}", "args"},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(CompareTest, QuantitiesByAmount) {
  Expect({"same", "{resources: {limits: {cpu: '1', memory: 50Mi}}}",
          "{resources: {limits: {cpu: 1000m, memory: 51200Ki}}}", nullptr});
  Expect({"other", "{resources: {limits: {cpu: 10m}}}", "{resources: {limits: {cpu: 11m}}}",
          "resources.limits.cpu"});
  Expect({"elsewhere texts count", "{a: '1'}", "{a: 1000m}", "a"});
  EXPECT_TRUE(SameQuantity("0.5", "500m"));
  EXPECT_TRUE(SameQuantity("1e3", "1k"));
  EXPECT_TRUE(SameQuantity("1.5Gi", "1536Mi"));
  EXPECT_TRUE(SameQuantity("0", "0m"));
  EXPECT_TRUE(SameQuantity("-1", "-1000m"));
  EXPECT_FALSE(SameQuantity("1Ki", "1k"));
  EXPECT_FALSE(SameQuantity("", "0"));
  EXPECT_FALSE(SameQuantity("1x", "1"));
  EXPECT_FALSE(SameQuantity("1", "-1"));
}

TEST(CompareTest, SomeChangesNeedANewObject) {
  const char* const binding = "{kind: ClusterRoleBinding, roleRef: {kind: ClusterRole, name: a}}";
  EXPECT_FALSE(NeedsRecreation(Yaml(binding), Yaml(binding)));
  EXPECT_TRUE(NeedsRecreation(
      Yaml("{kind: ClusterRoleBinding, roleRef: {kind: ClusterRole, name: b}}"), Yaml(binding)));
  EXPECT_TRUE(NeedsRecreation(Yaml("{kind: Secret, type: a}"), Yaml("{kind: Secret, type: b}")));
  EXPECT_FALSE(NeedsRecreation(Yaml("{kind: Service, type: a}"), Yaml("{kind: Service, type: b}")));
}

}  // namespace
}  // namespace calico::kube
