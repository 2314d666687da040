#include "pkg/kube/apply/applier.h"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/apply/live_objects.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::kube {
namespace {

using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kOwner[] = "owner-uid";
constexpr char kNamespace[] = "{apiVersion: v1, kind: Namespace, metadata: {name: ns}}";
constexpr char kConfig[] =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}, data: {a: x, b: y}}";
constexpr char kWorkload[] =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: {replicas: "
    "2}}";
constexpr char kOtherWorkload[] =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: {replicas: "
    "3}}";
constexpr char kBinding[] =
    "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, "
    "roleRef: {kind: ClusterRole, name: r}}";

json::object Object(std::string_view yaml) {
  absl::StatusOr<json::value> value = codec::ParseYaml(yaml);
  EXPECT_TRUE(value.ok()) << value.status();
  json::object object = std::move(value->as_object());
  json::object& metadata = object["metadata"].as_object();
  metadata["labels"] = json::object{{"mine", "yes"}};
  metadata["ownerReferences"] = json::array{{{"apiVersion", "v1"},
                                             {"kind", "Owner"},
                                             {"name", "o"},
                                             {"uid", kOwner},
                                             {"controller", true}}};
  return object;
}

class ApplierTest : public FakeApiServerTest {
 protected:
  // Everything, with the caches filled.
  aio::Task<void> Start() {
    live_ = std::make_unique<LiveObjects>(
        client(),
        std::vector<LiveKind>{{&api::kNamespaces, ""},
                              {&api::kConfigMaps, "ns"},
                              {&api::kDeployments, "ns"},
                              {&api::kClusterRoleBindings, ""},
                              {&api::kValidatingAdmissionPolicies, "", LiveKind::When::kIfServed},
                              {&api::kSecrets, "ns", LiveKind::When::kLater}},
        "mine=yes", "tester", base::SystemClock(), logger(), executor());
    live_->AddObserver([this](const api::Resource&, const api::ObjectKey&) { ++changes_; });
    applier_ = std::make_unique<Applier>(
        client(), *live_, ApplierOptions{.field_manager = "tester", .hash_annotation = "x/applied"},
        clock_, logger(), executor());
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(live_->Run());
    EXPECT_THAT(co_await live_->WaitForSync(absl::Seconds(10)), base::IsOk());
    server().ClearRequests();
  }
  aio::Task<void> Finish() { co_await group_->Stop(); }

  aio::Task<ApplyReport> Apply(std::vector<const char*> yamls) {
    std::vector<json::object> objects;
    for (const char* yaml : yamls) objects.push_back(Object(yaml));
    return applier_->Apply(std::move(objects), kOwner);
  }
  // Waits until the cache shows what `condition` wants.
  aio::Task<void> Until(std::function<bool()> condition) {
    for (int i = 0; i < 500 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), base::IsOk());
    }
    EXPECT_TRUE(condition());
  }
  bool Cached(const api::Resource& resource, api::ObjectKey key) {
    const auto live = live_->Get(resource, key);
    const auto stored = server().Find(resource, key);
    if (live == nullptr || !stored.has_value()) return live == nullptr && !stored.has_value();
    return live->resource_version ==
           json::value(*stored).at("metadata").at("resourceVersion").as_string();
  }
  // Kinds that were applied, in the order of the requests.
  std::vector<std::string> Applied() {
    std::vector<std::string> kinds;
    for (const RecordedRequest& request : server().requests()) {
      if (request.method == "PATCH") kinds.emplace_back(request.Json().at("kind").as_string());
    }
    return kinds;
  }
  int Writes() {
    return static_cast<int>(
        std::count_if(server().requests().begin(), server().requests().end(),
                      [](const RecordedRequest& request) { return request.method != "GET"; }));
  }

  base::FakeClock clock_;
  std::unique_ptr<LiveObjects> live_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<aio::TaskGroup> group_;
  int changes_ = 0;
};

const api::ObjectKey kConfigKey = {"ns", "c"};

