// ApiServerPart: what the kind APIServer adds to a pass of the installation controller. Calico's
// API server is rendered with everything else, and applied and reported apart: what is wrong with
// it does not stand in the way of the Installation, and the other way round only where it must.
//
//   api_server.Begin();
//   inputs.api_server = api_server.Input();
//   ... render, apply what belongs to the Installation ...
//   co_await api_server.Apply(objects that belong to the APIServer);
//   co_await api_server.Report(context);
//
// What is made belongs to the APIServer object and goes with it, by the garbage collector.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_API_SERVER_PART_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_API_SERVER_PART_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/wanted_workloads.h"
#include "operator/controllers/kinds/kinds_view.h"
#include "operator/controllers/kinds/records.h"
#include "operator/controllers/status/component_metrics.h"
#include "operator/controllers/status/conditions.h"
#include "operator/controllers/status/status_memory.h"
#include "operator/controllers/status/status_writer.h"
#include "operator/render/inputs.h"
#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/applier.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/metrics/registry.h"
#include "pkg/pki/certificate.h"

namespace calico::kinds {

// Threading: event loop thread only; one pass at a time. All references outlive it.
class ApiServerPart {
 public:
  // `ns`: where this release runs Calico's API server.
  ApiServerPart(aio::Executor executor, kube::Client& client, installation::ClusterView& cluster,
                KindsView& kinds, kube::EventRecorder& events, metrics::Registry& registry,
                std::string ns, const base::Clock& clock, const base::Logger& logger);

  // Looks which APIServer counts, and whether it is right.
  void Begin();
  // To be rendered; absent: there is none, or a wrong one, of which what runs is left untouched.
  std::optional<render::ApiServerInput> Input() const;
  // The APIServer that counts, right or wrong: key pairs of its pods are kept. Null: there is none.
  const KindRecord* Wanted() const;
  // Every pod is of the newest template, or there is no APIServer; false while that is not known.
  bool IsRolledOut() const { return Wanted() == nullptr || workloads_.AreRolledOut(); }
  // Why it is not applied in this pass; the first one stays.
  void Stop(status::Obstacle obstacle);
  void WaitFor(std::string what) { pass_.waits.push_back(std::move(what)); }
  // Makes the cluster hold these, and nothing else that belongs to this APIServer. Requires: Input
  // was among what they were rendered from. Cancellation: total. `copies_pull_secrets`: as
  // status::OutcomeOf takes it.
  aio::Task<void> Apply(std::vector<json::object> objects, bool copies_pull_secrets);

  // What the pods' requests are judged by.
  struct Certificates {
    bool are_known = false;  // false: whether a request was denied is not known, or not to be told
    std::vector<pki::Certificate> roots;
  };
  // Writes TigeraStatus `apiserver`, or removes it with its APIServer. Returns when to look again.
  // Errors: as StatusWriter; what stood in the way of applying. Cancellation: total.
  aio::Task<absl::StatusOr<absl::Time>> Report(const Certificates& certificates);

 private:
  struct Pass {
    std::shared_ptr<const ApiServerRecord> record;  // null: there is none
    bool is_one_of_two = false;
    std::optional<status::Obstacle> obstacle;
    std::vector<std::string> waits;
    std::vector<std::string> notes;
    bool is_applied = false;
    absl::Status error;
    absl::Time again_at = absl::InfiniteFuture();
  };

  void Check(const ApiServerRecord& record);
  status::Facts FactsOf(const Certificates& certificates);
  void LookAtApiService(status::Facts& facts);
  status::StatusWriter& WriterFor(const std::string& name);
  void LogOnce();

  kube::Client& client_;
  installation::ClusterView& cluster_;
  KindsView& kinds_;
  kube::EventRecorder& events_;
  const std::string ns_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  kube::Applier applier_;
  installation::WantedWorkloads workloads_;
  status::StatusMemory memory_;
  status::ComponentMetrics metrics_;
  // For an owner of this name; there are two names.
  std::string writer_name_;
  std::optional<status::StatusWriter> writer_;
  Pass pass_;
  std::string logged_;
};

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_API_SERVER_PART_H_
