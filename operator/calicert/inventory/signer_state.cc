#include "operator/calicert/inventory/signer_state.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/requests/csr_text.h"
#include "operator/config/signer_policy.h"
#include "operator/validation/ca_certificates.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/secret.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/codec/time.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::inventory {
namespace {

constexpr api::Resource kSubjectAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews",
                                              "SubjectAccessReview", false};
constexpr std::string_view kCsrGroup = "certificates.k8s.io";

struct Right {
  std::string_view verb;
  std::string_view resource;
  std::string_view subresource = {};
  std::string_view group = kCsrGroup;
  bool of_signer = false;  // named by the signer name
};
// Pods, nodes and Services are who is bound to a request, and who has its addresses.
constexpr Right kRights[] = {{"list", "certificatesigningrequests"},
                             {"watch", "certificatesigningrequests"},
                             {"update", "certificatesigningrequests", "approval"},
                             {"update", "certificatesigningrequests", "status"},
                             {"approve", "signers", {}, kCsrGroup, true},
                             {"sign", "signers", {}, kCsrGroup, true},
                             {"get", "pods", {}, {}},
                             {"list", "pods", {}, {}},
                             {"watch", "pods", {}, {}},
                             {"get", "nodes", {}, {}},
                             {"list", "nodes", {}, {}},
                             {"watch", "nodes", {}, {}},
                             {"get", "services", {}, {}},
                             {"list", "services", {}, {}},
                             {"watch", "services", {}, {}}};

json::object QuestionOf(const Right& right, const std::string& user,
                        const std::string& signer_name) {
  json::object attributes{
      {"group", right.group}, {"resource", right.resource}, {"verb", right.verb}};
  if (!right.subresource.empty()) attributes["subresource"] = right.subresource;
  if (right.of_signer) attributes["name"] = signer_name;
  return {{"apiVersion", "authorization.k8s.io/v1"},
          {"kind", "SubjectAccessReview"},
          {"spec", json::object{{"user", user}, {"resourceAttributes", std::move(attributes)}}}};
}

bool IsAllowed(const json::object& answer) {
  const json::object* const status = codec::FindObject(answer, "status");
  const json::value* const allowed = status == nullptr ? nullptr : status->if_contains("allowed");
  return allowed != nullptr && allowed->is_bool() && allowed->get_bool();
}

std::string DomainOf(const std::string& signer_name) {
  return signer_name.substr(0, signer_name.find('/'));
}

class SignerCheck {
 public:
  SignerCheck(Cluster& cluster, SignerQuestions questions)
      : cluster_(cluster), questions_(std::move(questions)) {}

  aio::Task<absl::StatusOr<std::vector<Finding>>> Run() {
    const absl::Status installation = co_await ReadInstallation();
    if (!installation.ok()) co_return installation;
    const absl::Status done = co_await CheckAll();
    if (!done.ok()) co_return done;
    co_return std::move(findings_);
  }

 private:
  void Add(std::string check, Outcome outcome, std::string text) {
    findings_.push_back({std::move(check), outcome, std::move(text)});
  }
  // The object; nullopt when it is not there or must not be read, which is told with `outcome`.
  aio::Task<absl::StatusOr<std::optional<json::object>>> Read(const api::Resource& resource,
                                                              api::ObjectKey key, std::string check,
                                                              Outcome if_absent) {
    absl::StatusOr<json::object> object =
        co_await cluster_.client.Get(resource, key, cluster_.timeout);
    if (object.ok()) co_return std::optional<json::object>(*std::move(object));
    const bool absent = absl::IsNotFound(object.status());
    if (!absent && !absl::IsPermissionDenied(object.status())) co_return object.status();
    Add(std::move(check), absent ? if_absent : Outcome::kWarning, ErrorText(object.status()));
    co_return std::nullopt;
  }

  // The name that pods ask for, and the CA that they trust; a cluster may have none.
  aio::Task<absl::Status> ReadInstallation() {
    const absl::StatusOr<json::object> object =
        co_await cluster_.client.Get(api::kInstallations, {"", "default"}, cluster_.timeout);
    if (absl::IsNotFound(object.status()) || absl::IsPermissionDenied(object.status())) {
      co_return absl::OkStatus();
    }
    if (!object.ok()) co_return object.status();
    const json::object* const spec = codec::FindObject(*object, "spec");
    const json::object* const management =
        spec == nullptr ? nullptr : codec::FindObject(*spec, "certificateManagement");
    if (management == nullptr) co_return absl::OkStatus();
    if (questions_.signer_name.empty()) {
      questions_.signer_name = codec::TextAt(*management, "signerName");
    }
    trusted_ = base::Base64Decode(codec::TextAt(*management, "caCert"));
    co_return absl::OkStatus();
  }

