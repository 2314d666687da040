#include "pkg/kube/apply/live_objects.h"

#include <algorithm>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::kube {
namespace {

using base::IsOk;
using base::StatusIs;
using testing::UnorderedElementsAre;

json::object Yaml(std::string_view text) { return codec::ParseYaml(text)->as_object(); }

TEST(LiveObjectTest, KeepsWhatIsComparedAndWhoAppliedIt) {
  const auto live = LiveObject::Decode(
      Yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns, uid: u, "
           "resourceVersion: '7', generation: 3, ownerReferences: [{uid: a}, {uid: b, controller: "
           "true, kind: K, name: o, apiVersion: v1}], managedFields: [{manager: us, operation: "
           "Apply}]}, data: {a: x}}"),
      "us");
  ASSERT_THAT(live, IsOk());
  EXPECT_EQ(live->key, (api::ObjectKey{"ns", "c"}));
  EXPECT_EQ(live->uid, "u");
  EXPECT_EQ(live->resource_version, "7");
  EXPECT_EQ(live->generation, 3);
  EXPECT_EQ(live->controller_uid, "b");
  EXPECT_FALSE(live->deleting);
  EXPECT_TRUE(live->applied_by_us);
  const json::object again = live->Parse();
  EXPECT_FALSE(again.at("metadata").as_object().contains("managedFields"));
  EXPECT_EQ(again.at("data").at("a"), "x");
}

TEST(LiveObjectTest, WhoHasOnlyUpdatedItHasNotAppliedIt) {
  struct Case {
    const char* managed;
    bool applied_by_us;
  };
  const Case cases[] = {
      {"[]", false},
      {"[{manager: us, operation: Update}]", false},
      {"[{manager: them, operation: Apply}]", false},
      {"[text, {manager: them, operation: Apply}, {manager: us, operation: Apply}]", true},
  };
  for (const Case& c : cases) {
    json::object object = Yaml("{metadata: {name: c, deletionTimestamp: '2026-01-01T00:00:00Z'}}");
    object["metadata"].as_object()["managedFields"] = *codec::ParseYaml(c.managed);
    const auto live = LiveObject::Decode(object, "us");
    ASSERT_THAT(live, IsOk());
    EXPECT_EQ(live->applied_by_us, c.applied_by_us) << c.managed;
    EXPECT_TRUE(live->deleting);
  }
  EXPECT_THAT(LiveObject::Decode({}, "us"), StatusIs(absl::StatusCode::kInvalidArgument));
}

class LiveObjectsTest : public FakeApiServerTest {
 protected:
  aio::Task<void> Start() {
    live_ = std::make_unique<LiveObjects>(
        client(),
        std::vector<LiveKind>{
            {&api::kConfigMaps, "ns"},
            {&api::kValidatingAdmissionPolicies, "", LiveKind::When::kIfServed},
            {&api::kValidatingAdmissionPolicyBindings, "", LiveKind::When::kIfServed},
            {&api::kSecrets, "ns", LiveKind::When::kLater},
            {&api::kConfigMaps, "other", LiveKind::When::kInNamespace},
            {&api::kSecrets, "other", LiveKind::When::kLaterInNamespace}},
        "mine=yes", "us", base::SystemClock(), logger(), executor(), discovery_interval_);
    live_->AddObserver([this](const api::Resource& resource, const api::ObjectKey& key) {
      seen_.push_back(std::string(resource.kind) + " " + key.ToString());
      // Whatever is planned at any moment has both kinds or none.
      EXPECT_EQ(live_->IsServed(api::kValidatingAdmissionPolicies),
                live_->IsServed(api::kValidatingAdmissionPolicyBindings));
    });
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(live_->Run());
    EXPECT_THAT(co_await live_->WaitForSync(absl::Seconds(10)), IsOk());
  }
  aio::Task<void> Until(std::function<bool()> condition) {
    for (int i = 0; i < 500 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition());
  }
  void PutPolicyAndBinding() {
    for (const char* kind : {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}) {
      json::object object = Yaml(
          "{apiVersion: admissionregistration.k8s.io/v1, metadata: {name: p, labels: {mine: "
          "'yes'}}}");
      object["kind"] = kind;
      server().Put(std::move(object));
    }
  }
  void SetAdmissionServed(bool served) {
    server().state().SetServed(api::kValidatingAdmissionPolicies, served);
    server().state().SetServed(api::kValidatingAdmissionPolicyBindings, served);
    if (!served) server().DropWatches();
  }
  std::vector<std::string> Visited() {
    std::vector<std::string> kinds;
    live_->ForEach([&](const api::Resource& resource, const LiveObject&) {
      kinds.emplace_back(resource.kind);
    });
    return kinds;
  }
  bool Has(const api::Resource& resource, const char* name) {
    return live_->Get(resource, {"ns", name}) != nullptr;
  }

