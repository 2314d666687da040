#include "operator/provision/provisioner.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "operator/provision/issued_certificate.h"
#include "operator/provision/kept_request.h"
#include "operator/provision/pair_directory.h"
#include "operator/provision/request_machine.h"
#include "pkg/aio/timer.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/backoff.h"
#include "pkg/base/status_macros.h"
#include "pkg/kube/client/errors.h"
#include "pkg/pki/key.h"
#include "pkg/pki/verify.h"

namespace calico::provision {
namespace {

using Csr = api::CertificateSigningRequest;

constexpr absl::Duration kCallTimeout = absl::Seconds(15);
constexpr absl::Duration kFirstCallTimeout = absl::Seconds(4);
// A denial is there to be read, and who denied by hand is not asked again at once.
constexpr absl::Duration kRejectionStands = absl::Minutes(2);
constexpr absl::Duration kWatchIdleLimit = absl::Seconds(75);  // a bookmark comes every minute

absl::StatusOr<Csr> DecodeCsr(const json::object& object) {
  absl::StatusOr<Csr> csr = Csr::Decode(object);
  if (!csr.ok()) return kube::Undecodable(csr.status(), "decode response");
  return csr;
}

// In the words of the API; the same as in the request itself.
std::vector<std::string> UsagesOf(const Config& config, pki::KeyFamily family) {
  std::vector<std::string> usages = {"digital signature"};
  if (family == pki::KeyFamily::kRsa) usages.emplace_back("key encipherment");
  for (const pki::ExtendedKeyUsage usage : config.usages) {
    usages.emplace_back(usage == pki::ExtendedKeyUsage::kServerAuth ? "server auth"
                                                                    : "client auth");
  }
  return usages;
}

// Carries out the steps of a RequestMachine over one client.
class RequestDriver {
 public:
  RequestDriver(const Config& config, const KeptRequest& request, bool resumed,
                kube::Client& client, const base::Clock& clock, const base::Logger& logger)
      : config_(config),
        name_(config.RequestName()),
        request_(request),
        client_(client),
        clock_(clock),
        logger_(logger),
        machine_({.server = config.server,
                  .request_name = name_,
                  .request_pem = request.request_pem,
                  .signer_name = config.signer_name,
                  .pod_namespace = config.pod_namespace,
                  .pod_name = config.pod_name,
                  .pod_uid = config.pod_uid,
                  .resumed = resumed,
                  .rejections_before = clock.Now() - kRejectionStands},
                 clock.SteadyNow(), config.timeout) {}

  // Ends with kIssued or kFinish.
  aio::Task<RequestStep> Run() {
    RequestStep step = machine_.Start();
    while (step.kind != RequestStep::Kind::kIssued && step.kind != RequestStep::Kind::kFinish) {
      if (step.wait > absl::ZeroDuration()) {
        const absl::Status slept = co_await aio::Sleep(step.wait);
        if (!slept.ok()) co_return Cancelled();
      }
      step = co_await Carry(step);
    }
    co_return step;
  }

 private:
  aio::Task<RequestStep> Carry(const RequestStep& step) {
    switch (step.kind) {
      case RequestStep::Kind::kCreate:
        co_return co_await Create();
      case RequestStep::Kind::kInspect:
        co_return co_await Inspect();
      case RequestStep::Kind::kWatch:
        co_return co_await Watch(step.resource_version);
      case RequestStep::Kind::kReplace:
        co_return co_await Replace(step.uid, step.why);
      case RequestStep::Kind::kIssued:
      case RequestStep::Kind::kFinish:
        break;
    }
    co_return step;
  }

  static RequestStep Cancelled() {
    RequestStep step;
    step.kind = RequestStep::Kind::kFinish;
    step.outcome = {ExitCode::kApiError, "stopped before the certificate was issued"};
    return step;
  }

  Csr NewRequest() const {
    Csr csr;
    csr.meta.name = name_;
    csr.meta.labels["k8s-app"] = config_.app_name;
    csr.meta.labels["operator.tigera.io/csr"] = config_.app_name;
    csr.request_pem = request_.request_pem;
    csr.signer_name = config_.signer_name;
    csr.usages = UsagesOf(config_, request_.key.family());
    return csr;
  }

