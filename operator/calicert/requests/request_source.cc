#include "operator/calicert/requests/request_source.h"

#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/cfssl/request_json.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/pem.h"

namespace calico::calicert::requests {
namespace {

constexpr std::string_view kRequestLabel = "CERTIFICATE REQUEST";
// What old tools write, and the API server refuses.
constexpr std::string_view kOldRequestLabel = "NEW CERTIFICATE REQUEST";
constexpr size_t kMostBytes = 1 << 20;

absl::Status Unusable(const std::string& file, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", file, what));
}

// The first block, as the API server looks at no other.
absl::StatusOr<std::string> RelabelledPem(std::string_view text, const std::string& file) {
  absl::StatusOr<pki::PemText> pem = pki::ParsePem(text);
  if (!pem.ok()) return base::Annotate(pem.status(), file);
  for (const pki::PemBlock& block : pem->blocks) {
    if (block.label == kRequestLabel || block.label == kOldRequestLabel) {
      return pki::EncodePem(kRequestLabel, block.der);
    }
  }
  const std::string found =
      pem->blocks.empty() ? "no PEM block" : "a PEM block " + pem->blocks.front().label;
  return Unusable(file, fmt::format("there is {} where a CERTIFICATE REQUEST is needed", found));
}

absl::StatusOr<RequestSource> FromAnswer(const json::object& answer, const std::string& file) {
  RequestSource source;
  CALICO_ASSIGN_OR_RETURN(source.request_pem, RelabelledPem(codec::TextAt(answer, "csr"), file));
  const std::string_view key_text = codec::TextAt(answer, "key");
  if (key_text.empty()) return source;
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(key_text);
  if (!key.ok()) return base::Annotate(key.status(), file + ": key");
  source.key = *std::move(key);
  return source;
}

absl::StatusOr<RequestSource> FromManifest(const json::object& object, const std::string& file) {
  absl::StatusOr<api::CertificateSigningRequest> csr =
      api::CertificateSigningRequest::Decode(object);
  if (!csr.ok()) return base::Annotate(csr.status(), file);
  RequestSource source;
  CALICO_ASSIGN_OR_RETURN(source.request_pem,
                          RelabelledPem(csr->request_pem, file + ": spec.request"));
  source.manifest = *std::move(csr);
  return source;
}

bool IsManifest(const json::object& object) {
  return codec::TextAt(object, "kind") == "CertificateSigningRequest";
}

absl::StatusOr<RequestSource> FromText(std::string_view text, const std::string& file) {
  const absl::StatusOr<json::value> value = codec::ParseYaml(text);
  const json::object* const object = value.ok() ? value->if_object() : nullptr;
  if (object != nullptr && IsManifest(*object)) return FromManifest(*object, file);
  if (value.ok()) {
    return Unusable(file,
                    "this is neither a request (PEM or DER), a CSR description in JSON nor a "
                    "CertificateSigningRequest");
  }
  return base::Annotate(value.status(), file);
}

absl::StatusOr<RequestSource> FromBraces(std::string_view text, const std::string& file) {
  const absl::StatusOr<json::object> object = codec::ParseJsonObject(text);
  if (object.ok() && IsManifest(*object)) return FromManifest(*object, file);
  if (object.ok() && object->contains("csr")) return FromAnswer(*object, file);
  // Mistakes in it are told by whoever reads it as a description, with line and column.
  RequestSource source;
  source.description = std::string(text);
  return source;
}

}  // namespace

absl::StatusOr<RequestSource> ReadRequestSource(std::string_view text, const std::string& file) {
  if (text.size() > kMostBytes) {
    return absl::ResourceExhaustedError(fmt::format("{}: more than {} bytes", file, kMostBytes));
  }
  if (text.find("-----BEGIN ") != std::string_view::npos && text.find('{') != 0) {
    RequestSource source;
    CALICO_ASSIGN_OR_RETURN(source.request_pem, RelabelledPem(text, file));
    return source;
  }
  if (const auto request = pki::CertificateRequest::ParseDer(text); request.ok()) {
    RequestSource source;
    source.request_pem = pki::EncodePem(kRequestLabel, request->der());
    return source;
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return Unusable(file, "it is empty");
  if (text[first] == '{') return FromBraces(text, file);
  return FromText(text, file);
}

absl::StatusOr<MadeRequest> MakeRequest(const std::string& description, const std::string& file,
                                        std::optional<pki::PrivateKey> key) {
  CALICO_ASSIGN_OR_RETURN(cfssl::ReadRequest read, cfssl::ParseRequest(description, file));
  if (read.request.ca.has_value()) {
    // The API server's signers make no CA; the section would only mislead whoever signs.
    read.warnings.push_back(fmt::format("{}: ca counts only where a CA is made", file));
    read.request.ca.reset();
  }
  if (!key.has_value()) {
    CALICO_ASSIGN_OR_RETURN(key, cfssl::MakeKey(read.request.key));
  }
  CALICO_ASSIGN_OR_RETURN(std::string pem, cfssl::MakeRequest(read.request, *key));
  return MadeRequest{*std::move(key), std::move(pem), std::move(read.warnings)};
}

std::string DescriptionFor(const std::string& common_name, const std::vector<std::string>& hosts) {
  json::object description;
  if (!common_name.empty()) description["CN"] = common_name;
  description["hosts"] = json::array(hosts.begin(), hosts.end());
  description["key"] = json::object{{"algo", "ecdsa"}, {"size", 256}};
  return codec::Serialize(description);
}

}  // namespace calico::calicert::requests
