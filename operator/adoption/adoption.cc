#include "operator/adoption/adoption.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "operator/adoption/former_operator.h"
#include "operator/adoption/live_world.h"
#include "operator/offline/rendering.h"
#include "operator/render/names.h"
#include "operator/render/releases.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/apply/plan.h"
#include "pkg/kube/apply/take_over.h"
#include "pkg/kube/schema/schema.h"

namespace calico::adoption {
namespace {

using codec::FindObject;
using codec::TextAt;
using kube::FieldChange;

constexpr std::string_view kWithheld = "REDACTED";
constexpr char kLease[] = "operator-lock";
constexpr int kTries = 5;  // when somebody else writes the same object

// The kinds of users' objects that an operator puts finalizers on.
constexpr const api::Resource* kAskedKinds[] = {&api::kInstallations, &api::kApiServers,
                                                &api::kGoldmanes, &api::kWhiskers};

// What the operator shares with users.
constexpr const api::Resource* kConfigurationKinds[] = {&api::kIpPools, &api::kFelixConfigurations,
                                                        &api::kBgpConfigurations};

api::ObjectKey DefaultKey() { return {"", std::string(api::kInstallationName)}; }

// Whether the operator finds the object by its labels, so that it is managed as a whole: not what
// it shares with users, such as an IPPool.
bool IsManagedWhole(const json::object& desired) {
  const json::object* const metadata = FindObject(desired, "metadata");
  const json::object* const labels =
      metadata == nullptr ? nullptr : FindObject(*metadata, "labels");
  return labels != nullptr && TextAt(*labels, render::kManagedByLabel) == render::kManagedBy;
}

OwnerUids UidsOf(const offline::World& world) {
  OwnerUids uids;
  for (const std::string_view kind : {api::kInstallations.kind, api::kApiServers.kind}) {
    const json::object* const object = world.Find(kind, DefaultKey());
    if (object != nullptr) uids.emplace(kind, api::ObjectMetaOf(*object).uid);
  }
  return uids;
}

// What PlanTakeover is about, and what the API server and controllers write.
json::object WithoutOwnership(const json::object& desired) {
  json::object rest = desired;
  json::value* const metadata = rest.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object()) return rest;
  metadata->get_object().erase("ownerReferences");
  json::value* const labels = metadata->get_object().if_contains("labels");
  if (labels != nullptr && labels->is_object()) {
    labels->get_object().erase(render::kManagedByLabel);
    labels->get_object().erase(render::kInstanceLabel);
  }
  return rest;
}

json::object BodyOf(const json::object& object) {
  json::object body = object;
  body.erase("metadata");
  body.erase("status");
  return body;
}

bool IsOfPods(const api::Resource& resource, const FieldChange& change) {
  return (resource == api::kDaemonSets || resource == api::kDeployments) &&
         (change.path.starts_with("spec.template") || change.path == "spec");
}

void Withhold(std::vector<FieldChange>& changes) {
  for (FieldChange& change : changes) {
    if (change.path.starts_with("metadata.") || change.path == "type") continue;
    for (json::value* const value : {&change.before, &change.after}) {
      if (!value->is_null()) *value = kWithheld;
    }
  }
}

std::string RunningVersion(const offline::World& world) {
  const json::object* const installation = world.Find(api::kInstallations.kind, DefaultKey());
  const json::object* const status =
      installation == nullptr ? nullptr : FindObject(*installation, "status");
  return status == nullptr ? "" : std::string(TextAt(*status, "calicoVersion"));
}

const render::Release* ChooseRelease(const render::Release* asked, const offline::World& world,
                                     Report& report) {
  render::Releases& releases = render::Releases::Embedded();
  const std::string running = ReleaseInStatus(world);
  const render::Release* release = asked;
  if (release == nullptr) {
    absl::StatusOr<const render::Release*> found = releases.Find(running);
    if (absl::IsNotFound(found.status())) found = releases.Find(releases.newest());
    if (!found.ok()) {
      report.problems.emplace_back(found.status().message());
      return nullptr;
    }
    release = *found;
  }
  if (!running.empty() && running != release->version()) {
    report.warnings.push_back(fmt::format(
        "the cluster runs Calico {}, and {} is compared: every pod of Calico is replaced",
        report.running_version, release->version()));
  }
  return release;
}

}  // namespace

bool Report::RestartsPods() const {
  return std::any_of(objects.begin(), objects.end(),
                     [](const ObjectReport& object) { return object.restarts_pods; });
}

Adoption::Adoption(kube::Client& client, AdoptionOptions options)
    : client_(client), options_(std::move(options)) {}

