#include "pkg/kube/apply/plan.h"

#include <map>

#include <absl/strings/str_replace.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::kube {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kOwner[] = "owner-uid";
constexpr char kManager[] = "tester";

json::object Object(std::string_view yaml) {
  absl::StatusOr<json::value> value = codec::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  json::object object = std::move(value->as_object());
  object["metadata"].as_object()["ownerReferences"] =
      json::array{{{"kind", "Owner"}, {"name", "o"}, {"uid", kOwner}, {"controller", true}}};
  return object;
}

// What the API server holds, as the watch has shown it.
class Cluster : public LiveSource {
 public:
  void Add(json::object object) {
    json::object& metadata = object["metadata"].as_object();
    metadata["uid"] = fmt::format("uid-{}", objects_.size());
    if (!metadata.contains("managedFields")) {
      metadata["managedFields"] = json::array{{{"manager", kManager}, {"operation", "Apply"}}};
    }
    const auto live = LiveObject::Decode(object, kManager);
    ASSERT_TRUE(live.ok()) << live.status();
    const api::Resource* const resource =
        api::FindResource(std::string(object.at("apiVersion").as_string()),
                          std::string(object.at("kind").as_string()));
    objects_.emplace_back(resource, std::make_shared<const LiveObject>(*live));
  }
  // As it is when it was applied.
  void AddApplied(const DesiredObject& desired) { Add(desired.object); }

  std::shared_ptr<const LiveObject> Get(const api::Resource& resource,
                                        const api::ObjectKey& key) const override {
    for (const auto& [kind, object] : objects_) {
      if (*kind == resource && object->key == key) return object;
    }
    return nullptr;
  }
  void ForEach(
      const std::function<void(const api::Resource&, const LiveObject&)>& visit) const override {
    for (const auto& [kind, object] : objects_) visit(*kind, *object);
  }

 private:
  std::vector<std::pair<const api::Resource*, std::shared_ptr<const LiveObject>>> objects_;
};

DesiredObject Desired(json::object object) {
  absl::StatusOr<DesiredObject> desired = MakeDesired(std::move(object), "x/applied");
  EXPECT_TRUE(desired.ok()) << desired.status();
  return *std::move(desired);
}

ApplyPlan Plan(const std::vector<DesiredObject>& desired, const Cluster& cluster) {
  return MakePlan({.desired = &desired, .live = &cluster, .owner_uid = kOwner, .just_sent = {}});
}

constexpr char kConfig[] =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}, data: {a: x}}";
constexpr char kDaemonSet[] =
    "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d, namespace: ns}, spec: {selector: "
    "{matchLabels: {app: d}}, template: {spec: {nodeSelector: {os: linux}}}}}";

TEST(PlanTest, WhatIsAbsentIsAppliedAndWhatIsThereIsNot) {
  const std::vector<DesiredObject> desired = {Desired(Object(kConfig)),
                                              Desired(Object(kDaemonSet))};
  Cluster cluster;
  cluster.AddApplied(desired[1]);
  const ApplyPlan plan = Plan(desired, cluster);
  ASSERT_EQ(plan.applies.size(), 1U);
  EXPECT_EQ(plan.applies[0].index, 0U);
  EXPECT_EQ(plan.applies[0].difference, "");
  EXPECT_THAT(plan.deletes, IsEmpty());
  cluster.AddApplied(desired[0]);
  EXPECT_TRUE(Plan(desired, cluster).empty());
}

TEST(PlanTest, NamesWhatDiffersAndNotTheHash) {
  struct Case {
    const char* name;
    void (*change)(json::object& live);
    const char* difference;
  };
  const Case cases[] = {
      {"by hand",
       [](json::object& live) {
         live["spec"]
             .as_object()["template"]
             .as_object()["spec"]
             .as_object()["nodeSelector"]
             .as_object()["x"] = "y";
       },
       "spec.template.spec.nodeSelector.x"},
      {"an older rendering, which held what this one holds",
       [](json::object& live) {
         live["metadata"].as_object()["annotations"].as_object()["x/applied"] = "other";
       },
       "metadata.annotations.x/applied"},
      {"an older rendering, with what differs",
       [](json::object& live) {
         live["metadata"].as_object()["annotations"].as_object()["x/applied"] = "other";
         live["spec"].as_object()["template"].as_object()["spec"].as_object().erase("nodeSelector");
       },
       "spec.template.spec.nodeSelector"},
  };
  for (const Case& c : cases) {
    const std::vector<DesiredObject> desired = {Desired(Object(kDaemonSet))};
    json::object live = desired[0].object;
    c.change(live);
    Cluster cluster;
    cluster.Add(live);
    const ApplyPlan plan = Plan(desired, cluster);
    ASSERT_EQ(plan.applies.size(), 1U) << c.name;
    EXPECT_EQ(plan.applies[0].difference, c.difference) << c.name;
    EXPECT_THAT(plan.applies[0].obstacle, IsOk());
  }
}

