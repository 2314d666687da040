#include "operator/controllers/installation/cache_health.h"

#include <algorithm>

#include <fmt/format.h>

namespace calico::installation {
namespace {

constexpr absl::Duration kRefusalPatience = absl::Seconds(2);
constexpr absl::Duration kRestartPatience = absl::Seconds(10);
constexpr absl::Duration kOutagePatience = absl::Minutes(2);
constexpr std::string_view kMissingRight =
    "the operator lacks a right that this version needs: apply the operator.yaml of this version; "
    "this goes on by itself then";
constexpr std::string_view kRestGoesOn = ", and everything else does meanwhile";
constexpr std::string_view kNothingGoesOn =
    "until all of this can be looked at, what runs is left as it is and nothing is made";
constexpr std::string_view kMissingSecretsRight =
    "the operator lacks the right to the Secrets of spec.imagePullSecrets: run `kubectl apply "
    "--server-side -f image-pull-secrets.yaml` with the file of this version";
constexpr std::string_view kMissingKind =
    "the API server does not serve a kind of this operator: apply the crds.yaml of this version, "
    "or run the operator with --manage-crds";

// When it is told.
absl::Time TellAt(const CacheState& cache) {
  if (!cache.trouble.has_value()) return cache.started + kOutagePatience;
  const kube::CacheTrouble& trouble = *cache.trouble;
  if (trouble.refused_since == absl::InfiniteFuture()) return trouble.since + kOutagePatience;
  const bool was_outage = trouble.since < trouble.refused_since;
  const absl::Time refused = trouble.refused_since;
  // What could have been told as an outage goes on being told.
  return std::min(refused + (was_outage ? kRestartPatience : kRefusalPatience),
                  trouble.since + kOutagePatience);
}

std::string LineOf(const CacheState& cache) {
  if (cache.trouble.has_value()) return std::string(cache.trouble->error.message());
  return fmt::format("list {}: no answer yet", cache.resource->kind);
}

}  // namespace

CacheHealth JudgeCaches(const std::vector<CacheState>& caches, absl::Time now) {
  CacheHealth health;
  bool lacks_right = false;
  bool lacks_secrets_right = false;
  bool lacks_kind = false;
  bool is_held_up = false;
  for (const CacheState& cache : caches) {
    if (cache.has_synced && !cache.trouble.has_value()) continue;
    const absl::Duration left = TellAt(cache) - now;
    if (left > absl::ZeroDuration()) {
      health.recheck_after = std::min(health.recheck_after, left);
      if (!cache.has_synced) health.settled = false;
      continue;
    }
    is_held_up = is_held_up || (cache.is_vital && !cache.has_synced);
    std::string line = LineOf(cache);
    if (std::find(health.lines.begin(), health.lines.end(), line) == health.lines.end()) {
      health.lines.push_back(std::move(line));
    }
    if (!cache.trouble.has_value()) continue;
    if (absl::IsPermissionDenied(cache.trouble->error)) {
      (cache.is_of_copies ? lacks_secrets_right : lacks_right) = true;
    }
    lacks_kind = lacks_kind || absl::IsNotFound(cache.trouble->error);
  }
  if (lacks_right) {
    health.lines.push_back(fmt::format("{}{}", kMissingRight, is_held_up ? "" : kRestGoesOn));
  }
  if (lacks_secrets_right) health.lines.emplace_back(kMissingSecretsRight);
  if (lacks_kind) health.lines.emplace_back(kMissingKind);
  if (is_held_up) health.lines.emplace_back(kNothingGoesOn);
  return health;
}

}  // namespace calico::installation
