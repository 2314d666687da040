#include "pkg/kube/apply/applier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/apply/field_owner.h"
#include "pkg/kube/apply/take_over.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/schema/compare.h"

namespace calico::kube {
namespace {

// A role takes the API server a moment to enforce after it was bound.
constexpr int kTriesWhenForbidden = 4;
constexpr absl::Duration kForbiddenInterval = absl::Milliseconds(150);

// The path of what the API server has kept although it must not be there.
std::optional<std::string> TooMuch(const json::object& answer, const json::object& desired) {
  json::object rest = desired;
  rest.erase("metadata");
  TakeHarmlessChanges(answer, rest);
  std::optional<Difference> left = FirstDifference(Schema::Kubernetes(), answer, rest);
  if (!left.has_value()) return std::nullopt;
  if (left->kind != Difference::Kind::kExtra && !IsComparedWhole(desired)) return std::nullopt;
  return std::move(left->path);
}

std::string DescribeContest(const DesiredObject& desired, const Contention::Contest& contest) {
  const std::string who =
      contest.writer.empty()
          ? "a mutating admission webhook or another writer that metadata.managedFields does not "
            "name"
          : fmt::format("\"{}\" (the manager in metadata.managedFields)", contest.writer);
  const std::string what =
      contest.path.empty()
          ? std::string("is deleted each time it is made")
          : fmt::format("{} is changed back {}", contest.path,
                        contest.in_answer ? "while it is applied" : "each time it is put right");
  return fmt::format(
      "{} {}: {}, by {}: stop it from writing there; until then this is tried ever "
      "more rarely",
      desired.resource->kind, desired.key.ToString(), what, who);
}

std::string NameOf(const DesiredObject& desired) {
  return fmt::format("{} {}", desired.resource->kind, desired.key.ToString());
}

// One without our label is seen here for the first time.
bool IsEnding(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata != nullptr && !codec::TextAt(*metadata, "deletionTimestamp").empty();
}

// Whether pods of a workload that is there would be replaced.
bool ChangesWorkloads(const std::vector<DesiredObject>& desired, const ApplyPlan& plan) {
  return std::any_of(plan.applies.begin(), plan.applies.end(), [&](const ApplyStep& step) {
    return WaveOf(*desired[step.index].resource) == Wave::kWorkloads && !step.difference.empty();
  });
}

// The API server has looked at the object and said no; a malformed request is another thing.
bool IsUnprocessable(const absl::Status& status) {
  const std::optional<ApiError> error = FindApiError(status);
  return error.has_value() && error->http_status == 422;
}

}  // namespace

Applier::Applier(Client& client, LiveObjects& live, ApplierOptions options,
                 const base::Clock& clock, const base::Logger& logger, aio::Executor executor)
    : client_(client),
      live_(live),
      options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      executor_(std::move(executor)),
      contention_(options_.contention),
      recheck_at_(absl::InfiniteFuture()) {
  live_.AddObserver(
      [this](const api::Resource& resource, const api::ObjectKey& key) { Observe(resource, key); });
}

void Applier::Observe(const api::Resource& resource, const api::ObjectKey& key) {
  const auto found = sent_.find(SentKey(resource.kind, key));
  if (found == sent_.end()) return;
  const std::shared_ptr<const LiveObject> live = live_.Get(resource, key);
  if (live == nullptr) {
    sent_.erase(found);  // deleted: whatever was sent is gone
  } else if (live->resource_version == found->second.version_after) {
    found->second.seen = true;
  }
}

std::optional<Applier::Unseen> Applier::UnseenGeneration(const api::Resource& resource,
                                                         const api::ObjectKey& key) const {
  const auto found = sent_.find(SentKey(resource.kind, key));
  if (found == sent_.end() || found->second.seen) return std::nullopt;
  const Sent& sent = found->second;
  const std::shared_ptr<const LiveObject> live = live_.Get(resource, key);
  if (live == nullptr) return sent.after;
  // A list may have passed over the very version that was sent.
  const bool is_older = live->uid == sent.after.uid ? live->generation < sent.after.generation
                                                    : live->uid == sent.uid_before;
  if (!is_older) return std::nullopt;
  return sent.after;
}

bool Applier::JustSent(const DesiredObject& desired, const LiveObject* live) {
  const auto found = sent_.find(SentKey(desired.resource->kind, desired.key));
  if (found == sent_.end() || found->second.hash != desired.hash) return false;
  const Sent& sent = found->second;
  const std::string version = live == nullptr ? std::string() : live->resource_version;
  // The server keeps it in another form than it was sent in; sending it again would not help.
  if (!version.empty() && version == sent.version_after) {
    return !contention_.IsContested(IdOf(desired));
  }
  // Nor where a webhook would only do the same again.
  if (live != nullptr && sent.changes.has_value()) {
    const AdmissionChanges now = ChangesOf(live->Parse(), desired.object);
    if (!now.other.has_value() && now.accepted == sent.changes->accepted) return true;
  }
  if (sent.seen || version != sent.version_before) return false;
  const absl::Duration lag =
      live_.IsCurrent(*desired.resource) ? options_.watch_lag : options_.blind_lag;
  if (clock_.SteadyNow() - sent.at >= lag) return false;
  recheck_at_ = std::min(recheck_at_, sent.at + lag);
  return true;
}

const Applier::Sent* Applier::FindSent(const DesiredObject& desired) const {
  const auto found = sent_.find(SentKey(desired.resource->kind, desired.key));
  return found == sent_.end() ? nullptr : &found->second;
}

bool Applier::IsOwnVersion(const DesiredObject& desired, const LiveObject& live) const {
  const Sent* const sent = FindSent(desired);
  return sent != nullptr && sent->after.uid == live.uid &&
         sent->version_after == live.resource_version;
}

// The version to replace is the one that it was made from, or what we have made of that since.
json::object Applier::WithPrecondition(const DesiredObject& desired) const {
  json::object object = desired.object;
  if (!desired.has_precondition()) return object;
  std::string version = desired.made_from.resource_version;
  const Sent* const sent = FindSent(desired);
  if (sent != nullptr && sent->after.uid == desired.made_from.uid) {
    const std::shared_ptr<const LiveObject> live = live_.Get(*desired.resource, desired.key);
    const bool is_shown = live != nullptr && live->resource_version == sent->version_after;
    if (is_shown || (!sent->seen && sent->version_before == version)) version = sent->version_after;
  }
  json::object& metadata = object.at("metadata").get_object();
  metadata["uid"] = desired.made_from.uid;
  metadata["resourceVersion"] = version;
  return object;
}

// Who has set what differs; empty when nobody says so.
std::string Applier::WriterOf(const DesiredObject& desired, std::string_view path) const {
  const std::shared_ptr<const LiveObject> live = live_.Get(*desired.resource, desired.key);
  if (live == nullptr || live->others_fields.empty()) return "";
  const absl::StatusOr<json::value> fields = codec::ParseJson(live->others_fields);
  return fields.ok() && fields->is_array() ? OwnerOfField(fields->get_array(), path) : "";
}

bool Applier::MaySend(const DesiredObject& desired, const ApplyStep& step) {
  return contention_.MaySend(IdOf(desired), desired.hash, step.difference,
                             WriterOf(desired, step.difference), clock_.SteadyNow());
}

void Applier::TellContests(const std::vector<DesiredObject>& desired, ApplyReport& report) {
  const absl::Time now = clock_.SteadyNow();
  for (const DesiredObject& object : desired) {
    const std::optional<Contention::Contest> contest = contention_.Find(IdOf(object));
    if (!contest.has_value()) continue;
    report.contested.push_back(DescribeContest(object, *contest));
    // What has waited long enough and was not sent is held up by something else, which tells when
    // that is over: a namespace that ends, an error of an earlier wave.
    if (contest->again_at > now) recheck_at_ = std::min(recheck_at_, contest->again_at);
  }
}

void Applier::TellChanges(const std::vector<DesiredObject>& desired, ApplyReport& report) const {
  for (const DesiredObject& object : desired) {
    const auto found = sent_.find(SentKey(object.resource->kind, object.key));
    if (found == sent_.end() || found->second.hash != object.hash) continue;
    if (!found->second.changes.has_value()) continue;
    const std::vector<std::string>& paths = found->second.changes->paths;
    report.notes.push_back(fmt::format(
        "{} {}: {} {} changed by an admission webhook", object.resource->kind,
        object.key.ToString(), absl::StrJoin(paths, ", "), paths.size() == 1 ? "is" : "are"));
  }
}

// Never counted as applied: the status must not say that all is well.
absl::StatusOr<json::object> Applier::UnlessTooMuch(const DesiredObject& desired,
                                                    absl::StatusOr<json::object> answer) {
  if (!answer.ok()) return answer;
  const std::optional<std::string> path = TooMuch(*answer, desired.object);
  if (!path.has_value()) return answer;
  contention_.Rewritten(IdOf(desired), *path, clock_.SteadyNow());
  return absl::FailedPreconditionError(
      fmt::format("apply {} {}: something else sets {} whenever it is applied, for instance a "
                  "mutating webhook, and nothing but ours may be there",
                  desired.resource->kind, desired.key.ToString(), *path));
}

aio::Task<absl::StatusOr<json::object>> Applier::Send(const DesiredObject& desired) {
  for (int tries = 1;; ++tries) {
    absl::StatusOr<json::object> answer =
        co_await client_.Apply(*desired.resource, WithPrecondition(desired),
                               {.field_manager = options_.field_manager, .force = true});
    if (answer.ok() || !absl::IsPermissionDenied(answer.status()) || tries == kTriesWhenForbidden) {
      co_return answer;
    }
    if (!(co_await aio::Sleep(kForbiddenInterval)).ok()) co_return answer;
  }
}

// An update by hand can set a field that excludes one of ours, as `value` does `valueFrom`, or add
// one where nothing may be added. Applying leaves both in place, because each has its own manager,
// and the object is refused, or more than what we want, for ever. What the others have set there
// becomes ours, so that applying it again removes what is too much.
aio::Task<absl::StatusOr<json::object>> Applier::SendOrTakeOver(const DesiredObject& desired) {
  absl::StatusOr<json::object> answer = co_await Send(desired);
  if (desired.has_precondition()) co_return answer;  // what others set there is theirs
  const bool is_refused = IsUnprocessable(answer.status());
  if (!is_refused && (!answer.ok() || !TooMuch(*answer, desired.object).has_value())) {
    co_return answer;
  }
  absl::StatusOr<json::object> live = answer;
  if (is_refused) live = co_await client_.Get(*desired.resource, desired.key);
  if (absl::IsNotFound(live.status())) co_return answer;  // refused as a new object
  absl::StatusOr<bool> taken = false;
  if (live.ok()) {
    taken = co_await TakeOverFrom(desired, *live);
  } else {
    taken = live.status();
  }
  // What stands in the way is not to be taken over, and the message says what to do.
  if (absl::IsFailedPrecondition(taken.status())) co_return taken.status();
  if (!taken.ok()) {
    logger_.Warning("cannot take over the fields of other managers",
                    {{"kind", desired.resource->kind},
                     {"namespace", desired.key.ns},
                     {"name", desired.key.name},
                     {"error", taken.status()}});
    co_return is_refused ? answer : taken.status();
  }
  if (!*taken) co_return UnlessTooMuch(desired, std::move(answer));
  answer = UnlessTooMuch(desired, co_await Send(desired));
  if (!answer.ok()) co_await GiveBack(desired, *live);
  co_return answer;
}

// Whether sending the object again may help. One without our label is seen here for the first
// time, and may have a field that cannot be changed.
aio::Task<absl::StatusOr<bool>> Applier::TakeOverFrom(const DesiredObject& desired,
                                                      const json::object& live) {
  CALICO_CO_ASSIGN_OR_RETURN(const bool anew, NeedsNewObject(desired, live));
  if (anew) {
    CALICO_CO_RETURN_IF_ERROR(co_await client_.Delete(*desired.resource, desired.key,
                                                      {.uid = api::ObjectMetaOf(live).uid}));
    co_return true;
  }
  std::optional<json::array> managed = TakeOverFields(
      live, options_.field_manager,
      IsComparedWhole(desired.object) ? TakeOver::kEverything : TakeOver::kBesideOwn);
  if (!managed.has_value()) co_return false;
  const api::ObjectMeta meta = api::ObjectMetaOf(live);
  json::object metadata = {{"uid", meta.uid},
                           {"resourceVersion", meta.resource_version},
                           {"managedFields", *std::move(managed)}};
  CALICO_CO_RETURN_IF_ERROR(
      co_await client_.Patch(*desired.resource, desired.key, {{"metadata", std::move(metadata)}}));
  logger_.Warning("took over the fields of other managers", {{"kind", desired.resource->kind},
                                                             {"namespace", desired.key.ns},
                                                             {"name", desired.key.name}});
  co_return true;
}

// Taking over has not helped: what was theirs is theirs again, or a later apply would remove it.
aio::Task<void> Applier::GiveBack(const DesiredObject& desired, const json::object& live) {
  const json::object* const metadata = codec::FindObject(live, "metadata");
  const json::array* const managed =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "managedFields");
  if (managed == nullptr) co_return;
  const absl::Status given =
      (co_await client_.Patch(
           *desired.resource, desired.key,
           {{"metadata", {{"uid", api::ObjectMetaOf(live).uid}, {"managedFields", *managed}}}}))
          .status();
  if (given.ok() || absl::IsNotFound(given)) co_return;
  logger_.Warning("cannot give back the fields of other managers",
                  {{"kind", desired.resource->kind},
                   {"namespace", desired.key.ns},
                   {"name", desired.key.name},
                   {"error", given}});
}

