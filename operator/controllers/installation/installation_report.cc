// How InstallationController tells what it has found.

#include <algorithm>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/controllers/cluster/mtu_file.h"
#include "operator/controllers/installation/installation_controller.h"
#include "operator/render/names.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/version.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kRequestsInterval = absl::Milliseconds(100);
// Installations of other names that are remembered as told.
constexpr size_t kMostTold = 100;

}  // namespace

status::Facts InstallationController::FactsOf(const Pass& pass) const {
  status::Facts facts;
  facts.generation = pass.generation();
  facts.waits = pass.waits;
  facts.obstacle = pass.obstacle;
  facts.change = pass.release_change;
  facts.versions = fmt::format("calico-operator {}, Calico {}", base::Version(),
                               options_.release->calico_version());
  facts.notes = pass.notes;
  facts.nodes = view_.Nodes();
  facts.workloads = wanted_workloads_.Look();
  facts.has_workloads =
      pass.applied || std::all_of(facts.workloads.begin(), facts.workloads.end(),
                                  [](const status::Workload& one) { return one.is_there(); });
  if (pass.record == nullptr || pass.namespace_ending || !view_.KnowsWorkloads()) {
    facts.has_workloads = false;
  }
  facts.waiting_pods = view_.WaitingPods({render::kNode, render::kTypha});
  facts.roots = pass.roots;
  facts.now = clock_.Now();
  return facts;
}

// Of the Installation, else as calico-node has found it; 0: nobody knows.
int InstallationController::MtuOf(const api::Installation& completed) const {
  const json::object* const network = codec::FindObject(completed.spec, "calicoNetwork");
  const json::value* const given = network == nullptr ? nullptr : network->if_contains("mtu");
  if (given != nullptr && given->is_int64()) return static_cast<int>(given->get_int64());
  if (options_.mtu_file.empty()) return 0;
  const absl::StatusOr<int> found = cluster::ReadMtuFile(options_.mtu_file);
  return found.ok() ? *found : 0;
}

// False: nothing can be told yet.
aio::Task<bool> InstallationController::Report(Pass& pass) {
  // Requests are judged by what a valid Installation says; a bad one may not even name a signer.
  const bool asks = pass.is_valid && !pass.signer_name.empty();
  if (asks) {
    const absl::Status known = co_await view_.WatchRequests(pass.signer_name);
    if (absl::IsDeadlineExceeded(known) || absl::IsCancelled(known)) {
      // Whether a request was denied is not known: what has been told before stays.
      pass.Again(clock_.Now() + kRequestsInterval);
      co_return false;
    }
    if (!known.ok()) pass.Stop(api::kReasonResourceReadError, std::string(known.message()));
  }
  TellGaps(pass);
  status::Facts facts = FactsOf(pass);
  const std::shared_ptr<const api::TigeraStatus> told = view_.Status();
  memory_.Recall(told == nullptr ? std::vector<api::Condition>() : told->conditions,
                 clock_.SteadyNow(), facts);
  // Remembered all the same: why they were refused is told again once the Installation is right.
  if (!asks) facts.waiting_pods.clear();
  status::Decision decision = status::Decide(facts);
  // What has been told before stays for a moment.
  if (pass.is_settling && decision.is_available()) co_return false;
  component_metrics_.Set(decision);
  pass.Again(decision.recheck_at);
  const std::shared_ptr<const InstallationRecord> record = view_.Installation();
  const std::string uid = record == nullptr ? "" : record->uid;
  if (uid != pass.uid()) co_return false;  // gone meanwhile, or made anew
  status::StatusTarget target{.tigera_status = view_.Status(),
                              .is_status_known = view_.KnowsStatus(),
                              .owner_uid = uid,
                              .may_write_owner = pass.may_write_installation,
                              .when_available = pass.installation_status.Encode()};
  // One that was in use before.
  if (!target.when_available.contains("imageSet")) target.when_available["imageSet"] = nullptr;
  if (record != nullptr) {
    target.owner_version = record->resource_version;
    target.owner_status = record->status;
  }
  const absl::StatusOr<absl::Time> again_at =
      co_await writer_.Write(std::move(target), std::move(decision));
  if (again_at.ok()) {
    pass.Again(*again_at);
  } else if (pass.error.ok()) {
    pass.error = again_at.status();
  }
  co_return true;
}

