#include "pkg/kube/testing/csr_rules.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

constexpr std::string_view kUsages[] = {"signing",
                                        "digital signature",
                                        "content commitment",
                                        "key encipherment",
                                        "key agreement",
                                        "data encipherment",
                                        "cert sign",
                                        "crl sign",
                                        "encipher only",
                                        "decipher only",
                                        "any",
                                        "server auth",
                                        "client auth",
                                        "code signing",
                                        "email protection",
                                        "s/mime",
                                        "ipsec end system",
                                        "ipsec tunnel",
                                        "ipsec user",
                                        "timestamping",
                                        "ocsp signing",
                                        "microsoft sgc",
                                        "netscape sgc"};
constexpr int64_t kMinExpirationSeconds = 600;

json::value ToJson(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

json::object& ObjectAt(json::object& object, std::string_view key) {
  json::value& value = object[key];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

const json::value* Find(const json::object& object, std::string_view outer,
                        std::string_view inner) {
  const json::value* value = object.if_contains(outer);
  if (value == nullptr || !value->is_object()) return nullptr;
  return value->get_object().if_contains(inner);
}

json::array ConditionsOf(const json::object& csr) {
  const json::value* list = Find(csr, "status", "conditions");
  return list == nullptr || !list->is_array() ? json::array() : list->get_array();
}

std::string_view CertificateOf(const json::object& csr) {
  return TextAt(csr, {"status", "certificate"});
}

// The condition of that type, or nullptr.
const json::object* FindCondition(const json::array& conditions, std::string_view type) {
  for (const json::value& value : conditions) {
    const json::object* condition = value.if_object();
    if (condition != nullptr && TextAt(*condition, {"type"}) == type) return condition;
  }
  return nullptr;
}

bool IsDomainAndPath(std::string_view signer) {
  const size_t slash = signer.find('/');
  return slash != std::string_view::npos && slash + 1 < signer.size() &&
         signer.find('/', slash + 1) == std::string_view::npos &&
         signer.substr(0, slash).find('.') != std::string_view::npos;
}

void CheckUsages(const json::object& csr, std::vector<FieldProblem>& problems) {
  const json::value* usages = Find(csr, "spec", "usages");
  if (usages == nullptr || !usages->is_array() || usages->get_array().empty()) {
    problems.push_back({"spec.usages", "FieldValueRequired", "Required value"});
    return;
  }
  std::set<std::string> seen;
  for (const json::value& value : usages->get_array()) {
    const std::string usage(value.is_string() ? codec::View(value.get_string()) : "");
    if (std::find(std::begin(kUsages), std::end(kUsages), usage) == std::end(kUsages)) {
      problems.push_back({"spec.usages", "FieldValueNotSupported",
                          fmt::format("Unsupported value: \"{}\"", usage)});
    }
    if (!seen.insert(usage).second) {
      problems.push_back(
          {"spec.usages", "FieldValueDuplicate", fmt::format("Duplicate value: \"{}\"", usage)});
    }
  }
}

std::vector<FieldProblem> CheckSpec(const json::object& csr) {
  std::vector<FieldProblem> problems;
  const absl::StatusOr<std::string> pem = base::Base64Decode(TextAt(csr, {"spec", "request"}));
  const size_t begin = pem.ok() ? pem->find("-----BEGIN ") : std::string::npos;
  if (begin == std::string::npos ||
      pem->compare(begin, 35, "-----BEGIN CERTIFICATE REQUEST-----") != 0) {
    problems.push_back({"spec.request", "FieldValueInvalid",
                        "Invalid value: PEM block type must be CERTIFICATE REQUEST"});
  }
  CheckUsages(csr, problems);
  if (!IsDomainAndPath(TextAt(csr, {"spec", "signerName"}))) {
    problems.push_back({"spec.signerName", "FieldValueInvalid",
                        "Invalid value: must be a fully qualified domain and path of the form "
                        "'example.com/signer-name'"});
  }
  const json::value* seconds = Find(csr, "spec", "expirationSeconds");
  if (seconds != nullptr && seconds->is_int64() && seconds->get_int64() < kMinExpirationSeconds) {
    problems.push_back(
        {"spec.expirationSeconds", "FieldValueInvalid",
         "Invalid value: may not specify a duration less than 600 seconds (10 minutes)"});
  }
  return problems;
}

void CheckConditions(const json::array& conditions, std::vector<FieldProblem>& problems) {
  std::set<std::string> seen;
  for (const json::value& value : conditions) {
    const json::object empty;
    const json::object& condition = value.is_object() ? value.get_object() : empty;
    const std::string type(TextAt(condition, {"type"}));
    const std::string_view status = TextAt(condition, {"status"});
    if (type.empty()) {
      problems.push_back({"status.conditions.type", "FieldValueRequired", "Required value"});
    }
    if (!seen.insert(type).second) {
      problems.push_back({"status.conditions", "FieldValueDuplicate",
                          fmt::format("Duplicate value: \"{}\"", type)});
    }
    const bool is_known = type == "Approved" || type == "Denied" || type == "Failed";
    if (status.empty()) {
      problems.push_back({"status.conditions.status", "FieldValueRequired", "Required value"});
    } else if (is_known && status != "True") {
      problems.push_back({"status.conditions.status", "FieldValueNotSupported",
                          fmt::format("Unsupported value: \"{}\"", status)});
    }
  }
  if (seen.contains("Approved") && seen.contains("Denied")) {
    problems.push_back({"status.conditions", "FieldValueInvalid",
                        "Invalid value: \"Denied\": Approved and Denied conditions are mutually "
                        "exclusive"});
  }
}

// A condition of one of these types that `live` has must stay.
void CheckNotRemoved(const json::array& live, const json::array& next,
                     std::vector<FieldProblem>& problems) {
  for (const char* type : {"Approved", "Denied", "Failed"}) {
    if (FindCondition(live, type) == nullptr || FindCondition(next, type) != nullptr) continue;
    problems.push_back(
        {"status.conditions", "FieldValueForbidden",
         fmt::format("Forbidden: updates may not remove a condition of type \"{}\"", type)});
  }
}

// /status leaves Approved and Denied as they are stored, and lets nobody add them.
json::array StatusConditions(const json::array& live, json::array next,
                             std::vector<FieldProblem>& problems) {
  for (json::value& value : next) {
    const json::object* condition = value.if_object();
    if (condition == nullptr) continue;
    const std::string type(TextAt(*condition, {"type"}));
    if (type != "Approved" && type != "Denied") continue;
    if (const json::object* stored = FindCondition(live, type)) {
      value = *stored;
    } else {
      problems.push_back(
          {"status.conditions", "FieldValueForbidden",
           fmt::format("Forbidden: updates may not add a condition of type \"{}\"", type)});
    }
  }
  return next;
}

void FillTimes(const json::array& live, json::array& next, std::string_view now) {
  for (json::value& value : next) {
    json::object* condition = value.if_object();
    if (condition == nullptr) continue;
    if (TextAt(*condition, {"lastUpdateTime"}).empty()) (*condition)["lastUpdateTime"] = now;
    if (!TextAt(*condition, {"lastTransitionTime"}).empty()) continue;
    const json::object* before = FindCondition(live, TextAt(*condition, {"type"}));
    const bool same = before != nullptr &&
                      TextAt(*before, {"status"}) == TextAt(*condition, {"status"}) &&
                      !TextAt(*before, {"lastTransitionTime"}).empty();
    (*condition)["lastTransitionTime"] =
        same ? json::value(TextAt(*before, {"lastTransitionTime"})) : json::value(now);
  }
}

void CheckCertificate(const json::object& live, std::string_view next,
                      std::vector<FieldProblem>& problems) {
  const std::string_view stored = CertificateOf(live);
  if (stored == next) return;
  if (!stored.empty()) {
    problems.push_back({"status.certificate", "FieldValueForbidden",
                        "Forbidden: updates may not modify existing certificate content"});
    return;
  }
  const absl::StatusOr<std::string> pem = base::Base64Decode(next);
  if (!pem.ok() || pem->find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    problems.push_back({"status.certificate", "FieldValueInvalid",
                        "Invalid value: must contain at least one CERTIFICATE PEM block"});
  }
}

std::optional<ApiReply> Refuse(const json::object& csr, const std::vector<FieldProblem>& problems) {
  if (problems.empty()) return std::nullopt;
  return Invalid("CertificateSigningRequest", "certificates.k8s.io",
                 TextAt(csr, {"metadata", "name"}), problems);
}

}  // namespace

ApiReply Invalid(std::string_view kind, std::string_view group, std::string_view name,
                 const std::vector<FieldProblem>& problems) {
  json::array causes;
  std::string texts;
  for (const FieldProblem& problem : problems) {
    causes.push_back(json::object{
        {"reason", problem.type}, {"message", problem.message}, {"field", problem.field}});
    texts += fmt::format("{}{}: {}", texts.empty() ? "" : ", ", problem.field, problem.message);
  }
  if (problems.size() > 1) texts = "[" + texts + "]";
  const std::string qualified =
      group.empty() ? std::string(kind) : fmt::format("{}.{}", kind, group);
  return Failure(422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", qualified, name, texts),
                 {{"name", name}, {"group", group}, {"kind", kind}, {"causes", std::move(causes)}});
}

std::optional<ApiReply> PrepareCsrCreate(json::object& csr, const Identity& identity) {
  json::object& spec = ObjectAt(csr, "spec");
  spec["username"] = identity.username;
  spec["groups"] = ToJson(identity.groups);
  spec.erase("uid");
  spec.erase("extra");
  if (!identity.uid.empty()) spec["uid"] = identity.uid;
  if (!identity.extra.empty()) {
    json::object extra;
    for (const auto& [key, values] : identity.extra) extra[key] = ToJson(values);
    spec["extra"] = std::move(extra);
  }
  csr["status"] = json::object();
  return Refuse(csr, CheckSpec(csr));
}

std::optional<ApiReply> PrepareCsrUpdate(const json::object& live, json::object& next,
                                         std::string_view subresource, std::string_view now) {
  std::vector<FieldProblem> problems;
  const json::array stored = ConditionsOf(live);
  json::array conditions = ConditionsOf(next);
  const std::string certificate(CertificateOf(next));
  const json::value* spec = live.if_contains("spec");
  if (spec != nullptr) next["spec"] = *spec;
  const json::value* status = live.if_contains("status");
  next["status"] = status == nullptr ? json::value(json::object()) : *status;
  if (subresource.empty()) return std::nullopt;

  if (subresource == "status") {
    conditions = StatusConditions(stored, std::move(conditions), problems);
    CheckCertificate(live, certificate, problems);
    if (!certificate.empty()) ObjectAt(next, "status")["certificate"] = certificate;
  }
  CheckConditions(conditions, problems);
  CheckNotRemoved(stored, conditions, problems);
  FillTimes(stored, conditions, now);
  if (!conditions.empty() || !stored.empty()) {
    ObjectAt(next, "status")["conditions"] = std::move(conditions);
  }
  return Refuse(live, problems);
}

}  // namespace calico::kube
