// A running operator against the fake API server, and what one sees of it.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INTEGRATION_OPERATOR_TEST_WORLD_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INTEGRATION_OPERATOR_TEST_WORLD_H_

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/installation/operator_program.h"
#include "operator/render/names.h"
#include "operator/render/releases.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/objects.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::installation {

inline constexpr absl::Duration kPatience = absl::Seconds(20);
// Of calico-node and typha, those of the reference, kube-controllers and the CSI driver; two
// admission policies and their bindings.
inline constexpr size_t kObjects = 31;
inline const api::ObjectKey kDefault = {"", "default"};
inline const api::ObjectKey kCalico = {"", "calico"};
inline const api::ObjectKey kNodeKey = {"calico-system", "calico-node"};
inline const api::ObjectKey kTyphaKey = {"calico-system", "calico-typha"};
inline const api::ObjectKey kCsiKey = {"calico-system", "csi-node-driver"};
inline const api::ObjectKey kControllersKey = {"calico-system", "calico-kube-controllers"};

// One running operator. Stop it before it is destroyed.
struct RunningOperator {
  RunningOperator(const aio::Executor& executor, OperatorOptions options,
                  const base::Logger& logger)
      : stop(executor), group(executor) {
    group.Spawn(Run(std::move(options), logger));
  }
  aio::Task<void> Run(OperatorOptions options, const base::Logger& logger) {
    exit_code = co_await RunOperator(std::move(options), Wait(), base::SystemClock(), logger);
  }
  aio::Task<void> Wait() { const absl::Status ignored = co_await stop.Wait(); }

  aio::Notifier stop;
  aio::TaskGroup group;
  std::optional<int> exit_code;
};

