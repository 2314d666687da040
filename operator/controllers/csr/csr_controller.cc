#include "operator/controllers/csr/csr_controller.h"

#include <algorithm>
#include <utility>

#include <absl/cleanup/cleanup.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/kube/client/errors.h"

namespace calico::csr {
namespace {

using csr_policy::Decision;

constexpr size_t kMostSigningThreads = 2;
constexpr int kMostConflicts = 5;
constexpr absl::Duration kFirstWait = absl::Seconds(1);
constexpr absl::Duration kLargeWait = absl::Seconds(1);
constexpr absl::Duration kLongestWait = absl::Seconds(30);
constexpr absl::Duration kQuietRefusals = absl::Minutes(10);
// Most waits are over by then, and no news for whoever looks at the request.
constexpr absl::Duration kQuietWait = absl::Seconds(30);
// A reason that changes is logged again, but no oftener: what others write may be part of it.
constexpr absl::Duration kSteadyReason = absl::Seconds(10);
// With more requests waiting, an approval makes no Event: it would cost a third write per request,
// and the condition says the same.
constexpr size_t kBusy = 16;

constexpr std::string_view kPolicyApproved = "PolicyApproved";
constexpr std::string_view kPolicyViolation = "PolicyViolation";
// Rules of the CA, not of the policy, in conditions and logs.
constexpr std::string_view kUsableCa = "usable-ca";
constexpr std::string_view kCaConstraints = "ca-constraints";
constexpr std::string_view kSignerValidationFailure = "SignerValidationFailure";

// Somebody else has stored a certificate meanwhile; the server never takes a second one.
bool IsIssuedAlready(const absl::Status& status) {
  return absl::IsInvalidArgument(status) &&
         std::string_view(status.message().data(), status.message().size())
                 .find("may not modify existing certificate content") != std::string_view::npos;
}

// Neither done nor refused: the server may have taken it all the same. So it may when its answer is
// larger than we take (an API server that says so itself has refused), or cannot be read.
bool MayHaveArrived(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) return !kube::FindApiError(status).has_value();
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status) || absl::IsDataLoss(status);
}

std::string Joined(const std::vector<base::IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const base::IpAddress& address : addresses) texts.push_back(address.ToString());
  return fmt::format("{}", fmt::join(texts, ","));
}

// What was asked for, as one log field each; empty when the request could not be read.
struct AskedNames {
  explicit AskedNames(const csr_policy::CsrFacts& facts) {
    if (!facts.request.ok()) return;
    common_name = facts.request->common_name().substr(0, 80);
    dns_names = fmt::format("{}", fmt::join(facts.request->dns_names(), ",")).substr(0, 200);
    ip_addresses = Joined(facts.request->ip_addresses()).substr(0, 200);
  }
  std::string common_name;
  std::string dns_names;
  std::string ip_addresses;
};

}  // namespace

CsrController::CsrController(aio::Executor executor, Dependencies dependencies,
                             CsrControllerOptions options)
    : options_(std::move(options)),
      on_(dependencies),
      // Nobody waits for a certificate longer than a minute or two, so waits stay short.
      queue_(executor, on_.clock,
             {.base = absl::Milliseconds(50),
              .cap = kLongestWait,
              .retries_per_second = 100,
              .burst = 1000},
             nullptr,
             [this](const api::ObjectKey& key) {
               const auto pending = Find(key);
               return pending == nullptr ? 0 : pending->requester;
             }),
      pool_(static_cast<int>(kMostSigningThreads)),
      refusals_(kQuietRefusals) {
  const PendingCsrDecoder decoder(options_.pending_bytes);
  for (const std::string& signer : options_.signer_names) {
    informers_.push_back(std::make_unique<CsrInformer>(
        on_.client, api::kCertificateSigningRequests,
        kube::ReflectorOptions{.field_selector = "spec.signerName=" + signer}, decoder, on_.clock,
        on_.logger, executor));
    informers_.back()->AddObserver([this](const api::ObjectKey& key) { queue_.Add(key); });
  }
  on_.cluster.SetPodObserver([this](const api::ObjectKey& pod) { OnPodChange(pod); });
  on_.cluster.SetAddressObserver([this] { RetryWaiting(); });
}

CsrController::~CsrController() = default;

std::vector<CsrController::Cache> CsrController::Caches() {
  std::vector<Cache> caches;
  for (size_t i = 0; i < informers_.size(); ++i) {
    CsrInformer* informer = informers_[i].get();
    caches.push_back(
        {"requests for " + options_.signer_names[i], [informer] { return informer->Run(); },
         [informer](absl::Duration timeout) { return informer->WaitForSync(timeout); }});
  }
  return caches;
}

aio::Task<void> CsrController::Run() {
  return controller::RunController(
      {.name = "csr", .workers = options_.concurrency}, queue_,
      [this](api::ObjectKey key) { return Reconcile(std::move(key)); }, on_.logger);
}