TEST(PlanTest, WhatWasSentAMomentAgoIsNotSentAgain) {
  const std::vector<DesiredObject> desired = {Desired(Object(kConfig))};
  const Cluster cluster;
  const ApplyPlan plan =
      MakePlan({.desired = &desired,
                .live = &cluster,
                .owner_uid = kOwner,
                .just_sent = [](const DesiredObject& object, const LiveObject* live) {
                  EXPECT_EQ(object.key.name, "c");
                  EXPECT_EQ(live, nullptr);
                  return true;
                }});
  EXPECT_TRUE(plan.empty());
}

TEST(PlanTest, OnlyOursIsDeletedAndInOrder) {
  Cluster cluster;
  cluster.Add(Object("{apiVersion: v1, kind: Service, metadata: {name: s, namespace: ns}}"));
  cluster.Add(Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ns}}"));
  cluster.Add(Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}"));
  cluster.Add(
      Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: going, namespace: ns, "
             "deletionTimestamp: '2026-01-01T00:00:00Z'}}"));
  cluster.Add(
      Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: foreign, namespace: ns, "
             "managedFields: [{manager: other, operation: Apply}, {manager: tester, "
             "operation: Update}]}}"));
  json::object of_another = Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: z}}");
  of_another["metadata"].as_object()["ownerReferences"].as_array()[0].as_object()["uid"] = "z";
  cluster.Add(of_another);
  json::object of_nobody = Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: zz}}");
  of_nobody["metadata"].as_object().erase("ownerReferences");
  cluster.Add(of_nobody);
  const std::vector<DesiredObject> none;
  const auto deleted = [&](bool removes_ownerless) {
    std::vector<std::string> names;
    const ApplyPlan plan = MakePlan({.desired = &none,
                                     .live = &cluster,
                                     .owner_uid = kOwner,
                                     .removes_ownerless = removes_ownerless,
                                     .just_sent = {}});
    for (const DeleteStep& step : plan.deletes) {
      names.push_back(fmt::format("{} {} {}", step.resource->kind, step.key.ToString(), step.uid));
    }
    return names;
  };
  EXPECT_THAT(deleted(false),
              ElementsAre("ConfigMap ns/a uid-2", "ConfigMap ns/b uid-1", "Service ns/s uid-0"));
  EXPECT_THAT(deleted(true), ElementsAre("ConfigMap zz uid-6", "ConfigMap ns/a uid-2",
                                         "ConfigMap ns/b uid-1", "Service ns/s uid-0"));
}