  // The first call is short, so that whoever looks into the log need not wait for the reason why
  // there is no answer.
  absl::Duration CallTimeout() {
    const absl::Duration limit =
        std::exchange(is_first_call_, false) ? kFirstCallTimeout : kCallTimeout;
    return std::clamp(machine_.Remaining(clock_.SteadyNow()), absl::Seconds(1), limit);
  }
  void LogRetry(std::string_view what, const absl::Status& status) const {
    if (!status.ok() && !absl::IsAlreadyExists(status)) {
      logger_.Warning(what, {{"name", name_}, {"server", config_.server}, {"error", status}});
    }
  }

  aio::Task<RequestStep> Create() {
    const absl::StatusOr<json::object> answer = co_await client_.Create(
        api::kCertificateSigningRequests, NewRequest().EncodeNew(), CallTimeout());
    absl::StatusOr<Csr> created =
        answer.ok() ? DecodeCsr(*answer) : absl::StatusOr<Csr>(answer.status());
    LogRetry("create CertificateSigningRequest", created.status());
    if (created.ok()) {
      logger_.Info("certificate requested", {{"name", name_}, {"signer", config_.signer_name}});
    }
    co_return machine_.OnCreated(created, clock_.SteadyNow(), base::RandomUnit());
  }

  aio::Task<RequestStep> Inspect() {
    std::optional<Csr> found;
    kube::ListOptions options;
    options.field_selector = "metadata.name=" + name_;
    options.timeout = CallTimeout();
    const auto keep = [&found](const json::object& object) -> absl::Status {
      CALICO_ASSIGN_OR_RETURN(found, DecodeCsr(object));
      return absl::OkStatus();
    };
    const absl::StatusOr<std::string> listed =
        co_await client_.List(api::kCertificateSigningRequests, options, keep);
    LogRetry("look at CertificateSigningRequest", listed.status());
    if (!listed.ok()) {
      co_return machine_.OnInspected(listed.status(), "", clock_.SteadyNow(), base::RandomUnit());
    }
    co_return machine_.OnInspected(found, *listed, clock_.SteadyNow(), base::RandomUnit());
  }

  aio::Task<RequestStep> Watch(std::string resource_version) {
    const absl::Duration remaining =
        std::max(machine_.Remaining(clock_.SteadyNow()), absl::Seconds(1));
    kube::WatchOptions options;
    options.field_selector = "metadata.name=" + name_;
    options.resource_version = std::move(resource_version);
    options.duration = absl::Ceil(remaining, absl::Seconds(1));
    options.idle_limit = std::min(remaining, kWatchIdleLimit);
    options.open_timeout = CallTimeout();
    std::optional<RequestStep> next;
    const auto handle = [this, &next](const kube::WatchEvent& event) -> absl::Status {
      if (event.type == kube::WatchEventType::kBookmark) return absl::OkStatus();
      if (event.type == kube::WatchEventType::kDeleted) {
        next = machine_.OnDeleted(clock_.SteadyNow(), base::RandomUnit());
      } else {
        CALICO_ASSIGN_OR_RETURN(const Csr csr, DecodeCsr(event.object));
        next = machine_.OnChanged(csr);
      }
      // Any error ends the watch; `next` tells the two apart.
      return next.has_value() ? absl::CancelledError("enough seen") : absl::OkStatus();
    };
    const absl::Status ended =
        co_await client_.Watch(api::kCertificateSigningRequests, options, handle);
    if (next.has_value()) co_return *std::move(next);
    if (absl::IsCancelled(ended)) co_return Cancelled();
    LogRetry("watch CertificateSigningRequest", ended);
    co_return machine_.OnWatchEnded(ended, clock_.SteadyNow(), base::RandomUnit());
  }

  aio::Task<RequestStep> Replace(std::string uid, std::string why) {
    logger_.Info("replacing the request that has our name", {{"name", name_}, {"cause", why}});
    const absl::Status deleted = co_await client_.Delete(
        api::kCertificateSigningRequests, {"", name_}, {.uid = std::move(uid)}, CallTimeout());
    LogRetry("delete CertificateSigningRequest", deleted);
    co_return machine_.OnReplaced(deleted, clock_.SteadyNow(), base::RandomUnit());
  }

