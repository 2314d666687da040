// Inputs: what rendering needs to know, besides the Installation and the release.
#ifndef CALICO_OPERATOR_RENDER_INPUTS_H_
#define CALICO_OPERATOR_RENDER_INPUTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/certificates/plan.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/operator/image_set.h"
#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"

namespace calico::render {

// Where pods reach the API server before the service network works. A host without port or the
// other way round is no endpoint.
struct ApiEndpoint {
  std::string host;
  std::string port;

  // "https://10.0.0.1:443", with brackets around IPv6.
  std::string Url() const;
  friend bool operator==(const ApiEndpoint&, const ApiEndpoint&) = default;
};

// DNS settings of calico-node's pods.
struct DnsSettings {
  std::string policy = "ClusterFirstWithHostNet";
  std::optional<json::object> config;  // PodSpec.dnsConfig
};

// A Secret of the operator's namespace that is copied to calico-system. Never logged.
struct PullSecret {
  std::string name;
  std::string type;
  json::object data;
};

// What other objects of Calico's say that pods must know too; empty: nothing.
struct CalicoSettings {
  std::optional<int> felix_health_port;  // FelixConfiguration
  std::string cgroup_path;               // FelixConfiguration, cgroupV2Path
  std::string bgp_bind_mode;             // BGPConfiguration, bindMode
};

// The kind APIServer: Calico's own API server is wanted.
struct ApiServerInput {
  std::string uid;
  json::object spec;
  std::string name = "default";
};

struct Inputs {
  std::string owner_uid;                          // of the Installation
  std::string operator_namespace;                 // where the operator runs
  std::vector<pki::Certificate> ca_certificates;  // of caCert, in its order
  std::optional<ApiEndpoint> api_endpoint;        // absent: pods use the service network
  std::optional<ApiEndpoint> pod_api_endpoint;    // the same for pods of the pods' network
  DnsSettings node_dns;
  int typha_replicas = 1;
  std::vector<PullSecret> pull_secrets;
  // The user's templates for BIRD (ConfigMap bird-templates of the operator's namespace): the file
  // of calico-node that each takes the place of, and its text.
  api::StringMap bird_templates;
  // The user's layout for early networking (ConfigMap bgp-layout of the operator's namespace), for
  // which validation::CheckBgpLayout holds; absent: there is none.
  std::optional<api::StringMap> bgp_layout;
  std::optional<ApiServerInput> api_server;  // absent: Calico's API server is not installed
  // Of KubeControllersConfiguration `default`, if it has one.
  std::optional<std::int64_t> kube_controllers_metrics_port;
  std::string cluster_domain = "cluster.local";
  std::vector<std::string> live_pools;     // CIDRs of the IPPools that hand out addresses now
  std::optional<api::ImageSet> image_set;  // of this release (api::FindImageSet)
  // Who makes the key pairs, and who is trusted; null: as spec.certificateManagement says.
  std::shared_ptr<const certificates::Plan> certificates;
  CalicoSettings settings;
  // With calicoNetwork.bpfNetworkBootstrap: "10.96.0.1:443", where the Service `kubernetes` is, and
  // where the API servers behind it are.
  std::vector<std::string> service_addresses;
  std::vector<std::string> api_server_endpoints;
  bool has_admission_policies = false;  // the API server serves ValidatingAdmissionPolicy
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_INPUTS_H_