class OperatorProgramTest : public kube::FakeApiServerTest {
 protected:
  OperatorProgramTest() {
    for (const char* name : {"a", "b", "c"}) {
      server().Put({{"apiVersion", "v1"},
                    {"kind", "Node"},
                    {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/os", "linux"}}}}}});
    }
    // Calico's API server does not run.
    for (const api::Resource* const resource :
         {&api::kServedIpPools, &api::kServedTiers, &api::kServedNetworkPolicies,
          &api::kServedGlobalNetworkPolicies}) {
      server().state().SetServed(*resource, false);
    }
  }

  // --- the operator ---
  void Start(bool leader_elect = false, bool manage_crds = false) {
    config::OperatorConfig config;
    config.release = release_;
    config.allow_downgrade = allow_downgrade_;
    config.leader_elect = leader_elect;
    config.manage_crds = manage_crds;
    config.service_host = "10.0.0.1";
    config.service_port = "443";
    operator_ = std::make_unique<RunningOperator>(
        executor(),
        OperatorOptions{
            .config = config, .operator_namespace = "tigera-operator", .api = server().Config()},
        logger());
  }
  // SIGTERM.
  aio::Task<void> Stop() {
    operator_->stop.Notify();
    co_await operator_->group.Join();
    co_await operator_->group.Stop();
  }
  // As if the process were gone, wherever it is.
  aio::Task<void> Kill() { co_await operator_->group.Stop(); }

  aio::Task<void> Until(const char* what, std::function<bool()> condition) {
    const absl::Time end = absl::Now() + kPatience;
    while (!condition() && absl::Now() < end) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(5)), base::IsOk());
    }
    EXPECT_TRUE(condition()) << what << "\n" << StatusText();
  }
  // Until nothing has been sent for a while.
  aio::Task<void> Settle() {
    size_t seen = 0;
    do {
      seen = server().requests().size();
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(400)), base::IsOk());
    } while (seen != server().requests().size());
  }

  // --- the world ---
  static json::object Installation() {
    return render::LoadGoldenYaml("reference/b-cm-default/installation.yaml").front();
  }
  void PutInstallation(json::object object) {
    object["metadata"].as_object()["generation"] = ++generation_;
    const auto live = server().Find(api::kInstallations, kDefault);
    if (live.has_value())
      object["status"] = live->contains("status") ? live->at("status") : nullptr;
    server().Put(std::move(object));
  }
  // In the operator's namespace, for images.
  void PutPullSecret() {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Secret"},
                  {"metadata", {{"name", "my-pull"}, {"namespace", "tigera-operator"}}},
                  {"type", "kubernetes.io/dockerconfigjson"},
                  {"data", {{".dockerconfigjson", "eyJhdXRocyI6e319"}}}});
  }

  void ChangeSpec(std::function<void(json::object&)> change) {
    json::object object = *server().Find(api::kInstallations, kDefault);
    change(render::ObjectAt(object, {"spec"}));
    PutInstallation(std::move(object));
  }
  void SetStatus(const api::Resource& resource, const api::ObjectKey& key, json::object status) {
    json::object object = *server().Find(resource, key);
    object["status"] = std::move(status);
    server().Put(std::move(object));
  }
  void MakeEverythingRun(int generation = 9) {
    for (const api::ObjectKey& key : {kNodeKey, kCsiKey}) {
      SetStatus(api::kDaemonSets, key,
                {{"observedGeneration", generation},
                 {"desiredNumberScheduled", 3},
                 {"numberReady", 3},
                 {"updatedNumberScheduled", 3},
                 {"numberAvailable", 3}});
    }
    for (const auto& [key, replicas] : {std::pair(kTyphaKey, 2), std::pair(kControllersKey, 1)}) {
      SetStatus(api::kDeployments, key,
                {{"observedGeneration", generation},
                 {"replicas", replicas},
                 {"updatedReplicas", replicas},
                 {"readyReplicas", replicas},
                 {"availableReplicas", replicas}});
    }
  }

  // --- what one sees ---
  std::optional<json::object> Find(const api::Resource& resource, const api::ObjectKey& key) {
    return server().Find(resource, key);
  }
  std::string Condition(std::string_view type, std::string_view field = "status") {
    std::optional<json::object> status = Find(api::kTigeraStatuses, kCalico);
    if (!status.has_value() || !status->contains("status")) return "";
    for (json::value& condition : render::ArrayAt(*status, {"status", "conditions"})) {
      if (render::TextAt(condition.as_object(), "type") == type) {
        return std::string(render::TextAt(condition.as_object(), field));
      }
    }
    return "";
  }
  std::string StatusText() {
    return fmt::format("Available={} Progressing={} {} Degraded={} {}", Condition("Available"),
                       Condition("Progressing"), Condition("Progressing", "message"),
                       Condition("Degraded"), Condition("Degraded", "message"));
  }
  // The generation of the Installation that Available is about.
  std::int64_t ConditionGeneration() {
    std::optional<json::object> status = Find(api::kTigeraStatuses, kCalico);
    if (!status.has_value()) return 0;
    for (json::value& condition : render::ArrayAt(*status, {"status", "conditions"})) {
      if (render::TextAt(condition.as_object(), "type") == "Available") {
        return condition.at("observedGeneration").to_number<std::int64_t>();
      }
    }
    return 0;
  }
  bool HasConditions() { return !Condition("Degraded").empty(); }
  bool IsAvailable() { return Condition("Available") == "True"; }
  int Writes() {
    return static_cast<int>(std::count_if(
        server().requests().begin(), server().requests().end(), [](const auto& request) {
          return request.method != "GET" && request.path.find("/leases") == std::string::npos;
        }));
  }
  // By its owner, or by its label where it has none.
  static bool IsMade(const json::object& metadata) {
    const json::object* const labels = codec::FindObject(metadata, "labels");
    return metadata.contains("ownerReferences") ||
           (labels != nullptr &&
            codec::TextAt(*labels, render::kManagedByLabel) == render::kManagedBy);
  }
  // What the operator has made, its status aside, without what differs from run to run.
  std::map<std::string, json::object> Made() {
    std::map<std::string, json::object> made;
    for (const api::Resource& resource : api::Resources()) {
      if (resource == api::kTigeraStatuses) continue;
      for (json::object object : server().state().List(resource)) {
        json::object& metadata = render::ObjectAt(object, {"metadata"});
        if (!IsMade(metadata)) continue;
        const std::string name =
            fmt::format("{} {}", resource.kind, render::TextAt(metadata, "name"));
        for (const char* key : {"uid", "resourceVersion", "creationTimestamp", "managedFields"}) {
          metadata.erase(key);
        }
        object.erase("status");
        made[name] = std::move(object);
      }
    }
    return made;
  }

  const render::Release* release_ = &render::DefaultRelease();
  bool allow_downgrade_ = false;
  std::unique_ptr<RunningOperator> operator_;
  int generation_ = 0;
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_INTEGRATION_OPERATOR_TEST_WORLD_H_
