// Walking and changing rendered objects.
//
// The objects come from manifests inside the binary, so a path that is missing is a bug of ours:
// the functions check instead of returning errors, and a test renders every manifest.
#ifndef CALICO_OPERATOR_RENDER_OBJECT_PATH_H_
#define CALICO_OPERATOR_RENDER_OBJECT_PATH_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "pkg/codec/json.h"

namespace calico::render {

using Path = std::initializer_list<std::string_view>;

// Lifetime of every result: until its parent changes.

// The object or array at `path`. Requires: it is there.
json::object& ObjectAt(json::object& root, Path path);
json::array& ArrayAt(json::object& root, Path path);
// The object at `path`, made with everything on the way where it is absent.
json::object& EnsureObject(json::object& root, Path path);

// The element whose `name` is `name`, or nullptr.
json::object* FindNamed(json::array& list, std::string_view name);
// Requires: it is there.
json::object& Named(json::array& list, std::string_view name);

// The text at `key`; empty when absent or no text.
std::string_view TextAt(const json::object& object, std::string_view key);
std::string_view KindOf(const json::object& object);
std::string_view NameOf(const json::object& object);

// A DaemonSet's or Deployment's pod template.
json::object& PodSpec(json::object& workload);
json::object& Container(json::object& workload, std::string_view name);
json::object& InitContainer(json::object& workload, std::string_view name);

// Sets one environment variable, at the end when it is new.
void SetEnvironment(json::object& container, std::string_view name, std::string_view value);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_OBJECT_PATH_H_