  absl::Duration discovery_interval_ = LiveObjects::kDiscoveryInterval;
  std::unique_ptr<LiveObjects> live_;
  std::unique_ptr<aio::TaskGroup> group_;
  std::vector<std::string> seen_;
};

json::object Labelled(std::string_view yaml) {
  json::object object = Yaml(yaml);
  object["metadata"].as_object()["labels"] = json::object{{"mine", "yes"}};
  return object;
}

ASYNC_TEST_F(LiveObjectsTest, FindsByLabelAndForgetsWhatLosesIt) {
  server().Put(Labelled("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}"));
  server().Put(Yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ns}}"));
  co_await Start();
  EXPECT_TRUE(Has(api::kConfigMaps, "a"));
  EXPECT_FALSE(Has(api::kConfigMaps, "b"));
  json::object without = *server().Find(api::kConfigMaps, {"ns", "a"});
  without["metadata"].as_object().erase("labels");
  server().Put(without);
  co_await Until([&] { return !Has(api::kConfigMaps, "a"); });
  server().Put(Labelled("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}}"));
  co_await Until([&] { return Has(api::kConfigMaps, "c"); });
  std::vector<std::string> names;
  live_->ForEach([&](const api::Resource& resource, const LiveObject& object) {
    names.push_back(std::string(resource.kind) + " " + object.key.name);
  });
  EXPECT_THAT(names, UnorderedElementsAre("ConfigMap c"));
  EXPECT_THAT(seen_, testing::Contains("ConfigMap ns/c"));
  co_await group_->Stop();
}

ASYNC_TEST_F(LiveObjectsTest, AnErrorOfDiscoveryIsNoAnswer) {
  server().Inject({.method = "GET",
                   .path_contains = "/apis/admissionregistration.k8s.io/v1",
                   .times = 2,
                   .status = 503});
  co_await Start();
  EXPECT_TRUE(live_->IsServed(api::kValidatingAdmissionPolicies));
  EXPECT_TRUE(live_->HasSynced(api::kValidatingAdmissionPolicies));
  EXPECT_FALSE(live_->IsServed(api::kNamespaces));
  co_await group_->Stop();
}

