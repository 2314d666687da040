#include "operator/render/cni_config.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include <absl/strings/str_replace.h>
#include <fmt/format.h>

#include "operator/render/pools.h"
#include "pkg/base/release_order.h"

namespace calico::render {
namespace {

// What the plugins of a release know; the oldest first.
struct Format {
  std::string_view release;
  bool has_bandwidth;        // the plugin bandwidth is in the chain
  bool has_endpoint_status;  // the plugin calico waits for policies, and knows both API groups
  bool has_tuning;           // calicoNetwork.sysctl
  bool has_spec_version;     // cni.specVersion, and the host's folders have other places
};
constexpr Format kFormats[] = {
    {"v3.27", true, false, false, false},
    {"v3.32", false, true, true, false},
    {"v3.33", false, true, true, true},
};

const json::object& ObjectIn(const json::object& object, std::string_view key) {
  static const json::object& empty = *new json::object();
  const json::object* const found = codec::FindObject(object, key);
  return found == nullptr ? empty : *found;
}

std::int64_t NumberIn(const json::object& object, std::string_view key) {
  const json::value* const found = object.if_contains(key);
  if (found == nullptr) return 0;
  if (found->is_int64()) return found->get_int64();
  return found->is_uint64() ? static_cast<std::int64_t>(found->get_uint64()) : 0;
}

// Where Felix tells which policies are in force.
std::string EndpointStatusFolder(const Format& format, const json::object& spec) {
  std::string_view folder;
  if (format.has_spec_version) folder = codec::TextAt(spec, "calicoRunHostPath");
  if (folder.empty()) folder = "/var/run/calico";
  return fmt::format("{}/endpoint-status", folder.substr(0, folder.find_last_not_of('/') + 1));
}

// The whole mebibytes in a quantity with a binary suffix or none.
std::optional<std::int64_t> Mebibytes(const json::value& quantity) {
  constexpr std::int64_t kMebibyte = 1 << 20;
  if (quantity.is_number()) return quantity.to_number<std::int64_t>() / kMebibyte;
  if (!quantity.is_string()) return std::nullopt;
  std::string_view text = codec::View(quantity.get_string());
  double factor = 1;
  if (text.ends_with('i') && text.size() > 1) {
    const size_t power = std::string_view("KMGTPE").find(text[text.size() - 2]);
    if (power == std::string_view::npos) return std::nullopt;
    factor = std::pow(1024, static_cast<double>(power) + 1);
    text.remove_suffix(2);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= 0) || number * factor >= 9e18) return std::nullopt;
  // A fraction of a byte counts as one.
  return static_cast<std::int64_t>(std::ceil(number * factor)) / kMebibyte;
}

// Keys are put in by the alphabet everywhere below, as Go writes maps.

json::object Ipam(const json::object& spec, const PoolFamilies& families) {
  if (codec::TextAt(ObjectIn(ObjectIn(spec, "cni"), "ipam"), "type") != "HostLocal") {
    return {{"assign_ipv4", families.has_ipv4 ? "true" : "false"},
            {"assign_ipv6", families.has_ipv6 ? "true" : "false"},
            {"type", "calico-ipam"}};
  }
  if (families.has_ipv4 && families.has_ipv6) {
    json::array ranges;
    for (const char* subnet : {"usePodCidr", "usePodCidrIPv6"}) {
      json::array range;
      range.push_back(json::object{{"subnet", subnet}});
      ranges.push_back(std::move(range));
    }
    return {{"ranges", std::move(ranges)}, {"type", "host-local"}};
  }
  return {{"subnet", families.has_ipv6 ? "usePodCidrIPv6" : "usePodCidr"}, {"type", "host-local"}};
}

json::object Kubernetes(const Inputs& inputs) {
  json::object kubernetes;
  if (inputs.api_endpoint.has_value()) kubernetes["k8s_api_root"] = inputs.api_endpoint->Url();
  kubernetes["kubeconfig"] = "__KUBECONFIG_FILEPATH__";
  return kubernetes;
}

void SetLogging(json::object& plugin, const json::object& logging) {
  for (const auto& [key, field] : {std::pair("log_file_max_age", "logFileMaxAgeDays"),
                                   std::pair("log_file_max_count", "logFileMaxCount")}) {
    if (logging.contains(field)) plugin[key] = NumberIn(logging, field);
  }
  if (const json::value* const size = logging.if_contains("logFileMaxSize")) {
    if (const auto mebibytes = Mebibytes(*size)) plugin["log_file_max_size"] = *mebibytes;
  }
  plugin["log_file_path"] = "/var/log/calico/cni/cni.log";
  if (logging.contains("logSeverity")) plugin["log_level"] = codec::TextAt(logging, "logSeverity");
}

json::object CalicoPlugin(const Format& format, const json::object& spec, const Inputs& inputs,
                          const PoolFamilies& families) {
  const json::object& network = ObjectIn(spec, "calicoNetwork");
  json::object plugin;
  if (format.has_endpoint_status) plugin["calico_api_group"] = "";
  plugin["container_settings"] = json::object{
      {"allow_ip_forwarding", codec::TextAt(network, "containerIPForwarding") == "Enabled"}};
  if (codec::TextAt(network, "linuxDataplane") == "VPP") {
    plugin["dataplane_options"] =
        json::object{{"socket", "unix:///var/run/calico/cni-server.sock"}, {"type", "grpc"}};
  }
  plugin["datastore_type"] = "kubernetes";
  if (format.has_spec_version && codec::TextAt(network, "linuxPodInterfaceType") == "Netkit") {
    plugin["device_type"] = "netkit";
  }
  if (format.has_endpoint_status) {
    plugin["endpoint_status_dir"] = EndpointStatusFolder(format, spec);
  }
  plugin["ipam"] = Ipam(spec, families);
  plugin["kubernetes"] = Kubernetes(inputs);
  SetLogging(plugin, ObjectIn(ObjectIn(spec, "logging"), "cni"));
  plugin["mtu"] = NumberIn(network, "mtu");
  plugin["nodename_file_optional"] =
      codec::TextAt(spec, "kubernetesProvider") == "DockerEnterprise";
  plugin["policy"] = json::object{{"type", "k8s"}};
  if (format.has_endpoint_status) {
    plugin["policy_setup_timeout_seconds"] = NumberIn(network, "linuxPolicySetupTimeoutSeconds");
  }
  plugin["type"] = "calico";
  return plugin;
}

json::object TuningPlugin(const json::array& settings) {
  std::map<std::string_view, std::string_view> sorted;
  for (const json::value& setting : settings) {
    if (!setting.is_object()) continue;
    sorted[codec::TextAt(setting.get_object(), "key")] =
        codec::TextAt(setting.get_object(), "value");
  }
  json::object sysctl;
  for (const auto& [key, value] : sorted) sysctl[key] = value;
  return {{"sysctl", std::move(sysctl)}, {"type", "tuning"}};
}

json::array Plugins(const Format& format, const json::object& spec, const Inputs& inputs,
                    const PoolFamilies& families) {
  const json::object& network = ObjectIn(spec, "calicoNetwork");
  json::array plugins;
  plugins.push_back(CalicoPlugin(format, spec, inputs, families));
  if (format.has_bandwidth) {
    plugins.push_back(json::object{{"capabilities", {{"bandwidth", true}}}, {"type", "bandwidth"}});
  }
  if (codec::TextAt(network, "hostPorts") == "Enabled") {
    plugins.push_back(json::object{
        {"capabilities", {{"portMappings", true}}}, {"snat", true}, {"type", "portmap"}});
  }
  const json::array* const sysctl = codec::FindArray(network, "sysctl");
  if (format.has_tuning && sysctl != nullptr) plugins.push_back(TuningPlugin(*sysctl));
  return plugins;
}

std::string_view SpecVersion(const Format& format, const json::object& spec) {
  if (!format.has_spec_version) return "0.3.1";
  const std::string_view version = codec::TextAt(ObjectIn(spec, "cni"), "specVersion");
  return version.empty() || version == "Auto" ? "1.0.0" : version;
}

}  // namespace

std::string CniConfig(std::string_view release, const json::object& spec, const Inputs& inputs) {
  const Format& format = base::RowFor(kFormats, release);
  const std::string plugins =
      codec::Serialize(Plugins(format, spec, inputs, FamiliesOf(spec, inputs.live_pools)));
  // Go's encoding/json writes these as escapes, so that the text may stand in HTML.
  const std::string escaped =
      absl::StrReplaceAll(plugins, {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}});
  return fmt::format(
      "{{\n\t\t\t  \"name\": \"k8s-pod-network\",\n\t\t\t  \"cniVersion\": \"{}\",\n"
      "\t\t\t  \"plugins\": {}\n\t\t\t}}",
      SpecVersion(format, spec), escaped);
}

}  // namespace calico::render
