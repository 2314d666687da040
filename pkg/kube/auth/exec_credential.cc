#include "pkg/kube/auth/exec_credential.h"

#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"
#include "pkg/kube/auth/wiping_memory.h"

namespace calico::kube {
namespace {

json::object EncodeCluster(const KubeconfigCluster& cluster, std::string_view ca_pem) {
  json::object encoded{{"server", cluster.server}};
  if (!cluster.tls_server_name.empty()) encoded["tls-server-name"] = cluster.tls_server_name;
  if (cluster.insecure_skip_tls_verify) encoded["insecure-skip-tls-verify"] = true;
  if (!ca_pem.empty()) encoded["certificate-authority-data"] = base::Base64Encode(ca_pem);
  if (!cluster.proxy_url.empty()) encoded["proxy-url"] = cluster.proxy_url;
  if (!cluster.exec_config.is_null()) encoded["config"] = cluster.exec_config;
  return encoded;
}

}  // namespace

std::string EncodeExecInfo(const KubeconfigExec& exec, const KubeconfigCluster& cluster,
                           std::string_view ca_pem, bool interactive) {
  json::object spec{{"interactive", interactive}};
  if (exec.provide_cluster_info) spec["cluster"] = EncodeCluster(cluster, ca_pem);
  return codec::Serialize(json::object{
      {"kind", "ExecCredential"}, {"apiVersion", exec.api_version}, {"spec", std::move(spec)}});
}

absl::StatusOr<ExecCredential> ParseExecCredential(std::string_view text,
                                                   std::string_view api_version) {
  WipingMemory memory;
  CALICO_ASSIGN_OR_RETURN(
      const json::object object,
      codec::ParseJsonObject(text, {.max_bytes = base::kMaxFileBytes, .max_depth = 32}, &memory));
  codec::Decoder decoder("ExecCredential");
  const codec::ObjectReader root = decoder.Read(object);
  if (root.StringView("kind") != "ExecCredential") root.Fail("kind", "expected ExecCredential");
  if (root.StringView("apiVersion") != api_version) {
    root.Fail("apiVersion", fmt::format("expected {}, as the kubeconfig says", api_version));
  }
  const codec::ObjectReader status = root.Object("status");
  if (!status.exists()) root.Fail("status", "required");
  ExecCredential credential{
      .token = base::SharedSecret(status.StringView("token")),
      .client_certificate_pem = status.String("clientCertificateData"),
      .client_key_pem = base::SharedSecret(status.StringView("clientKeyData")),
      .expires = status.Time("expirationTimestamp")};
  if (credential.client_certificate_pem.empty() != credential.client_key_pem.empty()) {
    root.Fail("status", "clientCertificateData and clientKeyData belong together");
  } else if (status.exists() && credential.token.empty() &&
             credential.client_certificate_pem.empty()) {
    root.Fail("status", "neither token nor clientCertificateData");
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return credential;
}

}  // namespace calico::kube
