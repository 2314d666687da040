// Whatever an Installation says: complete it for every release, twice, put it over itself and over
// nothing, and judge it. Its strings serve as kubeadm's configuration too.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operator/defaults/complete_spec.h"
#include "operator/defaults/conflicts.h"
#include "operator/defaults/overlay.h"
#include "operator/validation/spec_rules.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = calico::json;
  namespace defaults = calico::defaults;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<json::object> object = calico::codec::ParseJsonObject(text);
  if (!object.ok()) return 0;
  const json::object* const spec = calico::codec::FindObject(*object, "spec");
  if (spec == nullptr) return 0;
  const std::string subnet = defaults::KubeadmPodSubnet({{"data", *spec}});
  CALICO_CHECK(subnet.find('\n') == std::string::npos);
  for (const char* release : {"v3.33", "v3.32", "v3.27"}) {
    // The Installation itself serves as a pool of the cluster too.
    const defaults::ClusterFacts facts = {
        .release = release, .ip_pools = {*object}, .kubeadm_pod_subnet = "10.244.0.0/16"};
    for (const defaults::ClusterFacts& around : {facts, defaults::ClusterFacts{release}}) {
      const json::object completed = defaults::CompleteSpec(*spec, around);
      CALICO_CHECK(defaults::CompleteSpec(completed, around) == completed);
      CALICO_CHECK(defaults::MergeOverlay(completed, completed) == completed);
      const json::object over = defaults::CompleteSpec(
          defaults::MergeOverlay(defaults::CompleteSpec({}, around), *spec), around);
      CALICO_CHECK(defaults::CompleteSpec(over, around) == over);
      for (const calico::validation::Problem& problem :
           calico::validation::CheckSpec(completed, {.release = release})) {
        CALICO_CHECK(!problem.path.empty() && !problem.text.empty());
      }
      for (const defaults::Conflict& conflict : defaults::ConflictsWithCluster(*spec, around)) {
        CALICO_CHECK(!conflict.path.empty() && !conflict.text.empty());
      }
    }
  }
  return 0;
}
