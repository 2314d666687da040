#include "operator/defaults/cluster_facts.h"
#include "operator/defaults/text_pieces.h"

namespace calico::defaults {

// The ConfigMap holds kubeadm's ClusterConfiguration as YAML text. One line of it is wanted, and a
// text that is not YAML says as much.
std::string KubeadmPodSubnet(const json::object& config_map) {
  constexpr std::string_view kKey = "podSubnet:";
  const json::object* const data = codec::FindObject(config_map, "data");
  if (data == nullptr) return "";
  for (const json::key_value_pair& member : *data) {
    const json::string* const text = member.value().if_string();
    if (text == nullptr) continue;
    for (std::string_view line : PiecesOf(codec::View(*text), '\n')) {
      if (!line.starts_with(kKey)) continue;
      line = Trimmed(line.substr(kKey.size()));
      if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') &&
          line.back() == line.front()) {
        line = line.substr(1, line.size() - 2);
      }
      return std::string(line);
    }
  }
  return "";
}

}  // namespace calico::defaults