aio::Task<void> InstallationController::ReportApiServer(Pass& pass) {
  if (pass.record == nullptr) {
    api_server_.Stop({std::string(api::kReasonResourceNotFound),
                      fmt::format("there is no Installation {}: Calico's API server is installed "
                                  "together with it",
                                  api::kInstallationName)});
  } else if (!pass.api_server_had_its_turn && pass.obstacle.has_value()) {
    api_server_.Stop({std::string(api::kReasonResourceNotReady),
                      fmt::format("nothing is changed while Installation {} cannot be carried out: "
                                  "`kubectl get tigerastatus {}` says why",
                                  api::kInstallationName, api::kTigeraStatusCalico)});
  } else if (!pass.api_server_had_its_turn) {
    api_server_.WaitFor(fmt::format("Installation {} comes first", api::kInstallationName));
  }
  const absl::StatusOr<absl::Time> again_at = co_await api_server_.Report(
      {.are_known = pass.is_valid && !pass.signer_name.empty(), .roots = pass.roots});
  if (again_at.ok()) {
    pass.Again(*again_at);
  } else if (pass.error.ok()) {
    pass.error = again_at.status();
  }
}

// What cannot be looked at comes first: it may be the cause of all else.
void InstallationController::TellGaps(Pass& pass) const {
  std::vector<std::string> lines = std::move(pass.gaps);
  const CacheHealth health = view_.Health(configuration_.CacheStates());
  if (health.recheck_after != absl::InfiniteDuration()) {
    pass.Again(clock_.Now() + health.recheck_after);
  }
  for (const std::string& line : health.lines) {
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  if (lines.empty()) return;
  if (pass.obstacle.has_value()) lines.push_back(pass.obstacle->message);
  const std::string reason = pass.obstacle.has_value() ? pass.obstacle->reason
                                                       : std::string(api::kReasonResourceReadError);
  pass.obstacle = status::Obstacle{reason, absl::StrJoin(lines, "\n")};
}

// Nothing is known of the Installation, or no more; what was told of it may be wrong by now.
aio::Task<absl::StatusOr<controller::Result>> InstallationController::ReportBlind(Pass pass) {
  const CacheHealth health = view_.Health();
  if (health.lines.empty()) co_return controller::Result{.requeue_after = health.recheck_after};
  static_cast<void>(co_await Report(pass));
  LogOnce(pass);
  co_return Finish(pass);
}

// An Installation of another name is not acted on; its user has to hear of it once.
void InstallationController::TellOtherInstallations() {
  for (const std::shared_ptr<const OtherInstallation>& other : view_.OtherInstallations()) {
    if (other->key.name == api::kOverlayName) continue;
    if (told_others_.size() >= kMostTold || !told_others_.insert(other->uid).second) continue;
    const std::string message = fmt::format(
        "Installation {} is not acted on: only the one named {} is, and the one named {}, which is "
        "merged into it. Put what it says into one of them",
        other->key.name, api::kInstallationName, api::kOverlayName);
    logger_.Warning("an Installation is not acted on", {{"name", other->key.name}});
    events_.Record({.resource = &api::kInstallations,
                    .key = other->key,
                    .uid = other->uid,
                    .resource_version = other->resource_version},
                   kube::EventType::kWarning, "NotActedOn", message);
  }
}

void InstallationController::LogOnce(const Pass& pass) {
  const std::string what = fmt::format("{}\n{}\n{}", pass.generation(),
                                       pass.obstacle.has_value() ? pass.obstacle->message : "",
                                       absl::StrJoin(pass.notes, "\n"));
  if (what == logged_) return;
  logged_ = what;
  if (pass.obstacle.has_value()) {
    logger_.Warning("installation cannot be carried out", {{"generation", pass.generation()},
                                                           {"reason", pass.obstacle->reason},
                                                           {"problem", pass.obstacle->message}});
  }
  for (const std::string& note : pass.notes) {
    logger_.Info("note on the installation", {{"generation", pass.generation()}, {"note", note}});
  }
}

}  // namespace calico::installation