TEST(PlanTest, WhatCannotBeChangedIsMadeAnewWhereNobodyMissesIt) {
  struct Case {
    const char* name;
    const char* desired;
    const char* live;
    const char* path;
    bool is_harmful;
  };
  const char* const daemon_set =
      "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: o, namespace: ns}, spec: {selector: "
      "{matchLabels: {a: b}}}}";
  const char* const deployment =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: o, namespace: ns}, spec: "
      "{selector: {matchLabels: {a: b}}}}";
  const char* const binding =
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: o}, "
      "roleRef: {kind: ClusterRole, name: r}}";
  const Case cases[] = {
      {"role of a binding", binding,
       "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: o}, "
       "roleRef: {kind: ClusterRole, name: cluster-admin}}",
       "roleRef", false},
      {"role that gathers the rules of others",
       "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: o}, "
       "rules: [{verbs: [get]}]}",
       "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: o}, "
       "rules: [{verbs: [get]}], aggregationRule: {clusterRoleSelectors: [{matchLabels: {a: "
       "b}}]}}",
       "aggregationRule", false},
      {"closed ConfigMap",
       "{apiVersion: v1, kind: ConfigMap, metadata: {name: o, namespace: ns}, data: {a: b}}",
       "{apiVersion: v1, kind: ConfigMap, metadata: {name: o, namespace: ns}, data: {a: b}, "
       "immutable: true}",
       "immutable", false},
      {"selector of a workload that has no pod", daemon_set,
       "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: o, namespace: ns}, spec: "
       "{selector: {matchLabels: {a: c}}}, status: {currentNumberScheduled: 0}}",
       "spec.selector", false},
      {"selector of a DaemonSet with pods", daemon_set,
       "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: o, namespace: ns}, spec: "
       "{selector: {matchLabels: {a: c}}}, status: {currentNumberScheduled: 2}}",
       "spec.selector", true},
      {"selector of a Deployment with pods", deployment,
       "{apiVersion: apps/v1, kind: Deployment, metadata: {name: o, namespace: ns}, spec: "
       "{selector: {matchLabels: {a: c}}}, status: {replicas: 1}}",
       "spec.selector", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::vector<DesiredObject> desired = {Desired(Object(c.desired))};
    json::object live = Object(c.live);
    live["metadata"].as_object()["annotations"] =
        desired[0].object.at("metadata").at("annotations");
    Cluster cluster;
    cluster.Add(live);
    const ApplyPlan plan = Plan(desired, cluster);
    ASSERT_EQ(plan.applies.size(), 1U);
    const ApplyStep& step = plan.applies[0];
    EXPECT_THAT(step.difference, HasSubstr(c.path));
    EXPECT_EQ(step.delete_uid, c.is_harmful ? "" : "uid-0");
    if (c.is_harmful) {
      const std::string what = fmt::format("{} is not what it must be", c.path);
      EXPECT_THAT(step.obstacle, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(what)));
      EXPECT_THAT(std::string(step.obstacle.message()),
                  HasSubstr(fmt::format("`kubectl delete {} --namespace ns o`",
                                        desired[0].resource->plural)));
    } else {
      EXPECT_THAT(NeedsNewObject(desired[0], live), IsOkAndHolds(true));
    }
  }
  EXPECT_THAT(NeedsNewObject(Desired(Object(kConfig)), Object(kConfig)), IsOkAndHolds(false));
  // Nobody is told to delete what takes more along than itself.
  const char* const service =
      "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: ns}, spec: {clusterIP: %s}}";
  const auto with = [&](const char* address) {
    return Object(absl::StrReplaceAll(service, {{"%s", address}}));
  };
  const absl::Status refused = NeedsNewObject(Desired(with("10.0.0.1")), with("10.0.0.2")).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.message()), testing::Not(HasSubstr("kubectl")));
}

TEST(PlanTest, Waves) {
  EXPECT_EQ(WaveOf(api::kNamespaces), Wave::kNamespacesAndRoles);
  // The API server looks into the role before it takes a binding of somebody who may not bind all.
  EXPECT_EQ(WaveOf(api::kClusterRoles), Wave::kNamespacesAndRoles);
  EXPECT_EQ(WaveOf(api::kRoles), Wave::kNamespacesAndRoles);
  EXPECT_EQ(WaveOf(api::kClusterRoleBindings), Wave::kConfiguration);
  EXPECT_EQ(WaveOf(api::kApiServices), Wave::kConfiguration);
  EXPECT_EQ(WaveOf(api::kSecrets), Wave::kSecrets);
  EXPECT_EQ(WaveOf(api::kDaemonSets), Wave::kWorkloads);
  EXPECT_EQ(WaveOf(api::kDeployments), Wave::kWorkloads);
}

TEST(PlanTest, TheHashLeavesOwnersOut) {
  json::object other = Object(kConfig);
  other["metadata"].as_object()["ownerReferences"] = json::array();
  const DesiredObject a = Desired(Object(kConfig));
  const DesiredObject b = Desired(other);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_EQ(a.object.at("metadata").at("annotations").at("x/applied").as_string(),
            json::string(a.hash));
  EXPECT_NE(a.hash, Desired(Object(kDaemonSet)).hash);
}

// The API server keeps a copy of it, which comes back when only serviceAccountName is left out.
TEST(PlanTest, AnAccountThatIsNoLongerAskedForIsTakenAway) {
  const auto daemon_set = [](std::string_view account) {
    return Object(
        fmt::format("{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: d, namespace: ns}}, "
                    "spec: {{template: {{spec: {{{} containers: [{{name: c, image: i}}]}}}}}}}}",
                    account));
  };
  const DesiredObject with = Desired(daemon_set("serviceAccountName: a,"));
  const DesiredObject without = Desired(daemon_set(""));
  Cluster cluster;
  json::object live = daemon_set("serviceAccount: a, serviceAccountName: a,");
  live["metadata"].as_object()["annotations"] = {{"x/applied", without.hash}};
  cluster.Add(std::move(live));
  const ApplyPlan plan = Plan({without}, cluster);
  ASSERT_EQ(plan.applies.size(), 1u);
  EXPECT_THAT(plan.applies[0].difference, HasSubstr("serviceAccount"));
  const json::object& pod = without.object.at("spec").at("template").at("spec").as_object();
  EXPECT_EQ(pod.at("serviceAccount").as_string(), "");
  EXPECT_EQ(pod.at("serviceAccountName").as_string(), "");
  EXPECT_FALSE(
      with.object.at("spec").at("template").at("spec").as_object().contains("serviceAccount"));
  // One that never had an account is in place.
  Cluster fresh;
  json::object never = daemon_set("");
  never["metadata"].as_object()["annotations"] = {{"x/applied", without.hash}};
  fresh.Add(std::move(never));
  EXPECT_THAT(Plan({without}, fresh).applies, IsEmpty());
}

