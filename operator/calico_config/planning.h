// The parts of MakePlan, one for each kind.
#ifndef CALICO_OPERATOR_CALICO_CONFIG_PLANNING_H_
#define CALICO_OPERATOR_CALICO_CONFIG_PLANNING_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/calico_config/calico_config.h"

namespace calico::calico_config {

inline constexpr std::string_view kIpPool = "IPPool";
inline constexpr std::string_view kFelixConfiguration = "FelixConfiguration";
inline constexpr std::string_view kBgpConfiguration = "BGPConfiguration";

// The reasons of Tigera's operator.
inline constexpr std::string_view kResourceNotFound = "ResourceNotFound";
inline constexpr std::string_view kResourceNotReady = "ResourceNotReady";
inline constexpr std::string_view kResourceValidationError = "ResourceValidationError";
inline constexpr std::string_view kInvalidConfigurationError = "InvalidConfigurationError";

// What of the completed Installation decides.
struct Asked {
  explicit Asked(const json::object& spec);

  std::string_view cni;
  std::string_view ipam;
  std::string_view data_plane;
  std::string_view provider;
  std::string_view cluster_routing;  // empty: nothing said
  bool manages_kube_proxy = false;
  const json::array* ip_pools = nullptr;

  bool is_bpf() const { return data_plane == "BPF"; }
};

void PlanIpPools(const Request& request, const Asked& asked, const Live& live, Plan& plan);
void PlanFelixConfiguration(const ReleaseRules& rules, const Asked& asked, const Live& live,
                            Plan& plan);
void PlanBgpConfiguration(const Asked& asked, const Live& live, Plan& plan);

// {apiVersion, kind, metadata: {name}}.
json::object Identity(std::string_view api_version, std::string_view kind, std::string_view name);

// The problem that a kind is not served, and what to do.
Problem NotServed(std::string_view plural);

// The settings of the one object `default` of a kind, written where nobody else has.
class Settings {
 public:
  // `live`: of this kind; the one named `default` counts. Lifetime: as long as this object.
  Settings(std::string_view kind, const std::vector<json::object>& live);

  // spec.<field> as it is; nullptr when it is absent or null.
  const json::value* Find(std::string_view field) const;
  std::string Annotation(std::string_view key) const;

  // Sets a field that nobody has set.
  void Default(std::string_view field, json::value value);
  // Sets a field, unless somebody else has set it to something that is neither `value` nor
  // `served_default`, what the API server puts in where nothing is said. Returns who, or empty.
  std::string Claim(std::string_view field, std::string_view value,
                    std::string_view served_default = "");
  // Sets a field, whoever has set it.
  void Set(std::string_view field, json::value value) { spec_[field] = std::move(value); }
  void Annotate(std::string_view key, std::string_view value);

  // Adds what is to be written to `plan`, if anything is.
  void AddTo(Plan& plan) &&;

 private:
  std::string_view kind_;
  const json::object* live_ = nullptr;
  json::object spec_;
  json::object annotations_;
};

// Who programs the routes between nodes: one field of FelixConfiguration and BGPConfiguration.
void SetClusterRouting(const Asked& asked, Settings& settings, std::string_view kind, Plan& plan);

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CALICO_CONFIG_PLANNING_H_
