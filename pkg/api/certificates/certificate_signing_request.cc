#include "pkg/api/certificates/certificate_signing_request.h"

#include <utility>

#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

const Condition* FindTrue(const std::vector<Condition>& conditions, std::string_view type) {
  for (const Condition& condition : conditions) {
    if (condition.type == type && condition.IsTrue()) return &condition;
  }
  return nullptr;
}

json::array EncodeList(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

// The fields that a client may set.
json::object EncodeRequest(const CertificateSigningRequest& csr) {
  json::object spec{{"request", base::Base64Encode(csr.request_pem)},
                    {"signerName", csr.signer_name},
                    {"usages", EncodeList(csr.usages)}};
  if (csr.expiration_seconds.has_value()) spec["expirationSeconds"] = *csr.expiration_seconds;
  return spec;
}

json::object Start(json::object metadata) {
  return {{"apiVersion", kCertificateSigningRequests.ApiVersion()},
          {"kind", json::string(kCertificateSigningRequests.kind)},
          {"metadata", std::move(metadata)}};
}

}  // namespace

const Condition* CertificateSigningRequest::Approved() const {
  return FindTrue(conditions, kCsrApproved);
}

const Condition* CertificateSigningRequest::Denied() const {
  return FindTrue(conditions, kCsrDenied);
}

const Condition* CertificateSigningRequest::Failed() const {
  return FindTrue(conditions, kCsrFailed);
}

std::string_view CertificateSigningRequest::SingleExtra(std::string_view key) const {
  const auto values = extra.find(key);
  if (values == extra.end() || values->second.size() != 1) return {};
  return values->second.front();
}

absl::StatusOr<CertificateSigningRequest> CertificateSigningRequest::Decode(
    const json::object& object) {
  codec::Decoder decoder("CertificateSigningRequest");
  const codec::ObjectReader root = decoder.Read(object);
  const codec::ObjectReader spec = root.RequiredObject("spec");
  const codec::ObjectReader status = root.Object("status");
  CertificateSigningRequest csr{.meta = ReadObjectMeta(root, MetaFields::All()),
                                .request_pem = spec.Bytes("request"),
                                .signer_name = spec.RequiredString("signerName"),
                                .usages = spec.StringList("usages"),
                                .expiration_seconds = spec.OptionalInt32("expirationSeconds"),
                                .username = spec.String("username"),
                                .uid = spec.String("uid"),
                                .groups = spec.StringList("groups"),
                                .conditions = ReadConditions(status),
                                .certificate_pem = status.Bytes("certificate")};
  if (const codec::ObjectReader extra = spec.Object("extra"); extra.exists()) {
    for (const auto& member : extra.object()) {
      const std::string_view key(member.key().data(), member.key().size());
      csr.extra.emplace(key, extra.StringList(key));
    }
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return csr;
}

json::object CertificateSigningRequest::EncodeNew() const {
  json::object object = Start(EncodeObjectMeta(
      {.name = meta.name, .labels = meta.labels, .annotations = meta.annotations}));
  object["spec"] = EncodeRequest(*this);
  return object;
}

json::object CertificateSigningRequest::Encode() const {
  json::object spec = EncodeRequest(*this);
  if (!username.empty()) spec["username"] = username;
  if (!uid.empty()) spec["uid"] = uid;
  if (!groups.empty()) spec["groups"] = EncodeList(groups);
  json::object extra_values;
  for (const auto& [key, values] : extra) extra_values[key] = EncodeList(values);
  if (!extra_values.empty()) spec["extra"] = std::move(extra_values);
  json::object status;
  if (!conditions.empty()) status["conditions"] = EncodeConditions(conditions, EmptyText::kOmit);
  if (!certificate_pem.empty()) status["certificate"] = base::Base64Encode(certificate_pem);
  json::object object = Start(EncodeObjectMeta(meta));
  object["spec"] = std::move(spec);
  object["status"] = std::move(status);
  return object;
}

}  // namespace calico::api
