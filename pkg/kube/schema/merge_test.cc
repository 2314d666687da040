#include "pkg/kube/schema/merge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/schema/shape.h"

namespace calico::kube {
namespace {

using base::IsOk;
using base::StatusIs;
using testing::HasSubstr;

json::object Pod(std::string_view spec) {
  const absl::StatusOr<json::value> value = codec::ParseYaml(fmt::format(
      "{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: d, labels: {{a: b}}}}, "
      "spec: {{template: {{spec: {}}}}}}}",
      spec));
  EXPECT_TRUE(value.ok()) << value.status() << spec;
  return value->as_object();
}

absl::StatusOr<json::object> MergePods(std::string_view base, std::string_view patch) {
  return Merge(Schema::Kubernetes(), Pod(base), Pod(patch));
}

struct Case {
  const char* name;
  const char* base;
  const char* patch;
  const char* merged;
};

void Expect(const Case& c) {
  SCOPED_TRACE(c.name);
  const absl::StatusOr<json::object> merged = MergePods(c.base, c.patch);
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(codec::Serialize(*merged), codec::Serialize(Pod(c.merged)));
}

TEST(MergeTest, StructsAndMapsMerge) {
  const Case cases[] = {
      {"scalar", "{dnsPolicy: A, priority: 1}", "{dnsPolicy: B}", "{dnsPolicy: B, priority: 1}"},
      {"new struct", "{}", "{securityContext: {runAsUser: 0}}",
       "{securityContext: {runAsUser: 0}}"},
      {"inside", "{securityContext: {runAsUser: 1, runAsGroup: 2}}",
       "{securityContext: {runAsUser: 0}}", "{securityContext: {runAsUser: 0, runAsGroup: 2}}"},
      {"null removes", "{dnsPolicy: A, priority: 1}", "{dnsPolicy: null}", "{priority: 1}"},
      {"null of what is absent", "{}", "{dnsPolicy: null}", "{}"},
      {"map", "{containers: [{name: c, resources: {limits: {cpu: 1, memory: 2}}}]}",
       "{containers: [{name: c, resources: {limits: {cpu: 3, memory: null}}}]}",
       "{containers: [{name: c, resources: {limits: {cpu: 3}}}]}"},
      {"struct deleted", "{securityContext: {runAsUser: 1}, priority: 1}",
       "{securityContext: {$patch: delete}}", "{priority: 1}"},
      {"struct replaced", "{securityContext: {runAsUser: 1, runAsGroup: 2}}",
       "{securityContext: {$patch: replace, runAsGroup: 3}}", "{securityContext: {runAsGroup: 3}}"},
      {"map replaced", "{containers: [{name: c, resources: {limits: {cpu: 1}}}]}",
       "{containers: [{name: c, resources: {limits: {$patch: replace, memory: 2}}}]}",
       "{containers: [{name: c, resources: {limits: {memory: 2}}}]}"},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(MergeTest, KeyedListsMergeByKey) {
  const Case cases[] = {
      {"element", "{containers: [{name: a, image: x, tty: true}, {name: b}]}",
       "{containers: [{name: a, image: z}]}",
       "{containers: [{name: a, image: z, tty: true}, {name: b}]}"},
      {"new ones come last", "{containers: [{name: a}]}", "{containers: [{name: b, image: z}]}",
       "{containers: [{name: a}, {name: b, image: z}]}"},
      {"new list", "{}", "{containers: [{name: b}]}", "{containers: [{name: b}]}"},
      {"deleted", "{containers: [{name: a}, {name: b}]}",
       "{containers: [{name: a, $patch: delete}]}", "{containers: [{name: b}]}"},
      {"element replaced", "{containers: [{name: a, image: x}]}",
       "{containers: [{$patch: replace, name: a, tty: true}]}",
       "{containers: [{name: a, tty: true}]}"},
      {"list replaced", "{containers: [{name: a}, {name: b}]}",
       "{containers: [{$patch: replace}, {name: c}]}", "{containers: [{name: c}]}"},
      {"variables", "{containers: [{name: a, env: [{name: A, value: x}]}]}",
       "{containers: [{name: a, env: [{name: B, value: w}, {name: A, value: z}]}]}",
       "{containers: [{name: a, env: [{name: A, value: z}, {name: B, value: w}]}]}"},
      {"a variable's source",
       "{containers: [{name: a, env: [{name: A, valueFrom: {fieldRef: {fieldPath: p}}}]}]}",
       "{containers: [{name: a, env: [{name: A, valueFrom: null, value: z}]}]}",
       "{containers: [{name: a, env: [{name: A, value: z}]}]}"},
      {"ports by both keys", "{containers: [{name: a, ports: [{containerPort: 1}]}]}",
       "{containers: [{name: a, ports: [{containerPort: 1, protocol: UDP}, {containerPort: 1, "
       "name: x}]}]}",
       "{containers: [{name: a, ports: [{containerPort: 1, name: x}, {containerPort: 1, protocol: "
       "UDP}]}]}"},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(MergeTest, WhatIsOneValueIsReplaced) {
  const Case cases[] = {
      {"map", "{nodeSelector: {a: b}}", "{nodeSelector: {c: d}}", "{nodeSelector: {c: d}}"},
      {"list", "{tolerations: [{key: a}, {key: b}]}", "{tolerations: [{key: c}]}",
       "{tolerations: [{key: c}]}"},
      {"empty list", "{tolerations: [{key: a}]}", "{tolerations: []}", "{tolerations: []}"},
      {"struct",
       "{containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: "
       "p}}}]}]}",
       "{containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {fieldPath: q}}}]}]}",
       "{containers: [{name: c, env: [{name: A, valueFrom: {fieldRef: {fieldPath: q}}}]}]}"},
  };
  for (const Case& c : cases) Expect(c);
}

TEST(MergeTest, ListsThatAreOneValueAreAppendedToWhenAsked) {
  const Case cases[] = {
      {"to a list", "{tolerations: [{key: a}]}",
       "{tolerations: [{$patch: append}, {key: b}, {key: c}]}",
       "{tolerations: [{key: a}, {key: b}, {key: c}]}"},
      {"to none", "{}", "{tolerations: [{$patch: append}, {key: b}]}", "{tolerations: [{key: b}]}"},
      {"nothing", "{tolerations: [{key: a}]}", "{tolerations: [{$patch: append}]}",
       "{tolerations: [{key: a}]}"},
  };
  for (const Case& c : cases) Expect(c);
  const auto merged = Merge(Schema::Kubernetes(),
                            {{"apiVersion", "rbac.authorization.k8s.io/v1"},
                             {"kind", "ClusterRole"},
                             {"rules", json::array{json::object{{"verbs", json::array{"get"}}}}}},
                            {{"rules", json::array{json::object{{"$patch", "append"}},
                                                   json::object{{"verbs", json::array{"use"}}}}}});
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(merged->at("rules").as_array().size(), 2U);
}

TEST(MergeTest, SetsAreUnited) {
  json::object base = Pod("{}");
  base["metadata"].as_object()["finalizers"] = json::array{"a", "b"};
  const auto merged = Merge(Schema::Kubernetes(), base,
                            json::object{{"metadata", {{"finalizers", json::array{"b", "c"}}}}});
  ASSERT_THAT(merged, IsOk());
  EXPECT_EQ(merged->at("metadata").at("finalizers"), (json::value{"a", "b", "c"}));
}

TEST(MergeTest, BadPatchesAreRefusedWithTheirPath) {
  struct ErrorCase {
    const char* patch;
    const char* error;
  };
  const ErrorCase cases[] = {
      {"{dnsPolcy: A}", "spec.template.spec.dnsPolcy: PodSpec has no such field"},
      {"{dnsPolicy: 1}", "spec.template.spec.dnsPolicy: expected string, got number"},
      {"{priority: high}", "spec.template.spec.priority: expected integer"},
      {"{hostNetwork: 'true'}", "spec.template.spec.hostNetwork: expected boolean"},
      {"{containers: {name: a}}", "spec.template.spec.containers: expected array"},
      {"{containers: [{image: a}]}", "spec.template.spec.containers: no name"},
      {"{containers: [text]}", "spec.template.spec.containers: expected object"},
      {"{containers: [{name: c, env: [{name: A, valu: x}]}]}",
       "spec.template.spec.containers[c].env[A].valu: EnvVar has no such field"},
      {"{containers: [{name: nope, $patch: delete}]}",
       "containers[nope]: is not there to be deleted"},
      {"{containers: [{name: c, $patch: gone}]}", "containers[c].$patch: expected merge"},
      {"{containers: [{$patch: delete}]}", "containers: an element without its key"},
      {"{nodeSelector: {a: 1}}", "nodeSelector.a: expected string"},
      {"{nodeSelector: {a: null}}", "nodeSelector.a: expected string, got null"},
      {"{nodeSelector: {$patch: replace, a: b}}", "nodeSelector.$patch: this is one value"},
      {"{nodeSelector: [a]}", "nodeSelector: expected object"},
      {"{tolerations: [{kee: a}]}", "tolerations[0].kee: Toleration has no such field"},
      {"{tolerations: x}", "tolerations: expected array"},
      {"{tolerations: [{$patch: append}, {kee: a}]}", "tolerations[0].kee: Toleration has no such"},
      {"{tolerations: [{key: a}, {$patch: append}]}", "tolerations[1].$patch: Toleration has no"},
      {"{containers: [{$patch: append}]}", "containers.$patch: expected merge, replace or delete"},
      {"{containers: [{name: c, resources: {limits: {cpu: {}}}}]}",
       "containers[c].resources.limits.cpu: expected quantity"},
      {"{containers: [{name: c, livenessProbe: {httpGet: {port: {}}}}]}",
       "containers[c].livenessProbe.httpGet.port: expected integer or string"},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_THAT(MergePods("{containers: [{name: c}]}", c.patch),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.patch;
  }
}

TEST(MergeTest, TheKindMustFit) {
  EXPECT_THAT(Merge(Schema::Kubernetes(), Pod("{}"), {{"kind", "Deployment"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kind: not that of")));
  EXPECT_THAT(Merge(Schema::Kubernetes(), {{"kind", "Odd"}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown kind")));
  EXPECT_THAT(Merge(Schema::Kubernetes(), Pod("{}"), {{"$patch", "delete"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not possible here")));
}

TEST(ShapeTest, GoodObjects) {
  EXPECT_THAT(CheckShape(Schema::Kubernetes(),
                         Pod("{containers: [{name: a, env: [{name: A}, {name: B}], resources: "
                             "{limits: {cpu: 1}}}], nodeSelector: {a: b}, tolerations: [{}]}")),
              IsOk());
}

TEST(ShapeTest, BadObjects) {
  struct ErrorCase {
    const char* pod;
    const char* error;
  };
  const ErrorCase cases[] = {
      {"{hostNetwrk: true}", "spec.template.spec.hostNetwrk: PodSpec has no such field"},
      {"{containers: [{name: a}, {name: a}]}",
       "spec.template.spec.containers[1]: a is there twice"},
      {"{containers: [{image: a}]}", "spec.template.spec.containers[0]: no name"},
      {"{containers: [null]}", "spec.template.spec.containers[0]: expected object, got null"},
      {"{dnsPolicy: null}", "dnsPolicy: expected string, got null"},
      {"[]", "spec.template.spec: expected object, got array"},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_THAT(CheckShape(Schema::Kubernetes(), Pod(c.pod)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.pod;
  }
  EXPECT_THAT(CheckShape(Schema::Kubernetes(), json::object()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown kind")));
}

}  // namespace
}  // namespace calico::kube
