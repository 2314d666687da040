// LruMap: a map that forgets the key used longest ago when it is full.
#ifndef CALICO_PKG_KUBE_EVENT_LRU_MAP_H_
#define CALICO_PKG_KUBE_EVENT_LRU_MAP_H_

#include <cstddef>
#include <list>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

namespace calico::kube {

// Not thread-safe.
template <class Value>
class LruMap {
 public:
  explicit LruMap(size_t capacity) : capacity_(capacity) {}

  // The value of `key`, made with its default when it is not there. Valid until the next call.
  Value& operator[](const std::string& key) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    if (entries_.size() == capacity_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, Value());
    index_[key] = entries_.begin();
    return entries_.front().second;
  }
  size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  size_t capacity_;
  Entries entries_;  // the last used one first
  absl::flat_hash_map<std::string, typename Entries::iterator> index_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_EVENT_LRU_MAP_H_