ASYNC_TEST_F(ApplierTest, AppliesInWavesThenSendsNothing) {
  co_await Start();
  const ApplyReport first = co_await Apply({kWorkload, kConfig, kNamespace});
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(first.applied, 3);
  EXPECT_THAT(Applied(), ElementsAre("Namespace", "ConfigMap", "Deployment"));
  for (const RecordedRequest& request : server().requests()) {
    if (request.method != "PATCH") continue;
    EXPECT_EQ(request.Query("fieldManager"), "tester");
    EXPECT_EQ(request.Query("force"), "true");
  }
  // The cache may be behind still; what was sent is remembered.
  server().ClearRequests();
  EXPECT_EQ((co_await Apply({kWorkload, kConfig, kNamespace})).applied, 0);
  co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
  EXPECT_EQ((co_await Apply({kWorkload, kConfig, kNamespace})).applied, 0);
  EXPECT_EQ(Writes(), 0);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, PutsRightWhatWasChangedAndLeavesTheRest) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  json::object changed = *server().Find(api::kConfigMaps, kConfigKey);
  changed["data"].as_object()["a"] = "by hand";
  changed["data"].as_object()["theirs"] = "kept";
  server().Put(changed);
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  EXPECT_EQ((co_await Apply({kNamespace, kConfig})).applied, 1);
  const json::object now = *server().Find(api::kConfigMaps, kConfigKey);
  EXPECT_EQ(now.at("data").at("a"), "x");
  EXPECT_EQ(now.at("data").at("theirs"), "kept");
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, MakesAgainWhatWasDeleted) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  const int before = changes_;
  server().state().Remove(api::kConfigMaps, kConfigKey);
  co_await Until([&] { return changes_ > before; });
  EXPECT_EQ((co_await Apply({kNamespace, kConfig})).applied, 1);
  EXPECT_TRUE(server().Find(api::kConfigMaps, kConfigKey).has_value());
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, RemovesAFieldThatIsNoLongerSent) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  EXPECT_EQ((co_await Apply({kNamespace,
                             "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, "
                             "namespace: ns}, data: {a: x}}"}))
                .applied,
            1);
  EXPECT_FALSE(server().Find(api::kConfigMaps, kConfigKey)->at("data").as_object().contains("b"));
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, DeletesOnlyWhatIsItsOwn) {
  json::object foreign = Object(kConfig);
  foreign["metadata"].as_object()["name"] = "foreign";
  json::object other_owner = Object(kConfig);
  other_owner["metadata"].as_object()["name"] = "other";
  co_await Start();
  server().Put(foreign);  // nobody applied it
  (void)co_await applier_->Apply({Object(kNamespace), Object(kConfig)}, kOwner);
  other_owner["metadata"].as_object()["ownerReferences"].as_array()[0].as_object()["uid"] = "z";
  CO_ASSERT_OK(co_await client().Apply(api::kConfigMaps, other_owner,
                                       {.field_manager = "tester", .force = true}));
  co_await Until([&] {
    return Cached(api::kConfigMaps, kConfigKey) && Cached(api::kConfigMaps, {"ns", "foreign"}) &&
           Cached(api::kConfigMaps, {"ns", "other"});
  });
  const ApplyReport report = co_await Apply({kNamespace});
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.deleted, 1);
  EXPECT_FALSE(server().Find(api::kConfigMaps, kConfigKey).has_value());
  EXPECT_TRUE(server().Find(api::kConfigMaps, {"ns", "foreign"}).has_value());
  EXPECT_TRUE(server().Find(api::kConfigMaps, {"ns", "other"}).has_value());
  const auto remove = std::find_if(server().requests().begin(), server().requests().end(),
                                   [](const auto& request) { return request.method == "DELETE"; });
  CO_ASSERT_TRUE(remove != server().requests().end());
  EXPECT_THAT(remove->body, HasSubstr("\"uid\""));
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, AnErrorEndsTheWaves) {
  co_await Start();
  server().Inject({.method = "PATCH", .path_contains = "/configmaps/c", .status = 422});
  const ApplyReport report = co_await Apply({kNamespace, kConfig, kWorkload});
  EXPECT_THAT(report.errors, ElementsAre(StatusIs(absl::StatusCode::kInvalidArgument,
                                                  HasSubstr("ConfigMap ns/c"))));
  EXPECT_EQ(report.stopped_at, Wave::kConfiguration);
  EXPECT_EQ(server().Count("PATCH", "/deployments/"), 0);
  EXPECT_TRUE((co_await Apply({kNamespace, kConfig, kWorkload})).ok());
  co_await Finish();
}

// Only pods that run are worth the wait for what their rights hang on.
ASYNC_TEST_F(ApplierTest, AWorkloadThatRunsWaitsForItsBindingsAndANewOneDoesNot) {
  co_await Start();
  server().Inject(
      {.method = "PATCH", .path_contains = "/clusterrolebindings/b", .times = 2, .status = 422});
  EXPECT_EQ((co_await Apply({kNamespace, kBinding, kWorkload})).errors.size(), 1u);
  EXPECT_EQ(server().Count("PATCH", "/deployments/"), 1);
  co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
  EXPECT_EQ((co_await Apply({kNamespace, kBinding, kOtherWorkload})).errors.size(), 1u);
  EXPECT_EQ(server().Count("PATCH", "/deployments/"), 1);
  EXPECT_TRUE((co_await Apply({kNamespace, kBinding, kOtherWorkload})).ok());
  EXPECT_EQ(server().Count("PATCH", "/deployments/"), 2);
  co_await Finish();
}

