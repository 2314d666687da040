#include "operator/controllers/certificates/certificate_keeper.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "pkg/aio/thread_pool.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/apply/plan.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::certificates {
namespace {

using Write = PlannedSecret::Write;

constexpr std::string_view kCertificateKey = "tls.crt";
constexpr absl::Duration kListTimeout = absl::Seconds(5);
// How long a watch may take to show what was written.
constexpr absl::Duration kWatchTimeout = absl::Seconds(5);
// Plans that are void one after the other before somebody else gets his turn.
constexpr int kMostTries = 3;

// Between tries of what was refused.
constexpr base::BackoffOptions kPause = {
    .initial = absl::Milliseconds(500), .cap = absl::Seconds(15), .jitter = 0.2};

api::ObjectKey KeyOf(const PlannedSecret& secret) { return {secret.ns, secret.name}; }

bool HasNewKey(const PlannedSecret& secret) {
  return secret.write == Write::kCreate || secret.write == Write::kReplace;
}

kube::Contention::Id IdOf(const PlannedSecret& secret) {
  return {std::string(api::kSecrets.kind), KeyOf(secret)};
}

// What is wrong with it each time; empty: it is gone.
std::string_view PlaceOf(const PlannedSecret& secret) {
  return secret.write == Write::kCreate ? "" : "data";
}

// Somebody else was first, for instance another replica that still thinks it leads.
bool IsVoid(const absl::Status& status) {
  return absl::IsAlreadyExists(status) || absl::IsAborted(status) || absl::IsNotFound(status);
}

// The first certificate of a Secret's or a pair's text.
std::optional<pki::Certificate> FirstOf(std::string_view pem) {
  auto chain = pki::Certificate::ParsePemBundle(pem, pki::SurroundingText::kAllow);
  if (!chain.ok() || chain->empty()) return std::nullopt;
  return std::move(chain->front());
}

}  // namespace

CertificateKeeper::CertificateKeeper(kube::Client& client, SecretView& view,
                                     metrics::Registry& registry, CertificateKeeperOptions options,
                                     const base::Clock& clock, const base::Logger& logger)
    : client_(client),
      view_(view),
      options_(std::move(options)),
      clock_(clock),
      logger_(logger),
      backoff_(kPause) {
  registry.AddGaugeSetCallback(
      "tigera_operator_tls_certificate_expiry_timestamp_seconds",
      "When certificates in Secrets that the operator uses end, in seconds since 1970.", [this] {
        std::vector<std::pair<metrics::Labels, double>> values;
        for (const End& end : ends_) {
          values.emplace_back(
              metrics::Labels{{"name", end.name}, {"namespace", end.ns}, {"issuer", end.issuer}},
              static_cast<double>(absl::ToUnixSeconds(end.at)));
        }
        return values;
      });
}

aio::Task<absl::StatusOr<std::shared_ptr<const Plan>>> CertificateKeeper::Prepare(Demands demands) {
  CALICO_CO_RETURN_IF_ERROR(
      base::Annotate(co_await view_.WaitForSync(kListTimeout), "read Secrets and ConfigMaps"));
  const bool asks = demands.ca_cert.has_value();
  if (asks != demands_.ca_cert.has_value()) is_rolled_out_ = false;
  demands.is_rolled_out = asks && is_rolled_out_;
  const bool is_old = plan_ == nullptr || view_.version() != version_ || demands != demands_ ||
                      clock_.Now() >= plan_->recheck_at;
  if (is_old) CALICO_CO_RETURN_IF_ERROR(co_await MakeNew(std::move(demands)));
  co_return plan_;
}