  aio::Task<absl::Status> CheckAll() {
    const absl::StatusOr<std::optional<json::object>> deployment =
        co_await Read(api::kDeployments, questions_.deployment, "deployment", Outcome::kBad);
    if (!deployment.ok()) co_return deployment.status();
    if (!deployment->has_value()) {
      findings_.back().text +=
          "; where csr-signer runs is told by --signer-namespace and --signer-deployment";
      co_return absl::OkStatus();
    }
    program_ = ProgramOf(**deployment);
    CheckDeployment();
    if (!CheckName()) co_return absl::OkStatus();
    absl::Status status = co_await CheckRights();
    if (status.ok()) status = co_await CheckPolicy();
    if (status.ok()) status = co_await CheckCa();
    co_return status;
  }

  void CheckDeployment() {
    const std::string name = "Deployment " + questions_.deployment.ToString();
    if (program_.ready_replicas > 0) {
      Add("deployment", Outcome::kGood, fmt::format("{}: {} ready", name, program_.ready_replicas));
    } else {
      Add("deployment", Outcome::kBad,
          fmt::format("{}: none of its pods is ready (kubectl -n {} describe pods)", name,
                      questions_.deployment.ns));
    }
  }

  bool CheckName() {
    const std::vector<std::string>& served = program_.signer_names;
    if (served.empty()) {
      Add("signer-name", Outcome::kBad, "the Deployment has no container with --signer-name");
      return false;
    }
    std::string& wanted = questions_.signer_name;
    if (wanted.empty()) wanted = served.front();
    if (std::find(served.begin(), served.end(), wanted) == served.end()) {
      Add("signer-name", Outcome::kBad,
          fmt::format(
              "{} is asked for, and it serves {}: change signerName of the Installation, or "
              "--signer-name of the Deployment and its ClusterRole",
              wanted, fmt::join(served, ", ")));
      return false;
    }
    Add("signer-name", Outcome::kGood, wanted);
    return true;
  }

  aio::Task<absl::Status> CheckRights() {
    const std::string user = fmt::format("system:serviceaccount:{}:{}", questions_.deployment.ns,
                                         program_.service_account);
    std::vector<std::string> missing;
    for (const Right& right : kRights) {
      const absl::StatusOr<json::object> answer = co_await cluster_.client.Create(
          kSubjectAccessReviews, QuestionOf(right, user, questions_.signer_name), cluster_.timeout);
      if (absl::IsPermissionDenied(answer.status())) {
        Add("rights", Outcome::kWarning, ErrorText(answer.status()));
        co_return absl::OkStatus();
      }
      if (!answer.ok()) co_return answer.status();
      if (IsAllowed(*answer)) continue;
      missing.push_back(fmt::format("{} {}{}{}", right.verb, right.resource,
                                    right.subresource.empty() ? "" : "/", right.subresource));
    }
    if (missing.empty()) {
      Add("rights", Outcome::kGood, user);
      co_return absl::OkStatus();
    }
    Add("rights", Outcome::kBad,
        fmt::format("{} may not {}: bind it to a ClusterRole with the rules of signer.yaml (of "
                    "signers: resourceNames {} or {}/*)",
                    user, fmt::join(missing, ", "), questions_.signer_name,
                    DomainOf(questions_.signer_name)));
    co_return absl::OkStatus();
  }

  aio::Task<absl::Status> CheckPolicy() {
    if (program_.policy_file.empty()) {
      Add("policy", Outcome::kGood, "the built-in policy calico");
      co_return absl::OkStatus();
    }
    if (program_.policy_map.empty()) {
      Add("policy", Outcome::kWarning,
          fmt::format("{} is from no ConfigMap: it cannot be looked at", program_.policy_file));
      co_return absl::OkStatus();
    }
    const api::ObjectKey key{questions_.deployment.ns, program_.policy_map};
    const absl::StatusOr<std::optional<json::object>> object =
        co_await Read(api::kConfigMaps, key, "policy", Outcome::kBad);
    if (!object.ok()) co_return object.status();
    if (!object->has_value()) co_return absl::OkStatus();
    const absl::StatusOr<api::ConfigMap> map = api::ConfigMap::Decode(**object);
    if (!map.ok()) co_return map.status();
    const auto policy = config::ParseSignerPolicy(map->Get(program_.policy_key));
    const std::string name = fmt::format("ConfigMap {}, {}", key.ToString(), program_.policy_key);
    if (policy.ok()) {
      Add("policy", Outcome::kGood, fmt::format("{}: {} entries", name, policy->entries.size()));
    } else {
      Add("policy", Outcome::kBad,
          fmt::format("{}: {}", name, std::string(policy.status().message())));
    }
    co_return absl::OkStatus();
  }

