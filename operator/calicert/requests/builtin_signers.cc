#include "operator/calicert/requests/builtin_signers.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;
using Usages = std::set<std::string, std::less<>>;

constexpr std::string_view kDomain = "kubernetes.io/";
constexpr std::string_view kNodes = "system:nodes";
constexpr std::string_view kNodePrefix = "system:node:";

absl::Status Refused(std::string_view text) {
  return absl::InvalidArgumentError(std::string(text));
}

absl::Status CheckNodeSubject(const pki::CertificateRequest& request) {
  std::vector<std::string> organizations;
  for (const pki::NameAttribute& attribute : request.subject()) {
    if (attribute.type == "O") organizations.push_back(attribute.value);
  }
  if (organizations.size() != 1 || organizations.front() != kNodes) {
    return Refused("subject organization is not system:nodes");
  }
  if (!request.common_name().starts_with(kNodePrefix)) {
    return Refused("subject common name does not begin with system:node:");
  }
  return absl::OkStatus();
}

absl::Status CheckExactUsages(const Csr& csr, std::string_view purpose) {
  Usages usages(csr.usages.begin(), csr.usages.end());
  usages.erase("key encipherment");  // not needed since 1.27
  const Usages wanted = {"digital signature", std::string(purpose)};
  if (usages == wanted) return absl::OkStatus();
  return Refused(
      fmt::format("usages did not match [{} digital signature key encipherment]", purpose));
}

absl::Status CheckClient(const Csr& csr, const pki::CertificateRequest&) {
  bool is_client = false;
  for (const std::string& usage : csr.usages) {
    if (usage == "client auth") {
      is_client = true;
    } else if (usage != "digital signature" && usage != "key encipherment") {
      return Refused(fmt::format("invalid usage for client certificate: {}", usage));
    }
  }
  if (is_client) return absl::OkStatus();
  return Refused("missing required usage for client certificate: client auth");
}

absl::Status CheckKubeletClient(const Csr& csr, const pki::CertificateRequest& request) {
  CALICO_RETURN_IF_ERROR(CheckNodeSubject(request));
  if (!request.dns_names().empty()) return Refused("DNS subjectAltNames are not allowed");
  if (!request.emails().empty()) return Refused("Email subjectAltNames are not allowed");
  if (!request.ip_addresses().empty()) return Refused("IP subjectAltNames are not allowed");
  if (!request.uris().empty()) return Refused("URI subjectAltNames are not allowed");
  return CheckExactUsages(csr, "client auth");
}

absl::Status CheckKubeletServing(const Csr& csr, const pki::CertificateRequest& request) {
  CALICO_RETURN_IF_ERROR(CheckNodeSubject(request));
  if (request.dns_names().empty() && request.ip_addresses().empty()) {
    return Refused("DNS or IP subjectAltName is required");
  }
  if (!request.emails().empty()) return Refused("Email subjectAltNames are not allowed");
  if (!request.uris().empty()) return Refused("URI subjectAltNames are not allowed");
  return CheckExactUsages(csr, "server auth");
}

struct BuiltinSigner {
  std::string_view name;
  absl::Status (*check)(const Csr&, const pki::CertificateRequest&);
};
constexpr BuiltinSigner kSigners[] = {
    {"kubernetes.io/kube-apiserver-client", CheckClient},
    {"kubernetes.io/kube-apiserver-client-kubelet", CheckKubeletClient},
    {"kubernetes.io/kubelet-serving", CheckKubeletServing},
};

}  // namespace

absl::Status CheckBuiltinSigner(const Csr& csr, const pki::CertificateRequest& request) {
  if (!csr.signer_name.starts_with(kDomain)) return absl::OkStatus();
  for (const BuiltinSigner& signer : kSigners) {
    if (signer.name != csr.signer_name) continue;
    return base::Annotate(signer.check(csr, request), signer.name);
  }
  if (csr.signer_name == "kubernetes.io/legacy-unknown") return absl::OkStatus();
  return Refused(
      fmt::format("nobody serves {}: names of kubernetes.io are Kubernetes' own", csr.signer_name));
}

}  // namespace calico::calicert::requests