aio::Task<void> Applier::ApplyOne(const DesiredObject& desired, ApplyStep step, ApplyReport& report,
                                  bool& may_go_on) {
  const auto fail = [&](absl::Status error) {
    report.errors.push_back(std::move(error));
    if (IsNeededByLaterWaves(*desired.resource)) may_go_on = false;
  };
  const std::shared_ptr<const LiveObject> live = live_.Get(*desired.resource, desired.key);
  Sent sent{.hash = desired.hash,
            .version_before = live ? live->resource_version : "",
            .uid_before = live ? live->uid : ""};
  if (!step.obstacle.ok()) {
    fail(step.obstacle);
    co_return;
  }
  if (!step.delete_uid.empty()) {
    const absl::Status gone =
        co_await client_.Delete(*desired.resource, desired.key, {.uid = step.delete_uid});
    if (!gone.ok() && !absl::IsNotFound(gone)) {
      fail(gone);
      co_return;
    }
  }
  const absl::StatusOr<json::object> answer = co_await SendOrTakeOver(desired);
  if (desired.has_precondition() && absl::IsAborted(answer.status())) {
    report.superseded.push_back(NameOf(desired));
    may_go_on = false;
    co_return;
  }
  if (!answer.ok()) {
    fail(answer.status());
    co_return;
  }
  ++report.applied;
  logger_.Info("applied", {{"kind", desired.resource->kind},
                           {"namespace", desired.key.ns},
                           {"name", desired.key.name},
                           {"difference", step.difference.empty() ? "absent" : step.difference}});
  if (IsEnding(*answer)) {
    report.endings.push_back(EndingOf(*desired.resource, *answer));
    if (*desired.resource == api::kNamespaces) report.namespace_ending = true;
    sent_.erase(SentKey(desired.resource->kind, desired.key));
    contention_.Forget(IdOf(desired));  // nobody has changed it back
    co_return;
  }
  AdmissionChanges changes = ChangesOf(*answer, desired.object);
  if (changes.other.has_value()) {
    contention_.Rewritten(IdOf(desired), *changes.other, clock_.SteadyNow());
  } else {
    contention_.Sent(IdOf(desired), step.difference, clock_.SteadyNow());
    if (!changes.paths.empty()) sent.changes = std::move(changes);
  }
  const api::ObjectMeta meta = api::ObjectMetaOf(*answer);
  sent.version_after = meta.resource_version;
  sent.after = {meta.uid, meta.generation};
  sent.at = clock_.SteadyNow();
  const std::shared_ptr<const LiveObject> now = live_.Get(*desired.resource, desired.key);
  sent.seen = now != nullptr && now->resource_version == sent.version_after;
  sent_[SentKey(desired.resource->kind, desired.key)] = std::move(sent);
}

