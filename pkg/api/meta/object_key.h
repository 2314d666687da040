// ObjectKey: namespace and name of an object; the namespace is empty for cluster-scoped kinds.
#ifndef CALICO_PKG_API_META_OBJECT_KEY_H_
#define CALICO_PKG_API_META_OBJECT_KEY_H_

#include <compare>
#include <string>
#include <utility>

namespace calico::api {

struct ObjectKey {
  std::string ns;
  std::string name;

  // "ns/name", or "name" without a namespace.
  std::string ToString() const { return ns.empty() ? name : ns + "/" + name; }

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
  template <class H>
  friend H AbslHashValue(H state, const ObjectKey& key) {
    return H::combine(std::move(state), key.ns, key.name);
  }
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_OBJECT_KEY_H_