// A field set by hand that excludes one of ours: applying alone would leave both.
ASYNC_TEST_F(ApplierTest, WhatExcludesOursIsTakenOverAndRemoved) {
  constexpr char kPods[] =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: "
      "{template: {spec: {containers: [{name: c, env: [{name: NODE, valueFrom: {fieldRef: "
      "{fieldPath: spec.nodeName}}}], livenessProbe: {httpGet: {path: /live}}}], volumes: [{name: "
      "certs, emptyDir: {medium: Memory}}]}}}}";
  co_await Start();
  (void)co_await Apply({kNamespace, kPods});
  const auto spec_now = [&] {
    return server().Find(api::kDeployments, {"ns", "d"})->at("spec").as_object();
  };
  const json::object whole = spec_now();
  struct Case {
    const char* name;
    const char* spec;
  };
  const Case cases[] = {
      {"value",
       "{containers: [{name: c, env: [{name: NODE, value: by-hand}], livenessProbe: "
       "{httpGet: {path: /live}}}]}"},
      {"probe",
       "{containers: [{name: c, env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: "
       "spec.nodeName}}}], livenessProbe: {exec: {command: [x]}}}]}"},
      {"volume", "{volumes: [{name: certs, hostPath: {path: /etc}}]}"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const json::object pod = codec::ParseYaml(c.spec)->as_object();
    CO_ASSERT_OK(co_await client().Patch(api::kDeployments, {"ns", "d"},
                                         {{"spec", {{"template", {{"spec", pod}}}}}}));
    EXPECT_NE(spec_now(), whole);
    co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
    server().ClearRequests();
    const ApplyReport report = co_await Apply({kNamespace, kPods});
    EXPECT_TRUE(report.ok()) << report.errors.front();
    EXPECT_EQ(spec_now(), whole);
    EXPECT_EQ(server().Count("PATCH", "/deployments/d"), 3);
    co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
  }
  EXPECT_THAT(log(), testing::Contains(HasSubstr("took over the fields of other managers")));
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, WatchLagIsMeasuredWhateverTheWallClockSays) {
  co_await Start();
  server().Inject(
      {.method = "GET", .path_contains = "watch=true", .times = 1000, .delay = absl::Seconds(60)});
  server().DropWatches();
  EXPECT_TRUE((co_await Apply({kNamespace, kConfig})).ok());
  server().ClearRequests();
  for (const absl::Duration step : {absl::Hours(1), -absl::Hours(3)}) {
    clock_.StepWall(step);
    EXPECT_EQ((co_await Apply({kNamespace, kConfig})).recheck_after, absl::Seconds(10));
  }
  EXPECT_EQ(Writes(), 0);
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE((co_await Apply({kNamespace, kConfig})).ok());
  EXPECT_EQ(Writes(), 2) << "the watch has had its time";
  co_await Finish();
}

// A refusal that has nothing to do with anybody's fields: nobody loses any.
ASYNC_TEST_F(ApplierTest, WhatHasNotHelpedIsGivenBack) {
  constexpr char kPods[] =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: "
      "{template: {spec: {containers: [{name: c, image: i}]}}}}";
  const api::ObjectKey key = {"ns", "d"};
  co_await Start();
  (void)co_await Apply({kNamespace, kPods});
  const json::object theirs = codec::ParseYaml(
                                  "{spec: {template: {metadata: {annotations: {restarted: now}}, "
                                  "spec: {containers: [{name: "
                                  "c, image: by-hand, tty: true}]}}}}")
                                  ->as_object();
  CO_ASSERT_OK(co_await client().Patch(api::kDeployments, key, theirs));
  co_await Until([&] { return Cached(api::kDeployments, key); });
  const json::value before =
      server().Find(api::kDeployments, key)->at("metadata").at("managedFields");
  // Only applies: the patches of managedFields are not forced.
  server().Inject({.method = "PATCH", .path_contains = "force=true", .times = 2, .status = 422});
  const ApplyReport report = co_await Apply({kNamespace, kPods});
  EXPECT_THAT(report.errors, ElementsAre(StatusIs(absl::StatusCode::kInvalidArgument)));
  EXPECT_EQ(server().Find(api::kDeployments, key)->at("metadata").at("managedFields"), before);
  EXPECT_TRUE((co_await Apply({kNamespace, kPods})).ok());
  const json::object now = *server().Find(api::kDeployments, key);
  EXPECT_EQ(now.at("spec").at("template").at("metadata").at("annotations").at("restarted"), "now");
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, WhatIsRefusedForAnotherReasonIsTriedOnce) {
  co_await Start();
  (void)co_await Apply({kNamespace, kWorkload});
  co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
  server().ClearRequests();
  server().Inject(
      {.method = "PATCH", .path_contains = "/deployments/d", .times = 9, .status = 422});
  const ApplyReport report = co_await Apply(
      {kNamespace,
       "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: "
       "{replicas: 3}}"});
  EXPECT_THAT(report.errors, ElementsAre(StatusIs(absl::StatusCode::kInvalidArgument)));
  EXPECT_EQ(server().Count("PATCH", "/deployments/d"), 1);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, TellsWhatTheWatchHasNotShown) {
  const api::ObjectKey key = {"ns", "d"};
  co_await Start();
  EXPECT_FALSE(applier_->UnseenGeneration(api::kDeployments, key).has_value());
  (void)co_await Apply({kNamespace, kWorkload});
  co_await Until([&] { return Cached(api::kDeployments, key); });
  EXPECT_FALSE(applier_->UnseenGeneration(api::kDeployments, key).has_value());

  server().Inject({.method = "GET",
                   .path_contains = "/deployments?",
                   .times = 100,
                   .delay = absl::Seconds(60)});
  server().DropWatches();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(50)), base::IsOk());
  (void)co_await Apply(
      {kNamespace,
       "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: "
       "{replicas: 3}}"});
  const auto unseen = applier_->UnseenGeneration(api::kDeployments, key);
  CO_ASSERT_TRUE(unseen.has_value());
  EXPECT_EQ(unseen->generation, 2);
  EXPECT_EQ(unseen->uid, live_->Get(api::kDeployments, key)->uid);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, ForbiddenIsTriedAgainForAMoment) {
  co_await Start();
  server().Inject({.method = "PATCH", .path_contains = "/configmaps/c", .times = 2, .status = 403});
  EXPECT_TRUE((co_await Apply({kNamespace, kConfig})).ok());
  server().Inject(
      {.method = "PATCH", .path_contains = "/deployments/d", .times = 100, .status = 403});
  EXPECT_THAT((co_await Apply({kNamespace, kConfig, kWorkload})).errors,
              ElementsAre(StatusIs(absl::StatusCode::kPermissionDenied)));
  EXPECT_LT(server().Count("PATCH", "/deployments/d"), 10);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, ABindingWithAnotherRoleIsMadeAnew) {
  co_await Start();
  (void)co_await Apply({kBinding});
  json::object changed = *server().Find(api::kClusterRoleBindings, {"", "b"});
  changed["roleRef"].as_object()["name"] = "cluster-admin";
  server().Put(changed);
  co_await Until([&] { return Cached(api::kClusterRoleBindings, {"", "b"}); });
  EXPECT_TRUE((co_await Apply({kBinding})).ok());
  EXPECT_EQ(server().Count("DELETE", "/clusterrolebindings/b"), 1);
  EXPECT_EQ(server().Find(api::kClusterRoleBindings, {"", "b"})->at("roleRef").at("name"), "r");
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, UnknownKindsAndNamelessObjectsAreRefusedBeforeAnythingIsSent) {
  co_await Start();
  EXPECT_THAT(
      (co_await Apply({kNamespace, "{apiVersion: x/v1, kind: Other, metadata: {name: z}}"})).errors,
      ElementsAre(StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown kind"))));
  EXPECT_EQ(Writes(), 0);
  co_await Finish();
}

// A condition more switches a policy off: nobody may add to it.
ASYNC_TEST_F(ApplierTest, WhatIsTooMuchIsTakenOverAndRemoved) {
  constexpr char kPolicy[] =
      "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: "
      "{name: p}, spec: {failurePolicy: Fail}}";
  const api::ObjectKey key = {"", "p"};
  co_await Start();
  (void)co_await Apply({kPolicy});
  CO_ASSERT_OK(co_await client().Patch(api::kValidatingAdmissionPolicies, key,
                                       {{"metadata", {{"annotations", {{"theirs", "kept"}}}}},
                                        {"spec", {{"paramKind", {{"kind", "x"}}}}}}));
  co_await Until([&] { return Cached(api::kValidatingAdmissionPolicies, key); });
  EXPECT_EQ((co_await Apply({kPolicy})).applied, 1);
  const json::object now = *server().Find(api::kValidatingAdmissionPolicies, key);
  EXPECT_FALSE(now.at("spec").as_object().contains("paramKind"));
  EXPECT_EQ(now.at("metadata").at("annotations").at("theirs"), "kept");
  co_await Until([&] { return Cached(api::kValidatingAdmissionPolicies, key); });
  server().ClearRequests();
  EXPECT_EQ((co_await Apply({kPolicy})).applied, 0);
  EXPECT_EQ(Writes(), 0);
  EXPECT_EQ(server().Count("GET", "/validatingadmissionpolicies/p"), 0);  // takes no right to
  co_await Finish();
}

// Nobody owns it (a webhook adds it to every answer): it is told, and never counted as applied.
ASYNC_TEST_F(ApplierTest, WhatIsTooMuchAndStaysIsAnError) {
  constexpr char kRole[] =
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: b}, "
      "roleRef: {kind: ClusterRole, name: r}}";
  const api::ObjectKey key = {"", "b"};
  co_await Start();
  (void)co_await Apply({kRole});
  json::object changed = *server().Find(api::kClusterRoleBindings, key);
  changed["subjects"] = json::array{{{"kind", "User"}, {"name", "x"}}};
  server().Put(changed);
  co_await Until([&] { return Cached(api::kClusterRoleBindings, key); });
  EXPECT_THAT((co_await Apply({kRole})).errors,
              ElementsAre(StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("ClusterRoleBinding b: something else sets "
                                             "subjects"))));
  // It is not tried again at once, and told all the same.
  server().ClearRequests();
  EXPECT_THAT((co_await Apply({kRole})).contested,
              ElementsAre(HasSubstr("ClusterRoleBinding b: subjects is changed back")));
  EXPECT_EQ(Writes(), 0);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, AClosedConfigMapIsMadeAnew) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  json::object closed = *server().Find(api::kConfigMaps, kConfigKey);
  const json::value uid = closed.at("metadata").at("uid");
  closed["immutable"] = true;
  server().Put(closed);
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  EXPECT_EQ((co_await Apply({kNamespace, kConfig})).applied, 1);
  const json::object now = *server().Find(api::kConfigMaps, kConfigKey);
  EXPECT_FALSE(now.contains("immutable"));
  EXPECT_NE(now.at("metadata").at("uid"), uid);
  co_await Finish();
}

