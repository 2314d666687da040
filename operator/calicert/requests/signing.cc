#include "operator/calicert/requests/signing.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cfssl/signing_config.h"
#include "operator/calicert/requests/approval.h"
#include "operator/calicert/requests/builtin_signers.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/ca/ca_check.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr absl::Duration kShortest = absl::Minutes(10);
// From here on the five minutes before count.
constexpr absl::Duration kLong = absl::Hours(8);

absl::Status CheckRequest(const pki::CertificateRequest& request) {
  CALICO_RETURN_IF_ERROR(request.VerifySignature());
  CALICO_RETURN_IF_ERROR(request.public_key().CheckStrength());
  if (request.common_name_count() > 1) {
    return absl::InvalidArgumentError("the subject has more than one CN: readers differ about it");
  }
  if (!request.other_san_kinds().empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "alternative names of kind {} cannot be certified", request.other_san_kinds().front()));
  }
  return absl::OkStatus();
}

absl::Duration DurationOf(const Csr& csr, absl::Duration longest, std::vector<std::string>& notes) {
  if (!csr.expiration_seconds.has_value()) return longest;
  const absl::Duration asked = absl::Seconds(*csr.expiration_seconds);
  if (asked > longest) {
    notes.push_back(fmt::format("spec.expirationSeconds asks for {}, and --duration allows {}",
                                absl::FormatDuration(asked), absl::FormatDuration(longest)));
  }
  return std::max(std::min(asked, longest), kShortest);
}

absl::StatusOr<Csr> DecodeCsr(const json::object& object) {
  absl::StatusOr<Csr> csr = Csr::Decode(object);
  if (!csr.ok()) return base::Annotate(csr.status(), "the API server's answer");
  return csr;
}

absl::Status AnotherCertificate(const Csr& csr) {
  return absl::AlreadyExistsError(fmt::format(
      "certificate signing request {:?} has another certificate already, and the API server never "
      "takes a second one: delete it (calicert csr delete {}) and ask anew",
      csr.meta.name, csr.meta.name));
}

// One attempt on the object as it was read.
class Attempt {
 public:
  Attempt(const SignOptions& options, const Issuer& issuer,
          const std::function<bool(const pki::Certificate&)>& will_do)
      : options_(options), issuer_(issuer), will_do_(will_do) {}

  // True: the object now holds a certificate that is to be stored.
  absl::StatusOr<bool> Fill(json::object& object) {
    CALICO_ASSIGN_OR_RETURN(const Csr csr, DecodeCsr(object));
    CALICO_RETURN_IF_ERROR(CheckNotReplaced(options_.uid, csr.meta.uid, csr.meta.name));
    if (csr.IsIssued()) return Keep(csr);
    CALICO_RETURN_IF_ERROR(CheckSignable(csr, options_.unapproved));
    CALICO_ASSIGN_OR_RETURN(const pki::CertificateRequest request,
                            pki::CertificateRequest::ParsePem(csr.request_pem));
    CALICO_ASSIGN_OR_RETURN(result_.certificate_pem, issuer_(csr, request));
    CALICO_ASSIGN_OR_RETURN(
        const std::vector<pki::Certificate> chain,
        pki::Certificate::ParsePemBundle(result_.certificate_pem, pki::SurroundingText::kAllow));
    const absl::Status fits = pki::KeyMatches(chain.front(), request.public_key());
    if (!fits.ok()) {
      return absl::FailedPreconditionError(fmt::format(
          "the certificate ({}) is for another key than request {:?}: nobody could use it",
          chain.front().subject(), csr.meta.name));
    }
    json::value& status = object["status"];
    if (!status.is_object()) status.emplace_object();
    status.get_object()["certificate"] = base::Base64Encode(result_.certificate_pem);
    result_.is_new = true;
    return true;
  }
  Signed Take() { return std::move(result_); }

 private:
  absl::StatusOr<bool> Keep(const Csr& csr) {
    const absl::StatusOr<pki::Certificate> leaf = IssuedLeaf(csr);
    if (!leaf.ok() || !will_do_(*leaf)) return AnotherCertificate(csr);
    result_ = {false, csr.certificate_pem};
    return false;
  }

  const SignOptions& options_;
  const Issuer& issuer_;
  const std::function<bool(const pki::Certificate&)>& will_do_;
  Signed result_;
};

}  // namespace

absl::StatusOr<CaFiles> ReadCaFiles(const std::string& certificate_file,
                                    const std::string& key_file, absl::Time now,
                                    std::vector<std::string>& notes) {
  CALICO_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(certificate_file));
  absl::StatusOr<std::vector<pki::Certificate>> file =
      pki::Certificate::ParsePemBundle(text, pki::SurroundingText::kAllow);
  if (!file.ok()) return base::Annotate(file.status(), certificate_file);
  CALICO_ASSIGN_OR_RETURN(const base::SecretString key_text, base::ReadSecretFile(key_file));
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(key_text.view());
  if (!key.ok()) return base::Annotate(key.status(), key_file);
  const absl::StatusOr<pki::CaChain> chosen = pki::ChooseCaChain(*file, key->public_key(), now);
  if (!chosen.ok()) {
    return base::Annotate(chosen.status(), fmt::format("{} with {}", certificate_file, key_file));
  }
  notes.insert(notes.end(), chosen->notes.begin(), chosen->notes.end());
  CaFiles files{.chain = {}, .key = *std::move(key)};
  for (const size_t index : chosen->indices) files.chain.push_back((*file)[index]);
  return files;
}

