#include "operator/controllers/cluster/cluster_signs.h"

#include <functional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "operator/defaults/cluster_facts.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"

namespace calico::cluster {
namespace {

constexpr std::string_view kKubeSystem = "kube-system";
constexpr std::string_view kKubeadmConfig = "kubeadm-config";
constexpr std::string_view kAwsNode = "aws-node";
constexpr std::string_view kManifestDaemonSets[] = {"calico-node", "canal"};
constexpr std::string_view kDnsService = "kube-dns";
constexpr std::string_view kOpenShiftGroup = "config.openshift.io";

class SignReader {
 public:
  SignReader(kube::Client& client, const aio::Executor& executor)
      : client_(client), group_(executor) {}

  aio::Task<absl::StatusOr<ClusterSigns>> Read() {
    for (const std::string_view name : defaults::kProviderConfigMaps) {
      group_.Spawn(Look(api::kConfigMaps, name, [this, name](const json::object&) {
        signs_.provider.config_maps.emplace_back(name);
      }));
    }
    for (const std::string_view name : defaults::kProviderServices) {
      group_.Spawn(Look(api::kServices, name, [this, name](const json::object& service) {
        signs_.provider.services.emplace_back(name);
        if (name == kDnsService) ReadDnsLabels(service);
      }));
    }
    group_.Spawn(Look(api::kConfigMaps, kKubeadmConfig, [this](const json::object& config) {
      signs_.kubeadm_pod_subnet = defaults::KubeadmPodSubnet(config);
    }));
    group_.Spawn(Look(api::kDaemonSets, kAwsNode,
                      [this](const json::object&) { signs_.has_aws_node_daemon_set = true; }));
    for (const std::string_view name : kManifestDaemonSets) {
      group_.Spawn(Look(api::kDaemonSets, name, [this, name](const json::object&) {
        signs_.manifest_daemon_sets.emplace_back(name);
      }));
    }
    group_.Spawn(ReadGroups());
    co_await group_.Join();
    co_await group_.Stop();
    if (!error_.ok()) co_return error_;
    co_return std::move(signs_);
  }

 private:
  using Found = std::function<void(const json::object&)>;

  // Not there is an answer too; not allowed counts as such and is told.
  void Take(const absl::StatusOr<json::object>& answer, const Found& found) {
    if (answer.ok()) {
      found(*answer);
    } else if (absl::IsPermissionDenied(answer.status())) {
      signs_.gaps.push_back(fmt::format("{}: apply the operator.yaml of this version",
                                        std::string(answer.status().message())));
    } else if (!absl::IsNotFound(answer.status())) {
      error_ = answer.status();
    }
  }

  aio::Task<void> Look(const api::Resource& resource, std::string_view name, Found found) {
    const absl::StatusOr<json::object> answer =
        co_await client_.Get(resource, {std::string(kKubeSystem), std::string(name)});
    Take(answer, found);
  }

  aio::Task<void> ReadGroups() {
    const absl::StatusOr<json::object> groups = co_await client_.GetPath("/apis");
    bool is_openshift = false;
    Take(groups, [&](const json::object& list) {
      const json::array* const all = codec::FindArray(list, "groups");
      if (all == nullptr) return;
      for (const json::value& group : *all) {
        if (!group.is_object()) continue;
        const std::string_view name = codec::TextAt(group.get_object(), "name");
        is_openshift = is_openshift || name == kOpenShiftGroup;
        signs_.provider.api_groups.emplace_back(name);
      }
    });
    if (is_openshift) co_await ReadOpenShift();
  }

  aio::Task<void> ReadOpenShift() {
    const absl::StatusOr<json::object> kinds =
        co_await client_.GetPath("/apis/config.openshift.io/v1");
    Take(kinds, [&](const json::object& list) {
      const json::array* const all = codec::FindArray(list, "resources");
      if (all == nullptr) return;
      for (const json::value& kind : *all) {
        if (!kind.is_object()) continue;
        if (codec::TextAt(kind.get_object(), "kind") == "ClusterVersion") {
          signs_.provider.serves_cluster_versions = true;
        }
      }
    });
    const absl::StatusOr<json::object> network =
        co_await client_.GetPath("/apis/config.openshift.io/v1/networks/cluster");
    Take(network, [&](const json::object& object) {
      const json::object* const spec = codec::FindObject(object, "spec");
      const json::array* const all =
          spec == nullptr ? nullptr : codec::FindArray(*spec, "clusterNetwork");
      if (all == nullptr) return;
      for (const json::value& one : *all) {
        if (!one.is_object()) continue;
        signs_.openshift_pod_networks.emplace_back(codec::TextAt(one.get_object(), "cidr"));
      }
    });
  }

  void ReadDnsLabels(const json::object& service) {
    const json::object* const metadata = codec::FindObject(service, "metadata");
    const json::object* const labels =
        metadata == nullptr ? nullptr : codec::FindObject(*metadata, "labels");
    if (labels == nullptr) return;
    for (const json::key_value_pair& label : *labels) {
      signs_.provider.dns_label_keys.emplace_back(codec::KeyOf(label));
    }
  }

  kube::Client& client_;
  aio::TaskGroup group_;
  ClusterSigns signs_;
  absl::Status error_;
};

}  // namespace

aio::Task<absl::StatusOr<ClusterSigns>> ReadClusterSigns(kube::Client& client,
                                                         const aio::Executor& executor) {
  SignReader reader(client, executor);
  co_return co_await reader.Read();
}

}  // namespace calico::cluster