// One without our label is not in the cache: only the refusal shows that it is there.
ASYNC_TEST_F(ApplierTest, WhatIsRefusedBecauseOfAForeignObjectIsMadeAnew) {
  json::object foreign = codec::ParseYaml(kBinding)->as_object();
  foreign["roleRef"].as_object()["name"] = "other";
  server().Put(foreign);
  co_await Start();
  server().Inject({.method = "PATCH", .path_contains = "/clusterrolebindings/b", .status = 422});
  EXPECT_TRUE((co_await Apply({kBinding})).ok());
  EXPECT_EQ(server().Count("DELETE", "/clusterrolebindings/b"), 1);
  EXPECT_EQ(server().Find(api::kClusterRoleBindings, {"", "b"})->at("roleRef").at("name"), "r");
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, WhatMustNotBeMadeAnewIsAnErrorThatSaysWhatToDo) {
  constexpr char kSelected[] =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: "
      "{selector: {matchLabels: {a: b}}}}";
  co_await Start();
  (void)co_await Apply({kNamespace, kSelected});
  json::object changed = *server().Find(api::kDeployments, {"ns", "d"});
  changed["spec"] = json::object{{"selector", {{"matchLabels", {{"a", "other"}}}}}};
  changed["status"] = json::object{{"replicas", 1}};
  server().Put(changed);
  co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
  server().ClearRequests();
  EXPECT_THAT((co_await Apply({kNamespace, kSelected})).errors,
              ElementsAre(StatusIs(absl::StatusCode::kFailedPrecondition,
                                   HasSubstr("kubectl delete deployments --namespace ns d"))));
  EXPECT_EQ(Writes(), 0);
  co_await Finish();
}