aio::Task<absl::StatusOr<std::shared_ptr<const Plan>>> CertificateKeeper::Write(Owners owners) {
  if (plan_ != nullptr) {
    for (const PlannedSecret& secret : plan_->originals) {
      if (secret.write == Write::kKeep) contention_.InPlace(IdOf(secret), clock_.SteadyNow());
    }
    if (!plan_->HasNewKeys()) co_return plan_;
  }
  if (clock_.SteadyNow() < try_at_) co_return failure_;
  auto written = co_await WriteOrPlanAnew(owners);
  if (written.ok()) {
    backoff_.Reset();
    try_at_ = absl::InfinitePast();
  } else if (!absl::IsCancelled(written.status())) {
    failure_ = written.status();
    try_at_ = clock_.SteadyNow() + backoff_.Next(base::RandomUnit());
  }
  co_return written;
}

aio::Task<absl::StatusOr<std::shared_ptr<const Plan>>> CertificateKeeper::WriteOrPlanAnew(
    const Owners& owners) {
  absl::Status written;
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (plan_ == nullptr) CALICO_CO_RETURN_IF_ERROR(co_await MakeNew(demands_));
    if (!plan_->is_complete) {
      co_return absl::UnavailableError("not every key pair that pods need can be had any more");
    }
    written = co_await WriteNewKeys(owners);
    if (written.ok()) co_return plan_;
    if (!IsVoid(written)) co_return written;
    plan_ = nullptr;
  }
  co_return absl::UnavailableError(fmt::format("Secrets with certificates change all the time: {}",
                                               std::string(written.message())));
}

aio::Task<absl::Status> CertificateKeeper::MakeNew(Demands demands) {
  plan_ = nullptr;
  const std::uint64_t version = view_.version();
  CALICO_CO_ASSIGN_OR_RETURN(const Live live, view_.ReadLive());
  const absl::Time now = clock_.Now();
  // For this plan only: a thread that waits costs memory, and plans are rare.
  aio::ThreadPool pool(1);
  absl::StatusOr<Plan> plan = co_await aio::RunOnPool(
      pool, [&] { return MakePlan(live, demands, now, &pki::PrivateKey::Generate); });
  if (!plan.ok()) co_return plan.status();
  plan_ = std::make_shared<Plan>(*std::move(plan));
  demands_ = std::move(demands);
  version_ = version;
  ends_.clear();
  for (const KeyPair& pair : plan_->key_pairs) {
    if (const auto leaf = FirstOf(pair.certificate_pem)) {
      ends_.push_back({pair.ns, pair.name, leaf->issuer_common_name(), leaf->not_after()});
    }
  }
  for (const PlannedSecret& secret : plan_->originals) {
    const auto text = secret.data.find(kCertificateKey);
    if (text == secret.data.end()) continue;
    if (const auto first = FirstOf(text->second.view())) {
      ends_.push_back({secret.ns, secret.name, first->issuer_common_name(), first->not_after()});
    }
  }
  LogNotes();
  co_return absl::OkStatus();
}

void CertificateKeeper::LogNotes() const {
  for (const std::string& note : plan_->notes) {
    logger_.Info("certificate is made anew", {{"note", note}});
  }
}

// In their order, and each seen before the next: a plan that is made from what is seen then has all
// of them.
aio::Task<absl::Status> CertificateKeeper::WriteNewKeys(const Owners& owners) {
  const std::shared_ptr<Plan> plan = plan_;
  for (PlannedSecret& secret : plan->originals) {
    if (!HasNewKey(secret)) continue;
    CALICO_CO_RETURN_IF_ERROR(MayWrite(secret, owners) ? co_await WriteNewKey(secret, owners)
                                                       : PutOff(secret, *plan));
  }
  co_return absl::OkStatus();
}

// What went with its owner was taken by nobody: each owner begins anew.
bool CertificateKeeper::MayWrite(const PlannedSecret& secret, const Owners& owners) {
  const std::string_view owner =
      secret.owner == api::kApiServers.kind ? owners.api_server : owners.installation;
  return contention_.MaySend(IdOf(secret), owner, PlaceOf(secret), "", clock_.SteadyNow());
}

