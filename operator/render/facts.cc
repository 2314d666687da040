#include "operator/render/facts.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/render/spec_path.h"

namespace calico::render {
namespace {

const FactDefinition* FindDefinition(std::string_view name) {
  const std::span<const FactDefinition> all = FactDefinitions();
  const auto found = std::find_if(all.begin(), all.end(), [&](const FactDefinition& definition) {
    return definition.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

// The definition's own text, which lives as long as the program.
std::optional<std::string_view> ValueOf(const FactDefinition& definition, std::string_view text) {
  const auto found = std::find(definition.values.begin(), definition.values.end(), text);
  if (found == definition.values.end()) return std::nullopt;
  return *found;
}

// Reads fields of a completed spec.
struct SpecReader {
  const json::object& spec;

  bool Has(std::string_view path) const { return FindInSpec(spec, path) != nullptr; }
  std::string_view Text(std::string_view path) const {
    const json::value* const value = FindInSpec(spec, path);
    return value != nullptr && value->is_string() ? codec::View(value->get_string())
                                                  : std::string_view();
  }
  // A number other than 0.
  bool IsNumber(std::string_view path) const {
    const json::value* const value = FindInSpec(spec, path);
    return value != nullptr && value->is_int64() && value->get_int64() != 0;
  }
};

std::string_view EnabledIf(bool condition) { return condition ? "Enabled" : "Disabled"; }

}  // namespace

std::span<const FactDefinition> FactDefinitions() {
  static const auto& definitions = *new std::vector<FactDefinition>{
      {"admissionPolicies", {"NotServed", "Served"}},
      {"apiEndpoint", {"Unknown", "Known"}},
      {"bgp", {"Enabled", "Disabled"}},
      {"cni", {"Calico", "AmazonVPC", "AzureVNET", "GKE"}},
      {"dataplane", {"Iptables", "BPF", "Nftables", "VPP"}},
      {"ipam", {"Calico", "AmazonVPC", "AzureVNET", "HostLocal"}},
      {"mtu", {"Detected", "Given"}},
      {"nodeDnsConfig", {"Absent", "Given"}},
      {"nodeMetrics", {"Disabled", "Enabled"}},
      {"nonPrivileged", {"Disabled", "Enabled"}},
      {"provider",
       {"None", "AKS", "DockerEnterprise", "EKS", "GKE", "Kind", "OpenShift", "RKE2", "TKG"}},
      {"typhaMetrics", {"Disabled", "Enabled"}},
  };
  return definitions;
}

Facts FactsOf(const api::Installation& installation, const Inputs& inputs) {
  const SpecReader spec{installation.spec};
  const std::pair<std::string_view, std::string_view> known[] = {
      {"admissionPolicies", inputs.has_admission_policies ? "Served" : "NotServed"},
      {"apiEndpoint", inputs.api_endpoint.has_value() ? "Known" : "Unknown"},
      {"bgp", spec.Text("calicoNetwork.bgp")},
      {"cni", spec.Text("cni.type")},
      {"dataplane", spec.Text("calicoNetwork.linuxDataplane")},
      {"ipam", spec.Text("cni.ipam.type")},
      // An MTU of 0 asks for detection, as no MTU does.
      {"mtu", spec.IsNumber("calicoNetwork.mtu") ? "Given" : "Detected"},
      {"nodeDnsConfig", inputs.node_dns.config.has_value() ? "Given" : "Absent"},
      {"nodeMetrics", EnabledIf(spec.Has("nodeMetricsPort"))},
      {"nonPrivileged", spec.Text("nonPrivileged")},
      {"provider", spec.Text("kubernetesProvider")},
      {"typhaMetrics", EnabledIf(spec.Has("typhaMetricsPort"))},
  };
  Facts facts;
  for (const FactDefinition& definition : FactDefinitions()) {
    facts[definition.name] = definition.values.front();
  }
  for (const auto& [name, text] : known) {
    if (const auto value = ValueOf(*FindDefinition(name), text)) facts[name] = *value;
  }
  return facts;
}

absl::StatusOr<When> When::Parse(const json::object& object) {
  When when;
  for (const auto& member : object) {
    const std::string_view name = codec::KeyOf(member);
    const FactDefinition* const definition = FindDefinition(name);
    if (definition == nullptr) {
      return absl::InvalidArgumentError(fmt::format("when: there is no fact {}", name));
    }
    const json::array values =
        member.value().is_array() ? member.value().get_array() : json::array{member.value()};
    if (values.empty()) {
      return absl::InvalidArgumentError(fmt::format("when: {} names no value", name));
    }
    for (const json::value& value : values) {
      const std::string_view text =
          value.is_string() ? codec::View(value.get_string()) : std::string_view();
      const std::optional<std::string_view> known = ValueOf(*definition, text);
      if (!known.has_value()) {
        return absl::InvalidArgumentError(fmt::format("when: {} is one of {}, not {}", name,
                                                      fmt::join(definition->values, ", "),
                                                      codec::Serialize(value)));
      }
      when.values_[definition->name].push_back(*known);
    }
  }
  if (when.values_.empty()) return absl::InvalidArgumentError("when: names no fact");
  return when;
}

bool When::Holds(const Facts& facts) const {
  return std::all_of(values_.begin(), values_.end(), [&](const auto& entry) {
    const auto fact = facts.find(entry.first);
    return fact != facts.end() &&
           std::find(entry.second.begin(), entry.second.end(), fact->second) != entry.second.end();
  });
}

}  // namespace calico::render