// --- other writers ---

ASYNC_TEST_F(ApplierTest, AnAnswerThatDiffersIsToldAndNotSentAgainAndAgain) {
  co_await Start();
  server().state().SetWebhook([](const api::Resource& resource, json::object& object) {
    if (resource == api::kDeployments) object["spec"].as_object()["replicas"] = 5;
  });
  const ApplyReport first = co_await Apply({kNamespace, kWorkload});
  EXPECT_THAT(first.contested,
              ElementsAre(testing::AllOf(
                  HasSubstr("Deployment ns/d: spec.replicas is changed back while it is applied"),
                  HasSubstr("mutating admission webhook"))));
  EXPECT_LE(first.recheck_after, absl::Seconds(10));
  co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
  server().ClearRequests();
  for (int i = 0; i < 20; ++i) {
    const ApplyReport again = co_await Apply({kNamespace, kWorkload});
    EXPECT_TRUE(again.ok());
    EXPECT_EQ(again.contested, first.contested);
  }
  EXPECT_EQ(Writes(), 0);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, AnotherManagerIsNamedAndBackedOffFrom) {
  co_await Start();
  (void)co_await Apply({kNamespace, kWorkload});
  ApplyReport report;
  int rounds = 0;
  for (; rounds < 20 && report.contested.empty(); ++rounds) {
    co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
    json::object theirs = codec::ParseYaml(kWorkload)->as_object();
    theirs["spec"].as_object()["replicas"] = 7;
    CO_ASSERT_OK(co_await client().Apply(api::kDeployments, theirs,
                                         {.field_manager = "gitops", .force = true}));
    co_await Until([&] { return Cached(api::kDeployments, {"ns", "d"}); });
    report = co_await Apply({kNamespace, kWorkload});
  }
  EXPECT_THAT(report.contested,
              ElementsAre(HasSubstr("Deployment ns/d: spec.replicas is changed back each time it "
                                    "is put right, by \"gitops\"")));
  EXPECT_LE(rounds, 5);
  server().ClearRequests();
  (void)co_await Apply({kNamespace, kWorkload});
  EXPECT_EQ(Writes(), 0);
  // What the user wants now goes at once.
  (void)co_await Apply({kNamespace,
                        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: "
                        "ns}, spec: {replicas: 3}}"});
  EXPECT_EQ(server().Find(api::kDeployments, {"ns", "d"})->at("spec").at("replicas"), 3);
  co_await Finish();
}

