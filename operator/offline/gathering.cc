#include "operator/offline/gathering.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "operator/defaults/provider.h"
#include "operator/render/names.h"
#include "operator/validation/api_endpoint.h"
#include "operator/validation/bgp_layout.h"
#include "operator/validation/typha_scale.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/node.h"
#include "pkg/api/meta/names.h"
#include "pkg/api/operator/api_server.h"
#include "pkg/api/operator/image_set.h"

namespace calico::offline {
namespace {

constexpr std::string_view kEndpointConfigMap = "kubernetes-services-endpoint";

constexpr char kKubeSystem[] = "kube-system";
constexpr char kDefault[] = "default";
constexpr char kKubernetes[] = "kubernetes";

std::vector<std::string> Keys(const json::object* object) {
  std::vector<std::string> keys;
  if (object == nullptr) return keys;
  for (const json::key_value_pair& member : *object) keys.emplace_back(codec::KeyOf(member));
  return keys;
}

// `object` or null -> its member or null.
const json::object* Member(const json::object* object, std::string_view key) {
  return object == nullptr ? nullptr : codec::FindObject(*object, key);
}

const json::object* Labels(const json::object* object) {
  return Member(Member(object, "metadata"), "labels");
}

// The API groups of the cluster are not in any file.
std::string DetectProvider(const World& world) {
  defaults::ProviderSigns signs;
  for (const json::object* node : world.OfKind("Node")) {
    const json::object* const spec = codec::FindObject(*node, "spec");
    signs.nodes.push_back(
        {.label_keys = Keys(Labels(node)),
         .provider_id = spec == nullptr ? "" : std::string(codec::TextAt(*spec, "providerID"))});
  }
  for (const std::string_view name : defaults::kProviderConfigMaps) {
    if (world.Find("ConfigMap", {kKubeSystem, std::string(name)}) != nullptr) {
      signs.config_maps.emplace_back(name);
    }
  }
  for (const std::string_view name : defaults::kProviderServices) {
    if (world.Find("Service", {kKubeSystem, std::string(name)}) != nullptr) {
      signs.services.emplace_back(name);
    }
  }
  signs.dns_label_keys = Keys(Labels(world.Find("Service", {kKubeSystem, "kube-dns"})));
  signs.serves_cluster_versions = !world.OfKind("ClusterVersion").empty();
  return defaults::DetectProvider(signs);
}

std::string_view DataAt(const json::object& config_map, std::string_view key) {
  const json::object* const data = codec::FindObject(config_map, "data");
  return data == nullptr ? std::string_view() : codec::TextAt(*data, key);
}

// What the ConfigMap's keys with this ending say.
std::optional<render::ApiEndpoint> Endpoint(const World& world, const Surroundings& surroundings,
                                            std::string_view suffix,
                                            std::vector<std::string>& problems) {
  const json::object* const config = FindEndpoint(world, surroundings);
  if (config == nullptr) return std::nullopt;
  const validation::EndpointVerdict verdict = validation::ReadApiEndpoint(
      DataAt(*config, fmt::format("{}{}", validation::kServiceHostKey, suffix)),
      DataAt(*config, fmt::format("{}{}", validation::kServicePortKey, suffix)), suffix);
  for (const std::string& problem : verdict.problems) {
    problems.push_back(fmt::format("ConfigMap {}/{}: {}", surroundings.operator_namespace,
                                   kEndpointConfigMap, problem));
  }
  if (!verdict.ok() || verdict.empty()) return std::nullopt;
  return render::ApiEndpoint{verdict.host, verdict.port};
}

std::optional<render::ApiServerInput> FindApiServer(const World& world) {
  const json::object* const object =
      world.Find("APIServer", {"", std::string(api::kApiServerName)});
  if (object == nullptr) return std::nullopt;
  const json::object* const spec = codec::FindObject(*object, "spec");
  return render::ApiServerInput{.uid = "", .spec = spec == nullptr ? json::object() : *spec};
}

// The spec of Calico's own settings; null when there are none.
const json::object* SettingsOf(const World& world, std::string_view kind) {
  return Member(world.Find(kind, {"", "default"}), "spec");
}

std::optional<std::int64_t> NumberIn(const json::object* spec, std::string_view key) {
  const json::value* const number = spec == nullptr ? nullptr : spec->if_contains(key);
  if (number == nullptr || !number->is_int64()) return std::nullopt;
  return number->get_int64();
}

std::string TextIn(const json::object* object, std::string_view key) {
  return object == nullptr ? "" : std::string(codec::TextAt(*object, key));
}

render::CalicoSettings Settings(const World& world) {
  const json::object* const felix = SettingsOf(world, "FelixConfiguration");
  render::CalicoSettings settings{
      .cgroup_path = TextIn(felix, "cgroupV2Path"),
      .bgp_bind_mode = TextIn(SettingsOf(world, "BGPConfiguration"), "bindMode")};
  const std::optional<std::int64_t> port = NumberIn(felix, "healthPort");
  if (port.has_value() && *port > 0 && *port <= std::numeric_limits<std::uint16_t>::max()) {
    settings.felix_health_port = static_cast<int>(*port);
  }
  return settings;
}

// The set for the release, if there are sets at all.
std::optional<api::ImageSet> FindImageSet(const World& world, const Surroundings& surroundings,
                                          std::vector<std::string>& problems) {
  std::vector<api::ImageSet> sets;
  for (const json::object* object : world.OfKind("ImageSet")) {
    absl::StatusOr<api::ImageSet> set = api::ImageSet::Decode(*object);
    if (set.ok()) {
      sets.push_back(*std::move(set));
    } else {
      problems.emplace_back(set.status().message());
    }
  }
  const absl::StatusOr<const api::ImageSet*> found =
      api::FindImageSet(sets, surroundings.release->calico_version());
  if (!found.ok()) {
    problems.emplace_back(found.status().message());
    return std::nullopt;
  }
  return *found == nullptr ? std::nullopt : std::optional(**found);
}

void AddAddresses(const std::vector<std::string>& hosts, const json::object& owner_of_ports,
                  std::vector<std::string>& addresses) {
  const json::array* const ports = codec::FindArray(owner_of_ports, "ports");
  for (const std::string& host : hosts) {
    for (const json::value& entry : ports == nullptr ? json::array() : *ports) {
      const std::optional<std::int64_t> port = NumberIn(entry.if_object(), "port");
      if (!port.has_value()) continue;
      addresses.push_back(host.find(':') == std::string::npos
                              ? fmt::format("{}:{}", host, *port)
                              : fmt::format("[{}]:{}", host, *port));
    }
  }
}

std::vector<std::string> TextsIn(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const json::array* const list = codec::FindArray(object, key);
  for (const json::value& text : list == nullptr ? json::array() : *list) {
    if (text.is_string()) texts.emplace_back(codec::View(text.get_string()));
  }
  return texts;
}

// Where the Service `kubernetes` is, and the API servers behind it.
void GatherBootstrap(const World& world, const api::Installation& installation,
                     render::Inputs& inputs, std::vector<std::string>& problems) {
  const json::object* const network = codec::FindObject(installation.spec, "calicoNetwork");
  if (TextIn(network, "bpfNetworkBootstrap") != "Enabled") return;
  const json::object* const service =
      Member(world.Find("Service", {kDefault, kKubernetes}), "spec");
  if (service != nullptr) {
    std::vector<std::string> hosts = TextsIn(*service, "clusterIPs");
    if (hosts.empty()) hosts = {TextIn(service, "clusterIP")};
    AddAddresses(hosts, *service, inputs.service_addresses);
  }
  for (const json::object* slice : world.OfKind("EndpointSlice")) {
    if (TextIn(Labels(slice), "kubernetes.io/service-name") != kKubernetes) continue;
    const json::array* const endpoints = codec::FindArray(*slice, "endpoints");
    for (const json::value& endpoint : endpoints == nullptr ? json::array() : *endpoints) {
      if (!endpoint.is_object()) continue;
      AddAddresses(TextsIn(endpoint.get_object(), "addresses"), *slice,
                   inputs.api_server_endpoints);
    }
  }
  if (!inputs.service_addresses.empty() && !inputs.api_server_endpoints.empty()) return;
  problems.emplace_back(
      "spec.calicoNetwork.bpfNetworkBootstrap: the Service default/kubernetes and its "
      "EndpointSlices are not among the objects of --world");
}

// Of the operator's own Deployment.
render::DnsSettings NodeDns(const World& world, const Surroundings& surroundings) {
  render::DnsSettings dns;
  const json::object* spec =
      world.Find("Deployment", {surroundings.operator_namespace, surroundings.operator_name});
  for (const std::string_view field : {"spec", "template", "spec"}) {
    if (spec != nullptr) spec = codec::FindObject(*spec, field);
  }
  if (spec == nullptr) return dns;
  if (const std::string_view policy = codec::TextAt(*spec, "dnsPolicy"); !policy.empty()) {
    dns.policy = policy;
  }
  if (const json::object* const config = codec::FindObject(*spec, "dnsConfig")) {
    dns.config = *config;
  }
  return dns;
}

validation::NodeCount CountNodes(const World& world, const Surroundings& surroundings,
                                 std::vector<std::string>& problems) {
  const std::vector<const json::object*> nodes = world.OfKind("Node");
  if (nodes.empty()) return {.all = surroundings.nodes, .linux = surroundings.nodes};
  validation::NodeCount count;
  for (const json::object* object : nodes) {
    const absl::StatusOr<api::Node> node = api::Node::Decode(*object);
    if (!node.ok()) {
      problems.emplace_back(node.status().message());
    } else if (!node->unschedulable && !node->deleting && node->virtual_kind.empty()) {
      ++count.all;
      if (node->os == "linux" || node->os.empty()) ++count.linux;
    }
  }
  return count;
}

std::vector<render::PullSecret> PullSecrets(const World& world,
                                            const api::Installation& installation,
                                            const Surroundings& surroundings,
                                            std::vector<std::string>& problems) {
  std::vector<render::PullSecret> secrets;
  for (const std::string& name : installation.image_pull_secrets) {
    if (!api::IsDnsSubdomain(name)) continue;  // that is told already
    const json::object* const secret =
        world.Find("Secret", {surroundings.operator_namespace, name});
    if (secret == nullptr) {
      problems.push_back(
          fmt::format("spec.imagePullSecrets: Secret {}/{} is not among the objects of --world",
                      surroundings.operator_namespace, name));
      continue;
    }
    const json::object* const data = codec::FindObject(*secret, "data");
    secrets.push_back({.name = name,
                       .type = std::string(codec::TextAt(*secret, "type")),
                       .data = data == nullptr ? json::object() : *data});
  }
  return secrets;
}

// Of those that are not disabled.
std::vector<std::string> LivePools(const World& world) {
  std::vector<std::string> cidrs;
  for (const json::object* pool : world.OfKind("IPPool")) {
    const json::object* const spec = codec::FindObject(*pool, "spec");
    const json::value* const disabled = spec == nullptr ? nullptr : spec->if_contains("disabled");
    if (spec == nullptr || (disabled != nullptr && *disabled == json::value(true))) continue;
    cidrs.emplace_back(codec::TextAt(*spec, "cidr"));
  }
  return cidrs;
}

// Of a ConfigMap of the user's that is copied for calico-node; absent without one. One that no pod
// could mount is told; it is not passed over.
std::optional<api::StringMap> DataForNodes(const World& world, const Surroundings& surroundings,
                                           std::string_view name,
                                           std::vector<std::string>& problems) {
  const json::object* const object =
      world.Find("ConfigMap", {surroundings.operator_namespace, std::string(name)});
  if (object == nullptr) return std::nullopt;
  absl::StatusOr<api::ConfigMap> found = api::ConfigMap::Decode(*object);
  if (found.ok()) return std::move(found->data);
  problems.push_back(fmt::format("ConfigMap {}/{}: {}", surroundings.operator_namespace, name,
                                 std::string(found.status().message())));
  return std::nullopt;
}

std::optional<api::StringMap> BgpLayout(const World& world, const Surroundings& surroundings,
                                        std::vector<std::string>& problems) {
  std::optional<api::StringMap> data =
      DataForNodes(world, surroundings, render::kBgpLayout, problems);
  if (!data.has_value()) return std::nullopt;
  const absl::Status problem = validation::CheckBgpLayout(*data, surroundings.operator_namespace);
  if (!problem.ok()) problems.emplace_back(problem.message());
  return data;
}

}  // namespace

const json::object* FindEndpoint(const World& world, const Surroundings& surroundings) {
  return world.Find("ConfigMap",
                    {surroundings.operator_namespace, std::string(kEndpointConfigMap)});
}

defaults::ClusterFacts GatherClusterFacts(const World& world, const Surroundings& surroundings) {
  defaults::ClusterFacts facts{.release = surroundings.release->version(),
                               .detected_provider = DetectProvider(world)};
  facts.has_aws_node_daemon_set = world.Find("DaemonSet", {kKubeSystem, "aws-node"}) != nullptr;
  for (const json::object* pool : world.OfKind("IPPool")) facts.ip_pools.push_back(*pool);
  const json::object* const kubeadm = world.Find("ConfigMap", {kKubeSystem, "kubeadm-config"});
  if (kubeadm != nullptr) facts.kubeadm_pod_subnet = defaults::KubeadmPodSubnet(*kubeadm);
  const json::object* const network = world.Find("Network", {"", "cluster"});
  const json::object* const spec = Member(network, "spec");
  const json::array* const networks =
      spec == nullptr ? nullptr : codec::FindArray(*spec, "clusterNetwork");
  for (const json::value& entry : networks == nullptr ? json::array() : *networks) {
    if (!entry.is_object()) continue;
    facts.openshift_pod_networks.emplace_back(codec::TextAt(entry.get_object(), "cidr"));
  }
  return facts;
}

render::Inputs Gather(const World& world, const api::Installation& installation,
                      const Surroundings& surroundings, std::vector<std::string>& problems) {
  render::Inputs inputs;
  inputs.operator_namespace = surroundings.operator_namespace;
  inputs.api_endpoint = Endpoint(world, surroundings, "", problems);
  if (!inputs.api_endpoint.has_value()) inputs.api_endpoint = surroundings.api_endpoint;
  inputs.pod_api_endpoint = Endpoint(world, surroundings, validation::kPodNetworkSuffix, problems);
  inputs.api_server = FindApiServer(world);
  inputs.kube_controllers_metrics_port =
      NumberIn(SettingsOf(world, "KubeControllersConfiguration"), "prometheusMetricsPort");
  inputs.settings = Settings(world);
  inputs.image_set = FindImageSet(world, surroundings, problems);
  GatherBootstrap(world, installation, inputs, problems);
  inputs.node_dns = NodeDns(world, surroundings);
  inputs.typha_replicas = validation::TyphaReplicas(CountNodes(world, surroundings, problems));
  inputs.pull_secrets = PullSecrets(world, installation, surroundings, problems);
  inputs.bgp_layout = BgpLayout(world, surroundings, problems);
  inputs.bird_templates = DataForNodes(world, surroundings, render::kBirdTemplates, problems)
                              .value_or(api::StringMap());
  inputs.live_pools = LivePools(world);
  inputs.has_admission_policies = true;
  return inputs;
}

}  // namespace calico::offline
