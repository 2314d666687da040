// Store<T>: the objects that an informer has seen, each decoded to the few fields we need.
#ifndef CALICO_PKG_KUBE_CACHE_STORE_H_
#define CALICO_PKG_KUBE_CACHE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/base/memory/long_lived.h"

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
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : ObjectOf(*found);
  }
  // In no order.
  std::vector<Pointer> List() const {
    std::vector<Pointer> all;
    all.reserve(entries_.size());
    for (const auto& entry : entries_) all.push_back(ObjectOf(entry));
    return all;
  }
  std::vector<api::ObjectKey> Keys() const {
    std::vector<api::ObjectKey> keys;
    keys.reserve(entries_.size());
    for (const auto& entry : entries_) keys.push_back(entry->Key());
    return keys;
  }
  size_t size() const { return entries_.size(); }

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
    for (const api::ObjectKey& key : keys->second) found.push_back(Get(key));
    return found;
  }

  void Set(const api::ObjectKey& key, T object) {
    Remove(key);
    for (auto& [name, index] : indexes_) {
      for (std::string& value : index.function(object)) index.keys[std::move(value)].insert(key);
    }
    entries_.insert(std::allocate_shared<const Entry>(base::LongLivedAllocator<Entry>(), key,
                                                      std::move(object), sweep_));
  }
  // Null if it was not there.
  Pointer Remove(const api::ObjectKey& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    Pointer removed = ObjectOf(*found);
    for (auto& [name, index] : indexes_) {
      for (const std::string& value : index.function(*removed)) {
        const auto keys = index.keys.find(value);
        if (keys == index.keys.end()) continue;
        keys->second.erase(key);
        if (keys->second.empty()) index.keys.erase(keys);
      }
    }
    entries_.erase(found);
    return removed;
  }

  // Of a list of everything: from here on it is noted which objects are set or kept.
  void BeginSweep() { ++sweep_; }
  // The object stays as it is, if there is one.
  void Keep(const api::ObjectKey& key) {
    const auto found = entries_.find(key);
    if (found != entries_.end()) (*found)->sweep = sweep_;
  }
  // Those that were neither set nor kept since.
  std::vector<api::ObjectKey> NotSeen() const {
    std::vector<api::ObjectKey> keys;
    for (const auto& entry : entries_) {
      if (entry->sweep != sweep_) keys.push_back(entry->Key());
    }
    return keys;
  }

 private:
  // Key and object in one piece of memory: there are thousands.
  struct Entry {
    Entry(const api::ObjectKey& key, T o, std::uint32_t s)
        : ns_size(static_cast<std::uint32_t>(key.ns.size())), sweep(s), object(std::move(o)) {
      ns_and_name.reserve(key.ns.size() + key.name.size());
      ns_and_name.append(key.ns).append(key.name);
    }
    std::string_view ns() const { return std::string_view(ns_and_name).substr(0, ns_size); }
    std::string_view name() const { return std::string_view(ns_and_name).substr(ns_size); }
    api::ObjectKey Key() const { return {std::string(ns()), std::string(name())}; }

    base::LongLivedString ns_and_name;
    std::uint32_t ns_size;
    mutable std::uint32_t sweep;
    T object;
  };
  using EntryPointer = std::shared_ptr<const Entry>;
  using NameView = std::pair<std::string_view, std::string_view>;  // namespace and name
  static NameView NameOf(const api::ObjectKey& key) { return {key.ns, key.name}; }
  static NameView NameOf(const EntryPointer& entry) { return {entry->ns(), entry->name()}; }
  struct HashOfName {
    using is_transparent = void;
    template <class A>
    size_t operator()(const A& of) const {
      return absl::Hash<NameView>()(NameOf(of));
    }
  };
  struct SameName {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return NameOf(a) == NameOf(b);
    }
  };
  struct Index {
    IndexFunction function;
    absl::flat_hash_map<std::string, absl::flat_hash_set<api::ObjectKey>> keys;
  };

  static Pointer ObjectOf(const EntryPointer& entry) { return Pointer(entry, &entry->object); }

  absl::flat_hash_set<EntryPointer, HashOfName, SameName> entries_;
  absl::flat_hash_map<std::string, Index> indexes_;
  std::uint32_t sweep_ = 0;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CACHE_STORE_H_