// A mirror of the registry and a taint of the cluster's own: each apply would only be changed
// again.
ASYNC_TEST_F(ApplierTest, WhatAWebhookChangesWithoutHarmIsANoteAndDone) {
  constexpr char kPods[] =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: "
      "{template: {spec: {tolerations: [{key: a, operator: Exists}], nodeSelector: {os: linux}, "
      "containers: [{name: c, image: 'quay.io/calico/typha:v3'}]}}}}";
  const api::ObjectKey key = {"ns", "d"};
  co_await Start();
  server().state().SetWebhook([](const api::Resource& resource, json::object& object) {
    if (resource != api::kDeployments) return;
    json::object& pod = object.at("spec").at("template").at("spec").as_object();
    pod["tolerations"] = *codec::ParseYaml("[{key: a, operator: Exists}, {key: b}]");
    pod["nodeSelector"].as_object()["pool"] = "system";
    pod["containers"].as_array()[0].as_object()["image"] = "mirror.example.com/calico/typha:v3";
  });
  const auto note = ElementsAre(
      "Deployment ns/d: spec.template.spec.tolerations, spec.template.spec.nodeSelector, "
      "spec.template.spec.containers[c].image are changed by an admission webhook");
  const ApplyReport first = co_await Apply({kNamespace, kPods});
  EXPECT_TRUE(first.ok());
  EXPECT_THAT(first.contested, testing::IsEmpty());
  EXPECT_THAT(first.notes, note);
  // Its status changes, and it is another version then.
  for (int replicas = 1; replicas <= 6; ++replicas) {
    json::object now = *server().Find(api::kDeployments, key);
    now["status"] = json::object{{"replicas", replicas}};
    server().Put(now);
    co_await Until([&] { return Cached(api::kDeployments, key); });
    server().ClearRequests();
    const ApplyReport report = co_await Apply({kNamespace, kPods});
    EXPECT_TRUE(report.ok());
    EXPECT_THAT(report.contested, testing::IsEmpty());
    EXPECT_THAT(report.notes, note);
    EXPECT_EQ(Writes(), 0);
  }
  // By hand is another thing.
  json::object changed = *server().Find(api::kDeployments, key);
  json::object& pod = changed.at("spec").at("template").at("spec").as_object();
  pod["containers"].as_array()[0].as_object()["image"] = "evil.example.com/calico/typha:v3";
  server().Put(changed);
  co_await Until([&] { return Cached(api::kDeployments, key); });
  EXPECT_EQ((co_await Apply({kNamespace, kPods})).applied, 1);
  co_await Finish();
}

// --- objects that are being deleted ---