ASYNC_TEST_F(LiveObjectsTest, KindsThatAreNotServedAndKindsForLater) {
  server().state().SetServed(api::kValidatingAdmissionPolicies, false);
  server().Put(Labelled("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}"));
  co_await Start();
  EXPECT_FALSE(live_->IsServed(api::kValidatingAdmissionPolicies));
  EXPECT_TRUE(live_->IsServed(api::kConfigMaps));
  EXPECT_FALSE(live_->HasSynced(api::kSecrets));
  EXPECT_EQ(server().Count("GET", "/secrets"), 0);
  EXPECT_THAT(co_await live_->WaitForKind(api::kSecrets, absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  live_->StartLater();
  live_->StartLater();
  EXPECT_THAT(co_await live_->WaitForKind(api::kSecrets, absl::Seconds(10)), IsOk());
  EXPECT_TRUE(Has(api::kSecrets, "s"));
  co_await group_->Stop();
}

ASYNC_TEST_F(LiveObjectsTest, ANamespaceIsWatchedOnceSomethingIsWantedThere) {
  server().Put(Labelled("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}}"));
  server().Put(
      Labelled("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: other}}"));
  co_await Start();
  EXPECT_EQ(server().Count("GET", "/namespaces/other/"), 0);
  EXPECT_NE(live_->Get(api::kConfigMaps, {"ns", "c"}), nullptr);
  EXPECT_EQ(live_->Get(api::kConfigMaps, {"other", "c"}), nullptr);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(co_await live_->StartNamespace("other", absl::Seconds(10)), IsOk());
  }
  EXPECT_EQ(live_->Get(api::kConfigMaps, {"other", "c"})->key.ns, "other");
  EXPECT_NE(live_->Get(api::kConfigMaps, {"ns", "c"}), nullptr);
  EXPECT_EQ(server().Count("GET", "/namespaces/other/secrets"), 0);
  server().Put(Labelled("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: other}}"));
  live_->StartLater();
  co_await Until([&] { return live_->Get(api::kSecrets, {"other", "s"}) != nullptr; });
  co_await group_->Stop();
}

// Clusters are upgraded, and now and then downgraded, while we run.
ASYNC_TEST_F(LiveObjectsTest, AKindThatIsServedLaterIsWatchedFromThenOn) {
  const api::Resource& policies = api::kValidatingAdmissionPolicies;
  discovery_interval_ = absl::Milliseconds(20);
  server().state().SetServed(policies, false);
  server().Put(
      Labelled("{apiVersion: admissionregistration.k8s.io/v1, kind: "
               "ValidatingAdmissionPolicy, metadata: {name: p}}"));
  co_await Start();
  EXPECT_FALSE(live_->IsServed(policies));
  server().state().SetServed(policies, true);
  co_await Until([&] { return live_->IsServed(policies); });
  EXPECT_TRUE(live_->HasSynced(policies));
  EXPECT_NE(live_->Get(policies, {"", "p"}), nullptr);
  EXPECT_THAT(seen_, testing::Contains("ValidatingAdmissionPolicy "));

  server().state().SetServed(policies, false);
  server().DropWatches();
  co_await Until([&] { return !live_->IsServed(policies); });
  EXPECT_EQ(live_->Get(policies, {"", "p"}), nullptr);
  server().state().SetServed(policies, true);
  co_await Until([&] { return live_->IsServed(policies); });
  co_await group_->Stop();
}

// A binding without its policy is as good as none: neither is to be deleted for the other's sake.
ASYNC_TEST_F(LiveObjectsTest, KindsOfOneGroupVersionAreServedTogetherOrNotAtAll) {
  PutPolicyAndBinding();
  server().state().SetServed(api::kValidatingAdmissionPolicies, false);
  discovery_interval_ = absl::Milliseconds(20);
  co_await Start();
  EXPECT_FALSE(live_->IsServed(api::kValidatingAdmissionPolicyBindings));
  EXPECT_THAT(Visited(), testing::IsEmpty());
  server().state().SetServed(api::kValidatingAdmissionPolicies, true);
  co_await Until([&] { return Visited().size() == 2; });
  server().state().SetServed(api::kValidatingAdmissionPolicyBindings, false);
  server().DropWatches();
  co_await Until([&] { return !live_->IsServed(api::kValidatingAdmissionPolicies); });
  EXPECT_THAT(Visited(), testing::IsEmpty());
  co_await group_->Stop();
}

ASYNC_TEST_F(LiveObjectsTest, WhatComesBackIsServedOnceAllOfItIsListedAnew) {
  PutPolicyAndBinding();
  discovery_interval_ = absl::Milliseconds(20);
  co_await Start();
  EXPECT_THAT(Visited(), testing::SizeIs(2));
  SetAdmissionServed(false);
  co_await Until([&] { return !live_->IsServed(api::kValidatingAdmissionPolicies); });
  EXPECT_FALSE(live_->HasSynced(api::kValidatingAdmissionPolicies));
  server().state().Remove(api::kValidatingAdmissionPolicies, {"", "p"});
  server().Inject({.method = "GET",
                   .path_contains = "/validatingadmissionpolicies?",
                   .delay = absl::Milliseconds(500)});
  const int lists = server().Count("GET", "/validatingadmissionpolicies");
  SetAdmissionServed(true);
  co_await Until([&] { return server().Count("GET", "/validatingadmissionpolicies") > lists; });
  EXPECT_FALSE(live_->IsServed(api::kValidatingAdmissionPolicies));
  EXPECT_THAT(Visited(), testing::IsEmpty());
  co_await Until([&] { return live_->IsServed(api::kValidatingAdmissionPolicies); });
  EXPECT_EQ(live_->Get(api::kValidatingAdmissionPolicies, {"", "p"}), nullptr);
  EXPECT_THAT(Visited(), testing::ElementsAre("ValidatingAdmissionPolicyBinding"));
  co_await group_->Stop();
}

}  // namespace
}  // namespace calico::kube
