#include "operator/controllers/csr/pending_csr.h"

#include <utility>

#include <absl/hash/hash.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"

namespace calico::csr {
namespace {

// The largest request that is read at all (64 KiB of PEM), in base64, has room in it.
constexpr size_t kLargestText = 128 << 10;

const json::array* FindConditions(const json::object& csr) {
  const json::object* status = codec::FindObject(csr, "status");
  return status == nullptr ? nullptr : codec::FindArray(*status, "conditions");
}

json::object WithoutManagedFields(const json::object& metadata) {
  json::object result;
  for (const auto& field : metadata) {
    if (field.key() != "managedFields") result.emplace(field.key(), field.value());
  }
  return result;
}

// Of `extra`, what names the pod; of the rest of spec, all but the groups.
json::object SpecToKeep(const json::object& spec) {
  json::object result;
  for (const auto& field : spec) {
    if (field.key() != "groups" && field.key() != "extra") {
      result.emplace(field.key(), field.value());
    }
  }
  if (const json::object* extra = codec::FindObject(spec, "extra"); extra != nullptr) {
    json::object pod;
    for (const std::string_view key : {api::kExtraPodName, api::kExtraPodUid}) {
      if (const json::value* value = extra->if_contains(key)) pod.emplace(key, *value);
    }
    result.emplace("extra", std::move(pod));
  }
  return result;
}

std::string TextToKeep(const json::object& csr) {
  json::object result;
  if (const json::object* metadata = codec::FindObject(csr, "metadata"); metadata != nullptr) {
    result.emplace("metadata", WithoutManagedFields(*metadata));
  }
  if (const json::object* spec = codec::FindObject(csr, "spec"); spec != nullptr) {
    result.emplace("spec", SpecToKeep(*spec));
  }
  if (const json::value* status = csr.if_contains("status")) result.emplace("status", *status);
  return codec::Serialize(result);
}

// A token that is bound to no pod is its user's alone.
uint64_t RequesterOf(const json::object& csr) {
  const json::object* spec = codec::FindObject(csr, "spec");
  if (spec == nullptr) return 0;
  std::string requester(codec::TextAt(*spec, "username"));
  if (const json::object* extra = codec::FindObject(*spec, "extra"); extra != nullptr) {
    if (const json::array* uids = codec::FindArray(*extra, api::kExtraPodUid); uids != nullptr) {
      requester += codec::Serialize(*uids);
    }
  }
  return absl::HashOf(requester);
}

}  // namespace

bool IsFinished(const json::object& csr) {
  if (api::ObjectMetaOf(csr).deletion_timestamp.has_value()) return true;
  const json::object* status = codec::FindObject(csr, "status");
  if (status != nullptr && !codec::TextAt(*status, "certificate").empty()) return true;
  const json::array* conditions = FindConditions(csr);
  if (conditions == nullptr) return false;
  for (const json::value& condition : *conditions) {
    if (!condition.is_object()) continue;
    const std::string_view type = codec::TextAt(condition.get_object(), "type");
    if (type == api::kCsrDenied || type == api::kCsrFailed) return true;
  }
  return false;
}

absl::StatusOr<std::optional<PendingCsr>> PendingCsrDecoder::operator()(
    const json::object& csr) const {
  if (IsFinished(csr)) return std::nullopt;
  PendingCsr pending;
  pending.uid = api::ObjectMetaOf(csr).uid;
  if (pending.uid.empty()) {
    return absl::InvalidArgumentError("decode CertificateSigningRequest: no metadata.uid");
  }
  pending.requester = RequesterOf(csr);
  std::string text = TextToKeep(csr);
  pending.is_large = text.size() > kLargestText;
  if (pending.is_large) return pending;
  text.shrink_to_fit();
  if (*kept_bytes_ + text.size() > budget_bytes_) return pending;
  *kept_bytes_ += text.size();
  pending.text = std::shared_ptr<const std::string>(
      new std::string(std::move(text)), [kept = kept_bytes_](const std::string* kept_text) {
        *kept -= kept_text->size();
        delete kept_text;
      });
  return pending;
}

json::object WriteBody(const json::object& csr, const std::optional<NewCondition>& add,
                       std::string_view certificate_pem) {
  json::array conditions;
  if (const json::array* present = FindConditions(csr); present != nullptr) conditions = *present;
  if (add.has_value()) {
    conditions.push_back(json::object{{"type", add->type},
                                      {"status", api::kConditionTrue},
                                      {"reason", add->reason},
                                      {"message", add->message}});
  }
  json::object status{{"conditions", std::move(conditions)}};
  if (!certificate_pem.empty()) status.emplace("certificate", base::Base64Encode(certificate_pem));

  json::object body;
  body.emplace("apiVersion", api::kCertificateSigningRequests.ApiVersion());
  body.emplace("kind", api::kCertificateSigningRequests.kind);
  if (const json::object* metadata = codec::FindObject(csr, "metadata"); metadata != nullptr) {
    body.emplace("metadata", WithoutManagedFields(*metadata));
  }
  body.emplace("status", std::move(status));
  return body;
}

}  // namespace calico::csr