// Pods that have the key already go on with it, and the rest of the plan with them.
absl::Status CertificateKeeper::PutOff(PlannedSecret& secret, Plan& plan) const {
  const std::string message = fmt::format(
      "Secret {} is {} again and again: stop what does that; until then it is made ever more "
      "rarely{}",
      KeyOf(secret).ToString(), secret.write == Write::kCreate ? "deleted" : "broken",
      secret.is_restored ? ", and pods go on with the key that they have" : "");
  if (!secret.is_restored) return absl::UnavailableError(message);
  secret.write = Write::kLeave;
  const bool is_of_api_server = secret.owner == api::kApiServers.kind;
  (is_of_api_server ? plan.api_server_problems : plan.problems).push_back(message);
  if (const auto contest = contention_.Find(IdOf(secret))) {
    const absl::Time again_at = clock_.Now() + (contest->again_at - clock_.SteadyNow());
    plan.recheck_at = std::min(plan.recheck_at, again_at);
  }
  return absl::OkStatus();
}

aio::Task<absl::Status> CertificateKeeper::WriteNewKey(PlannedSecret& secret,
                                                       const Owners& owners) {
  const std::string before = view_.VersionOf(KeyOf(secret));
  CALICO_CO_ASSIGN_OR_RETURN(
      kube::DesiredObject desired,
      kube::MakeDesired(MakeObject(secret, owners), options_.hash_annotation));
  absl::StatusOr<json::object> answer;
  if (secret.write == Write::kCreate) {
    answer = co_await client_.Create(api::kSecrets, std::move(desired.object));
  } else {
    json::object& metadata = desired.object.at("metadata").get_object();
    metadata["uid"] = secret.uid;
    metadata["resourceVersion"] = secret.resource_version;
    answer = co_await client_.Apply(api::kSecrets, std::move(desired.object),
                                    {.field_manager = options_.field_manager, .force = true});
  }
  if (!answer.ok()) {
    // The next plan is made from what is seen: it shall be what was in the way.
    if (IsVoid(answer.status())) {
      (co_await view_.WaitForChange(KeyOf(secret), before, kWatchTimeout)).IgnoreError();
    }
    co_return answer.status();
  }
  logger_.Info("wrote a new key", {{"namespace", secret.ns}, {"name", secret.name}});
  contention_.Sent(IdOf(secret), PlaceOf(secret), clock_.SteadyNow());
  const absl::Status seen = co_await view_.WaitForChange(KeyOf(secret), before, kWatchTimeout);
  if (!seen.ok()) {
    co_return absl::UnavailableError(fmt::format(
        "Secret {} was written and is not seen by the watch yet", KeyOf(secret).ToString()));
  }
  const api::ObjectMeta meta = api::ObjectMetaOf(*answer);
  secret.write = Write::kKeep;
  secret.uid = meta.uid;
  secret.resource_version = meta.resource_version;
  co_return absl::OkStatus();
}

bool CertificateKeeper::SetRolledOut() {
  if (!demands_.ca_cert.has_value()) return false;
  return !std::exchange(is_rolled_out_, true);
}

aio::Task<absl::Status> CertificateKeeper::Delete(std::shared_ptr<const Plan> plan) {
  for (const SecretDeletion& deletion : plan->deletions) {
    const absl::Status deleted = co_await client_.Delete(
        api::kSecrets, {deletion.ns, deletion.name},
        {.uid = deletion.uid, .resource_version = deletion.resource_version});
    if (IsVoid(deleted)) continue;
    CALICO_CO_RETURN_IF_ERROR(deleted);
    contention_.Forget({std::string(api::kSecrets.kind), {deletion.ns, deletion.name}});
    logger_.Info("deleted, pods ask for their certificates now",
                 {{"namespace", deletion.ns}, {"name", deletion.name}});
  }
  co_return absl::OkStatus();
}

}  // namespace calico::certificates
