#include "operator/render/node_values.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/render/cni_config.h"
#include "operator/render/key_pairs.h"
#include "operator/render/pools.h"
#include "operator/render/release.h"
#include "pkg/base/status_macros.h"

namespace calico::render {
namespace {

constexpr std::int64_t kShutdownSeconds = 300;
// The API server's own default.
constexpr std::int64_t kLeastProgressDeadline = 600;
constexpr int kFelixHealthPort = 9099;
constexpr int kFelixHealthPortOnOpenShift = 9199;

DerivedResult None() { return std::nullopt; }

DerivedResult TextOrNone(std::string_view text) {
  if (text.empty()) return None();
  return json::value(text);
}

DerivedResult SpecTextOr(const RenderValues& values, std::string_view path,
                         std::string_view otherwise) {
  const std::string_view text = values.SpecText(path);
  return json::value(text.empty() ? otherwise : text);
}

int HealthPort(const RenderValues& values) {
  if (const auto given = values.inputs().settings.felix_health_port) return *given;
  return values.SpecText("kubernetesProvider") == "OpenShift" ? kFelixHealthPortOnOpenShift
                                                              : kFelixHealthPort;
}

std::int64_t ShutdownSeconds(const RenderValues& values) {
  const json::value* const given =
      values.FindInSpec("typhaDeployment.spec.template.spec.terminationGracePeriodSeconds");
  return given != nullptr && given->is_int64() ? given->get_int64() : kShutdownSeconds;
}

// As a ConfigMap's data.
DerivedResult DataOf(const api::StringMap& texts) {
  json::object data;
  for (const auto& [key, text] : texts) data[key] = text;
  return json::value(std::move(data));
}

// A field of the first pool of a family.
DerivedResult OfPool(RenderValues& values, bool is_ipv6, std::string_view key) {
  const json::object* const pool = PoolOfFamily(values.installation().spec, is_ipv6);
  const json::value* const field = pool == nullptr ? nullptr : pool->if_contains(key);
  return field == nullptr ? None() : DerivedResult(*field);
}

DerivedResult ExportOfPool(RenderValues& values, bool is_ipv6) {
  const json::object* const pool = PoolOfFamily(values.installation().spec, is_ipv6);
  if (pool == nullptr) return None();
  const json::value* const field = pool->if_contains("disableBGPExport");
  return json::value(field != nullptr && *field == true ? "true" : "false");
}

}  // namespace

DerivedResult ClusterType(RenderValues& values) {
  constexpr std::pair<std::string_view, std::string_view> kProviders[] = {
      {"AKS", "aks"}, {"EKS", "ecs"}, {"GKE", "gke"}, {"OpenShift", "openshift"}};
  std::string type = "k8s,operator";
  for (const auto& [provider, word] : kProviders) {
    if (values.SpecText("kubernetesProvider") == provider) type += fmt::format(",{}", word);
  }
  if (values.SpecText("calicoNetwork.bgp") == "Enabled") type += ",bgp";
  if (values.SpecText("calicoNetwork.linuxDataplane") == "VPP") type += ",vpp";
  return json::value(type);
}

DerivedResult FelixHealthPort(RenderValues& values) { return json::value(HealthPort(values)); }
DerivedResult TyphaHealthPort(RenderValues& values) { return json::value(HealthPort(values) - 1); }

DerivedResult CalicoRunHostPath(RenderValues& values) {
  return SpecTextOr(values, "calicoRunHostPath", "/var/run/calico");
}
DerivedResult CalicoLibHostPath(RenderValues& values) {
  return SpecTextOr(values, "calicoLibHostPath", "/var/lib/calico");
}

DerivedResult CgroupPath(RenderValues& values) {
  return TextOrNone(values.inputs().settings.cgroup_path);
}

DerivedResult BgpBindModeHash(RenderValues& values) {
  const std::string& mode = values.inputs().settings.bgp_bind_mode;
  if (mode.empty()) return None();
  return json::value(certificates::AnnotationHash(mode));
}

DerivedResult BgpLayout(RenderValues& values) {
  const auto& layout = values.inputs().bgp_layout;
  return layout.has_value() ? DataOf(*layout) : None();
}

DerivedResult BgpLayoutHash(RenderValues& values) {
  const auto& layout = values.inputs().bgp_layout;
  return layout.has_value() ? json::value(certificates::AnnotationHash(*layout)) : None();
}

DerivedResult BirdTemplates(RenderValues& values) {
  const api::StringMap& templates = values.inputs().bird_templates;
  return templates.empty() ? None() : DataOf(templates);
}

DerivedResult BirdTemplatesHash(RenderValues& values) {
  const api::StringMap& templates = values.inputs().bird_templates;
  return templates.empty() ? None() : json::value(certificates::AnnotationHash(templates));
}

DerivedResult KubernetesServiceAddresses(RenderValues& values) {
  return TextOrNone(fmt::format("{}", fmt::join(values.inputs().service_addresses, ",")));
}

DerivedResult ApiServerEndpoints(RenderValues& values) {
  return TextOrNone(fmt::format("{}", fmt::join(values.inputs().api_server_endpoints, ",")));
}

DerivedResult NodeMaxSurge(RenderValues& values) {
  const json::value* const given = values.FindInSpec("nodeUpdateStrategy.rollingUpdate.maxSurge");
  return given == nullptr ? json::value(0) : *given;
}

DerivedResult TyphaShutdownSeconds(RenderValues& values) {
  return json::value(ShutdownSeconds(values));
}

DerivedResult TyphaProgressDeadlineSeconds(RenderValues& values) {
  return json::value(std::max(kLeastProgressDeadline, ShutdownSeconds(values) * 6 / 5));
}

DerivedResult CniConfigText(RenderValues& values) {
  return json::value(
      CniConfig(values.release().version(), values.installation().spec, values.inputs()));
}

DerivedResult CniConfigHash(RenderValues& values) {
  CALICO_ASSIGN_OR_RETURN(const json::value* const text, values.Find("inputs.cniConfig"));
  if (text == nullptr) return None();
  return json::value(certificates::AnnotationHash(
      api::StringMap{{"config", std::string(codec::View(text->as_string()))}}));
}

DerivedResult NodeAppArmorProfile(RenderValues& values) {
  const api::StringMap& annotations = values.installation().meta.annotations;
  const auto found = annotations.find(api::kNodeAppArmorAnnotation);
  return found == annotations.end() ? None() : TextOrNone(found->second);
}

DerivedResult NodeCommonName(RenderValues& values) {
  return TextOrNone(NodeKeyPairUse(values.installation().spec, values.inputs()).common_name);
}
DerivedResult NodeUriSan(RenderValues& values) {
  return TextOrNone(NodeKeyPairUse(values.installation().spec, values.inputs()).uri_san);
}
DerivedResult TyphaCommonName(RenderValues& values) {
  return TextOrNone(TyphaKeyPairUse(values.installation().spec, values.inputs()).common_name);
}
DerivedResult TyphaUriSan(RenderValues& values) {
  return TextOrNone(TyphaKeyPairUse(values.installation().spec, values.inputs()).uri_san);
}

DerivedResult Ipv4PoolCidr(RenderValues& values) { return OfPool(values, false, "cidr"); }
DerivedResult Ipv4PoolBlockSize(RenderValues& values) { return OfPool(values, false, "blockSize"); }
DerivedResult Ipv4PoolNodeSelector(RenderValues& values) {
  return OfPool(values, false, "nodeSelector");
}
DerivedResult Ipv4PoolDisableBgpExport(RenderValues& values) { return ExportOfPool(values, false); }
DerivedResult Ipv6PoolCidr(RenderValues& values) { return OfPool(values, true, "cidr"); }
DerivedResult Ipv6PoolBlockSize(RenderValues& values) { return OfPool(values, true, "blockSize"); }
DerivedResult Ipv6PoolNodeSelector(RenderValues& values) {
  return OfPool(values, true, "nodeSelector");
}
DerivedResult Ipv6PoolDisableBgpExport(RenderValues& values) { return ExportOfPool(values, true); }

}  // namespace calico::render