TEST(PlanTest, UnknownKindsAndNamelessObjectsAreNoDesiredObjects) {
  EXPECT_THAT(MakeDesired(Object("{apiVersion: x/v1, kind: Other, metadata: {name: z}}"), "h"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown kind")));
  EXPECT_THAT(MakeDesired(Object("{apiVersion: v1, kind: ConfigMap, metadata: {}}"), "h"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// --- preconditions ---

constexpr char kSecret[] = "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}";

json::object WithVersion(std::string_view yaml, const char* uid, const char* version) {
  json::object object = Object(yaml);
  object["metadata"].as_object()["uid"] = uid;
  object["metadata"].as_object()["resourceVersion"] = version;
  return object;
}

TEST(PlanTest, WhatWasReadIsNoPartOfTheObject) {
  const DesiredObject plain = Desired(Object(kSecret));
  const DesiredObject read = Desired(WithVersion(kSecret, "uid-0", "7"));
  EXPECT_EQ(read.object, plain.object);
  EXPECT_EQ(read.hash, plain.hash);
  EXPECT_TRUE(read.has_precondition());
  EXPECT_EQ(read.made_from.resource_version, "7");
  EXPECT_FALSE(plain.has_precondition());
}

TEST(PlanTest, WhatSomebodyElseHasPutThereMeanwhileIsNotReplaced) {
  json::object live = Object(kSecret);
  live["metadata"].as_object()["resourceVersion"] = "7";
  Cluster cluster;
  cluster.Add(live);
  const auto plan = [&](const char* uid, const char* version, bool is_own) {
    const std::vector<DesiredObject> desired = {Desired(WithVersion(kSecret, uid, version))};
    return MakePlan(
        {.desired = &desired,
         .live = &cluster,
         .owner_uid = kOwner,
         .just_sent = {},
         .is_own_version = [&](const DesiredObject&, const LiveObject&) { return is_own; }});
  };
  EXPECT_EQ(plan("uid-0", "7", false).applies.size(), 1U);  // the hash is missing
  EXPECT_EQ(plan("uid-0", "6", true).applies.size(), 1U);
  for (const auto& [uid, version, is_own] :
       {std::tuple("uid-0", "6", false), std::tuple("uid-1", "7", true)}) {
    const ApplyPlan superseded = plan(uid, version, is_own);
    EXPECT_THAT(superseded.superseded, ElementsAre(0U));
    EXPECT_TRUE(superseded.empty());
  }
  const std::vector<DesiredObject> gone = {Desired(WithVersion(
      "{apiVersion: v1, kind: Secret, metadata: {name: other, namespace: ns}}", "uid-0", "7"))};
  EXPECT_THAT(MakePlan({.desired = &gone, .live = &cluster, .owner_uid = kOwner, .just_sent = {}})
                  .superseded,
              ElementsAre(0U));
}

// Between the two requests it would be nowhere: a CA that is lost so is another CA.
TEST(PlanTest, WhatHasAPreconditionIsNeverDeletedToBeMadeAnew) {
  json::object closed = Object(kSecret);
  closed["metadata"].as_object()["resourceVersion"] = "7";
  closed["immutable"] = true;
  Cluster cluster;
  cluster.Add(closed);
  for (const bool has_precondition : {false, true}) {
    const std::vector<DesiredObject> desired = {
        Desired(has_precondition ? WithVersion(kSecret, "uid-0", "7") : Object(kSecret))};
    const ApplyPlan plan =
        MakePlan({.desired = &desired, .live = &cluster, .owner_uid = kOwner, .just_sent = {}});
    ASSERT_EQ(plan.applies.size(), 1U);
    EXPECT_EQ(plan.applies[0].delete_uid, has_precondition ? "" : "uid-0");
  }
}

}  // namespace
}  // namespace calico::kube