  aio::Task<absl::Status> CheckCa() {
    if (program_.ca_secret.empty()) {
      Add("ca", Outcome::kWarning, "--ca-cert is from no Secret: it cannot be looked at");
      co_return absl::OkStatus();
    }
    const api::ObjectKey key{questions_.deployment.ns, program_.ca_secret};
    const absl::StatusOr<std::optional<json::object>> object =
        co_await Read(api::kSecrets, key, "ca", Outcome::kBad);
    if (!object.ok()) co_return object.status();
    if (!object->has_value()) co_return absl::OkStatus();
    const absl::StatusOr<api::Secret> secret = api::Secret::Decode(**object);
    if (!secret.ok()) co_return secret.status();
    JudgeCa(fmt::format("Secret {}, {}", key.ToString(), program_.ca_key),
            secret->Get(program_.ca_key));
    co_return absl::OkStatus();
  }

  void JudgeCa(const std::string& name, std::string_view pem) {
    const absl::Time now = cluster_.Now();
    const validation::CaVerdict verdict =
        validation::CheckCaCertificates(pem, validation::CalicoUsages(), now);
    for (const std::string& problem : verdict.problems) {
      Add("ca", Outcome::kBad, fmt::format("{} {}", name, problem));
    }
    if (!verdict.problems.empty() || verdict.certificates.empty()) return;
    const pki::Certificate& ca = verdict.certificates.front();
    const absl::Duration left = ca.not_after() - now;
    Add("ca", left < questions_.ca_lasts ? Outcome::kWarning : Outcome::kGood,
        fmt::format("{}: {} ends on {}, in {}", name, ca.subject(),
                    codec::EncodeTime(ca.not_after()), requests::ShortHumanDuration(left)));
    JudgeTrust(verdict.certificates);
  }

  void JudgeTrust(const std::vector<pki::Certificate>& ca) {
    if (trusted_.ok() && trusted_->empty()) return;
    const auto trusted =
        trusted_.ok() ? pki::Certificate::ParsePemBundle(*trusted_, pki::SurroundingText::kAllow)
                      : trusted_.status();
    if (!trusted.ok()) {
      Add("trust", Outcome::kBad,
          fmt::format("caCert of the Installation cannot be read: {} (calicert calico "
                      "certificate-management makes it)",
                      std::string(trusted.status().message())));
      return;
    }
    const std::vector<pki::Certificate> others(ca.begin() + 1, ca.end());
    const bool is_one = std::find(trusted->begin(), trusted->end(), ca.front()) != trusted->end();
    const absl::Status verified =
        is_one ? absl::OkStatus()
               : pki::VerifyChain(ca.front(), others, *trusted, pki::ExtendedKeyUsage::kAny,
                                  cluster_.Now());
    if (verified.ok()) {
      Add("trust", Outcome::kGood, "caCert of the Installation leads to it");
    } else {
      Add("trust", Outcome::kBad,
          fmt::format("caCert of the Installation does not lead to it ({}): no pod takes its "
                      "certificates",
                      std::string(verified.message())));
    }
  }

  Cluster& cluster_;
  SignerQuestions questions_;
  SignerProgram program_;
  absl::StatusOr<std::string> trusted_ = std::string();  // caCert, in PEM; empty: none is asked
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kGood:
      return "ok";
    case Outcome::kWarning:
      return "warning";
    case Outcome::kBad:
      break;
  }
  return "FAILED";
}

aio::Task<absl::StatusOr<std::vector<Finding>>> CheckSigner(Cluster& cluster,
                                                            SignerQuestions questions) {
  SignerCheck check(cluster, std::move(questions));
  co_return co_await check.Run();
}

}  // namespace calico::calicert::inventory
