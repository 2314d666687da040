#include "pkg/kube/apply/contention.h"

#include <algorithm>

namespace calico::kube {
namespace {

// Fields of one object that are counted at the same time.
constexpr size_t kMostTallies = 8;

}  // namespace

void Contention::Begin(State& state, std::string_view path, bool in_answer, absl::Time now) const {
  state.contest = Contest{.path = std::string(path), .in_answer = in_answer};
  state.wait = options_.first_wait;
  state.next_try = now + state.wait;
  state.contest->again_at = state.next_try;
  state.in_place_since.reset();
}

bool Contention::MaySend(const Id& id, std::string_view hash, std::string_view path,
                         std::string_view writer, absl::Time now) {
  State& state = states_[id];
  if (state.hash != hash) state = State{.hash = std::string(hash)};
  if (!state.contest.has_value()) {
    const auto tally = std::find_if(state.tallies.begin(), state.tallies.end(),
                                    [&](const Tally& t) { return t.path == path; });
    const bool is_over = tally != state.tallies.end() && tally->tries >= options_.free_tries &&
                         now - tally->first < options_.window;
    if (!is_over) return true;
    Begin(state, path, false, now);
  }
  state.in_place_since.reset();
  state.contest->path = path;
  if (!writer.empty()) state.contest->writer = writer;
  state.contest->again_at = state.next_try;
  return now >= state.next_try;
}

void Contention::Sent(const Id& id, std::string_view path, absl::Time now) {
  const auto found = states_.find(id);
  if (found == states_.end()) return;
  State& state = found->second;
  if (state.contest.has_value()) {
    // Only whoever changes answers is known to have gone by an answer.
    if (state.contest->in_answer) {
      states_.erase(found);
      return;
    }
    state.wait = std::min(state.wait * 2, options_.longest_wait);
    state.next_try = now + state.wait;
    state.contest->again_at = state.next_try;
    return;
  }
  const auto tally = std::find_if(state.tallies.begin(), state.tallies.end(),
                                  [&](const Tally& t) { return t.path == path; });
  if (tally == state.tallies.end()) {
    if (state.tallies.size() == kMostTallies) state.tallies.erase(state.tallies.begin());
    state.tallies.push_back({std::string(path), now, 1});
  } else if (now - tally->first >= options_.window) {
    *tally = {std::string(path), now, 1};
  } else {
    ++tally->tries;
  }
}

void Contention::Rewritten(const Id& id, std::string_view path, absl::Time now) {
  State& state = states_[id];
  if (!state.contest.has_value()) {
    Begin(state, path, true, now);
    return;
  }
  state.contest->path = path;
  state.contest->in_answer = true;
  state.wait = std::min(state.wait * 2, options_.longest_wait);
  state.next_try = now + state.wait;
  state.contest->again_at = state.next_try;
}

void Contention::InPlace(const Id& id, absl::Time now) {
  const auto found = states_.find(id);
  if (found == states_.end() || !found->second.contest.has_value()) return;
  State& state = found->second;
  if (!state.in_place_since.has_value()) state.in_place_since = now;
  if (now - *state.in_place_since >= options_.calm) {
    states_.erase(found);
  } else {
    state.contest->again_at = *state.in_place_since + options_.calm;
  }
}

std::optional<Contention::Contest> Contention::Find(const Id& id) const {
  const auto found = states_.find(id);
  return found == states_.end() ? std::nullopt : found->second.contest;
}

}  // namespace calico::kube