// Whoever else would change everything back.
aio::Task<absl::Status> Adoption::FindObstacles(const offline::World& world, Report& report) {
  const json::object* const installation = world.Find(api::kInstallations.kind, DefaultKey());
  if (installation == nullptr) {
    report.problems.emplace_back(
        "there is no Installation default: nothing is installed here that could be taken over");
  } else if (!TextAt(installation->at("metadata").as_object(), "deletionTimestamp").empty()) {
    report.problems.emplace_back(
        "Installation default is being deleted: `calico-operator uninstall` brings that to its "
        "end");
  }
  const absl::StatusOr<std::string> listed =
      co_await client_.List(api::kDeployments, {}, [&](json::object deployment) {
        std::string why = WhyInTheWay(deployment, options_.operator_key);
        if (!why.empty()) report.problems.push_back(std::move(why));
        return absl::OkStatus();
      });
  CALICO_CO_RETURN_IF_ERROR(listed.status());
  const absl::StatusOr<json::object> lease =
      co_await client_.Get(api::kLeases, {options_.operator_key.ns, kLease});
  if (absl::IsNotFound(lease.status())) co_return absl::OkStatus();
  if (!lease.ok()) co_return lease.status();
  // Of an operator that is named already there is no more to say.
  std::string why = WhyInTheWay(*lease, options_.now);
  if (!why.empty() && report.problems.empty()) report.problems.push_back(std::move(why));
  co_return absl::OkStatus();
}

// What differs, and what goes with the fields of Tigera's operator, as the API server says.
aio::Task<std::vector<FieldChange>> Adoption::ChangesOf(const ObjectReport& object,
                                                        const json::object& live) {
  const kube::Schema& schema = kube::Schema::Kubernetes();
  std::vector<FieldChange> changes = kube::Changes(schema, live, WithoutOwnership(object.desired));
  const std::optional<json::object> rest =
      kube::WithoutFieldsOf(schema, live, object.desired, kFormerManager);
  if (!rest.has_value()) co_return changes;
  // It fills in what is only a default; where it may not be asked, everything counts as going.
  absl::StatusOr<json::object> tried = co_await client_.DryRunUpdate(*object.resource, *rest);
  for (FieldChange& change :
       kube::Changes(schema, BodyOf(tried.ok() ? *tried : *rest), BodyOf(live))) {
    changes.push_back({std::move(change.path), std::move(change.after), std::move(change.before)});
  }
  co_return changes;
}

aio::Task<absl::Status> Adoption::Compare(ObjectReport& object) {
  const absl::StatusOr<json::object> live = co_await client_.Get(*object.resource, object.key);
  if (absl::IsNotFound(live.status())) {
    object.is_new = true;
    co_return absl::OkStatus();
  }
  if (!live.ok()) co_return live.status();
  if (std::optional<Takeover> takeover = PlanTakeover(*live, object.desired)) {
    object.ownership = std::move(takeover->changes);
  }
  object.changes = co_await ChangesOf(object, *live);
  object.restarts_pods =
      std::any_of(object.changes.begin(), object.changes.end(),
                  [&](const FieldChange& change) { return IsOfPods(*object.resource, change); });
  const absl::StatusOr<kube::DesiredObject> desired =
      kube::MakeDesired(object.desired, render::kAppliedAnnotation);
  if (desired.ok()) {
    const absl::StatusOr<bool> anew = kube::NeedsNewObject(*desired, *live);
    if (!anew.ok()) object.obstacle = std::string(anew.status().message());
  }
  if (*object.resource == api::kSecrets) Withhold(object.changes);
  co_return absl::OkStatus();
}

// Calico's own configuration, whose values and managers the operator looks at when it runs.
aio::Task<absl::Status> Adoption::AddConfiguration(const std::vector<json::object>& rendered,
                                                   Report& report) {
  const auto wanted = [&](std::string_view kind, const std::string& name) {
    return std::find_if(rendered.begin(), rendered.end(), [&](const json::object& object) {
      return TextAt(object, "kind") == kind && api::ObjectMetaOf(object).name == name;
    });
  };
  for (const api::Resource* const resource : kConfigurationKinds) {
    std::set<std::string> known;
    const auto add = [&](json::object live) {
      ObjectReport object{
          .resource = resource, .key = api::ObjectMetaOf(live).Key(), .is_shared = true};
      known.insert(object.key.name);
      if (std::optional<Takeover> takeover = PlanSharedTakeover(live)) {
        object.ownership = std::move(takeover->changes);
      }
      const auto found = wanted(resource->kind, object.key.name);
      if (found != rendered.end()) {
        object.changes = kube::Changes(kube::Schema::Kubernetes(), live, *found);
      }
      if (!object.ownership.empty() || !object.changes.empty()) report.objects.push_back(object);
      return absl::OkStatus();
    };
    const absl::StatusOr<std::string> listed = co_await client_.List(*resource, {}, add);
    if (!listed.ok() && !absl::IsNotFound(listed.status())) co_return listed.status();
    for (const json::object& object : rendered) {
      const api::ObjectKey key = api::ObjectMetaOf(object).Key();
      if (TextAt(object, "kind") != resource->kind || known.contains(key.name)) continue;
      report.objects.push_back({.resource = resource, .key = key, .is_new = true});
    }
  }
  co_return absl::OkStatus();
}

