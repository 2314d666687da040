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

api::ObjectKey KeyOf(const PlannedSecret& secret) { return {secret.ns, secret.name}; }

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
    : client_(client), view_(view), options_(std::move(options)), clock_(clock), logger_(logger) {
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
  absl::Status written;
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (plan_ == nullptr) CALICO_CO_RETURN_IF_ERROR(co_await MakeNew(demands_));
    if (!plan_->is_complete) break;
    written = co_await WriteNewKeys(owners);
    if (written.ok()) co_return plan_;
    plan_ = nullptr;
    if (!IsVoid(written)) co_return written;
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
    if (secret.write != Write::kCreate && secret.write != Write::kReplace) continue;
    CALICO_CO_RETURN_IF_ERROR(co_await WriteNewKey(secret, owners));
  }
  co_return absl::OkStatus();
}

aio::Task<absl::Status> CertificateKeeper::WriteNewKey(PlannedSecret& secret,
                                                       const Owners& owners) {
  const std::string before = view_.VersionOf(KeyOf(secret));
  absl::StatusOr<json::object> answer;
  if (secret.write == Write::kCreate) {
    // Only what cannot be made again: the rest is applied, so that it is ours by field manager too.
    json::object object = ToObject(secret);
    object.at("metadata").get_object().erase("labels");
    object.at("metadata").get_object().erase("annotations");
    answer = co_await client_.Create(api::kSecrets, std::move(object));
  } else {
    CALICO_CO_ASSIGN_OR_RETURN(
        kube::DesiredObject desired,
        kube::MakeDesired(MakeObject(secret, owners), options_.hash_annotation));
    desired.object.at("metadata").get_object()["resourceVersion"] = secret.resource_version;
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
  const absl::Status seen = co_await view_.WaitForChange(KeyOf(secret), before, kWatchTimeout);
  if (!seen.ok()) {
    co_return absl::UnavailableError(fmt::format(
        "Secret {} was written and is not seen by the watch yet", KeyOf(secret).ToString()));
  }
  secret.write = Write::kKeep;
  secret.resource_version = api::ObjectMetaOf(*answer).resource_version;
  co_return absl::OkStatus();
}

bool CertificateKeeper::SetRolledOut() {
  if (!demands_.ca_cert.has_value()) return false;
  return !std::exchange(is_rolled_out_, true);
}

aio::Task<absl::Status> CertificateKeeper::Delete(std::shared_ptr<const Plan> plan) {
  for (const SecretDeletion& deletion : plan->deletions) {
    const absl::Status deleted =
        co_await client_.Delete(api::kSecrets, {deletion.ns, deletion.name}, {.uid = deletion.uid});
    if (IsVoid(deleted)) continue;
    CALICO_CO_RETURN_IF_ERROR(deleted);
    logger_.Info("deleted, pods ask for their certificates now",
                 {{"namespace", deletion.ns}, {"name", deletion.name}});
  }
  co_return absl::OkStatus();
}

}  // namespace calico::certificates