aio::Task<void> Applier::DeleteOne(DeleteStep step, ApplyReport& report) {
  const absl::Status status = co_await client_.Delete(*step.resource, step.key, {.uid = step.uid});
  // That it is gone when it is asked for again is our own doing.
  contention_.Forget({std::string(step.resource->kind), step.key});
  if (absl::IsNotFound(status)) co_return;
  if (!status.ok()) {
    report.errors.push_back(status);
    co_return;
  }
  ++report.deleted;
  logger_.Info(
      "deleted, no longer asked for",
      {{"kind", step.resource->kind}, {"namespace", step.key.ns}, {"name", step.key.name}});
}

// False when nothing more is to be sent.
aio::Task<bool> Applier::SendSome(const std::vector<DesiredObject>& desired, ApplyPlan& plan,
                                  absl::FunctionRef<bool(const api::Resource&)> is_meant,
                                  ApplyReport& report) {
  bool may_go_on = true;
  aio::TaskGroup group(executor_);
  for (ApplyStep& step : plan.applies) {
    const DesiredObject& object = desired[step.index];
    if (!is_meant(*object.resource) || !MaySend(object, step)) continue;
    group.Spawn(ApplyOne(object, std::move(step), report, may_go_on));
  }
  co_await group.Join();
  co_await group.Stop();
  // What is in a namespace that ends would be refused, and what is not would be made too early.
  co_return may_go_on && !report.namespace_ending;
}

