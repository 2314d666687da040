#include "operator/calicert/requests/approval.h"

#include <utility>

#include <fmt/format.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"

namespace calico::calicert::requests {
namespace {

std::string_view TypeOf(Verdict verdict) {
  return verdict == Verdict::kApprove ? api::kCsrApproved : api::kCsrDenied;
}

json::object ConditionOf(const Ruling& ruling, absl::Time now) {
  const bool approves = ruling.verdict == Verdict::kApprove;
  std::string reason = ruling.reason;
  if (reason.empty()) reason = approves ? "CalicertApprove" : "CalicertDeny";
  std::string message = ruling.message;
  if (message.empty()) {
    message = fmt::format("This CSR was {} by calicert csr {}.", Done(ruling.verdict),
                          approves ? "approve" : "deny");
  }
  return {{"type", TypeOf(ruling.verdict)},
          {"status", "True"},
          {"reason", std::move(reason)},
          {"message", std::move(message)},
          {"lastUpdateTime", codec::EncodeTime(now)}};
}

json::array& ConditionsOf(json::object& csr) {
  json::value& status = csr["status"];
  if (!status.is_object()) status.emplace_object();
  json::value& conditions = status.get_object()["conditions"];
  if (!conditions.is_array()) conditions.emplace_array();
  return conditions.get_array();
}

json::object* FindCondition(json::array& conditions, std::string_view type) {
  for (json::value& condition : conditions) {
    json::object* const fields = condition.if_object();
    if (fields != nullptr && codec::TextAt(*fields, "type") == type) return fields;
  }
  return nullptr;
}

}  // namespace

std::string_view Done(Verdict verdict) {
  return verdict == Verdict::kApprove ? "approved" : "denied";
}

absl::Status CheckNotReplaced(std::string_view uid, std::string_view uid_there,
                              std::string_view name) {
  if (uid.empty() || uid == uid_there) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("certificate signing request {:?} was replaced by another one meanwhile: look at "
                  "who did it (calicert csr get {} -o text), delete it and run this again",
                  name, name));
}

absl::StatusOr<bool> AddRuling(const Ruling& ruling, absl::Time now, json::object& csr) {
  const api::ObjectMeta meta = api::ObjectMetaOf(csr);
  CALICO_RETURN_IF_ERROR(CheckNotReplaced(ruling.uid, meta.uid, meta.name));
  const Verdict opposite = ruling.verdict == Verdict::kApprove ? Verdict::kDeny : Verdict::kApprove;
  json::array& conditions = ConditionsOf(csr);
  if (FindCondition(conditions, TypeOf(opposite)) != nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("certificate signing request {:?} is already {}; that is never taken back: "
                    "delete it and ask anew",
                    meta.name, TypeOf(opposite)));
  }
  json::object* const there = FindCondition(conditions, TypeOf(ruling.verdict));
  if (there != nullptr && !ruling.force) return false;
  json::object condition = ConditionOf(ruling, now);
  if (there != nullptr) {
    *there = std::move(condition);
  } else {
    conditions.push_back(std::move(condition));
  }
  return true;
}

aio::Task<absl::StatusOr<json::object>> Rule(Cluster& cluster, std::string name, Ruling ruling) {
  const absl::Time now = cluster.Now();
  const ObjectChange change = [&ruling, now](json::object& csr) {
    return AddRuling(ruling, now, csr);
  };
  co_return co_await ChangeObject(cluster, api::kCertificateSigningRequests, {"", std::move(name)},
                                  "approval", change);
}

}  // namespace calico::calicert::requests
