// The small changes that turn a manifest of a release into the object that an Installation asks
// for: one function per field, each of them pure.
#ifndef CALICO_OPERATOR_RENDER_PATCHES_H_
#define CALICO_OPERATOR_RENDER_PATCHES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

// On every object: the labels that Calico's operator gives, its own namespace of them, and on pod
// templates too.
void SetCommonLabels(json::object& object);
// Controller reference to Installation `default`.
void SetOwner(json::object& object, std::string_view installation_uid);

// On a DaemonSet or Deployment.
void SetImages(json::object& workload, const ImageTable& table, const ImageSource& source);
// "" leaves the manifest's.
void SetImagePullPolicy(json::object& workload, std::string_view policy);
void SetPullSecrets(json::object& workload, const std::vector<std::string>& names);
void SetTemplateAnnotation(json::object& workload, std::string_view key, std::string_view value);
// prometheus.io annotations: where a scraper finds the pod's metrics.
void SetPrometheusAnnotations(json::object& workload, std::int32_t port);
void SetReplicas(json::object& deployment, int replicas);
void SetDns(json::object& workload, const DnsSettings& dns);

// On a container.
void SetApiEndpoint(json::object& container, const ApiEndpoint& endpoint);
// What the init container asks for, and whom it trusts.
void SetCertificateManagement(json::object& provisioner,
                              const api::CertificateManagement& management,
                              std::string_view ca_pem);
void SetFelixMtu(json::object& container, std::int32_t mtu);
void SetFelixMetrics(json::object& container, std::int32_t port);
void SetTyphaMetrics(json::object& container, std::int32_t port);

// On the ConfigMap cni-config.
void SetCniApiRoot(json::object& config_map, std::string_view url);
void SetCniMtu(json::object& config_map, std::int32_t mtu);

// On the ConfigMap tigera-ca-bundle.
void SetCaBundle(json::object& config_map, std::string_view ca_pem,
                 std::string_view operator_namespace);

// On Service calico-typha-metrics.
void SetServicePort(json::object& service, std::int32_t port);

// On the ValidatingAdmissionPolicy. Requires: a valid signer name.
void SetPolicySigner(json::object& policy, std::string_view signer_name);

// On the RoleBinding tigera-operator-secrets.
void SetSubject(json::object& binding, const api::ObjectKey& account);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_PATCHES_H_
