#include "operator/calicert/tls/workflow.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "operator/calicert/requests/approval.h"
#include "operator/calicert/requests/kept_key.h"
#include "operator/calicert/requests/request_source.h"
#include "operator/calicert/requests/signing.h"
#include "operator/calicert/requests/submission.h"
#include "operator/calicert/requests/waiting.h"
#include "operator/calicert/tls/pair.h"
#include "operator/calicert/tls/publishing.h"
#include "operator/calicert/tls/service_names.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/codec/yaml_writer.h"

namespace calico::calicert::tls {
namespace {

using Csr = api::CertificateSigningRequest;

class Workflow {
 public:
  Workflow(Cluster& cluster, const Plan& plan) : cluster_(cluster), plan_(plan) {}

  aio::Task<absl::StatusOr<int>> Run() {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string description, co_await Describe());
    CALICO_CO_ASSIGN_OR_RETURN(std::optional<pki::PrivateKey> key, KeptKey());
    CALICO_CO_ASSIGN_OR_RETURN(
        requests::MadeRequest made,
        requests::MakeRequest(description, plan_.description_file, std::move(key)));
    for (const std::string& warning : made.warnings) Tell("warning: " + warning);
    CALICO_CO_ASSIGN_OR_RETURN(request_, pki::CertificateRequest::ParsePem(made.request_pem));
    if (plan_.dry_run) co_return PrintObjects(made);
    CALICO_CO_ASSIGN_OR_RETURN(const bool kept, co_await KeepWhatWillDo());
    if (kept) co_return kExitOk;
    CALICO_CO_RETURN_IF_ERROR(co_await Ask(made));
    CALICO_CO_ASSIGN_OR_RETURN(const Pair pair, co_await Obtain(made.key));
    co_return co_await Publish(pair);
  }

 private:
  void Tell(std::string_view step) const { Note(cluster_.terminal, step); }
  void Say(std::string_view what, const std::string& name, std::string_view how) const {
    cluster_.terminal.out << fmt::format("{}/{} {}\n", what, name, how);
  }
  PairFiles Files() const { return FilesIn(plan_.directory, plan_.service); }
  Demands Wanted() const {
    const bool serves =
        std::find(plan_.usages.begin(), plan_.usages.end(), "server auth") != plan_.usages.end();
    return {.ca = plan_.ca, .request = &*request_, .any_purpose = !serves};
  }

  // The file's description, or one of the Service's names and addresses.
  aio::Task<absl::StatusOr<std::string>> Describe() {
    if (!plan_.description.empty()) co_return plan_.description;
    std::vector<std::string> hosts = DnsNamesOf(plan_.service, cluster_.ns, plan_.cluster_domain);
    const absl::StatusOr<json::object> service = co_await cluster_.client.Get(
        api::kServices, {cluster_.ns, plan_.service}, cluster_.timeout);
    if (service.ok()) {
      const std::vector<std::string> ips = ClusterIpsOf(*service);
      hosts.insert(hosts.end(), ips.begin(), ips.end());
    } else if (absl::IsNotFound(service.status()) || absl::IsPermissionDenied(service.status())) {
      Tell(
          fmt::format("no cluster IP will be in the certificate: {}", ErrorText(service.status())));
    } else {
      co_return service.status();
    }
    hosts.insert(hosts.end(), plan_.more_hosts.begin(), plan_.more_hosts.end());
    co_return requests::DescriptionFor(CommonNameOf(plan_.service, cluster_.ns), hosts);
  }

  // The key of an earlier run, if there is one in a file: it is never overwritten.
  absl::StatusOr<std::optional<pki::PrivateKey>> KeptKey() const {
    if (!plan_.target.files) return std::nullopt;
    return requests::ReadKeptKey(Files().key);
  }

  Csr Request(const requests::MadeRequest& made) const {
    Csr csr;
    csr.meta.name = plan_.csr_name;
    csr.meta.labels[kManagedBy] = kCalicert;
    csr.request_pem = made.request_pem;
    csr.signer_name = plan_.signer_name;
    csr.usages = plan_.usages;
    csr.expiration_seconds = plan_.expiration_seconds;
    return csr;
  }

