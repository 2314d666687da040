#include "pkg/kube/schema/compare.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"
#include "pkg/kube/schema/quantity.h"

namespace calico::kube {
namespace {

using Kind = Difference::Kind;

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status() << "\n" << text;
  return value->as_object();
}

// An object of that kind with the members of `members`.
json::object Of(std::string_view type, std::string_view members) {
  json::object object = Yaml(type);
  for (const auto& member : Yaml(members)) object.insert(member);
  return object;
}

constexpr char kDaemonSet[] = "{apiVersion: apps/v1, kind: DaemonSet}";
constexpr char kDeployment[] = "{apiVersion: apps/v1, kind: Deployment}";
constexpr char kService[] = "{apiVersion: v1, kind: Service}";
constexpr char kConfigMap[] = "{apiVersion: v1, kind: ConfigMap}";
constexpr char kSecret[] = "{apiVersion: v1, kind: Secret}";
constexpr char kRole[] = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole}";
constexpr char kBinding[] = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding}";
constexpr char kPolicy[] =
    "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy}";
constexpr char kPolicyBinding[] =
    "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding}";
constexpr char kBudget[] = "{apiVersion: policy/v1, kind: PodDisruptionBudget}";
constexpr char kNetworkPolicy[] = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy}";
constexpr char kApiService[] = "{apiVersion: apiregistration.k8s.io/v1, kind: APIService}";
constexpr char kUnknown[] = "{apiVersion: example.com/v1, kind: Unknown}";

struct Case {
  const char* name;
  const char* kind;
  const char* live;
  const char* desired;
  std::optional<Difference> difference;
};

void Expect(const Case& c) {
  SCOPED_TRACE(c.name);
  const std::optional<Difference> got =
      FirstDifference(Schema::Kubernetes(), Of(c.kind, c.live), Of(c.kind, c.desired));
  EXPECT_EQ(got, c.difference) << (got.has_value() ? got->path : "none");
}

// As Case, for the pod spec of a DaemonSet.
struct PodCase {
  const char* name;
  const char* live;
  const char* desired;
  std::optional<Difference> difference;  // below the pod spec
};

void Expect(const PodCase& c) {
  const auto around = [](const char* pod) {
    return fmt::format("{{spec: {{template: {{spec: {}}}}}}}", pod);
  };
  std::optional<Difference> difference = c.difference;
  if (difference.has_value()) {
    difference->path = JoinPath("spec.template.spec", difference->path);
  }
  Expect({c.name, kDaemonSet, around(c.live).c_str(), around(c.desired).c_str(), difference});
}

Difference Absent(const char* path) { return {Kind::kAbsent, path}; }
Difference Other(const char* path) { return {Kind::kOther, path}; }
Difference Extra(const char* path) { return {Kind::kExtra, path}; }

TEST(CompareTest, LiveMayHoldMoreWhereTheApiMerges) {
  const Case cases[] = {
      {"defaults",
       kDaemonSet,
       "{spec: {minReadySeconds: 1, revisionHistoryLimit: 2}}",
       "{spec: {minReadySeconds: 1}}",
       {}},
      {"user's label",
       kConfigMap,
       "{metadata: {labels: {ours: x, mine: y}}}",
       "{metadata: {labels: {ours: x}}}",
       {}},
      {"user's key", kConfigMap, "{data: {a: x, b: y}}", "{data: {a: x}}", {}},
      {"other owner",
       kConfigMap,
       "{metadata: {ownerReferences: [{uid: u1}, {uid: u2, kind: K}]}}",
       "{metadata: {ownerReferences: [{uid: u2, kind: K}]}}",
       {}},
      {"finalizer",
       kConfigMap,
       "{metadata: {finalizers: [a, b]}}",
       "{metadata: {finalizers: [b]}}",
       {}},
      {"a kind that is not known", kUnknown, "{spec: {a: 1, b: 2}}", "{spec: {a: 1}}", {}},
  };
  for (const Case& c : cases) Expect(c);
  const PodCase pods[] = {
      {"user's variable",
       "{containers: [{name: c, env: [{name: MINE, value: z}, {name: A, value: b}]}]}",
       "{containers: [{name: c, env: [{name: A, value: b}]}]}",
       {}},
      {"user's container",
       "{containers: [{name: a, image: i, tty: true}, {name: b}]}",
       "{containers: [{name: a, image: i}]}",
       {}},
      {"between ours",
       "{initContainers: [{name: a}, {name: x}, {name: b}]}",
       "{initContainers: [{name: a}, {name: b}]}",
       {}},
      {"user's affinity",
       "{affinity: {nodeAffinity: {}}, hostNetwork: true}",
       "{hostNetwork: true}",
       {}},
  };
  for (const PodCase& c : pods) Expect(c);
}

