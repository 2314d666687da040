#include "operator/removal/removal.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/removal/uninstall_command.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::removal {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kWorld[] = R"(
{apiVersion: apps/v1, kind: Deployment, metadata: {name: tigera-operator, namespace: tigera-operator, uid: u0}, spec: {template: {spec: {containers: [{name: calico-operator}]}}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: calico-system}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: tigera-operator}}
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v3.projectcalico.org}, spec: {group: projectcalico.org, service: {namespace: calico-system, name: calico-api}}}
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io}, spec: {group: metrics.k8s.io, service: {namespace: kube-system, name: m}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: calico-system}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: calico-typha, namespace: calico-system}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: calico-kube-controllers, namespace: calico-system}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: calico-cni-plugin, labels: {app.kubernetes.io/managed-by: calico-operator}}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: somebody-elses}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: calico-operator}}
---
{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}}
---
{apiVersion: operator.tigera.io/v1, kind: TigeraStatus, metadata: {name: calico}}
---
{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: mine}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: installations.operator.tigera.io}, spec: {group: operator.tigera.io, names: {plural: installations}, versions: [{name: v1}]}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: ippools.crd.projectcalico.org}, spec: {group: crd.projectcalico.org, names: {plural: ippools}, versions: [{name: v1}]}}
)";

class RemovalTest : public kube::FakeApiServerTest {
 protected:
  void Load(const std::string& yaml) {
    absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(yaml);
    EXPECT_THAT(documents, IsOk());
    for (json::value& document : *documents) server().Put(std::move(document.as_object()));
  }
  aio::Task<absl::StatusOr<RemovalPlan>> Plan(RemovalOptions options = {}) {
    options.operator_key = {"tigera-operator", "tigera-operator"};
    return MakeRemovalPlan(client(), std::move(options));
  }
  aio::Task<absl::Status> Remove(RemovalPlan plan, bool remove_finalizers = false,
                                 absl::Duration timeout = absl::Seconds(5)) {
    Removal removal(client(), base::SystemClock(),
                    {.timeout = timeout,
                     .interval = absl::Milliseconds(5),
                     .rewrite_interval = absl::Milliseconds(20)},
                    remove_finalizers, [this](const std::string& line) { told_.push_back(line); });
    co_return co_await removal.Run(plan);
  }
  aio::Task<void> RemoveInto(RemovalPlan plan, absl::Status& status) {
    status = co_await Remove(std::move(plan));
  }
  // The last part of what was deleted, in order.
  std::vector<std::string> Deleted() {
    std::vector<std::string> names;
    for (const auto& request : server().requests()) {
      if (request.method != "DELETE") continue;
      names.push_back(request.path.substr(request.path.rfind('/') + 1));
    }
    return names;
  }
  bool IsThere(const api::Resource& resource, const api::ObjectKey& key) {
    return server().Find(resource, key).has_value();
  }

  std::vector<std::string> told_;
};

ASYNC_TEST_F(RemovalTest, GoesInAnOrderInWhichNothingGetsStuck) {
  Load(kWorld);
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan plan, co_await Plan());
  CO_ASSERT_OK(co_await Remove(plan));
  EXPECT_THAT(Deleted(),
              ElementsAre("tigera-operator", "v3.projectcalico.org", "calico-kube-controllers",
                          "calico-typha", "calico-node", "calico-cni-plugin", "calico-system",
                          "default", "calico", "calico-operator", "tigera-operator",
                          "installations.operator.tigera.io"));
  EXPECT_TRUE(IsThere(api::kIpPools, {"", "mine"}));
  EXPECT_TRUE(IsThere(api::kCustomResourceDefinitions, {"", "ippools.crd.projectcalico.org"}));
  EXPECT_TRUE(IsThere(api::kClusterRoles, {"", "somebody-elses"}));
  EXPECT_TRUE(IsThere(api::kApiServices, {"", "v1beta1.metrics.k8s.io"}));
  EXPECT_THAT(plan.left, Contains(HasSubstr("1 definitions of crd.projectcalico.org")));

  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan second, co_await Plan());
  EXPECT_TRUE(second.empty()) << ToText(second);
  EXPECT_THAT(ToText(second), HasSubstr("nothing of Calico's operator is here"));
}

ASYNC_TEST_F(RemovalTest, TheRoleStaysUntilPodsOfThePodNetworkHaveEnded) {
  Load(kWorld);
  Load(
      "{apiVersion: v1, kind: Pod, metadata: {name: calico-kube-controllers-1, namespace: "
      "calico-system, labels: {k8s-app: calico-kube-controllers}}, spec: {nodeName: n1}}");
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan plan, co_await Plan());
  absl::Status status = absl::UnknownError("runs");
  aio::TaskGroup group(executor());
  group.Spawn(RemoveInto(plan, status));
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(200)), IsOk());
  EXPECT_FALSE(IsThere(api::kDeployments, {"calico-system", "calico-kube-controllers"}));
  EXPECT_TRUE(IsThere(api::kDaemonSets, {"calico-system", "calico-node"}));
  EXPECT_TRUE(IsThere(api::kClusterRoles, {"", "calico-cni-plugin"}));
  EXPECT_THAT(told_, Contains(HasSubstr("calico-system/calico-kube-controllers-1 (node n1)")));
  CO_ASSERT_OK(
      co_await client().Delete(api::kPods, {"calico-system", "calico-kube-controllers-1"}));
  co_await group.Join();
  EXPECT_THAT(status, IsOk());
  EXPECT_FALSE(IsThere(api::kClusterRoles, {"", "calico-cni-plugin"}));
  co_await group.Stop();
}