  const Config& config_;
  const std::string name_;
  const KeptRequest& request_;
  kube::Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  RequestMachine machine_;
  bool is_first_call_ = true;
};

absl::Status WriteSet(const Config& config, const pki::PrivateKey& key,
                      const std::string& certificate_pem) {
  const base::SecretString key_pem = key.ToPem();
  std::vector<SetFile> files = {{config.key_file, key_pem.view(), 0600},
                                {config.certificate_file, certificate_pem, 0644}};
  if (!config.ca_pem.empty()) files.push_back({config.ca_file, config.ca_pem, 0644});
  return ReplaceSet(config.directory, files);
}

Outcome Failed(ExitCode code, std::string_view what, const absl::Status& status) {
  return {code, fmt::format("{}: {}", what, std::string(status.message()))};
}

using Prepared = std::variant<KeptRequest, Outcome>;

Prepared MakeAndKeep(const Config& config, const base::Logger& logger) {
  logger.Info("making a key", {{"algorithm", pki::ToString(config.key_algorithm)}});
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::Generate(config.key_algorithm);
  if (!key.ok()) return Failed(ExitCode::kApiError, "make a key", key.status());
  absl::StatusOr<std::string> request_pem = MakeRequest(config, *key);
  if (!request_pem.ok()) {
    return Failed(ExitCode::kConfiguration, "make a certificate request", request_pem.status());
  }
  KeptRequest made{*std::move(key), *std::move(request_pem)};
  // Before anybody is asked: what is approved for a key that is lost is approved for nothing.
  const absl::Status kept = KeepRequest(config, made);
  if (!kept.ok()) return Failed(ExitCode::kFiles, "keep the key for the next start", kept);
  return made;
}

void Forget(const Config& config, const base::Logger& logger) {
  const absl::Status forgotten = ForgetRequest(config);
  if (!forgotten.ok()) logger.Warning("remove what was kept", {{"error", forgotten}});
}

}  // namespace

aio::Task<Outcome> Provision(const Config& config, kube::Client& client, const base::Clock& clock,
                             const base::Logger& logger) {
  const absl::Status existing = VerifyExistingSet(config, clock.Now());
  if (existing.ok()) {
    logger.Info("the pair of an earlier run still fits", {{"directory", config.directory}});
    Forget(config, logger);
    co_return Outcome{};
  }
  if (!absl::IsNotFound(existing)) {
    logger.Info("the pair of an earlier run does not fit", {{"cause", existing}});
  }
  absl::StatusOr<KeptRequest> kept = ReadKeptRequest(config);
  const bool resumed = kept.ok();
  if (resumed) {
    logger.Info("taking up the request of an earlier run", {{"name", config.RequestName()}});
  } else {
    if (!absl::IsNotFound(kept.status())) {
      logger.Info("what an earlier run has kept does not fit", {{"cause", kept.status()}});
    }
    Prepared prepared = MakeAndKeep(config, logger);
    if (Outcome* failed = std::get_if<Outcome>(&prepared)) co_return std::move(*failed);
    kept = std::get<KeptRequest>(std::move(prepared));
  }
  RequestDriver driver(config, *kept, resumed, client, clock, logger);
  const RequestStep end = co_await driver.Run();
  if (end.kind == RequestStep::Kind::kFinish) co_return end.outcome;
  const absl::Status verified =
      VerifyIssuedCertificate(end.certificate_pem, kept->key.public_key(), config, clock.Now());
  if (!verified.ok()) {
    // The reason is to be seen, and a signer that is mended is to be asked again: by the next
    // start, with a new key, whose request replaces this one.
    Forget(config, logger);
    co_return Failed(ExitCode::kCertificateRefused,
                     fmt::format("certificate issued by signer {} for {} refused",
                                 config.signer_name, config.RequestName()),
                     verified);
  }
  const absl::Status written = WriteSet(config, kept->key, end.certificate_pem);
  if (!written.ok()) co_return Failed(ExitCode::kFiles, "write the pair", written);
  Forget(config, logger);
  logger.Info("pair written", {{"directory", config.directory}, {"name", config.RequestName()}});
  co_return Outcome{};
}

}  // namespace calico::provision
