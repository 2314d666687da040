#include "operator/offline/certificate_plan.h"

#include <utility>

#include <fmt/format.h>

#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"

namespace calico::offline {
namespace {

constexpr char kClusterDomain[] = "cluster.local";

// The word stands where base64 is expected.
json::object EncodeWithheld(json::object secret) {
  json::value* const data = secret.if_contains("data");
  if (data == nullptr || !data->is_object()) return secret;
  for (json::key_value_pair& member : data->get_object()) {
    const json::string* const text = member.value().if_string();
    if (text != nullptr && codec::View(*text) == kWithheld)
      member.value() = base::Base64Encode(kWithheld);
  }
  return secret;
}

std::vector<api::Secret> Secrets(const World& world, std::vector<std::string>& problems) {
  std::vector<api::Secret> secrets;
  for (const json::object* object : world.OfKind("Secret")) {
    absl::StatusOr<api::Secret> secret = api::Secret::Decode(EncodeWithheld(*object));
    if (secret.ok()) {
      secrets.push_back(*std::move(secret));
    } else {
      problems.emplace_back(secret.status().message());
    }
  }
  return secrets;
}

std::optional<api::ConfigMap> FindConfigMap(const World& world, const api::ObjectKey& key,
                                            std::vector<std::string>& problems) {
  const json::object* const object = world.Find("ConfigMap", key);
  if (object == nullptr) return std::nullopt;
  absl::StatusOr<api::ConfigMap> config_map = api::ConfigMap::Decode(*object);
  if (config_map.ok()) return *std::move(config_map);
  problems.emplace_back(config_map.status().message());
  return std::nullopt;
}

}  // namespace

absl::StatusOr<certificates::Plan> PlanCertificates(const World& world,
                                                    const api::Installation& installation,
                                                    const Surroundings& surroundings,
                                                    std::vector<std::string>& problems) {
  const std::string& ns = surroundings.operator_namespace;
  const certificates::Live live{
      .secrets = Secrets(world, problems),
      .typha_ca = FindConfigMap(world, {ns, std::string(certificates::kTyphaCa)}, problems),
      .trusted_bundle = FindConfigMap(
          world,
          {std::string(certificates::kBundleNamespace), std::string(certificates::kTrustedBundle)},
          problems),
      .withheld_key = kWithheld};
  const std::string& release = surroundings.release->version();
  certificates::Demands demands{
      .release = release,
      .operator_namespace = ns,
      .key_pairs = {certificates::NodeKeyPair(), certificates::TyphaKeyPair()},
      .system_roots = surroundings.system_roots};
  if (world.Find("APIServer", {"", std::string(api::kInstallationName)}) != nullptr) {
    demands.key_pairs.push_back(
        certificates::ApiServerKeyPair(certificates::ApiServerNamespace(release), kClusterDomain));
  }
  if (installation.certificate_management.has_value()) {
    demands.ca_cert = installation.certificate_management->ca_cert_pem;
  }
  CALICO_ASSIGN_OR_RETURN(
      certificates::Plan plan,
      certificates::MakePlan(live, demands, surroundings.now, &pki::PrivateKey::Generate));
  for (const auto* const found : {&plan.problems, &plan.api_server_problems}) {
    problems.insert(problems.end(), found->begin(), found->end());
  }
  return plan;
}

}  // namespace calico::offline