size_t CsrController::pending() const {
  size_t count = 0;
  for (const auto& informer : informers_) count += informer->store().size();
  return count;
}

kube::Store<PendingCsr>::Pointer CsrController::Find(const api::ObjectKey& key) const {
  for (const auto& informer : informers_) {
    if (auto found = informer->store().Get(key)) return found;
  }
  return nullptr;
}

void CsrController::Forget(const std::string& name) {
  finished_.erase(name);
  const auto waiting = waiting_.find(name);
  if (waiting == waiting_.end()) return;
  const auto names = waiting_for_pod_.find(waiting->second.pod);
  if (names != waiting_for_pod_.end()) {
    names->second.erase(name);
    if (names->second.empty()) waiting_for_pod_.erase(names);
  }
  waiting_.erase(waiting);
}

void CsrController::OnPodChange(const api::ObjectKey& pod) {
  const auto names = waiting_for_pod_.find(pod);
  if (names == waiting_for_pod_.end()) return;
  for (const std::string& name : names->second) queue_.Add({"", name});
}

aio::Task<CsrController::Reconciled> CsrController::Reconcile(api::ObjectKey key) {
  const auto pending = Find(key);
  if (pending == nullptr) {
    Forget(key.name);
    co_return controller::Result{};
  }
  const auto finished = finished_.find(key.name);
  if (finished != finished_.end() && finished->second == pending->uid) {
    co_return controller::Result{};
  }
  if (!pending->is_large) co_return co_await ReadAndHandle(std::move(key), *pending);
  // One at a time, for each one costs megabytes: the request, and the server's answers to writes.
  if (large_in_work_) co_return controller::Result{.requeue_after = kLargeWait};
  large_in_work_ = true;
  const absl::Cleanup done = [this] { large_in_work_ = false; };
  co_return co_await ReadAndHandle(std::move(key), *pending);
}

aio::Task<CsrController::Reconciled> CsrController::ReadAndHandle(api::ObjectKey key,
                                                                  const PendingCsr& pending) {
  absl::StatusOr<json::object> object = absl::UnknownError("not read");
  if (pending.text != nullptr) {
    object = codec::ParseJsonObject(*pending.text);
  } else {
    object = co_await on_.client.Get(api::kCertificateSigningRequests, key);
  }
  for (int attempt = 0; attempt < kMostConflicts; ++attempt) {
    if (absl::IsNotFound(object.status())) co_return controller::Result{};
    CALICO_CO_RETURN_IF_ERROR(object.status());
    if (IsFinished(*object)) co_return controller::Result{};
    Work work{*std::move(object), {}, on_.clock.SteadyNow()};
    Reconciled result = co_await Handle(work);
    if (absl::IsNotFound(result.status())) co_return controller::Result{};  // deleted meanwhile
    if (!absl::IsAborted(result.status())) co_return result;
    object = co_await on_.client.Get(api::kCertificateSigningRequests, key);
  }
  co_return absl::AbortedError(fmt::format("handle {}: changed again and again", key.name));
}

aio::Task<CsrController::Reconciled> CsrController::Handle(Work& work) {
  CALICO_CO_ASSIGN_OR_RETURN(api::CertificateSigningRequest csr,
                             api::CertificateSigningRequest::Decode(work.object));
  if (!csr.IsApproved() && options_.sign_approved_only) co_return controller::Result{};
  const absl::Duration waited = Waited(csr);
  work.facts = csr_policy::FactsOf(std::move(csr), on_.clock.Now());
  work.facts.waited = waited;
  // The verdict points into the policy, and a new one may be read while we wait.
  const std::shared_ptr<const csr_policy::CsrPolicy> policy = on_.policies.Current();
  CALICO_CO_ASSIGN_OR_RETURN(const Decision decision,
                             co_await on_.cluster.Judge(work.facts, *policy));
  switch (decision.kind) {
    case Decision::Kind::kApprove:
      co_return co_await Grant(work, *decision.entry);
    case Decision::Kind::kDeny:
      co_return co_await Refuse(work, decision);
    case Decision::Kind::kRetry:
      break;
  }
  co_return WaitForCluster(work, decision, kQuietWait);
}

absl::Duration CsrController::Waited(const api::CertificateSigningRequest& csr) const {
  const auto waiting = waiting_.find(csr.meta.name);
  if (waiting == waiting_.end() || waiting->second.uid != csr.meta.uid) return absl::ZeroDuration();
  return on_.clock.SteadyNow() - waiting->second.since;
}

