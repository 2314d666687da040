#include <limits>

#include <absl/strings/numbers.h>

#include "operator/calico_config/calico_config.h"

namespace calico::calico_config {
namespace {

constexpr int kNewest = std::numeric_limits<int>::max();

// Oldest first.
constexpr ReleaseRules kReleases[] = {
    {.release = "v3.27",
     .makes_ip_pools = false,
     .switches_data_plane = false,
     .sets_vxlan_port = false,
     .frees_healthz_port = false,
     .writes_bpf_log_level = true,
     .has_tier = false,
     .allows_calico_manager = false,
     .namespace_label = "projectcalico.org/name"},
    {.release = "v3.32",
     .makes_ip_pools = true,
     .switches_data_plane = true,
     .sets_vxlan_port = true,
     .frees_healthz_port = false,
     .writes_bpf_log_level = false,
     .has_tier = true,
     .allows_calico_manager = true,
     .namespace_label = "projectcalico.org/name"},
    {.release = "v3.33",
     .makes_ip_pools = true,
     .switches_data_plane = true,
     .sets_vxlan_port = true,
     .frees_healthz_port = true,
     .writes_bpf_log_level = false,
     .has_tier = true,
     .allows_calico_manager = false,
     .namespace_label = "kubernetes.io/metadata.name"},
};

// The second number of "v3.27" or "v3.27.5"; of another form: newer than all.
int MinorOf(std::string_view release) {
  constexpr std::string_view kMajor = "v3.";
  if (!release.starts_with(kMajor)) return kNewest;
  release.remove_prefix(kMajor.size());
  release = release.substr(0, release.find('.'));
  int minor = 0;
  return absl::SimpleAtoi(absl::string_view(release.data(), release.size()), &minor) ? minor
                                                                                     : kNewest;
}

}  // namespace

const ReleaseRules& RulesOf(std::string_view release) {
  const int minor = MinorOf(release);
  const ReleaseRules* found = &kReleases[0];
  for (const ReleaseRules& rules : kReleases) {
    if (MinorOf(rules.release) <= minor) found = &rules;
  }
  return *found;
}

}  // namespace calico::calico_config
