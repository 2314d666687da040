#include "pkg/kube/apply/contention.h"

#include <algorithm>
#include <iterator>

namespace calico::kube {
namespace {

// Fields of one object that are counted at the same time.
constexpr size_t kMostTallies = 8;

template <class Tallies>
auto FindTally(Tallies& tallies, std::string_view path) {
  return std::find_if(tallies.begin(), tallies.end(),
                      [&](const auto& tally) { return tally.path == path; });
}

}  // namespace

// A contest of the same object that ended a moment ago goes on where it was.
void Contention::Begin(State& state, std::string_view path, bool in_answer, absl::Time now) const {
  state.contest = Contest{.path = std::string(path), .in_answer = in_answer};
  if (state.wait == absl::ZeroDuration()) {
    state.wait = options_.first_wait;
    state.next_try = now + state.wait;
  }
  state.contest->again_at = state.next_try;
  state.in_place_since.reset();
  state.calm_since.reset();
}

void Contention::WaitLonger(State& state, absl::Time now) const {
  state.wait = std::min(state.wait * 2, options_.longest_wait);
  state.next_try = now + state.wait;
  state.contest->again_at = state.next_try;
}

// A writer with a long period is not gone because it has not come for a short time.
absl::Duration Contention::CalmOf(const State& state) const {
  return std::min(std::max(options_.calm, state.held * 2), options_.window);
}

bool Contention::MaySend(const Id& id, std::string_view hash, std::string_view path,
                         std::string_view writer, absl::Time now) {
  State& state = states_[id];
  const bool is_past = state.calm_since.has_value() && now - *state.calm_since >= options_.window;
  if (state.hash != hash || is_past) state = State{.hash = std::string(hash)};
  const auto tally = FindTally(state.tallies, path);
  const bool is_known = tally != state.tallies.end();
  if (is_known && tally->sent_at.has_value()) {
    tally->held = std::max(tally->held, now - *tally->sent_at);
    tally->sent_at.reset();
  }
  if (!state.contest.has_value()) {
    const bool is_over =
        is_known && tally->tries >= options_.free_tries && now - tally->first < options_.window;
    if (!is_over) return true;
    Begin(state, path, false, now);
  }
  if (is_known) state.held = std::max(state.held, tally->held);
  state.in_place_since.reset();
  state.contest->path = path;
  if (!writer.empty()) state.contest->writer = writer;
  state.contest->again_at = state.next_try;
  return now >= state.next_try;
}

void Contention::Count(State& state, std::string_view path, absl::Time now) const {
  auto tally = FindTally(state.tallies, path);
  if (tally == state.tallies.end()) {
    if (state.tallies.size() == kMostTallies) state.tallies.erase(state.tallies.begin());
    state.tallies.push_back({.path = std::string(path), .first = now});
    tally = std::prev(state.tallies.end());
  } else if (now - tally->first >= options_.window) {
    *tally = Tally{.path = std::string(path), .first = now};
  }
  ++tally->tries;
  tally->sent_at = now;
}

void Contention::Sent(const Id& id, std::string_view path, absl::Time now) {
  const auto found = states_.find(id);
  if (found == states_.end()) return;
  State& state = found->second;
  // Only whoever changes answers is known to have gone by an answer.
  if (state.contest.has_value() && state.contest->in_answer) {
    states_.erase(found);
    return;
  }
  if (state.contest.has_value()) WaitLonger(state, now);
  Count(state, path, now);
}

void Contention::Rewritten(const Id& id, std::string_view path, absl::Time now) {
  State& state = states_[id];
  if (!state.contest.has_value()) {
    Begin(state, path, true, now);
    state.next_try = now + state.wait;
    state.contest->again_at = state.next_try;
    return;
  }
  state.contest->path = path;
  state.contest->in_answer = true;
  WaitLonger(state, now);
}

void Contention::InPlace(const Id& id, absl::Time now) {
  const auto found = states_.find(id);
  if (found == states_.end()) return;
  State& state = found->second;
  if (!state.contest.has_value()) {
    if (state.calm_since.has_value() && now - *state.calm_since >= options_.window) {
      states_.erase(found);
    }
    return;
  }
  if (!state.in_place_since.has_value()) state.in_place_since = now;
  const absl::Time calm_at = *state.in_place_since + CalmOf(state);
  if (now < calm_at) {
    state.contest->again_at = calm_at;
    return;
  }
  const std::string path = state.contest->path;
  state.contest.reset();
  state.in_place_since.reset();
  state.calm_since = now;
  // The place is as suspect for the hour that follows as it was.
  if (const auto tally = FindTally(state.tallies, path); tally != state.tallies.end()) {
    tally->first = now;
    tally->tries = std::max(tally->tries, options_.free_tries);
  }
}

std::optional<Contention::Contest> Contention::Find(const Id& id) const {
  const auto found = states_.find(id);
  return found == states_.end() ? std::nullopt : found->second.contest;
}

}  // namespace calico::kube