CsrController::Reconciled CsrController::WaitForCluster(const Work& work, const Decision& decision,
                                                        absl::Duration quiet) {
  const api::CertificateSigningRequest& csr = work.facts.csr;
  const auto before = waiting_.find(csr.meta.name);
  if (before != waiting_.end() && before->second.uid != csr.meta.uid) Forget(csr.meta.name);
  Waiting& waiting = waiting_[csr.meta.name];
  if (waiting.rounds == 0) {
    waiting = {.uid = csr.meta.uid,
               .pod = {work.facts.requester.ns, work.facts.requester.pod_name},
               .since = work.began};
    waiting_for_pod_[waiting.pod].insert(csr.meta.name);
    on_.metrics.Count(csr.signer_name, Outcome::kRetried);
  }
  TellWait(csr, decision.Text(), quiet, waiting);
  absl::Duration wait = std::min(kFirstWait * (1 << waiting.rounds), kLongestWait);
  // No longer than until the next verdict can be another one.
  if (work.facts.waited < csr_policy::kAddressGrace) {
    wait = std::min(wait, csr_policy::kAddressGrace - work.facts.waited);
  }
  waiting.rounds = std::min(waiting.rounds + 1, 5);
  return controller::Result{.requeue_after = wait};
}

void CsrController::TellWait(const api::CertificateSigningRequest& csr, std::string reason,
                             absl::Duration quiet, Waiting& waiting) {
  const absl::Time now = on_.clock.SteadyNow();
  if (waiting.reason != reason && now - waiting.logged_at >= kSteadyReason) {
    waiting.reason = std::move(reason);
    waiting.logged_at = now;
    waiting.is_told = false;
    on_.logger.Info(
        "request has to wait",
        {{"csr", csr.meta.name}, {"signer", csr.signer_name}, {"reason", waiting.reason}});
  }
  if (waiting.is_told || now - waiting.since < quiet) return;
  waiting.is_told = true;
  on_.events.Record(SubjectOf(csr), kube::EventType::kWarning, "Waiting", waiting.reason);
}

// Told at once: this does not end by itself. The source of the CA logs what is wrong with it.
CsrController::Reconciled CsrController::WaitForCa(const Work& work) {
  const Decision wait{.kind = Decision::Kind::kRetry,
                      .rule = kUsableCa,
                      .message = fmt::format("there is no CA to sign with: {}",
                                             std::string(on_.ca.status().message()))};
  return WaitForCluster(work, wait, absl::ZeroDuration());
}

void CsrController::RetryWaiting() {
  for (const auto& [name, waiting] : waiting_) queue_.Add({"", name});
}

aio::Task<absl::StatusOr<IssuedCertificate>> CsrController::Sign(
    const Work& work, const csr_policy::CsrPolicyEntry& entry) {
  const pki::CertificateTemplate wanted =
      csr_policy::PlanCertificate(work.facts, entry, options_.longest_validity);
  const std::shared_ptr<const IssuingCa> ca = on_.ca.Current();
  const pki::PublicKey& key = work.facts.request->public_key();
  const absl::Time now = work.facts.now;
  co_return co_await aio::RunOnPool(
      pool_, [&ca, &key, &wanted, now] { return ca->Issue(key, wanted, now); });
}

aio::Task<absl::Status> CsrController::Write(Work& work, std::string_view subresource,
                                             std::optional<NewCondition> add,
                                             std::string_view certificate_pem) {
  absl::StatusOr<json::object> answer = co_await on_.client.Update(
      api::kCertificateSigningRequests, WriteBody(work.object, add, certificate_pem), subresource);
  CALICO_CO_RETURN_IF_ERROR(answer.status());
  work.object = *std::move(answer);
  co_return absl::OkStatus();
}

aio::Task<CsrController::Reconciled> CsrController::Grant(Work& work,
                                                          const csr_policy::CsrPolicyEntry& entry) {
  const api::CertificateSigningRequest& csr = work.facts.csr;
  if (on_.ca.Current() == nullptr) co_return WaitForCa(work);
  // Before the approval, so that nothing is approved that cannot be signed.
  const absl::StatusOr<IssuedCertificate> certificate = co_await Sign(work, entry);
  if (absl::IsPermissionDenied(certificate.status())) {
    // The CA itself forbids these names or usages: another attempt would end the same way.
    co_return co_await Refuse(work, {.kind = Decision::Kind::kDeny,
                                     .rule = kCaConstraints,
                                     .message = std::string(certificate.status().message())});
  }
  if (!certificate.ok()) {
    on_.events.Record(SubjectOf(csr), kube::EventType::kWarning, "SigningFailed",
                      std::string(certificate.status().message()));
    co_return base::Annotate(certificate.status(), fmt::format("sign {}", csr.meta.name));
  }
  const bool by_us = !csr.IsApproved() || csr.Approved()->reason == kPolicyApproved;
  const std::string reason = fmt::format("allowed by policy entry {}", entry.name);
  if (!csr.IsApproved()) {
    CALICO_CO_RETURN_IF_ERROR(
        co_await Write(work, "approval", NewCondition{api::kCsrApproved, kPolicyApproved, reason}));
    on_.metrics.Count(csr.signer_name, Outcome::kApproved);
  }
  const absl::Status stored = co_await Write(work, "status", std::nullopt, certificate->chain_pem);
  if (IsIssuedAlready(stored)) {
    // By another signer, or by us: then the line of the lost answer has the serial number.
    LogCertificate("request had a certificate already, this one is dropped", work, entry,
                   *certificate);
  } else if (MayHaveArrived(stored)) {
    LogCertificate("certificate may have been stored, the answer is lost", work, entry,
                   *certificate);
    co_return stored;
  } else if (!stored.ok()) {
    co_return stored;
  } else {
    LogCertificate(by_us ? "request approved and signed" : "approved request signed", work, entry,
                   *certificate);
  }
  Finish(work, Outcome::kIssued);
  on_.metrics.duration().Observe(absl::ToDoubleSeconds(on_.clock.SteadyNow() - work.began));
  if (queue_.size() < kBusy) {
    on_.events.Record(SubjectOf(csr), kube::EventType::kNormal, "Approved", reason);
  }
  co_return controller::Result{};
}

