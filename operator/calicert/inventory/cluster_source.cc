#include "operator/calicert/inventory/cluster_source.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert {
namespace inventory {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kFirst = "tls.crt";

struct Kind {
  std::string_view word;
  const api::Resource* resource;
};
constexpr Kind kKinds[] = {{"secret", &api::kSecrets},
                           {"configmap", &api::kConfigMaps},
                           {"csr", &api::kCertificateSigningRequests},
                           {"installation", &api::kInstallations}};

absl::Status Nothing(const json::object& object) {
  return absl::NotFoundError(fmt::format("{} {}: there is no certificate in it",
                                         codec::TextAt(object, "kind"),
                                         api::ObjectMetaOf(object).Key().ToString()));
}

// A value of `data` if it has a certificate, else empty.
std::string CertificatesOf(const json::value& value, bool is_base64) {
  if (!value.is_string()) return "";
  std::string text(codec::View(value.get_string()));
  if (is_base64) text = base::Base64Decode(text).value_or("");
  if (text.find(kBegin) == std::string::npos) return "";
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

std::string DataOf(const json::object& object, bool is_base64) {
  const json::object* const data = codec::FindObject(object, "data");
  if (data == nullptr) return "";
  std::string text;
  if (const json::value* const first = data->if_contains(kFirst)) {
    text = CertificatesOf(*first, is_base64);
  }
  for (const auto& member : *data) {
    const std::string_view key = codec::KeyOf(member);
    if (key == kFirst || key.ends_with(".key")) continue;
    text += CertificatesOf(member.value(), is_base64);
  }
  return text;
}

absl::StatusOr<std::string> InstallationCa(const json::object& object) {
  const json::object* const spec = codec::FindObject(object, "spec");
  const json::object* const management =
      spec == nullptr ? nullptr : codec::FindObject(*spec, "certificateManagement");
  if (management == nullptr) return "";
  absl::StatusOr<std::string> pem = base::Base64Decode(codec::TextAt(*management, "caCert"));
  if (pem.ok()) return pem;
  return base::Annotate(pem.status(),
                        fmt::format("Installation {}: spec.certificateManagement.caCert",
                                    api::ObjectMetaOf(object).name));
}

absl::StatusOr<std::string> ReadObject(const ClusterFlags& flags, const std::string& name,
                                       Terminal& terminal) {
  std::string pem;
  const ClusterWork work = [&](Cluster& cluster) -> aio::Task<absl::StatusOr<int>> {
    CALICO_CO_ASSIGN_OR_RETURN(const ObjectName wanted, ParseObjectName(name, cluster.ns));
    const absl::StatusOr<json::object> object =
        co_await cluster.client.Get(*wanted.resource, wanted.key, cluster.timeout);
    if (!object.ok()) co_return object.status();
    CALICO_CO_ASSIGN_OR_RETURN(pem, PemOf(*object));
    co_return kExitOk;
  };
  const absl::StatusOr<int> done = WithCluster(flags, terminal, work);
  if (!done.ok()) return absl::Status(done.status().code(), ErrorText(done.status()));
  return pem;
}

}  // namespace

absl::StatusOr<ObjectName> ParseObjectName(std::string_view name, std::string_view ns) {
  const size_t slash = name.find('/');
  const std::string_view word = name.substr(0, slash);
  std::string_view rest = slash == name.npos ? std::string_view() : name.substr(slash + 1);
  if (word == "installation" && rest.empty()) rest = "default";
  for (const Kind& kind : kKinds) {
    if (kind.word != word || rest.empty()) continue;
    ObjectName found{kind.resource, {"", std::string(rest)}};
    if (!kind.resource->namespaced) return found;
    found.key.ns = std::string(ns);
    if (const size_t second = rest.find('/'); second != rest.npos) {
      found.key = {std::string(rest.substr(0, second)), std::string(rest.substr(second + 1))};
    }
    if (!found.key.name.empty() && !found.key.ns.empty()) return found;
  }
  return absl::InvalidArgumentError(
      fmt::format("{:?}: write secret/NAME, configmap/NAME, csr/NAME or installation", name));
}

absl::StatusOr<std::string> PemOf(const json::object& object) {
  const std::string_view kind = codec::TextAt(object, "kind");
  std::string text;
  if (kind == "Secret" || kind == "ConfigMap") {
    text = DataOf(object, kind == "Secret");
  } else if (kind == "Installation") {
    CALICO_ASSIGN_OR_RETURN(text, InstallationCa(object));
  } else {
    CALICO_ASSIGN_OR_RETURN(const api::CertificateSigningRequest csr,
                            api::CertificateSigningRequest::Decode(object));
    text = csr.certificate_pem + csr.request_pem;
  }
  if (text.empty()) return Nothing(object);
  return text;
}

}  // namespace inventory

DeclareCluster ClusterSources() {
  return [](config::Flags& flags) -> ClusterReader {
    auto cluster = std::make_shared<ClusterFlags>();
    AddClusterFlags(flags, cluster.get());
    return [cluster](const std::string& name, Terminal& terminal) {
      return inventory::ReadObject(*cluster, name, terminal);
    };
  };
}

}  // namespace calico::calicert
