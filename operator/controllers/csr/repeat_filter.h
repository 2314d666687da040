// RepeatFilter: tells the first of equal messages from its repetitions, and counts these.
//
// Calico's init container deletes a denied request and makes it anew at every restart, for ever,
// and a stranger can make thousands of requests that are denied for the same reason: a denial of
// the same requester by the same rule is no news. What was asked is not compared, for he can vary
// it.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_REPEAT_FILTER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <absl/container/node_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/time/time.h>

#include "pkg/kube/event/recorder.h"

namespace calico::csr {

// Not thread-safe. Remembers at most 1024 keys.
class RepeatFilter {
 public:
  explicit RepeatFilter(absl::Duration quiet) : quiet_(quiet) {}

  struct Verdict {
    bool is_news = true;
    // How often it came since it was news last: without this time if this is news, else with it.
    int repeated = 0;
    // Of the first of equal messages, so that one Event can count them all. Lifetime: until Add.
    const kube::EventSubject* subject = nullptr;
    const std::string* text = nullptr;
  };
  // One more message about `subject`, equal to all of the same `key`. It is news unless it was so
  // less than `quiet` ago; with a pause of that length it begins anew.
  Verdict Add(std::string_view key, std::string_view text, kube::EventSubject subject,
              absl::Time now) {
    const size_t hash = absl::HashOf(std::string(key));
    auto found = entries_.find(hash);
    if (found != entries_.end() && now - found->second.last < quiet_) {
      Entry& entry = found->second;
      entry.last = now;
      if (now - entry.told < quiet_) {
        ++entry.repeated;
        return {false, entry.repeated, &entry.subject, &entry.text};
      }
      entry.told = now;
      return {true, std::exchange(entry.repeated, 0), &entry.subject, &entry.text};
    }
    if (found == entries_.end()) MakeRoom(now);
    Entry& entry = entries_[hash];
    entry = {now, now, 0, std::move(subject), std::string(text)};
    return {true, 0, &entry.subject, &entry.text};
  }

 private:
  static constexpr size_t kMost = 1024;

  struct Entry {
    absl::Time told;
    absl::Time last;
    int repeated = 0;
    kube::EventSubject subject;
    std::string text;
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