ASYNC_TEST_F(RemovalTest, WhatDoesNotEndIsNamedWithTheNextStep) {
  Load(kWorld);
  Load("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: calico-system}}");
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan plan, co_await Plan());
  EXPECT_THAT(co_await Remove(plan, false, absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("calico-system/p"), HasSubstr("run this again"))));
  EXPECT_TRUE(IsThere(api::kClusterRoles, {"", "calico-cni-plugin"}));
}

ASYNC_TEST_F(RemovalTest, FinalizersOfTigerasOperatorGoOnlyWhenTold) {
  Load(kWorld);
  Load(
      "{apiVersion: v1, kind: ServiceAccount, metadata: {name: calico-node, namespace: "
      "calico-system, finalizers: [tigera.io/cni-protector, example.com/mine], ownerReferences: "
      "[{apiVersion: operator.tigera.io/v1, kind: Installation, name: default, uid: x}]}}");
  CO_ASSERT_OK_AND_ASSIGN(RemovalPlan plan, co_await Plan());
  EXPECT_THAT(ToText(plan), HasSubstr("ServiceAccount calico-system/calico-node (finalizer "
                                      "tigera.io/cni-protector: needs --remove-finalizers)"));
  EXPECT_THAT(co_await Remove(plan),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("--remove-finalizers")));
  CO_ASSERT_OK_AND_ASSIGN(plan, co_await Plan());
  // The other one is somebody's, who may be at work.
  EXPECT_THAT(
      co_await Remove(plan, true, absl::Milliseconds(100)),
      StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("finalizer example.com/mine")));
  CO_ASSERT_OK(co_await client().Patch(api::kServiceAccounts, {"calico-system", "calico-node"},
                                       {{"metadata", {{"finalizers", json::array()}}}}));
  CO_ASSERT_OK_AND_ASSIGN(plan, co_await Plan());
  EXPECT_THAT(co_await Remove(plan, true), IsOk());
}

ASYNC_TEST_F(RemovalTest, ADefinitionThatHangsIsWrittenAnew) {
  json::object crd = codec::ParseYaml(
                         "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, "
                         "metadata: {name: installations.operator.tigera.io, deletionTimestamp: "
                         "'2026-11-28T00:00:00Z', finalizers: "
                         "[customresourcecleanup.apiextensions.k8s.io]}, spec: {group: "
                         "operator.tigera.io, names: {plural: installations}, versions: [{name: "
                         "v1}]}, status: {conditions: [{type: Terminating, status: 'True', reason: "
                         "InstanceDeletionFailed, message: 'storage is (re)initializing'}]}}")
                         ->as_object();
  server().Put(crd);
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan plan, co_await Plan());
  absl::Status status = absl::UnknownError("runs");
  aio::TaskGroup group(executor());
  group.Spawn(RemoveInto(plan, status));
  const api::ObjectKey key{"", "installations.operator.tigera.io"};
  for (int i = 0; i < 200 && server().Count("PATCH") == 0; ++i) {
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(5)), IsOk());
  }
  EXPECT_EQ(server()
                .Find(api::kCustomResourceDefinitions, key)
                ->at("metadata")
                .at("annotations")
                .as_object()
                .count("operator.tigera.io/asked-to-go"),
            1U);
  CO_ASSERT_OK(co_await client().Patch(api::kCustomResourceDefinitions, key,
                                       {{"metadata", {{"finalizers", json::array()}}}}));
  co_await group.Join();
  EXPECT_THAT(status, IsOk());
  co_await group.Stop();
}

ASYNC_TEST_F(RemovalTest, UserDataGoesOnlyWhenToldAndDefinitionsStayWhenTold) {
  Load(kWorld);
  Load("{apiVersion: v1, kind: Secret, metadata: {name: my-pull, namespace: tigera-operator}}");
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan careful, co_await Plan({.keep_crds = true}));
  const std::string text = ToText(careful);
  EXPECT_THAT(text, Not(HasSubstr("  CustomResourceDefinition ")));
  EXPECT_THAT(text, Not(HasSubstr("  Namespace tigera-operator")));
  EXPECT_THAT(text, HasSubstr("Secret my-pull"));
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan all, co_await Plan({.remove_user_data = true}));
  EXPECT_THAT(ToText(all), AllOf(HasSubstr("CustomResourceDefinition ippools.crd"),
                                 HasSubstr("  Namespace tigera-operator")));
}

ASYNC_TEST_F(RemovalTest, NothingIsRemovedWhileAnotherOperatorRuns) {
  Load(kWorld);
  Load(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: tigera-operator, namespace: "
      "tigera-operator}, spec: {template: {spec: {containers: [{name: tigera-operator, image: "
      "'quay.io/tigera/operator:v1.42.4'}]}}}}");
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan plan, co_await Plan());
  EXPECT_THAT(plan.problems, ElementsAre(HasSubstr("runs another operator")));
}

ASYNC_TEST_F(RemovalTest, WorksWhereTheKindsAreGone) {
  Load("{apiVersion: v1, kind: Namespace, metadata: {name: calico-system}}");
  for (const api::Resource* const resource :
       {&api::kInstallations, &api::kApiServers, &api::kImageSets, &api::kGoldmanes,
        &api::kWhiskers, &api::kTigeraStatuses}) {
    server().state().SetServed(*resource, false);
  }
  CO_ASSERT_OK_AND_ASSIGN(const RemovalPlan plan, co_await Plan());
  EXPECT_THAT(co_await Remove(plan), IsOk());
  EXPECT_THAT(Deleted(), ElementsAre("calico-system"));
}

}  // namespace
}  // namespace calico::removal
