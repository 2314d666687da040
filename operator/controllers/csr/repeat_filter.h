// RepeatFilter: tells the first of equal messages from its repetitions.
//
// Calico's init container deletes a denied request and makes it anew at every restart, for ever:
// the same denial every few seconds from every pod is no news.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_

#include <cstddef>
#include <string>

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

namespace calico::csr {

// Not thread-safe. Remembers at most 4096 messages.
class RepeatFilter {
 public:
  explicit RepeatFilter(absl::Duration quiet) : quiet_(quiet) {}

  // True unless the same message was new less than `quiet` ago.
  bool IsNew(const std::string& message, absl::Time now) {
    const size_t hash = absl::Hash<std::string>{}(message);
    const auto found = last_.find(hash);
    if (found != last_.end() && now - found->second < quiet_) return false;
    if (last_.size() >= kMost) {
      absl::erase_if(last_, [&](const auto& entry) { return now - entry.second >= quiet_; });
    }
    if (last_.size() >= kMost) last_.clear();
    last_[hash] = now;
    return true;
  }

 private:
  static constexpr size_t kMost = 4096;

  absl::Duration quiet_;
  absl::flat_hash_map<size_t, absl::Time> last_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_