aio::Task<void> Applier::SendWaves(const std::vector<DesiredObject>& desired, ApplyPlan& plan,
                                   ApplyReport& report) {
  if (report.namespace_ending) co_return;
  const auto is_namespace = [](const api::Resource& kind) { return kind == api::kNamespaces; };
  if (!co_await SendSome(desired, plan, is_namespace, report)) {
    if (!report.ok()) report.stopped_at = Wave::kNamespacesAndRoles;
    co_return;
  }
  // The API server compares every right of a role before it takes a binding, which takes long.
  const bool bindings_first = ChangesWorkloads(desired, plan);
  const auto wave_of = [&](const api::Resource& kind) {
    return kind == api::kClusterRoleBindings && !bindings_first ? Wave::kWorkloads : WaveOf(kind);
  };
  for (const Wave wave :
       {Wave::kNamespacesAndRoles, Wave::kConfiguration, Wave::kSecrets, Wave::kWorkloads}) {
    const auto is_meant = [&](const api::Resource& kind) {
      return wave_of(kind) == wave && !is_namespace(kind);
    };
    const bool may_go_on = co_await SendSome(desired, plan, is_meant, report);
    if (!report.ok() && !report.stopped_at.has_value()) report.stopped_at = wave;
    if (!may_go_on) co_return;
  }
  if (!report.ok()) co_return;
  aio::TaskGroup group(executor_);
  for (DeleteStep& step : plan.deletes) group.Spawn(DeleteOne(std::move(step), report));
  co_await group.Join();
  co_await group.Stop();
}

