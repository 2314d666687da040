// Adoption: a cluster whose Calico Tigera's operator has installed becomes ours.
//
//   Adoption adoption(client, options);
//   CALICO_CO_ASSIGN_OR_RETURN(Report report, co_await adoption.Check());   // writes nothing
//   if (report.problems.empty()) co_await adoption.TakeOver(report, tell);
//
// Taking over writes metadata only: owners, labels, finalizers and who has set what. What differs
// in anything else the operator changes when it runs, in its own careful order; the report says so
// before. Secrets stay as they are. Nothing is deleted.
#ifndef CALICO_OPERATOR_ADOPTION_ADOPTION_H_
#define CALICO_OPERATOR_ADOPTION_ADOPTION_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/adoption/inventory.h"
#include "operator/adoption/ownership.h"
#include "operator/offline/world.h"
#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resource.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/schema/changes.h"

namespace calico::adoption {

struct AdoptionOptions {
  // Null: the one that the cluster runs (Installation.status.calicoVersion), if this program has
  // it, else the default.
  const render::Release* release = nullptr;
  api::ObjectKey operator_key;  // of the operator's Deployment
  // What the operator's pod is told about the API server; absent: the Service `kubernetes`.
  std::optional<render::ApiEndpoint> api_endpoint;
  absl::Time now;
};

struct ObjectReport {
  const api::Resource* resource = nullptr;  // static
  api::ObjectKey key;
  bool is_new = false;                       // the operator makes it
  bool is_left_alone = false;                // this operator does not make it; it stays as it is
  bool is_shared = false;                    // Calico's own configuration, with users
  bool restarts_pods = false;                // the template of its pods changes
  std::vector<kube::FieldChange> ownership;  // what TakeOver writes
  // What the operator changes when it runs. Values of Secrets are withheld.
  std::vector<kube::FieldChange> changes;
  std::string obstacle;  // why it cannot be changed, and what to do
  json::object desired;  // as the operator would apply it; empty: it is left alone
};

struct Report {
  std::string release;          // that the operator has to be started with
  std::string running_version;  // of Calico, by the Installation's status; may be empty
  std::vector<ObjectReport> objects;
  std::vector<std::string> problems;  // all that is in the way; nothing is taken over then
  std::vector<std::string> warnings;

  bool RestartsPods() const;
};

// Threading: event loop thread only. `client` outlives it.
class Adoption {
 public:
  Adoption(kube::Client& client, AdoptionOptions options);

  // Writes nothing: where only the API server can tell, it is asked to try (dryRun).
  // Errors: as kube::Client.
  aio::Task<absl::StatusOr<Report>> Check();

  // Takes over every object of `report`, one after the other, and tells each one that was written.
  // Safe to run again, also after it was interrupted. The number of objects that were written.
  // Errors: kFailedPrecondition when the report has problems; as kube::Client.
  aio::Task<absl::StatusOr<int>> TakeOver(const Report& report,
                                          std::function<void(const std::string& object)> tell);

 private:
  aio::Task<absl::Status> FindObstacles(const offline::World& world, Report& report);
  aio::Task<absl::Status> Compare(ObjectReport& object);
  aio::Task<std::vector<kube::FieldChange>> ChangesOf(const ObjectReport& object,
                                                      const json::object& live);
  aio::Task<absl::Status> AddConfiguration(const std::vector<json::object>& rendered,
                                           Report& report);
  aio::Task<absl::Status> AddOthers(Report& report);
  aio::Task<absl::StatusOr<bool>> TakeOne(const ObjectReport& object);

  kube::Client& client_;
  const AdoptionOptions options_;
};

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_ADOPTION_H_