TEST(CompareTest, DifferencesAreFound) {
  const PodCase pods[] = {
      {"scalar", "{dnsPolicy: A}", "{dnsPolicy: B}", Other("dnsPolicy")},
      {"absent", "{}", "{dnsPolicy: B}", Absent("dnsPolicy")},
      {"type", "{priority: '1'}", "{priority: 1}", Other("priority")},
      {"image", "{containers: [{name: a, image: x}]}", "{containers: [{name: a, image: y}]}",
       Other("containers[a].image")},
      {"missing variable", "{containers: [{name: c, env: [{name: A}]}]}",
       "{containers: [{name: c, env: [{name: B, value: c}]}]}", Absent("containers[c].env[B]")},
      {"mount", "{containers: [{name: c, volumeMounts: [{mountPath: /a, name: x}]}]}",
       "{containers: [{name: c, volumeMounts: [{mountPath: /a, name: y}]}]}",
       Other("containers[c].volumeMounts[/a].name")},
      {"port", "{containers: [{name: c, ports: [{containerPort: 1, protocol: TCP}]}]}",
       "{containers: [{name: c, ports: [{containerPort: 1, protocol: UDP}]}]}",
       Absent("containers[c].ports[1]")},
      {"default protocol",
       "{containers: [{name: c, ports: [{containerPort: 1, protocol: TCP}]}]}",
       "{containers: [{name: c, ports: [{containerPort: 1}]}]}",
       {}},
      {"a list that is none", "{containers: {}}", "{containers: [{name: a}]}", Other("containers")},
  };
  for (const PodCase& c : pods) Expect(c);
  Expect({"finalizer", kConfigMap, "{metadata: {finalizers: [a]}}", "{metadata: {finalizers: [b]}}",
          Absent("metadata.finalizers")});
  Expect({"service port", kService, "{spec: {ports: [{port: 1, protocol: TCP, targetPort: a}]}}",
          "{spec: {ports: [{port: 1, targetPort: b}]}}", Other("spec.ports[1].targetPort")});
}

