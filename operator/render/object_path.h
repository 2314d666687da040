// Looking into rendered objects, and changing them.
#ifndef CALICO_OPERATOR_RENDER_OBJECT_PATH_H_
#define CALICO_OPERATOR_RENDER_OBJECT_PATH_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/codec/json.h"

namespace calico::render {

using Path = std::initializer_list<std::string_view>;

// Lifetime of every result: until its parent changes.

// The object at `path`, made with everything on the way where it is absent.
json::object& EnsureObject(json::object& root, Path path);

// The element whose `name` is `name`, or nullptr.
json::object* FindNamed(json::array& list, std::string_view name);

using codec::TextAt;
std::string_view KindOf(const json::object& object);
std::string_view NameOf(const json::object& object);

// Walks through one object to what is to be changed. What must be there and is not is remembered as
// the edit's status, and whatever is changed after that goes nowhere: ask for the status at the
// end.
//
//   ObjectEditor edit(daemon_set);
//   edit.SetEnvironment(edit.Container("calico-node"), "IP", "autodetect");
//   CALICO_RETURN_IF_ERROR(edit.status());
class ObjectEditor {
 public:
  // Lifetime: `root` outlives this.
  explicit ObjectEditor(json::object& root) : root_(root) {}
  ObjectEditor(const ObjectEditor&) = delete;
  ObjectEditor& operator=(const ObjectEditor&) = delete;

  // OK, or InvalidArgument with the first thing that was not there:
  // "DaemonSet calico-node: spec.template.spec.containers[calico-node]: not there".
  const absl::Status& status() const { return status_; }
  void Fail(std::string_view what);

  json::object& root() { return root_; }
  json::object& ObjectAt(json::object& parent, Path path);
  json::array& ArrayAt(json::object& parent, Path path);
  json::object& Named(json::array& list, std::string_view name);

  // Of a DaemonSet or Deployment.
  json::object& PodSpec() { return ObjectAt(root_, {"spec", "template", "spec"}); }
  json::object& Container(std::string_view name);
  json::object& InitContainer(std::string_view name);

  // Gives a variable that is there another value.
  void SetEnvironment(json::object& container, std::string_view name, std::string_view value);

 private:
  json::object& root_;
  absl::Status status_;
  // Where changes go that have no place.
  json::object nowhere_;
  json::array nowhere_list_;
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_OBJECT_PATH_H_
