#include "operator/controllers/teardown/teardown.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::teardown {
namespace {

using base::IsOk;

const api::ObjectKey kPlugin = {"", "calico-cni-plugin"};
const api::ObjectKey kNamespace = {"", "calico-system"};
constexpr char kOurs[] =
    "labels: {app.kubernetes.io/managed-by: calico-operator}, managedFields: [{manager: "
    "calico-operator, operation: Apply, fieldsV1: {}}]";

class TeardownTest : public kube::FakeApiServerTest {
 protected:
  TeardownTest() : group_(executor()) {}

  void Put(const std::string& yaml) { server().Put(codec::ParseYaml(yaml)->as_object()); }
  // What the garbage collector leaves.
  void PutLast(const std::string& metadata = kOurs) {
    Put("{apiVersion: v1, kind: Namespace, metadata: {name: calico-system, " + metadata + "}}");
    for (const char* const kind : {"ClusterRole", "ClusterRoleBinding"}) {
      Put("{apiVersion: rbac.authorization.k8s.io/v1, kind: " + std::string(kind) +
          ", metadata: {name: calico-cni-plugin, " + metadata + "}}");
    }
  }
  void PutPod(const std::string& name, const std::string& spec) {
    Put("{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", namespace: calico-system}, " +
        spec + "}");
  }
  aio::Task<void> Start() {
    owned_ = std::make_unique<kube::LiveObjects>(
        client(),
        std::vector<kube::LiveKind>{
            {&api::kClusterRoles, ""}, {&api::kClusterRoleBindings, ""}, {&api::kNamespaces, ""}},
        "app.kubernetes.io/managed-by=calico-operator", "calico-operator", base::SystemClock(),
        logger(), executor());
    teardown_ = std::make_unique<Teardown>(client(), *owned_, logger());
    group_.Spawn(owned_->Run());
    CO_ASSERT_OK(co_await owned_->WaitForSync(absl::Seconds(5)));
    server().ClearRequests();
  }
  aio::Task<void> Stop() { co_await group_.Stop(); }
  bool IsThere(const api::Resource& resource, const api::ObjectKey& key) {
    return server().Find(resource, key).has_value();
  }

  std::unique_ptr<kube::LiveObjects> owned_;
  std::unique_ptr<Teardown> teardown_;
  aio::TaskGroup group_;
};

ASYNC_TEST_F(TeardownTest, RoleAndNamespaceGoWhenNoPodNeedsTheCniPlugin) {
  PutLast();
  PutPod("calico-kube-controllers-1", "spec: {}");
  PutPod("calico-node-1", "spec: {hostNetwork: true}");
  PutPod("job", "spec: {}, status: {phase: Succeeded}");
  co_await Start();
  CO_ASSERT_OK_AND_ASSIGN(const controller::Result waiting, co_await teardown_->Run());
  EXPECT_GT(waiting.requeue_after, absl::ZeroDuration());
  EXPECT_EQ(server().Count("DELETE"), 0);
  CO_ASSERT_OK(
      co_await client().Delete(api::kPods, {"calico-system", "calico-kube-controllers-1"}));
  CO_ASSERT_OK(co_await teardown_->Run());
  EXPECT_FALSE(IsThere(api::kClusterRoleBindings, kPlugin));
  EXPECT_FALSE(IsThere(api::kClusterRoles, kPlugin));
  EXPECT_FALSE(IsThere(api::kNamespaces, kNamespace));
  co_await Stop();
}

ASYNC_TEST_F(TeardownTest, AnInstallationThatWasMadeMeanwhileKeepsThem) {
  PutLast();
  co_await Start();
  Put("{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}}");
  CO_ASSERT_OK(co_await teardown_->Run());
  EXPECT_EQ(server().Count("DELETE"), 0);
  co_await Stop();
}

ASYNC_TEST_F(TeardownTest, WhatIsSomebodyElsesStaysAndNothingIsSent) {
  PutLast("labels: {app.kubernetes.io/managed-by: calico-operator}");
  Put("{apiVersion: v1, kind: Namespace, metadata: {name: calico-system, " + std::string(kOurs) +
      ", ownerReferences: [{apiVersion: v1, kind: X, name: x, uid: x, controller: true}]}}");
  co_await Start();
  CO_ASSERT_OK_AND_ASSIGN(const controller::Result done, co_await teardown_->Run());
  EXPECT_EQ(done.requeue_after, controller::Result{}.requeue_after);
  EXPECT_TRUE(server().requests().empty());
  co_await Stop();
}

ASYNC_TEST_F(TeardownTest, ARefusalIsTriedAgain) {
  PutLast();
  co_await Start();
  server().Inject({.method = "DELETE", .times = 1, .status = 403, .reason = "Forbidden"});
  EXPECT_THAT((co_await teardown_->Run()).status(),
              base::StatusIs(absl::StatusCode::kPermissionDenied));
  CO_ASSERT_OK(co_await teardown_->Run());
  EXPECT_FALSE(IsThere(api::kNamespaces, kNamespace));
  co_await Stop();
}

}  // namespace
}  // namespace calico::teardown
