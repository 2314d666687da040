#include "operator/controllers/calico_config/kube_proxy_controller.h"

#include <functional>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/calico_config/calico_view.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/metrics/registry.h"

namespace calico::calico_config {
namespace {

using base::IsOk;
using ::testing::HasSubstr;

const api::ObjectKey kKubeProxy = {"kube-system", "kube-proxy"};

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_THAT(value, IsOk());
  return value.ok() ? value->as_object() : json::object();
}

class KubeProxyControllerTest : public kube::FakeApiServerTest {
 protected:
  void Start() {
    events_ = std::make_unique<kube::EventRecorder>(client(), "test", base::SystemClock(), logger(),
                                                    executor());
    view_ = std::make_unique<CalicoView>(client(), base::SystemClock(), logger(), executor());
    controller_ = std::make_unique<KubeProxyController>(executor(), client(), *view_, *events_,
                                                        registry_, base::SystemClock(), logger(),
                                                        absl::Milliseconds(50));
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(view_->Run());
    group_->Spawn(controller_->Run());
  }
  aio::Task<void> Stop() { co_await group_->Stop(); }
  aio::Task<void> Until(const char* what, std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), IsOk());
    }
    EXPECT_TRUE(condition()) << what << ": " << Status();
  }
  void PutFelix(bool is_bpf_on) {
    server().Put(
        Yaml(fmt::format("{{apiVersion: crd.projectcalico.org/v1, kind: "
                         "FelixConfiguration, metadata: {{name: default}}, spec: "
                         "{{bpfEnabled: {}}}}}",
                         is_bpf_on)));
  }
  void PutKubeProxy(std::string_view metadata = "") {
    server().Put(
        Yaml(fmt::format("{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: kube-proxy, "
                         "namespace: kube-system{}}}, spec: {{template: {{spec: {{nodeSelector: "
                         "{{kubernetes.io/os: linux}}}}}}}}}}",
                         metadata)));
  }
  std::string Selector() {
    const auto kube_proxy = server().Find(api::kDaemonSets, kKubeProxy);
    return codec::Serialize(kube_proxy->at("spec").at("template").at("spec").at("nodeSelector"));
  }
  bool IsOff() { return Selector().find(kNoKubeProxyLabel) != std::string::npos; }
  std::string Status() {
    const auto status = server().Find(api::kTigeraStatuses, {"", "kubeproxy-monitor"});
    return status.has_value() ? codec::Serialize(*status) : "";
  }
  int Patches() { return server().Count("PATCH", "/daemonsets/kube-proxy"); }

  metrics::Registry registry_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<CalicoView> view_;
  std::unique_ptr<KubeProxyController> controller_;
  std::unique_ptr<aio::TaskGroup> group_;
};

ASYNC_TEST_F(KubeProxyControllerTest, FollowsFelixAndKeepsTheRestOfTheSelector) {
  PutFelix(false);
  PutKubeProxy();
  Start();
  controller_->SetInput(KubeProxyInput{1, "uid-1"});
  co_await Until("available",
                 [&] { return Status().find("All objects available") != Status().npos; });
  EXPECT_FALSE(IsOff());
  PutFelix(true);
  co_await Until("off", [&] { return IsOff(); });
  EXPECT_THAT(Selector(), HasSubstr("kubernetes.io/os"));
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(200)), IsOk());
  EXPECT_EQ(Patches(), 1);
  PutFelix(false);
  co_await Until("back", [&] { return !IsOff(); });
  EXPECT_THAT(Selector(), HasSubstr("kubernetes.io/os"));
  co_await Stop();
}

ASYNC_TEST_F(KubeProxyControllerTest, OneThatSomethingElseLooksAfterStays) {
  PutFelix(true);
  PutKubeProxy(", labels: {addonmanager.kubernetes.io/mode: Reconcile}");
  Start();
  controller_->SetInput(KubeProxyInput{1, "uid-1"});
  co_await Until("told", [&] {
    return Status().find("addonmanager.kubernetes.io/mode=Reconcile") != Status().npos;
  });
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(150)), IsOk());
  EXPECT_EQ(Patches(), 0);
  co_await Stop();
}

ASYNC_TEST_F(KubeProxyControllerTest, NobodyAsksAndNothingIsChanged) {
  PutFelix(true);
  PutKubeProxy();
  Start();
  controller_->SetInput(std::nullopt);
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(150)), IsOk());
  EXPECT_EQ(server().Count("", "/daemonsets/kube-proxy"), 0);
  controller_->SetInput(KubeProxyInput{1, "uid-1"});
  co_await Until("off", [&] { return IsOff(); });
  controller_->SetInput(std::nullopt);
  co_await Until("no status", [&] { return Status().empty(); });
  EXPECT_TRUE(IsOff());
  co_await Stop();
}

ASYNC_TEST_F(KubeProxyControllerTest, ThatThereIsNoneIsTold) {
  PutFelix(true);
  Start();
  controller_->SetInput(KubeProxyInput{1, "uid-1"});
  co_await Until("told", [&] {
    return Status().find("failed to retrieve kube-proxy DaemonSet") != Status().npos;
  });
  co_await Stop();
}

}  // namespace
}  // namespace calico::calico_config
