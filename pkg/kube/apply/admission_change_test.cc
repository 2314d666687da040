#include "pkg/kube/apply/admission_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

json::object Workload(std::string_view pod_spec) {
  json::object object =
      codec::ParseYaml("{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}}")->as_object();
  object["spec"] = {{"template", {{"spec", *codec::ParseYaml(pod_spec)}}}};
  return object;
}

struct Case {
  const char* name;
  const char* desired;
  const char* answer;
  const char* path;  // below spec.template.spec
};

TEST(AdmissionChangeTest, MirrorsAndPlacementAreHarmless) {
  const Case cases[] = {
      {"registry", "{containers: [{name: c, image: quay.io/calico/node:v3}]}",
       "{containers: [{name: c, image: mirror.example.com:5000/q/node:v3}]}",
       "containers[c].image"},
      {"digest of the tag", "{initContainers: [{name: i, image: quay.io/calico/cni:v3}]}",
       "{initContainers: [{name: other, image: x}, {name: i, image: quay.io/calico/cni:v3@sha256:a}"
       "]}",
       "initContainers[i].image"},
      {"tolerations", "{tolerations: [{operator: Exists}, {key: a}]}",
       "{tolerations: [{key: z}, {operator: Exists}, {key: a}, {key: b}]}", "tolerations"},
      {"nodeSelector", "{nodeSelector: {a: b}}", "{nodeSelector: {a: b, c: d}}", "nodeSelector"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const json::object answer = Workload(c.answer);
    const AdmissionChanges changes = ChangesOf(answer, Workload(c.desired));
    EXPECT_THAT(changes.paths, ElementsAre(std::string("spec.template.spec.") + c.path));
    EXPECT_EQ(changes.other, std::nullopt);
  }
}

TEST(AdmissionChangeTest, EverythingElseIsSomebodyWhoWritesWhatIsOurs) {
  const Case cases[] = {
      {"another tag", "{containers: [{name: c, image: q/node:v3}]}",
       "{containers: [{name: c, image: q/node:v3.1}]}", "containers[c].image"},
      {"another digest", "{containers: [{name: c, image: 'q/node@sha256:a'}]}",
       "{containers: [{name: c, image: 'q/node@sha256:b'}]}", "containers[c].image"},
      {"another name", "{containers: [{name: c, image: q/node:v3}]}",
       "{containers: [{name: c, image: q/evil-node:v3}]}", "containers[c].image"},
      {"args", "{containers: [{name: c, args: [a]}]}", "{containers: [{name: c, args: [a, b]}]}",
       "containers[c].args"},
      {"a toleration less", "{tolerations: [{key: a}, {key: b}]}",
       "{tolerations: [{key: b}, {key: c}, {key: d}]}", "tolerations"},
      {"another order", "{tolerations: [{key: a}, {key: b}]}",
       "{tolerations: [{key: b}, {key: a}, {key: c}]}", "tolerations"},
      {"nodeSelector", "{nodeSelector: {a: b}}", "{nodeSelector: {a: x, c: d}}", "nodeSelector.a"},
      {"priority", "{priorityClassName: a}", "{priorityClassName: b}", "priorityClassName"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AdmissionChanges changes = ChangesOf(Workload(c.answer), Workload(c.desired));
    EXPECT_THAT(changes.paths, IsEmpty());
    EXPECT_EQ(changes.other, std::string("spec.template.spec.") + c.path);
  }
}

TEST(AdmissionChangeTest, TheSameAndWhatHasNoPodsIsNoChange) {
  const json::object same = Workload("{tolerations: [{key: a}]}");
  EXPECT_THAT(ChangesOf(same, same).paths, IsEmpty());
  const json::object other =
      codec::ParseYaml("{kind: ConfigMap, spec: {template: x}}")->as_object();
  EXPECT_THAT(ChangesOf(other, other).paths, IsEmpty());
}

}  // namespace
}  // namespace calico::kube
