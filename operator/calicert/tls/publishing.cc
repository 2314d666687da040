#include "operator/calicert/tls/publishing.h"

#include <utility>

#include <fmt/format.h>

#include "operator/calicert/command/file_output.h"
#include "operator/calicert/inventory/found_certificates.h"
#include "pkg/api/core/secret.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::tls {
namespace {

// Sets the members of `wanted` in the object's `data`. False: they are there.
bool MergeData(const json::object& wanted, json::object& object) {
  json::value& data = object["data"];
  if (!data.is_object()) data.emplace_object();
  bool changed = false;
  for (const json::key_value_pair& member : wanted) {
    json::value& there = data.get_object()[member.key()];
    if (there == member.value()) continue;
    there = member.value();
    changed = true;
  }
  return changed;
}

std::string_view TypeOf(const json::object& secret) {
  const std::string_view type = codec::TextAt(secret, "type");
  return type.empty() ? "Opaque" : type;
}

// Whether a Secret or ConfigMap is for us to write: of the right type, and nobody keeps it as he
// wants it.
absl::Status CheckOurs(const json::object& object, std::string_view wanted_type) {
  const std::string name = fmt::format("{} {}", codec::TextAt(object, "kind"),
                                       api::ObjectMetaOf(object).Key().ToString());
  if (!wanted_type.empty() && TypeOf(object) != wanted_type) {
    return absl::FailedPreconditionError(
        fmt::format("{} is of type {}, not {}: somebody else uses it; choose another name "
                    "(--secret-name)",
                    name, TypeOf(object), wanted_type));
  }
  const std::string manager = inventory::ManagerOf(object);
  if (manager.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{} is managed by {}, which would write it again: choose another name, or take "
                  "it out of that",
                  name, manager));
}

}  // namespace

std::string_view ToString(Published published) {
  switch (published) {
    case Published::kCreated:
      return "created";
    case Published::kConfigured:
      return "configured";
    case Published::kUnchanged:
      break;
  }
  return "unchanged";
}

json::object TlsSecret(const api::ObjectKey& key, const Pair& pair) {
  json::object secret = api::NewObject(api::kSecrets, key);
  secret["type"] = kTlsSecretType;
  secret["data"] = json::object{{kCertificateKey, base::Base64Encode(pair.certificate_pem)},
                                {kPrivateKeyKey, base::Base64Encode(pair.key_pem.view())}};
  return secret;
}

json::object CaConfigMap(const api::ObjectKey& key, std::string_view ca_text) {
  json::object map = api::NewObject(api::kConfigMaps, key);
  map["data"] = json::object{{kCaKey, ca_text}};
  return map;
}

aio::Task<absl::StatusOr<std::optional<Pair>>> ReadTlsSecret(Cluster& cluster, api::ObjectKey key) {
  const absl::StatusOr<json::object> object =
      co_await cluster.client.Get(api::kSecrets, key, cluster.timeout);
  if (absl::IsNotFound(object.status())) co_return std::nullopt;
  if (!object.ok()) co_return object.status();
  CALICO_CO_RETURN_IF_ERROR(CheckOurs(*object, kTlsSecretType));
  CALICO_CO_ASSIGN_OR_RETURN(const api::Secret secret, api::Secret::Decode(*object));
  const std::string_view certificate = secret.Get(kCertificateKey);
  const std::string_view private_key = secret.Get(kPrivateKeyKey);
  if (certificate.empty() || private_key.empty()) co_return std::nullopt;
  co_return Pair{std::string(certificate), base::SharedSecret(private_key)};
}

aio::Task<absl::StatusOr<Published>> PutObject(Cluster& cluster, json::object wanted) {
  const bool is_secret = codec::TextAt(wanted, "kind") == "Secret";
  const api::Resource& resource = is_secret ? api::kSecrets : api::kConfigMaps;
  const std::string type(is_secret ? TypeOf(wanted) : std::string_view());
  const api::ObjectKey key = api::ObjectMetaOf(wanted).Key();
  const absl::Status created =
      (co_await cluster.client.Create(resource, wanted, cluster.timeout)).status();
  if (created.ok()) co_return Published::kCreated;
  if (!absl::IsAlreadyExists(created)) co_return created;
  bool changed = false;
  const ObjectChange change = [&](json::object& object) -> absl::StatusOr<bool> {
    CALICO_RETURN_IF_ERROR(CheckOurs(object, type));
    changed = MergeData(wanted["data"].get_object(), object);
    return changed;
  };
  const absl::StatusOr<json::object> written =
      co_await ChangeObject(cluster, resource, key, "", change);
  if (!written.ok()) co_return written.status();
  co_return changed ? Published::kConfigured : Published::kUnchanged;
}

aio::Task<absl::StatusOr<Published>> PutTlsSecret(Cluster& cluster, api::ObjectKey key, Pair pair) {
  return PutObject(cluster, TlsSecret(key, pair));
}

aio::Task<absl::StatusOr<Published>> PutCaConfigMap(Cluster& cluster, api::ObjectKey key,
                                                    std::string ca_text) {
  return PutObject(cluster, CaConfigMap(key, ca_text));
}

PairFiles FilesIn(const std::string& directory, const std::string& name) {
  const std::string folder = directory.empty() ? "." : directory;
  return {.certificate = fmt::format("{}/{}.crt", folder, name),
          .key = fmt::format("{}/{}-key.pem", folder, name),
          .ca = fmt::format("{}/{}", folder, kCaKey)};
}

absl::StatusOr<std::optional<Pair>> ReadPairFiles(const PairFiles& files) {
  absl::StatusOr<std::string> certificate = base::ReadFile(files.certificate);
  if (absl::IsNotFound(certificate.status())) return std::nullopt;
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<base::SecretString> key = base::ReadSecretFile(files.key);
  if (absl::IsNotFound(key.status())) return std::nullopt;
  if (!key.ok()) return key.status();
  return std::optional<Pair>(Pair{*std::move(certificate), base::SharedSecret(*std::move(key))});
}

absl::Status WritePairFiles(const PairFiles& files, const Pair& pair, std::string_view ca_text) {
  return WriteFiles({{files.key, pair.key_pem.view(), kKeyMode},
                     {files.certificate, pair.certificate_pem, kCertificateMode},
                     {files.ca, ca_text, kCertificateMode}});
}

}  // namespace calico::calicert::tls
