// Store<T>: the objects that an informer has seen, each decoded to the few fields we need.
#ifndef CALICO_PKG_KUBE_CACHE_STORE_H_
#define CALICO_PKG_KUBE_CACHE_STORE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "pkg/api/meta/object_key.h"

namespace calico::kube {

// Threading: event loop thread only. Values are shared and immutable: a pointer stays valid after
// the object is replaced.
template <class T>
class Store {
 public:
  using Pointer = std::shared_ptr<const T>;
  using IndexFunction = std::function<std::vector<std::string>(const T&)>;

  // Null if there is no such object.
  Pointer Get(const api::ObjectKey& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
  }
  // In no order.
  std::vector<Pointer> List() const {
    std::vector<Pointer> all;
    all.reserve(objects_.size());
    for (const auto& [key, object] : objects_) all.push_back(object);
    return all;
  }
  std::vector<api::ObjectKey> Keys() const {
    std::vector<api::ObjectKey> keys;
    keys.reserve(objects_.size());
    for (const auto& [key, object] : objects_) keys.push_back(key);
    return keys;
  }
  size_t size() const { return objects_.size(); }

  // Objects are also found under the values that `function` gives for them.
  // Requires: called before the first Set.
  void AddIndex(std::string name, IndexFunction function) {
    indexes_.emplace(std::move(name), Index{std::move(function), {}});
  }
  std::vector<Pointer> ByIndex(const std::string& name, const std::string& value) const {
    std::vector<Pointer> found;
    const auto index = indexes_.find(name);
    if (index == indexes_.end()) return found;
    const auto keys = index->second.keys.find(value);
    if (keys == index->second.keys.end()) return found;
    for (const api::ObjectKey& key : keys->second) found.push_back(objects_.at(key));
    return found;
  }

  void Set(const api::ObjectKey& key, Pointer object) {
    Remove(key);
    for (auto& [name, index] : indexes_) {
      for (std::string& value : index.function(*object)) index.keys[std::move(value)].insert(key);
    }
    objects_[key] = std::move(object);
  }
  // Null if it was not there.
  Pointer Remove(const api::ObjectKey& key) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return nullptr;
    Pointer removed = std::move(found->second);
    for (auto& [name, index] : indexes_) {
      for (const std::string& value : index.function(*removed)) {
        const auto keys = index.keys.find(value);
        if (keys == index.keys.end()) continue;
        keys->second.erase(key);
        if (keys->second.empty()) index.keys.erase(keys);
      }
    }
    objects_.erase(found);
    return removed;
  }

 private:
  struct Index {
    IndexFunction function;
    absl::flat_hash_map<std::string, absl::flat_hash_set<api::ObjectKey>> keys;
  };
  absl::flat_hash_map<api::ObjectKey, Pointer> objects_;
  absl::flat_hash_map<std::string, Index> indexes_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CACHE_STORE_H_