TEST(CompareTest, WhatTheApiTakesForOneValueIsExact) {
  const PodCase pods[] = {
      {"node selector with an addition", "{nodeSelector: {kubernetes.io/os: linux, x: y}}",
       "{nodeSelector: {kubernetes.io/os: linux}}", Extra("nodeSelector.x")},
      {"node selector",
       "{nodeSelector: {kubernetes.io/os: linux}}",
       "{nodeSelector: {kubernetes.io/os: linux}}",
       {}},
      {"node selector without a key", "{nodeSelector: {}}",
       "{nodeSelector: {kubernetes.io/os: linux}}", Absent("nodeSelector.kubernetes.io/os")},
      {"arguments", "{containers: [{name: c, args: [a, b]}]}",
       "{containers: [{name: c, args: [b, a]}]}", Other("containers[c].args[0]")},
      {"longer arguments", "{containers: [{name: c, args: [a, b]}]}",
       "{containers: [{name: c, args: [a]}]}", Other("containers[c].args")},
      {"a toleration more", "{tolerations: [{operator: Exists}, {key: x}]}",
       "{tolerations: [{operator: Exists}]}", Other("tolerations")},
      {"a toleration with an addition", "{tolerations: [{operator: Exists, tolerationSeconds: 0}]}",
       "{tolerations: [{operator: Exists}]}", Extra("tolerations[0].tolerationSeconds")},
      {"default of a field reference",
       "{containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: "
       "p}}}]}]}",
       "{containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {fieldPath: p}}}]}]}",
       {}},
  };
  for (const PodCase& c : pods) Expect(c);
  const Case cases[] = {
      {"service selector", kService, "{spec: {selector: {k8s-app: a, x: y}}}",
       "{spec: {selector: {k8s-app: a}}}", Extra("spec.selector.x")},
      {"selector of a workload", kDeployment,
       "{spec: {selector: {matchLabels: {a: b}, matchExpressions: [{key: x, operator: Exists}]}}}",
       "{spec: {selector: {matchLabels: {a: b}}}}", Extra("spec.selector.matchExpressions")},
      {"a rule that was widened", kRole,
       "{rules: [{verbs: [get], resources: [a]}, {verbs: ['*']}]}",
       "{rules: [{verbs: [get], resources: [a]}]}", Other("rules")},
      {"a rule that was narrowed", kRole, "{rules: [{verbs: [get], resourceNames: [x]}]}",
       "{rules: [{verbs: [get]}]}", Extra("rules[0].resourceNames")},
      {"a subject more", kBinding,
       "{subjects: [{kind: ServiceAccount, name: a}, {kind: ServiceAccount, name: b}]}",
       "{subjects: [{kind: ServiceAccount, name: a}]}", Other("subjects")},
      {"default of a subject",
       kBinding,
       "{subjects: [{kind: Group, name: g, apiGroup: rbac.authorization.k8s.io}]}",
       "{subjects: [{kind: Group, name: g}]}",
       {}},
      {"not that subject's default", kBinding,
       "{subjects: [{kind: ServiceAccount, name: g, apiGroup: rbac.authorization.k8s.io}]}",
       "{subjects: [{kind: ServiceAccount, name: g}]}", Extra("subjects[0].apiGroup")},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(CompareTest, SomeKindsAreComparedWhole) {
  const Case cases[] = {
      {"a role that collects others", kRole,
       "{rules: [{verbs: [get]}], aggregationRule: {clusterRoleSelectors: [{}]}}",
       "{rules: [{verbs: [get]}]}", Extra("aggregationRule")},
      {"a label is nobody's business",
       kRole,
       "{metadata: {labels: {a: b}}, rules: [{verbs: [get]}]}",
       "{rules: [{verbs: [get]}]}",
       {}},
      {"a condition that switches off", kPolicy,
       "{spec: {matchConditions: [{name: ours, expression: e}, {name: x, expression: 'false'}]}}",
       "{spec: {matchConditions: [{name: ours, expression: e}]}}", Extra("spec.matchConditions")},
      {"a condition where there was none", kPolicy,
       "{spec: {matchConditions: [{name: x, expression: 'false'}]}}", "{spec: {}}",
       Extra("spec.matchConditions")},
      {"the order of variables", kPolicy,
       "{spec: {variables: [{name: b, expression: e}, {name: a, expression: e}]}}",
       "{spec: {variables: [{name: a, expression: e}, {name: b, expression: e}]}}",
       Other("spec.variables[b]")},
      {"a rule's exclusion", kPolicy,
       "{spec: {matchConstraints: {resourceRules: [{resources: [a]}], excludeResourceRules: "
       "[{resources: [a]}]}}}",
       "{spec: {matchConstraints: {resourceRules: [{resources: [a]}]}}}",
       Extra("spec.matchConstraints.excludeResourceRules")},
      {"the server's defaults",
       kPolicy,
       "{spec: {failurePolicy: Fail, matchConstraints: {matchPolicy: Equivalent, "
       "namespaceSelector: {}, objectSelector: {}, resourceRules: [{resources: [a], scope: "
       "'*'}]}}, status: {observedGeneration: 1}}",
       "{spec: {matchConstraints: {resourceRules: [{resources: [a]}]}}}",
       {}},
      {"a binding's namespaces", kPolicyBinding,
       "{spec: {policyName: p, matchResources: {namespaceSelector: {matchLabels: {a: b}}}}}",
       "{spec: {policyName: p}}", Extra("spec.matchResources")},
      {"a budget's other limit", kBudget,
       "{spec: {maxUnavailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow}}",
       "{spec: {maxUnavailable: 1}}", Extra("spec.unhealthyPodEvictionPolicy")},
      {"a network policy that forbids more", kNetworkPolicy,
       "{spec: {podSelector: {}, ingress: [{}], egress: [{}]}}",
       "{spec: {podSelector: {}, ingress: [{}]}}", Extra("spec.egress")},
      {"a network policy's protocol",
       kNetworkPolicy,
       "{spec: {podSelector: {}, ingress: [{ports: [{port: 1, protocol: TCP}]}]}}",
       "{spec: {podSelector: {}, ingress: [{ports: [{port: 1}]}]}}",
       {}},
      {"an API that nobody verifies", kApiService,
       "{spec: {group: g, insecureSkipTLSVerify: true}}", "{spec: {group: g}}",
       Extra("spec.insecureSkipTLSVerify")},
      {"a budget's status",
       kBudget,
       "{spec: {maxUnavailable: 1}, status: {currentHealthy: 2}}",
       "{spec: {maxUnavailable: 1}}",
       {}},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(CompareTest, OrderAndCountOfKeyedElements) {
  const PodCase pods[] = {
      {"order", "{initContainers: [{name: b}, {name: a}]}",
       "{initContainers: [{name: a}, {name: b}]}", Other("initContainers[b]")},
      {"another source of an empty variable",
       "{containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {fieldPath: p}}}]}]}",
       "{containers: [{name: c, env: [{name: A, value: ''}]}]}",
       Extra("containers[c].env[A].valueFrom")},
      {"twice, the last one counts",
       "{containers: [{name: c, env: [{name: A, value: ours}, {name: A, value: theirs}]}]}",
       "{containers: [{name: c, env: [{name: A, value: ours}]}]}", Other("containers[c].env[A]")},
  };
  for (const PodCase& c : pods) Expect(c);
}

TEST(CompareTest, EmptyEqualsAbsentUnlessItMeansSomething) {
  const PodCase pods[] = {
      {"text", "{}", "{dnsPolicy: ''}", {}},
      {"list", "{}", "{tolerations: []}", {}},
      {"map", "{}", "{nodeSelector: {}}", {}},
      {"null", "{affinity: {}}", "{affinity: null}", Other("affinity")},
      {"null for nothing", "{}", "{affinity: null}", {}},
      {"false that is dropped", "{}", "{hostNetwork: false}", {}},
      {"a struct that is always there",
       "{containers: [{name: c}]}",
       "{containers: [{name: c, resources: {limits: {}}}]}",
       {}},
      {"escalation", "{containers: [{name: c, securityContext: {privileged: false}}]}",
       "{containers: [{name: c, securityContext: {privileged: false, allowPrivilegeEscalation: "
       "false}}]}",
       Absent("containers[c].securityContext.allowPrivilegeEscalation")},
      {"user 0", "{securityContext: {}}", "{securityContext: {runAsUser: 0}}",
       Absent("securityContext.runAsUser")},
      {"an empty source", "{volumes: [{name: v}]}", "{volumes: [{name: v, emptyDir: {}}]}",
       Absent("volumes[v].emptyDir")},
      {"a list that is not empty", "{tolerations: [{key: a}]}", "{tolerations: []}",
       Other("tolerations")},
  };
  for (const PodCase& c : pods) Expect(c);
  Expect({"replicas", kDeployment, "{spec: {}}", "{spec: {replicas: 0}}", Absent("spec.replicas")});
  Expect({"unknown kinds", kUnknown, "{}", "{a: {b: '', c: [], d: 0, e: false}}", {}});
  Expect({"unknown field", kConfigMap, "{}", "{odd: x}", Absent("odd")});
}

TEST(CompareTest, QuantitiesByAmount) {
  Expect(PodCase{"same",
                 "{containers: [{name: c, resources: {limits: {cpu: '1', memory: 50Mi}}}]}",
                 "{containers: [{name: c, resources: {limits: {cpu: 1000m, memory: 51200Ki}}}]}",
                 {}});
  Expect(PodCase{"number",
                 "{containers: [{name: c, resources: {limits: {cpu: '1'}}}]}",
                 "{containers: [{name: c, resources: {limits: {cpu: 1}}}]}",
                 {}});
  Expect(PodCase{"other", "{containers: [{name: c, resources: {limits: {cpu: 10m}}}]}",
                 "{containers: [{name: c, resources: {limits: {cpu: 11m}}}]}",
                 Other("containers[c].resources.limits.cpu")});
  Expect(PodCase{"elsewhere texts count", "{dnsPolicy: '1'}", "{dnsPolicy: 1000m}",
                 Other("dnsPolicy")});
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
  struct ImmutableCase {
    const char* name;
    const char* kind;
    const char* live;
    const char* desired;
    std::optional<std::string> path;
  };
  const ImmutableCase cases[] = {
      {"same role",
       kBinding,
       "{roleRef: {kind: ClusterRole, name: a}}",
       "{roleRef: {kind: ClusterRole, name: a}}",
       {}},
      {"default of a reference",
       kBinding,
       "{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: a}}",
       "{roleRef: {kind: ClusterRole, name: a}}",
       {}},
      {"other role", kBinding, "{roleRef: {kind: ClusterRole, name: b}}",
       "{roleRef: {kind: ClusterRole, name: a}}", "roleRef"},
      {"type", kSecret, "{type: a}", "{type: b}", "type"},
      {"a type that means nothing", kService, "{type: a}", "{type: b}", {}},
      {"selector", kDaemonSet, "{spec: {selector: {matchLabels: {a: b}}}}",
       "{spec: {selector: {matchLabels: {a: c}}}}", "spec.selector"},
      {"closed", kConfigMap, "{immutable: true, data: {a: b}}", "{data: {a: b}}", "immutable"},
      {"closed Secret", kSecret, "{immutable: true}", "{}", "immutable"},
      {"closed on purpose", kConfigMap, "{immutable: true}", "{immutable: true}", {}},
      {"open", kConfigMap, "{immutable: false}", "{}", {}},
      {"not a field of that kind", kService, "{immutable: true}", "{}", {}},
      {"a kind that is not known", kUnknown, "{immutable: true}", "{}", {}},
  };
  for (const ImmutableCase& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(ImmutableDifference(Schema::Kubernetes(), Of(c.kind, c.live), Of(c.kind, c.desired)),
              c.path);
  }
}

}  // namespace
}  // namespace calico::kube