aio::Task<CsrController::Reconciled> CsrController::Refuse(Work& work, const Decision& decision) {
  const api::CertificateSigningRequest& csr = work.facts.csr;
  const std::string text = decision.Text();
  // What somebody else has approved can no longer be denied, only marked as failed.
  const bool approved = csr.IsApproved();
  const absl::Status written =
      approved
          ? co_await Write(work, "status",
                           NewCondition{api::kCsrFailed, kSignerValidationFailure, text})
          : co_await Write(work, "approval", NewCondition{api::kCsrDenied, kPolicyViolation, text});
  CALICO_CO_RETURN_IF_ERROR(written);
  Finish(work, approved ? Outcome::kFailed : Outcome::kDenied);
  TellRefusal(work, decision, approved);
  co_return controller::Result{};
}

void CsrController::TellRefusal(const Work& work, const Decision& decision, bool approved) {
  const api::CertificateSigningRequest& csr = work.facts.csr;
  const std::string text = decision.Text();
  const std::string_view message = approved ? "approved request failed" : "request denied";
  const RepeatFilter::Verdict seen =
      refusals_.Add(fmt::format("{}\n{}\n{}\n{}", message, csr.username,
                                work.facts.requester.pod_uid, decision.rule),
                    text, SubjectOf(csr), on_.clock.SteadyNow());
  const AskedNames asked(work.facts);
  const base::Logger::Fields fields = {{"csr", csr.meta.name},
                                       {"signer", csr.signer_name},
                                       {"rule", decision.rule},
                                       {"reason", decision.message},
                                       {"requester", csr.username},
                                       {"pod", work.facts.requester.pod_name},
                                       {"common_name", asked.common_name},
                                       {"dns_names", asked.dns_names},
                                       {"ip_addresses", asked.ip_addresses},
                                       {"repeated", seen.repeated}};
  if (seen.is_news) {
    on_.logger.Warning(message, fields);
  } else {
    on_.logger.Debug(message, fields);
  }
  on_.events.Record(*seen.subject, kube::EventType::kWarning, approved ? "Failed" : "Denied",
                    *seen.text);
}

void CsrController::Finish(const Work& work, Outcome outcome) {
  const api::CertificateSigningRequest& csr = work.facts.csr;
  Forget(csr.meta.name);
  // The watch still shows the request as it was; its next event would be taken for a new one.
  finished_[csr.meta.name] = csr.meta.uid;
  on_.metrics.Count(csr.signer_name, outcome);
}

void CsrController::LogCertificate(std::string_view message, const Work& work,
                                   const csr_policy::CsrPolicyEntry& entry,
                                   const IssuedCertificate& certificate) const {
  const api::CertificateSigningRequest& csr = work.facts.csr;
  const AskedNames asked(work.facts);
  on_.logger.Info(message, {{"csr", csr.meta.name},
                            {"signer", csr.signer_name},
                            {"entry", entry.name},
                            {"requester", csr.username},
                            {"pod", work.facts.requester.pod_name},
                            {"common_name", asked.common_name},
                            {"dns_names", asked.dns_names},
                            {"ip_addresses", asked.ip_addresses},
                            {"key", work.facts.request->public_key().Description()},
                            {"serial", certificate.serial},
                            {"not_after", codec::EncodeTime(certificate.not_after)}});
}

kube::EventSubject CsrController::SubjectOf(const api::CertificateSigningRequest& csr) {
  return {&api::kCertificateSigningRequests,
          {"", csr.meta.name},
          csr.meta.uid,
          csr.meta.resource_version};
}

}  // namespace calico::csr
