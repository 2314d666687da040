// World: a cluster as files describe it, for commands that look at none, or as it was read once.
//
//   World world;
//   CALICO_RETURN_IF_ERROR(world.Add("world.yaml", text));
//   const json::object* dns = world.Find("Deployment", {"tigera-operator", "tigera-operator"});
//
// Not for anything that runs in a cluster: the objects are believed as they are.
#ifndef CALICO_OPERATOR_OFFLINE_WORLD_H_
#define CALICO_OPERATOR_OFFLINE_WORLD_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/codec/json.h"

namespace calico::offline {

// Of all files together.
inline constexpr std::size_t kMaxWorldBytes = 16 << 20;

class World {
 public:
  // Every object of a text in YAML or JSON: its documents, and the items of a List, as `kubectl get
  // -o yaml` prints them.
  // Errors: InvalidArgument naming `file`, for text that is no YAML, for a document that is no
  // object with kind and name, and for an object that is there already; ResourceExhausted beyond
  // kMaxWorldBytes.
  absl::Status Add(std::string_view file, std::string_view text);
  // One object. Errors: InvalidArgument as above; its size is not counted.
  absl::Status Add(std::string_view file, json::object object);

  // Null: there is none. Lifetime: this object's, until the next Add.
  const json::object* Find(std::string_view kind, const api::ObjectKey& key) const;
  // In the order of their namespaces and names.
  std::vector<const json::object*> OfKind(std::string_view kind) const;

 private:
  std::map<std::pair<std::string, api::ObjectKey>, json::object> objects_;
  std::size_t bytes_ = 0;
};

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_WORLD_H_
