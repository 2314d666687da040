#include "operator/controllers/calico_config/live_settings.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace calico::calico_config {
namespace {

constexpr std::string_view kNodeContainer = "calico-node";
constexpr std::string_view kBpfVolume = "bpffs";
constexpr std::string_view kBpfVariable = "FELIX_BPFENABLED";

// Null or an object -> its member or null.
const json::object* Member(const json::object* object, std::string_view key) {
  return object == nullptr ? nullptr : codec::FindObject(*object, key);
}

// The spec of the object that counts; null when there is none.
const json::object* SpecOf(const std::optional<std::vector<json::object>>& objects) {
  if (!objects.has_value()) return nullptr;
  for (const json::object& object : *objects) {
    const json::object* const metadata = codec::FindObject(object, "metadata");
    if (metadata != nullptr && codec::TextAt(*metadata, "name") == kDefaultName) {
      return codec::FindObject(object, "spec");
    }
  }
  return nullptr;
}

std::optional<std::int64_t> NumberIn(const json::object* spec, std::string_view key) {
  const json::value* const value = spec == nullptr ? nullptr : spec->if_contains(key);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

std::string TextIn(const json::object* spec, std::string_view key) {
  return spec == nullptr ? "" : std::string(codec::TextAt(*spec, key));
}

bool IsTrue(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && *value == json::value(true);
}

const json::object* FindNamed(const json::object* parent, std::string_view list,
                              std::string_view name) {
  const json::array* const elements = parent == nullptr ? nullptr : codec::FindArray(*parent, list);
  if (elements == nullptr) return nullptr;
  for (const json::value& element : *elements) {
    const json::object* const object = element.if_object();
    if (object != nullptr && codec::TextAt(*object, "name") == name) return object;
  }
  return nullptr;
}

}  // namespace

LiveSettings LiveSettings::Of(const Live& live,
                              const std::optional<std::vector<json::object>>& kube_controllers) {
  LiveSettings result;
  const json::object* const felix = SpecOf(live.felix_configurations);
  const std::optional<std::int64_t> port = NumberIn(felix, "healthPort");
  if (port.has_value() && *port > 0 && *port <= std::numeric_limits<std::uint16_t>::max()) {
    result.settings.felix_health_port = static_cast<int>(*port);
  }
  result.settings.cgroup_path = TextIn(felix, "cgroupV2Path");
  result.settings.bgp_bind_mode = TextIn(SpecOf(live.bgp_configurations), "bindMode");
  result.kube_controllers_metrics_port =
      NumberIn(SpecOf(kube_controllers), "prometheusMetricsPort");
  if (!live.ip_pools.has_value()) return result;
  for (const json::object& pool : *live.ip_pools) {
    const json::object* const spec = codec::FindObject(pool, "spec");
    if (spec == nullptr || IsTrue(*spec, "disabled")) continue;
    result.live_pools.emplace_back(codec::TextAt(*spec, "cidr"));
  }
  return result;
}

std::optional<bool> IsBpfOn(const Live& live) {
  const json::object* const felix = SpecOf(live.felix_configurations);
  if (felix == nullptr) return std::nullopt;
  return IsTrue(*felix, "bpfEnabled");
}

NodeAgent NodeAgentOf(const json::object& daemon_set, bool has_rolled) {
  const json::object* const pod =
      Member(Member(codec::FindObject(daemon_set, "spec"), "template"), "spec");
  const json::object* const variable =
      FindNamed(FindNamed(pod, "containers", kNodeContainer), "env", kBpfVariable);
  return {
      .has_bpf_in_environment = variable != nullptr && codec::TextAt(*variable, "value") == "true",
      .is_ready_for_bpf = has_rolled && FindNamed(pod, "volumes", kBpfVolume) != nullptr};
}

}  // namespace calico::calico_config
