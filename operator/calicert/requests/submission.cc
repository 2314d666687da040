#include "operator/calicert/requests/submission.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/cfssl/signing_config.h"
#include "pkg/api/meta/names.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

constexpr int kShortestSeconds = 600;
constexpr int kMostAttempts = 3;

std::set<std::string> Sorted(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

std::set<std::string> NamesOf(const pki::CertificateRequest& request) {
  std::set<std::string> names;
  for (const std::string& name : request.dns_names()) names.insert("DNS:" + name);
  for (const base::IpAddress& address : request.ip_addresses()) {
    names.insert("IP:" + address.ToString());
  }
  for (const std::string& name : request.emails()) names.insert("email:" + name);
  for (const std::string& name : request.uris()) names.insert("URI:" + name);
  return names;
}

void CompareRequests(const std::string& existing_pem, const std::string& wanted_pem,
                     std::vector<std::string>& differences) {
  if (existing_pem == wanted_pem) return;
  const auto existing = pki::CertificateRequest::ParsePem(existing_pem);
  const auto wanted = pki::CertificateRequest::ParsePem(wanted_pem);
  if (!existing.ok() || !wanted.ok()) {
    differences.emplace_back("it holds another request");
    return;
  }
  if (!(existing->public_key() == wanted->public_key())) {
    differences.emplace_back("it was made with another key");
  }
  if (existing->subject_text() != wanted->subject_text()) {
    differences.push_back(fmt::format("its subject is {:?}, not {:?}", existing->subject_text(),
                                      wanted->subject_text()));
  }
  if (NamesOf(*existing) != NamesOf(*wanted)) {
    differences.push_back(fmt::format("its names are {}, not {}",
                                      fmt::join(NamesOf(*existing), " "),
                                      fmt::join(NamesOf(*wanted), " ")));
  }
  if (existing->requests_ca() != wanted->requests_ca()) {
    differences.emplace_back("one of them asks for a CA");
  }
}

std::string SecondsText(const std::optional<int32_t>& seconds) {
  return seconds.has_value() ? fmt::format("{} seconds", *seconds) : "no duration";
}

absl::Status ExistsWithAnother(const Csr& wanted, const std::vector<std::string>& differences,
                               IfDifferent if_different) {
  return absl::AlreadyExistsError(fmt::format(
      "certificate signing request {:?} exists and is another one: {}. The API server never "
      "changes a request: delete it (calicert csr delete {}), {}",
      wanted.meta.name, fmt::join(differences, "; "), wanted.meta.name,
      if_different == IfDifferent::kFail ? "use another name, or give --replace"
                                         : "or use another name (--name)"));
}

bool IsOwn(const Csr& existing, const Csr& wanted) {
  return !wanted.meta.labels.empty() &&
         std::all_of(wanted.meta.labels.begin(), wanted.meta.labels.end(), [&](const auto& label) {
           return existing.meta.Label(label.first) == label.second;
         });
}

bool IsKnown(const std::string& usage) {
  pki::KeyUsages key_usages;
  std::vector<std::string> extended;
  return cfssl::AddUsage(usage, key_usages, extended);
}

void CheckRequest(const Csr& wanted, std::vector<std::string>& problems) {
  const auto request = pki::CertificateRequest::ParsePem(wanted.request_pem);
  if (!request.ok()) {
    problems.push_back(fmt::format("request: {}", std::string(request.status().message())));
    return;
  }
  for (const absl::Status& status :
       {request->VerifySignature(), request->public_key().CheckStrength()}) {
    if (!status.ok()) problems.push_back(fmt::format("request: {}", std::string(status.message())));
  }
}

}  // namespace

