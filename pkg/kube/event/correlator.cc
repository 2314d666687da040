#include "pkg/kube/event/correlator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace calico::kube {
namespace {

constexpr size_t kMaxName = 253;         // of a DNS subdomain
constexpr size_t kSimilarMessages = 10;  // with more, they are combined
constexpr absl::Duration kWindow = absl::Minutes(10);
constexpr int kBurst = 25;
constexpr absl::Duration kRefill = absl::Minutes(5);
constexpr std::string_view kCombined = "(combined from similar events): ";

char LowerNameChar(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  const bool valid = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
  return valid ? c : '-';
}

void TrimEnd(std::string& name) {
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
}

}  // namespace

std::string EventName(std::string_view object_name, absl::Time now) {
  const std::string suffix = fmt::format(".{:x}", absl::ToUnixNanos(now));
  std::string name;
  for (const char original : object_name) {
    if (name.size() + suffix.size() >= kMaxName) break;
    const char c = LowerNameChar(original);
    // Every label between two dots begins and ends with a letter or digit.
    const bool at_start = name.empty() || name.back() == '.';
    if (at_start && (c == '-' || c == '.')) continue;
    if (c == '.') TrimEnd(name);
    name += c;
  }
  TrimEnd(name);
  return (name.empty() ? "event" : name) + suffix;
}

CorrelatedEvent EventCorrelator::Add(std::string_view subject, std::string_view object_name,
                                     std::string_view type, std::string_view reason,
                                     std::string_view message, EventTime now) {
  const std::string similar_key = fmt::format("{}\n{}\n{}", subject, type, reason);
  const bool combined = IsOneOfMany(similar_key, message, now.steady);
  Written& written = written_[combined ? similar_key : fmt::format("{}\n{}", similar_key, message)];
  CorrelatedEvent event;
  if (now.steady - written.last > kWindow) {
    event.kind = CorrelatedEvent::Kind::kCreate;
    // Two events at the same time about the same object must not have the same name.
    last_name_ = std::max(now.wall, last_name_ + absl::Nanoseconds(1));
    written = {.name = EventName(object_name, last_name_), .count = 0, .first = now.wall};
  } else {
    event.kind = CorrelatedEvent::Kind::kUpdate;
  }
  ++written.count;
  written.last = now.steady;
  event.name = written.name;
  event.message = fmt::format("{}{}", combined ? kCombined : "", message);
  event.count = written.count;
  event.first = written.first;
  event.last = now.wall;
  if (!TakeBudget(std::string(subject), now.steady)) event.kind = CorrelatedEvent::Kind::kDrop;
  return event;
}

bool EventCorrelator::IsOneOfMany(const std::string& similar_key, std::string_view message,
                                  absl::Time now) {
  Similar& similar = similar_[similar_key];
  if (now - similar.last > kWindow) similar.messages.clear();
  similar.last = now;
  if (similar.messages.contains(std::string(message))) return false;
  if (similar.messages.size() >= kSimilarMessages) return true;
  similar.messages.emplace(message);
  return false;
}

bool EventCorrelator::TakeBudget(const std::string& subject, absl::Time now) {
  Budget& budget = budgets_[subject];
  const absl::Time full_at = std::max(budget.full_at, now) + kRefill;
  if (full_at - now > kRefill * kBurst) return false;
  budget.full_at = full_at;
  return true;
}

}  // namespace calico::kube