// Nobody would ever renew the time at which to look again.
ASYNC_TEST_F(ApplierTest, AContestOfWhatIsBeingDeletedIsNotLookedAtAgainAndAgain) {
  for (const bool whole_namespace : {false, true}) {
    SCOPED_TRACE(whole_namespace);
    co_await Start();
    server().state().SetWebhook([](const api::Resource& resource, json::object& object) {
      if (resource == api::kConfigMaps) object["data"].as_object()["a"] = "theirs";
    });
    EXPECT_EQ((co_await Apply({kNamespace, kConfig})).contested.size(), 1U);
    const api::Resource& resource = whole_namespace ? api::kNamespaces : api::kConfigMaps;
    const api::ObjectKey key = whole_namespace ? api::ObjectKey{"", "ns"} : kConfigKey;
    json::object held = *server().Find(resource, key);
    held["metadata"].as_object()["finalizers"] = json::array{"x"};
    held["metadata"].as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    server().Put(held);
    co_await Until([&] { return Cached(resource, key); });
    clock_.Advance(absl::Minutes(1));
    const ApplyReport report = co_await Apply({kNamespace, kConfig});
    EXPECT_EQ(report.endings.size(), 1U);
    EXPECT_GT(report.recheck_after, absl::Seconds(1));
    server().state().SetWebhook(nullptr);
    for (const api::Resource* kind : {&api::kConfigMaps, &api::kNamespaces}) {
      server().state().Remove(*kind,
                              *kind == api::kNamespaces ? api::ObjectKey{"", "ns"} : kConfigKey);
    }
    co_await Finish();
  }
}

// Where namespaces cannot be listed, each look has to apply it.
ASYNC_TEST_F(ApplierTest, WhatIsAskedForNowAndThenIsNoContest) {
  co_await Start();
  for (int i = 0; i < 12; ++i) {
    const ApplyReport with = co_await Apply({kNamespace, kConfig});
    EXPECT_TRUE(with.ok());
    EXPECT_THAT(with.contested, testing::IsEmpty()) << i;
    co_await Until([&] {
      return live_->Get(api::kConfigMaps, kConfigKey) != nullptr &&
             Cached(api::kConfigMaps, kConfigKey);
    });
    const ApplyReport without = co_await Apply({kNamespace});
    EXPECT_EQ(without.deleted, 1) << i;
    co_await Until([&] { return live_->Get(api::kConfigMaps, kConfigKey) == nullptr; });
  }
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, ANamespaceThatEndsUnseenIsNoContest) {
  json::object ending = codec::ParseYaml(kNamespace)->as_object();
  ending["metadata"].as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  ending["metadata"].as_object()["finalizers"] = json::array{"x"};
  server().Put(ending);
  co_await Start();
  server().Inject({.method = "GET",
                   .path_contains = "/namespaces?",
                   .times = 1000,
                   .delay = absl::Seconds(60)});
  server().DropWatches();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(50)), base::IsOk());
  for (int i = 0; i < 8; ++i) {
    const ApplyReport report = co_await Apply({kNamespace, kConfig});
    EXPECT_TRUE(report.namespace_ending);
    EXPECT_THAT(report.contested, testing::IsEmpty());
  }
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, WhatIsBeingDeletedIsWaitedForAndNamed) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  json::object held = *server().Find(api::kConfigMaps, kConfigKey);
  held["metadata"].as_object()["finalizers"] = json::array{"example.com/protector"};
  held["metadata"].as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  held["data"].as_object()["a"] = "other";
  server().Put(held);
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  server().ClearRequests();
  const ApplyReport report = co_await Apply({kNamespace, kConfig});
  EXPECT_TRUE(report.ok());
  CO_ASSERT_TRUE(report.endings.size() == 1);
  EXPECT_THAT(report.endings[0].message,
              HasSubstr("ConfigMap ns/c is being deleted and waits for finalizer "
                        "example.com/protector"));
  EXPECT_FALSE(report.namespace_ending);
  EXPECT_EQ(Writes(), 0);
  const int before = changes_;
  server().state().Remove(api::kConfigMaps, kConfigKey);
  co_await Until([&] { return changes_ > before; });
  EXPECT_EQ((co_await Apply({kNamespace, kConfig})).applied, 1);
  co_await Finish();
}

