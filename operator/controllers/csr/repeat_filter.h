// RepeatFilter: tells the first of equal messages from its repetitions, and counts these.
//
// Calico's init container deletes a denied request and makes it anew at every restart, for ever,
// and a stranger can make thousands of requests that are denied for the same reason: the same
// denial of the same requester is no news.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_

#include <cstddef>
#include <string_view>
#include <utility>

#include <absl/container/node_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/time/time.h>

#include "pkg/kube/event/recorder.h"

namespace calico::csr {

// Not thread-safe. Remembers at most 1024 messages.
class RepeatFilter {
 public:
  explicit RepeatFilter(absl::Duration quiet) : quiet_(quiet) {}

  struct Verdict {
    bool is_news = true;
    int repeated = 0;  // how often it came since it was news last, this time not counted
    // Of the first of the messages, so that one Event can count them all. Lifetime: until Add.
    const kube::EventSubject* subject = nullptr;
  };
  // One more `message` about `subject`. It is news unless it was so less than `quiet` ago; with a
  // pause of that length it begins anew.
  Verdict Add(std::string_view message, kube::EventSubject subject, absl::Time now) {
    const size_t hash = absl::HashOf(std::string(message));
    auto found = entries_.find(hash);
    if (found != entries_.end() && now - found->second.last < quiet_) {
      Entry& entry = found->second;
      entry.last = now;
      if (now - entry.told < quiet_) {
        ++entry.repeated;
        return {false, entry.repeated, &entry.subject};
      }
      entry.told = now;
      return {true, std::exchange(entry.repeated, 0), &entry.subject};
    }
    if (found == entries_.end()) MakeRoom(now);
    Entry& entry = entries_[hash];
    entry = {now, now, 0, std::move(subject)};
    return {true, 0, &entry.subject};
  }

 private:
  static constexpr size_t kMost = 1024;

  struct Entry {
    absl::Time told;
    absl::Time last;
    int repeated = 0;
    kube::EventSubject subject;
  };

  void MakeRoom(absl::Time now) {
    if (entries_.size() < kMost) return;
    absl::erase_if(entries_, [&](const auto& entry) { return now - entry.second.last >= quiet_; });
    if (entries_.size() >= kMost) entries_.clear();
  }

  absl::Duration quiet_;
  absl::node_hash_map<size_t, Entry> entries_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_
