#include "operator/controllers/installation/cache_health.h"

#include <algorithm>

#include <fmt/format.h>

#include "pkg/kube/client/errors.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kRefusalPatience = absl::Seconds(2);
constexpr absl::Duration kOutagePatience = absl::Minutes(2);
constexpr std::string_view kMissingRight =
    "the operator lacks a right that this version needs: apply the operator.yaml of this version; "
    "everything else goes on, and this does by itself then";
constexpr std::string_view kMissingKind =
    "the API server does not serve a kind of this operator: apply the crds.yaml of this version, "
    "or run the operator with --manage-crds";

// The API server has understood and does not want to.
bool IsRefusal(const absl::Status& status) {
  const std::optional<kube::ApiError> error = kube::FindApiError(status);
  return error.has_value() && error->http_status >= 400 && error->http_status < 500 &&
         error->http_status != 429;
}

absl::Duration PatienceOf(const CacheState& cache) {
  return cache.trouble.has_value() && IsRefusal(cache.trouble->error) ? kRefusalPatience
                                                                      : kOutagePatience;
}

std::string LineOf(const CacheState& cache) {
  if (cache.trouble.has_value()) return std::string(cache.trouble->error.message());
  return fmt::format("list {}: no answer yet", cache.resource->kind);
}

}  // namespace

CacheHealth JudgeCaches(const std::vector<CacheState>& caches, absl::Time started, absl::Time now) {
  CacheHealth health;
  bool lacks_right = false;
  bool lacks_kind = false;
  for (const CacheState& cache : caches) {
    if (cache.has_synced && !cache.trouble.has_value()) continue;
    const absl::Time since = cache.trouble.has_value() ? cache.trouble->since : started;
    const absl::Duration left = since + PatienceOf(cache) - now;
    if (left > absl::ZeroDuration()) {
      health.recheck_after = std::min(health.recheck_after, left);
      if (!cache.has_synced) health.settled = false;
      continue;
    }
    std::string line = LineOf(cache);
    if (std::find(health.lines.begin(), health.lines.end(), line) == health.lines.end()) {
      health.lines.push_back(std::move(line));
    }
    if (!cache.trouble.has_value()) continue;
    lacks_right = lacks_right || absl::IsPermissionDenied(cache.trouble->error);
    lacks_kind = lacks_kind || absl::IsNotFound(cache.trouble->error);
  }
  if (lacks_right) health.lines.emplace_back(kMissingRight);
  if (lacks_kind) health.lines.emplace_back(kMissingKind);
  return health;
}

}  // namespace calico::installation