ASYNC_TEST_F(ApplierTest, NothingIsSentWhileTheNamespaceEnds) {
  json::object ending = codec::ParseYaml(kNamespace)->as_object();
  ending["metadata"].as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  ending["metadata"].as_object()["finalizers"] = json::array{"x"};
  server().Put(ending);  // without our label: only the answer shows it
  co_await Start();
  for (int i = 0; i < 2; ++i) {
    const ApplyReport report = co_await Apply({kNamespace, kConfig, kBinding, kWorkload});
    EXPECT_TRUE(report.ok());
    EXPECT_TRUE(report.namespace_ending);
    EXPECT_EQ(report.endings.size(), 1U);
    co_await Until([&] { return Cached(api::kNamespaces, {"", "ns"}); });
  }
  EXPECT_EQ(Writes(), 1);
  co_await Finish();
}

// --- preconditions ---

class PreconditionTest : public ApplierTest {
 protected:
  // What the API server has, changed, as it was read.
  json::object ReadAndChanged() {
    json::object object = *server().Find(api::kConfigMaps, kConfigKey);
    json::object& metadata = object["metadata"].as_object();
    metadata.erase("managedFields");
    metadata.erase("creationTimestamp");
    metadata["annotations"].as_object().erase("x/applied");
    object["data"].as_object()["a"] = "changed";
    return object;
  }
  aio::Task<ApplyReport> ApplyWith(json::object config) {
    return applier_->Apply({Object(kNamespace), std::move(config), Object(kWorkload)}, kOwner);
  }
  void SomebodyChangesIt() {
    json::object theirs = *server().Find(api::kConfigMaps, kConfigKey);
    theirs["data"].as_object()["a"] = "theirs";
    server().Put(std::move(theirs));
  }
  std::string Value() {
    return json::value(*server().Find(api::kConfigMaps, kConfigKey))
        .at("data")
        .at("a")
        .as_string()
        .c_str();
  }
  // The watch shows nothing any more.
  void Blind() {
    server().Inject(
        {.method = "GET", .path_contains = "/configmaps", .times = 1000, .status = 500});
    server().DropWatches();
  }
};

ASYNC_TEST_F(PreconditionTest, WhatSomebodyElseHasPutThereIsNotOverwritten) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  const json::object read = ReadAndChanged();
  for (const bool is_seen : {false, true}) {
    SCOPED_TRACE(is_seen);
    if (!is_seen) Blind();
    SomebodyChangesIt();
    if (is_seen) co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
    server().ClearRequests();
    const ApplyReport report = co_await ApplyWith(read);
    EXPECT_TRUE(report.ok());
    EXPECT_THAT(report.superseded, ElementsAre("ConfigMap ns/c"));
    EXPECT_EQ(Writes(), is_seen ? 0 : 1);
    EXPECT_EQ(Value(), "theirs");
    EXPECT_FALSE(server().Find(api::kDeployments, {"ns", "d"}).has_value());
    server().ClearFaults();
  }
  server().state().Remove(api::kConfigMaps, kConfigKey);
  EXPECT_THAT((co_await ApplyWith(read)).superseded, ElementsAre("ConfigMap ns/c"));
  EXPECT_FALSE(server().Find(api::kConfigMaps, kConfigKey).has_value());
  co_await Finish();
}

ASYNC_TEST_F(PreconditionTest, OnesOwnWritesAreNobodyElses) {
  co_await Start();
  (void)co_await Apply({kNamespace, kConfig});
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  json::object read = ReadAndChanged();
  EXPECT_EQ((co_await ApplyWith(read)).applied, 2);
  EXPECT_EQ(Value(), "changed");
  // Neither before nor after the watch has shown it.
  read["data"].as_object()["a"] = "changed again";
  EXPECT_THAT((co_await ApplyWith(read)).superseded, testing::IsEmpty());
  EXPECT_EQ(Value(), "changed again");
  co_await Until([&] { return Cached(api::kConfigMaps, kConfigKey); });
  EXPECT_THAT((co_await ApplyWith(read)).superseded, testing::IsEmpty());
  co_await Finish();
}

// --- rights that are missing ---

ASYNC_TEST_F(ApplierTest, WhatNothingRefersToIsNoReasonToStop) {
  constexpr char kPolicy[] =
      "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: "
      "{name: p}, spec: {failurePolicy: Fail}}";
  co_await Start();
  server().Inject({.method = "PATCH",
                   .path_contains = "/validatingadmissionpolicies/p",
                   .times = 100,
                   .status = 403});
  const ApplyReport report = co_await Apply({kNamespace, kPolicy, kWorkload});
  EXPECT_THAT(report.errors, ElementsAre(StatusIs(absl::StatusCode::kPermissionDenied)));
  EXPECT_TRUE(server().Find(api::kDeployments, {"ns", "d"}).has_value());
  co_await Finish();
}

}  // namespace
}  // namespace calico::kube