  int PrintObjects(const requests::MadeRequest& made) const {
    constexpr char kLater[] = "(made when this runs without --dry-run)";
    std::vector<json::value> objects = {Request(made).EncodeNew()};
    if (plan_.target.secret) {
      json::object secret = TlsSecret({cluster_.ns, plan_.secret_name}, {});
      secret.erase("data");
      secret["stringData"] = json::object{{kCertificateKey, kLater}, {kPrivateKeyKey, kLater}};
      objects.emplace_back(std::move(secret));
    }
    if (plan_.target.config_map) {
      objects.emplace_back(CaConfigMap({cluster_.ns, plan_.config_map_name}, plan_.ca_text));
    }
    cluster_.terminal.out << codec::ToYaml(objects);
    return kExitOk;
  }

  // True: everything asked for is there and good for long enough. Errors: also of a Secret that is
  // not ours to write, before anybody is asked for a certificate.
  aio::Task<absl::StatusOr<bool>> KeepWhatWillDo() {
    std::vector<std::optional<Pair>> pairs;
    if (plan_.target.secret) {
      CALICO_CO_ASSIGN_OR_RETURN(
          pairs.emplace_back(), co_await ReadTlsSecret(cluster_, {cluster_.ns, plan_.secret_name}));
    }
    if (plan_.target.files) {
      CALICO_CO_ASSIGN_OR_RETURN(pairs.emplace_back(), ReadPairFiles(Files()));
    }
    if (pairs.empty() || plan_.renew) co_return false;
    for (const std::optional<Pair>& pair : pairs) {
      if (!pair.has_value()) co_return false;
      const absl::Status good = CheckStillGood(*pair, Wanted(), cluster_.Now());
      if (good.ok()) continue;
      Tell(fmt::format("the pair that is there will not do: {}", std::string(good.message())));
      co_return false;
    }
    if (plan_.target.secret) Say("secret", plan_.secret_name, "unchanged");
    if (plan_.target.files) Tell(fmt::format("{} is still good", Files().certificate));
    CALICO_CO_RETURN_IF_ERROR(co_await PublishCa());
    co_return true;
  }

  // A request of an earlier run with the same key that is decided, and not as it is wanted now.
  bool IsSpent(const Csr& csr, const pki::PrivateKey& key) const {
    if (csr.meta.Label(kManagedBy) != kCalicert) return false;
    if (csr.IsDenied() || csr.IsFailed()) return true;
    if (!csr.IsIssued()) return false;
    const Pair pair{csr.certificate_pem, base::SharedSecret(key.ToPem())};
    return plan_.renew || !CheckStillGood(pair, Wanted(), cluster_.Now()).ok();
  }

  aio::Task<absl::StatusOr<requests::Submitted>> SubmitFresh(const requests::MadeRequest& made) {
    absl::StatusOr<requests::Submitted> submitted =
        co_await requests::Submit(cluster_, Request(made), requests::IfDifferent::kReplaceOwn);
    if (!submitted.ok() || submitted->how != requests::Submission::kUnchanged ||
        !IsSpent(submitted->csr, made.key)) {
      co_return submitted;
    }
    const absl::Status deleted =
        co_await cluster_.client.Delete(api::kCertificateSigningRequests, {"", plan_.csr_name},
                                        {.uid = submitted->csr.meta.uid}, cluster_.timeout);
    if (!deleted.ok() && !absl::IsNotFound(deleted)) co_return deleted;
    submitted =
        co_await requests::Submit(cluster_, Request(made), requests::IfDifferent::kReplaceOwn);
    if (submitted.ok()) submitted->how = requests::Submission::kReplaced;
    co_return submitted;
  }

