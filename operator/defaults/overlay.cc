#include "operator/defaults/overlay.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "operator/defaults/spec_fields.h"

namespace calico::defaults {
namespace {

constexpr std::string_view kMerged[] = {"cni", "calicoNetwork", "windowsNodes"};
constexpr std::string_view kWorkloads[] = {
    "calicoNodeDaemonSet",    "calicoNodeWindowsDaemonSet",
    "csiNodeDriverDaemonSet", "calicoKubeControllersDeployment",
    "typhaDeployment",        "calicoWindowsUpgradeDaemonSet",
};
constexpr std::string_view kMergedOfWorkload[] = {
    "", ".metadata", ".spec", ".spec.template", ".spec.template.metadata", ".spec.template.spec",
};

template <size_t N>
bool Contains(const std::string_view (&values)[N], std::string_view value) {
  return std::find(std::begin(values), std::end(values), value) != std::end(values);
}

bool IsMerged(std::string_view path) {
  if (Contains(kMerged, path)) return true;
  for (const std::string_view workload : kWorkloads) {
    if (path.starts_with(workload) && Contains(kMergedOfWorkload, path.substr(workload.size()))) {
      return true;
    }
  }
  return false;
}

void Merge(json::object& base, const json::object& overlay, std::string_view path) {
  for (const json::key_value_pair& member : overlay) {
    const std::string_view key = codec::KeyOf(member);
    if (!IsSet(overlay, key)) continue;
    const std::string inner = path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
    json::object* const under = ObjectAt(base, key);
    const json::object* const over = member.value().if_object();
    if (under != nullptr && over != nullptr && IsMerged(inner)) {
      Merge(*under, *over, inner);
    } else {
      base[key] = member.value();
    }
  }
}

}  // namespace

json::object MergeOverlay(json::object base, const json::object& overlay) {
  Merge(base, overlay, "");
  return base;
}

}  // namespace calico::defaults