// What an operator has made and this one does not, and the objects that users ask with.
aio::Task<absl::Status> Adoption::AddOthers(Report& report) {
  std::set<std::pair<std::string_view, api::ObjectKey>> known;
  for (const ObjectReport& object : report.objects) {
    known.emplace(object.resource->kind, object.key);
  }
  for (const api::Resource* const resource : kAskedKinds) {
    const auto add = [&](json::object object) {
      if (std::optional<Takeover> release = PlanRelease(object)) {
        report.objects.push_back({.resource = resource,
                                  .key = api::ObjectMetaOf(object).Key(),
                                  .ownership = std::move(release->changes)});
      }
      return absl::OkStatus();
    };
    const absl::StatusOr<std::string> listed = co_await client_.List(*resource, {}, add);
    if (!listed.ok() && !absl::IsNotFound(listed.status())) co_return listed.status();
  }
  CALICO_CO_ASSIGN_OR_RETURN(std::vector<FoundObject> found,
                             co_await ReadInventory(client_, options_.operator_key.ns));
  for (const FoundObject& object : found) {
    if (known.contains({object.resource->kind, object.key})) continue;
    ObjectReport left{.resource = object.resource, .key = object.key, .is_left_alone = true};
    if (std::optional<Takeover> release = PlanRelease(object.object)) {
      left.ownership = std::move(release->changes);
    }
    report.objects.push_back(std::move(left));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<Report>> Adoption::Check() {
  Report report;
  CALICO_CO_ASSIGN_OR_RETURN(const offline::World world,
                             co_await ReadWorld(client_, options_.operator_key));
  report.running_version = RunningVersion(world);
  CALICO_CO_RETURN_IF_ERROR(co_await FindObstacles(world, report));
  const render::Release* const release = ChooseRelease(options_.release, world, report);
  if (release == nullptr || world.Find(api::kInstallations.kind, DefaultKey()) == nullptr) {
    co_return report;
  }
  report.release = release->version();
  offline::Surroundings surroundings{.release = release,
                                     .operator_namespace = options_.operator_key.ns,
                                     .operator_name = options_.operator_key.name,
                                     .api_endpoint = options_.api_endpoint.has_value()
                                                         ? options_.api_endpoint
                                                         : ServiceEndpoint(world),
                                     .now = options_.now};
  CALICO_CO_ASSIGN_OR_RETURN(offline::Rendering rendering,
                             offline::RenderOffline(world, surroundings));
  for (std::string& problem : rendering.problems) report.problems.push_back(std::move(problem));
  for (std::string& warning : rendering.warnings) report.warnings.push_back(std::move(warning));
  const OwnerUids uids = UidsOf(world);
  for (json::object& rendered : rendering.objects) {
    if (!IsManagedWhole(rendered)) continue;
    SetOwnerUids(rendered, uids);
    CALICO_CO_ASSIGN_OR_RETURN(kube::DesiredObject desired,
                               kube::MakeDesired(rendered, render::kAppliedAnnotation));
    ObjectReport object{.resource = desired.resource, .key = desired.key};
    object.desired = std::move(rendered);
    CALICO_CO_RETURN_IF_ERROR(co_await Compare(object));
    report.objects.push_back(std::move(object));
  }
  CALICO_CO_RETURN_IF_ERROR(co_await AddConfiguration(rendering.objects, report));
  CALICO_CO_RETURN_IF_ERROR(co_await AddOthers(report));
  co_return report;
}

// True if it was written.
aio::Task<absl::StatusOr<bool>> Adoption::TakeOne(const ObjectReport& object) {
  absl::Status status;
  for (int tries = 0; tries < kTries; ++tries) {
    const absl::StatusOr<json::object> live = co_await client_.Get(*object.resource, object.key);
    if (absl::IsNotFound(live.status())) co_return false;
    if (!live.ok()) co_return live.status();
    std::optional<Takeover> takeover = object.is_shared ? PlanSharedTakeover(*live)
                                       : object.desired.empty()
                                           ? PlanRelease(*live)
                                           : PlanTakeover(*live, object.desired);
    if (!takeover.has_value()) co_return false;
    status =
        (co_await client_.Patch(*object.resource, object.key, std::move(takeover->patch))).status();
    if (status.ok()) co_return true;
    // Somebody else was faster, or it has just gone.
    if (!absl::IsAborted(status) && !absl::IsNotFound(status)) co_return status;
  }
  co_return status;
}

aio::Task<absl::StatusOr<int>> Adoption::TakeOver(const Report& report,
                                                  std::function<void(const std::string&)> tell) {
  if (!report.problems.empty()) co_return absl::FailedPreconditionError(report.problems.front());
  int written = 0;
  for (const ObjectReport& object : report.objects) {
    if (object.is_new || object.ownership.empty()) continue;
    CALICO_CO_ASSIGN_OR_RETURN(const bool is_written, co_await TakeOne(object));
    if (!is_written) continue;
    ++written;
    tell(fmt::format("{} {}", object.resource->kind, object.key.ToString()));
  }
  co_return written;
}

}  // namespace calico::adoption