std::vector<std::string> ObjectProblems(const Csr& wanted) {
  std::vector<std::string> problems;
  const std::string& name = wanted.meta.name;
  if (name.empty() || name == "." || name == ".." || name.find_first_of("/%") != name.npos) {
    problems.push_back(
        fmt::format("{:?} is no name: it may be neither empty, \".\" nor \"..\", nor "
                    "hold '/' or '%'",
                    name));
  }
  if (!api::IsSignerName(wanted.signer_name)) {
    problems.push_back(
        fmt::format("signer name {:?}: write a domain of two labels or more, one "
                    "slash and a path, such as example.com/serving",
                    wanted.signer_name));
  } else if (wanted.signer_name == "kubernetes.io/legacy-unknown") {
    problems.emplace_back("signer name kubernetes.io/legacy-unknown: the API server refuses it");
  }
  if (wanted.usages.empty()) problems.emplace_back("usages: at least one is needed");
  std::set<std::string> seen;
  for (const std::string& usage : wanted.usages) {
    if (!IsKnown(usage)) {
      problems.push_back(fmt::format("usage {:?} is not known; those that are: {}", usage,
                                     fmt::join(cfssl::UsageNames(), ", ")));
    } else if (!seen.insert(usage).second) {
      problems.push_back(fmt::format("usage {:?} is given twice", usage));
    }
  }
  if (wanted.expiration_seconds.has_value() && *wanted.expiration_seconds < kShortestSeconds) {
    problems.push_back(fmt::format("expiration seconds {}: the API server takes no less than {}",
                                   *wanted.expiration_seconds, kShortestSeconds));
  }
  return problems;
}

std::vector<std::string> RequestProblems(const Csr& wanted) {
  std::vector<std::string> problems = ObjectProblems(wanted);
  CheckRequest(wanted, problems);
  return problems;
}

std::vector<std::string> Differences(const Csr& existing, const Csr& wanted) {
  std::vector<std::string> differences;
  CompareRequests(existing.request_pem, wanted.request_pem, differences);
  if (existing.signer_name != wanted.signer_name) {
    differences.push_back(
        fmt::format("its signer is {}, not {}", existing.signer_name, wanted.signer_name));
  }
  if (Sorted(existing.usages) != Sorted(wanted.usages)) {
    differences.push_back(fmt::format("its usages are {}, not {}",
                                      fmt::join(Sorted(existing.usages), ", "),
                                      fmt::join(Sorted(wanted.usages), ", ")));
  }
  if (existing.expiration_seconds != wanted.expiration_seconds) {
    differences.push_back(fmt::format("it asks for {}, not {}",
                                      SecondsText(existing.expiration_seconds),
                                      SecondsText(wanted.expiration_seconds)));
  }
  return differences;
}

std::string_view ToString(Submission submission) {
  switch (submission) {
    case Submission::kCreated:
      return "created";
    case Submission::kUnchanged:
      return "unchanged";
    case Submission::kReplaced:
      break;
  }
  return "replaced";
}

aio::Task<absl::StatusOr<Submitted>> Submit(Cluster& cluster, Csr wanted,
                                            IfDifferent if_different) {
  const std::vector<std::string> problems = RequestProblems(wanted);
  if (!problems.empty()) {
    co_return absl::InvalidArgumentError(fmt::format("{}", fmt::join(problems, "; ")));
  }
  const api::Resource& resource = api::kCertificateSigningRequests;
  Submission how = Submission::kCreated;
  absl::Status last;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    absl::StatusOr<json::object> object =
        co_await cluster.client.Create(resource, wanted.EncodeNew(), cluster.timeout);
    last = object.status();
    if (object.ok()) {
      CALICO_CO_ASSIGN_OR_RETURN(Csr created, Csr::Decode(*object));
      co_return Submitted{how, std::move(created)};
    }
    if (!absl::IsAlreadyExists(last)) co_return last;
    object = co_await cluster.client.Get(resource, {"", wanted.meta.name}, cluster.timeout);
    if (absl::IsNotFound(object.status())) continue;  // deleted meanwhile
    if (!object.ok()) co_return object.status();
    CALICO_CO_ASSIGN_OR_RETURN(Csr existing, Csr::Decode(*object));
    const std::vector<std::string> differences = Differences(existing, wanted);
    const bool asks_anew =
        if_different == IfDifferent::kReplace && (existing.IsDenied() || existing.IsFailed());
    if (differences.empty() && !asks_anew) {
      co_return Submitted{Submission::kUnchanged, std::move(existing)};
    }
    if (if_different == IfDifferent::kFail ||
        (if_different == IfDifferent::kReplaceOwn && !IsOwn(existing, wanted))) {
      co_return ExistsWithAnother(wanted, differences, if_different);
    }
    const absl::Status deleted = co_await cluster.client.Delete(
        resource, {"", wanted.meta.name}, {.uid = existing.meta.uid}, cluster.timeout);
    if (!deleted.ok() && !absl::IsNotFound(deleted)) co_return deleted;
    how = Submission::kReplaced;
  }
  co_return last;
}

}  // namespace calico::calicert::requests
