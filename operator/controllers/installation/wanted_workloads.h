// WantedWorkloads: which workloads have been rendered last, and what is seen of them.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_WANTED_WORKLOADS_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_WANTED_WORKLOADS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/status/workload_health.h"
#include "operator/render/names.h"
#include "pkg/api/apps/workloads.h"
#include "pkg/api/meta/resource.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/applier.h"

namespace calico::installation {

// Threading: event loop thread only. All references outlive it.
class WantedWorkloads {
 public:
  struct Wanted {
    std::string_view kind;  // status::kDaemonSet or kDeployment
    std::string name;
    std::string ns = std::string(render::kCalicoNamespace);
    std::optional<int> replicas = std::nullopt;
  };

  // `first`: until the first rendering, what every release has.
  WantedWorkloads(const ClusterView& view, const kube::Applier& applier, std::vector<Wanted> first)
      : view_(view), applier_(applier), wanted_(std::move(first)) {}

  // The DaemonSets and Deployments among `objects`, from now on.
  void Remember(const std::vector<json::object>& objects);
  // As it is in the cluster, but never as finished with what it has not seen yet. Null: not there.
  std::shared_ptr<const api::DaemonSet> DaemonSet(std::string_view name) const;
  // DaemonSets first.
  std::vector<status::Workload> Look() const;
  // Every pod is of the newest template, and the API server has made all that are asked for; false
  // while that is not known.
  bool AreRolledOut() const;

 private:
  template <class T>
  std::shared_ptr<const T> UpToDate(const api::Resource& resource,
                                    std::shared_ptr<const T> cached) const;

  const ClusterView& view_;
  const kube::Applier& applier_;
  std::vector<Wanted> wanted_;
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_WANTED_WORKLOADS_H_