absl::StatusOr<pki::CertificateAuthority> LoadAuthority(const std::string& certificate_file,
                                                        const std::string& key_file, absl::Time now,
                                                        std::vector<std::string>& notes) {
  CALICO_ASSIGN_OR_RETURN(CaFiles files, ReadCaFiles(certificate_file, key_file, now, notes));
  absl::StatusOr<pki::CertificateAuthority> authority =
      pki::CertificateAuthority::Create(std::move(files.chain), std::move(files.key));
  if (!authority.ok()) return base::Annotate(authority.status(), certificate_file);
  return authority;
}

CertificateUsages UsagesOf(const Csr& csr) {
  CertificateUsages usages;
  for (const std::string& name : csr.usages) {
    cfssl::AddUsage(name, usages.key_usages, usages.extended);
  }
  std::sort(usages.extended.begin(), usages.extended.end());
  usages.extended.erase(std::unique(usages.extended.begin(), usages.extended.end()),
                        usages.extended.end());
  return usages;
}

absl::Status CheckSignable(const Csr& csr, bool unapproved) {
  const std::string& name = csr.meta.name;
  for (const api::Condition* const bad : {csr.Denied(), csr.Failed()}) {
    if (bad == nullptr) continue;
    return absl::FailedPreconditionError(
        fmt::format("certificate signing request {:?} is {} ({}: {}), which is final: delete it "
                    "and ask anew",
                    name, bad->type, bad->reason, bad->message));
  }
  if (csr.IsApproved() || unapproved) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("certificate signing request {:?} is not approved: look at it (calicert csr get "
                  "{} -o text) and approve it (calicert csr approve {}), or give --unapproved to "
                  "store the certificate before somebody approves",
                  name, name, name));
}

absl::StatusOr<pki::CertificateTemplate> PlanAsController(const Csr& csr,
                                                          const pki::CertificateRequest& request,
                                                          absl::Duration longest, absl::Time now,
                                                          std::vector<std::string>& notes) {
  CALICO_RETURN_IF_ERROR(CheckRequest(request));
  CALICO_RETURN_IF_ERROR(CheckBuiltinSigner(csr, request));
  const CertificateUsages usages = UsagesOf(csr);
  pki::CertificateTemplate plan{.common_name = request.common_name(),
                                .subject = request.other_subject_attributes(),
                                .ip_addresses = request.ip_addresses(),
                                .emails = request.emails(),
                                .uris = request.uris(),
                                .key_usages = usages.key_usages,
                                .extended_key_usages = usages.extended};
  for (const std::string& name : request.dns_names()) {
    if (!name.empty()) plan.dns_names.push_back(name);
  }
  if (plan.dns_names.size() < request.dns_names().size()) {
    notes.emplace_back("an empty DNS name of the request is left out");
  }
  if (request.requests_ca()) {
    notes.emplace_back("the request asks for a CA; the certificate is none");
  }
  const absl::Duration duration = DurationOf(csr, longest, notes);
  plan.not_before = now - kBackdate;
  plan.not_after = duration < kLong ? now + duration : now + duration - kBackdate;
  return plan;
}

aio::Task<absl::StatusOr<Signed>> SignInCluster(
    Cluster& cluster, std::string name, SignOptions options, Issuer issuer,
    std::function<bool(const pki::Certificate& leaf)> will_do) {
  Attempt attempt(options, issuer, will_do);
  const ObjectChange change = [&attempt](json::object& object) { return attempt.Fill(object); };
  const absl::StatusOr<json::object> written = co_await ChangeObject(
      cluster, api::kCertificateSigningRequests, {"", std::move(name)}, "status", change);
  if (!written.ok()) co_return written.status();
  co_return attempt.Take();
}

absl::StatusOr<pki::Certificate> IssuedLeaf(const Csr& csr) {
  if (!csr.IsIssued()) {
    return absl::FailedPreconditionError(fmt::format(
        "certificate signing request {:?} has no certificate yet (calicert csr wait {})",
        csr.meta.name, csr.meta.name));
  }
  absl::StatusOr<std::vector<pki::Certificate>> chain =
      pki::Certificate::ParsePemBundle(csr.certificate_pem, pki::SurroundingText::kAllow);
  if (!chain.ok()) return base::Annotate(chain.status(), "status.certificate");
  return chain->front();
}

}  // namespace calico::calicert::requests