aio::Task<ApplyReport> Applier::Apply(std::vector<json::object> objects, std::string owner_uid) {
  ApplyReport report;
  std::vector<DesiredObject> desired;
  for (json::object& object : objects) {
    absl::StatusOr<DesiredObject> made = MakeDesired(std::move(object), options_.hash_annotation);
    if (made.ok()) {
      desired.push_back(*std::move(made));
    } else {
      report.errors.push_back(made.status());
    }
  }
  if (!report.ok()) co_return report;
  recheck_at_ = absl::InfiniteFuture();
  if (std::exchange(owner_uid_, owner_uid) != owner_uid) contention_.Clear();
  ApplyPlan plan = MakePlan(
      {.desired = &desired,
       .live = &live_,
       .owner_uid = std::move(owner_uid),
       .removes_ownerless = options_.removes_ownerless,
       .just_sent = [this](const DesiredObject& object,
                           const LiveObject* live) { return JustSent(object, live); },
       .is_own_version = [this](const DesiredObject& object,
                                const LiveObject& live) { return IsOwnVersion(object, live); }});
  for (const size_t index : plan.superseded) report.superseded.push_back(NameOf(desired[index]));
  if (!report.superseded.empty()) co_return report;
  for (EndingStep& step : plan.endings) {
    report.endings.push_back(std::move(step.ending));
    contention_.Forget(IdOf(desired[step.index]));
    if (*desired[step.index].resource == api::kNamespaces) report.namespace_ending = true;
  }
  for (const size_t index : plan.in_place) {
    const DesiredObject& object = desired[index];
    contention_.InPlace(IdOf(object), clock_.SteadyNow());
    // The webhook has gone, and somebody has set what it had changed.
    const auto found = sent_.find(SentKey(object.resource->kind, object.key));
    if (found != sent_.end()) found->second.changes.reset();
  }
  co_await SendWaves(desired, plan, report);
  TellContests(desired, report);
  TellChanges(desired, report);
  if (recheck_at_ != absl::InfiniteFuture()) {
    report.recheck_after = std::max(recheck_at_ - clock_.SteadyNow(), absl::ZeroDuration());
  }
  co_return report;
}

}  // namespace calico::kube
