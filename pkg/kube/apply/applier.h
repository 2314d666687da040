// Applier: makes the API server hold a set of objects by server-side apply, and deletes what was
// applied earlier and is no longer in the set.
//
//   const ApplyReport report = co_await applier.Apply(std::move(objects), owner_uid);
//
// When everything is in place already, nothing is sent. Objects that are being deleted are waited
// for, and those that somebody else changes back each time are put right ever more rarely. One with
// metadata.uid and resourceVersion is written in place of that version only.
#ifndef CALICO_PKG_KUBE_APPLY_APPLIER_H_
#define CALICO_PKG_KUBE_APPLY_APPLIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/admission_change.h"
#include "pkg/kube/apply/contention.h"
#include "pkg/kube/apply/live_objects.h"
#include "pkg/kube/apply/plan.h"
#include "pkg/kube/client/client.h"

namespace calico::kube {

struct ApplierOptions {
  std::string field_manager;
  std::string hash_annotation;
  // What our field manager has applied without an owner is deleted too, once it is not desired any
  // more. For one applier of a field manager: another one would delete its objects.
  bool removes_ownerless = false;
  // How long what was sent is trusted while the watch has not shown it yet.
  absl::Duration watch_lag = absl::Seconds(10);
  // The same of a kind that cannot be watched: nothing will show it.
  absl::Duration blind_lag = absl::Minutes(5);
  ContentionOptions contention = {};
};

struct ApplyReport {
  int applied = 0;
  int deleted = 0;
  // One for each object that failed. A wave with errors of objects that later ones need is the last
  // one that is sent.
  std::vector<absl::Status> errors;
  std::optional<Wave> stopped_at;  // the first wave with errors
  // Sentences about objects that somebody else changes back each time; not among the errors.
  std::vector<std::string> contested;
  // Sentences about what admission webhooks change without harm; such objects count as done.
  std::vector<std::string> notes;
  // "Secret ns/name": objects that are not what they were made from any more, by which the set is
  // void: nothing of it has been sent, or what comes before them. No error, but to be made anew.
  std::vector<std::string> superseded;
  // Objects that are being deleted. While a namespace is among them, nothing else is sent.
  std::vector<Ending> endings;
  bool namespace_ending = false;
  // When to look again, because the watch is behind what was sent.
  absl::Duration recheck_after = absl::InfiniteDuration();
  // Everything that could be sent was.
  bool ok() const { return errors.empty(); }
};

// Threading: event loop thread only; one Apply at a time. All references outlive it.
class Applier {
 public:
  Applier(Client& client, LiveObjects& live, ApplierOptions options, const base::Clock& clock,
          const base::Logger& logger, aio::Executor executor);

  // Errors: in the report: kInvalidArgument for an object of an unknown kind; kFailedPrecondition
  // for one that cannot be changed and must not be made anew by us (NeedsNewObject), or that keeps
  // what must not be there; as
  // Client::Apply and Client::Delete. Cancellation: total; what was sent stays.
  aio::Task<ApplyReport> Apply(std::vector<json::object> objects, std::string owner_uid);

  // The generation that the API server gave an object when it was applied, while the watch has not
  // shown it yet; nullopt once it has, or when nothing was applied. What is cached meanwhile,
  // status included, is about an older generation.
  struct Unseen {
    std::string uid;
    std::int64_t generation = 0;
  };
  std::optional<Unseen> UnseenGeneration(const api::Resource& resource,
                                         const api::ObjectKey& key) const;

 private:
  // What was sent, to tell an old copy in the cache from a change by somebody else.
  struct Sent {
    std::string hash;
    std::string version_before;  // resourceVersion in the cache; empty: not there
    std::string version_after;
    std::string uid_before;
    Unseen after;
    absl::Time at;      // steady clock
    bool seen = false;  // the watch has shown version_after
    std::optional<AdmissionChanges> changes;
  };
  using SentKey = std::pair<std::string, api::ObjectKey>;

  static Contention::Id IdOf(const DesiredObject& desired) {
    return {std::string(desired.resource->kind), desired.key};
  }
  std::string WriterOf(const DesiredObject& desired, std::string_view path) const;
  bool MaySend(const DesiredObject& desired, const ApplyStep& step);
  void TellContests(const std::vector<DesiredObject>& desired, ApplyReport& report);
  void TellChanges(const std::vector<DesiredObject>& desired, ApplyReport& report) const;
  aio::Task<bool> SendSome(const std::vector<DesiredObject>& desired, ApplyPlan& plan,
                           absl::FunctionRef<bool(const api::Resource&)> is_meant,
                           ApplyReport& report);
  aio::Task<void> SendWaves(const std::vector<DesiredObject>& desired, ApplyPlan& plan,
                            ApplyReport& report);
  bool JustSent(const DesiredObject& desired, const LiveObject* live);
  const Sent* FindSent(const DesiredObject& desired) const;
  bool IsOwnVersion(const DesiredObject& desired, const LiveObject& live) const;
  json::object WithPrecondition(const DesiredObject& desired) const;
  void Observe(const api::Resource& resource, const api::ObjectKey& key);
  aio::Task<void> ApplyOne(const DesiredObject& desired, ApplyStep step, ApplyReport& report,
                           bool& may_go_on);
  aio::Task<void> DeleteOne(DeleteStep step, ApplyReport& report);
  absl::StatusOr<json::object> UnlessTooMuch(const DesiredObject& desired,
                                             absl::StatusOr<json::object> answer);
  aio::Task<absl::StatusOr<json::object>> Send(const DesiredObject& desired);
  aio::Task<absl::StatusOr<json::object>> SendOrTakeOver(const DesiredObject& desired);
  aio::Task<absl::StatusOr<bool>> TakeOverFrom(const DesiredObject& desired,
                                               const json::object& live);
  aio::Task<void> GiveBack(const DesiredObject& desired, const json::object& live);

  Client& client_;
  LiveObjects& live_;
  ApplierOptions options_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  aio::Executor executor_;
  absl::flat_hash_map<SentKey, Sent> sent_;
  Contention contention_;
  std::string owner_uid_;  // of the last Apply
  absl::Time recheck_at_;  // steady clock
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_APPLIER_H_
