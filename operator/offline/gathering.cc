#include "operator/offline/gathering.h"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "operator/validation/api_endpoint.h"
#include "operator/validation/typha_scale.h"
#include "pkg/api/core/node.h"

namespace calico::offline {
namespace {

constexpr std::string_view kEndpointConfigMap = "kubernetes-services-endpoint";

std::string_view DataAt(const json::object& config_map, std::string_view key) {
  const json::object* const data = codec::FindObject(config_map, "data");
  return data == nullptr ? std::string_view() : codec::TextAt(*data, key);
}

std::optional<render::ApiEndpoint> Endpoint(const World& world, const Surroundings& surroundings,
                                            std::vector<std::string>& problems) {
  const json::object* const config =
      world.Find("ConfigMap", {surroundings.operator_namespace, std::string(kEndpointConfigMap)});
  if (config == nullptr) return surroundings.api_endpoint;
  const validation::EndpointVerdict verdict = validation::ReadApiEndpoint(
      DataAt(*config, validation::kServiceHostKey), DataAt(*config, validation::kServicePortKey));
  for (const std::string& problem : verdict.problems) {
    problems.push_back(fmt::format("ConfigMap {}/{}: {}", surroundings.operator_namespace,
                                   kEndpointConfigMap, problem));
  }
  if (!verdict.ok() || verdict.empty()) return surroundings.api_endpoint;
  return render::ApiEndpoint{verdict.host, verdict.port};
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

}  // namespace

render::Inputs Gather(const World& world, const api::Installation& installation,
                      const Surroundings& surroundings, std::vector<std::string>& problems) {
  render::Inputs inputs;
  inputs.operator_namespace = surroundings.operator_namespace;
  inputs.api_endpoint = Endpoint(world, surroundings, problems);
  inputs.node_dns = NodeDns(world, surroundings);
  inputs.typha_replicas = validation::TyphaReplicas(CountNodes(world, surroundings, problems));
  inputs.pull_secrets = PullSecrets(world, installation, surroundings, problems);
  inputs.has_admission_policies = true;
  return inputs;
}

}  // namespace calico::offline