  aio::Task<absl::Status> Ask(const requests::MadeRequest& made) {
    if (plan_.target.files) {
      CALICO_CO_RETURN_IF_ERROR(requests::KeepKey(Files().key, made.key, cluster_.terminal));
    }
    Tell(fmt::format("key: {}; request: {}", made.key.public_key().Description(),
                     request_->subject_text().empty() ? "no subject" : request_->subject_text()));
    CALICO_CO_ASSIGN_OR_RETURN(const requests::Submitted submitted, co_await SubmitFresh(made));
    Tell(fmt::format("{}/{} {} for {}", requests::kCsrPlural, plan_.csr_name,
                     requests::ToString(submitted.how), plan_.signer_name));
    if (!plan_.issuer.has_value()) co_return absl::OkStatus();
    const absl::StatusOr<json::object> ruled =
        co_await requests::Rule(cluster_, plan_.csr_name, {.uid = submitted.csr.meta.uid});
    if (!ruled.ok()) co_return ruled.status();
    Tell(fmt::format("{}/{} approved", requests::kCsrPlural, plan_.csr_name));
    const absl::StatusOr<requests::Signed> result =
        co_await requests::SignInCluster(cluster_, plan_.csr_name, {.uid = submitted.csr.meta.uid},
                                         plan_.issuer->issue, plan_.issuer->will_do);
    if (!result.ok()) co_return result.status();
    Tell(fmt::format("{}/{} signed by {}", requests::kCsrPlural, plan_.csr_name,
                     plan_.ca.front().subject()));
    co_return absl::OkStatus();
  }

  // Downloads the certificate, and looks at it as a client would.
  aio::Task<absl::StatusOr<Pair>> Obtain(const pki::PrivateKey& key) {
    if (!plan_.issuer.has_value()) {
      Tell(fmt::format("waiting for the signer {}", plan_.signer_name));
    }
    CALICO_CO_ASSIGN_OR_RETURN(
        const requests::Waited waited,
        co_await requests::WaitInCluster(cluster_, plan_.csr_name, requests::WaitFor::kIssued,
                                         plan_.timeout));
    if (waited.end != requests::WaitEnd::kReached) {
      co_return absl::FailedPreconditionError(
          requests::Describe(waited, plan_.csr_name, requests::WaitFor::kIssued, plan_.timeout));
    }
    Pair pair{waited.csr.certificate_pem, base::SharedSecret(key.ToPem())};
    const absl::Status good = CheckPair(pair, Wanted(), cluster_.Now());
    if (!good.ok()) co_return base::Annotate(good, "the certificate that was issued will not do");
    CALICO_CO_ASSIGN_OR_RETURN(const pki::Certificate leaf, requests::IssuedLeaf(waited.csr));
    Tell(fmt::format("certificate downloaded: good until {}", codec::EncodeTime(leaf.not_after())));
    co_return pair;
  }

  aio::Task<absl::Status> PublishCa() {
    if (!plan_.target.config_map) co_return absl::OkStatus();
    CALICO_CO_ASSIGN_OR_RETURN(
        const Published how,
        co_await PutCaConfigMap(cluster_, {cluster_.ns, plan_.config_map_name}, plan_.ca_text));
    Say("configmap", plan_.config_map_name, ToString(how));
    co_return absl::OkStatus();
  }

  aio::Task<absl::StatusOr<int>> Publish(const Pair& pair) {
    if (plan_.target.files) {
      CALICO_CO_RETURN_IF_ERROR(WritePairFiles(Files(), pair, plan_.ca_text));
      Tell(fmt::format("written: {}, {}, {}", Files().certificate, Files().key, Files().ca));
    }
    // The CA first: who sees the new pair can trust it already.
    CALICO_CO_RETURN_IF_ERROR(co_await PublishCa());
    if (plan_.target.secret) {
      CALICO_CO_ASSIGN_OR_RETURN(
          const Published how,
          co_await PutTlsSecret(cluster_, {cluster_.ns, plan_.secret_name}, pair));
      Say("secret", plan_.secret_name, ToString(how));
    }
    co_return kExitOk;
  }

  Cluster& cluster_;
  const Plan& plan_;
  std::optional<pki::CertificateRequest> request_;
};

}  // namespace

aio::Task<absl::StatusOr<int>> IssueForService(Cluster& cluster, const Plan& plan) {
  Workflow workflow(cluster, plan);
  co_return co_await workflow.Run();
}

}  // namespace calico::calicert::tls
