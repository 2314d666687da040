// Rendering without a cluster: what the operator would make of an Installation in a world that
// files describe.
//
// It goes the way of the running operator (complete, check, render) with the same functions; only
// where the facts come from differs.
#ifndef CALICO_OPERATOR_OFFLINE_RENDERING_H_
#define CALICO_OPERATOR_OFFLINE_RENDERING_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/offline/world.h"
#include "operator/render/inputs.h"
#include "operator/render/release.h"
#include "pkg/codec/json.h"

namespace calico::offline {

// What the operator's pod knows by itself.
struct Surroundings {
  const render::Release* release = nullptr;  // outlives the call
  std::string operator_namespace;
  std::string operator_name;  // of its Deployment, whose DNS settings calico-node gets
  std::optional<render::ApiEndpoint> api_endpoint;  // absent: nothing is told to pods
  // Public roots for clients of other servers; null: pods have those of their images.
  std::shared_ptr<const std::string> system_roots;
  int nodes = 3;  // Linux nodes to assume where the world has no Node
  absl::Time now;
};

struct Rendering {
  // The Installation with every default of the release and its overlay; empty when it cannot be
  // read.
  json::object completed;
  std::vector<json::object> objects;
  // All that keeps the Installation from being installed, "spec.a: text"; then no objects.
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

// Errors: NotFound when the world has no Installation `default`; others for a release that does not
// hold together.
absl::StatusOr<Rendering> RenderOffline(const World& world, const Surroundings& surroundings);

// Every value of a Secret that is no certificate and no plain name becomes REDACTED.
void Redact(json::object& object);

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_RENDERING_H_
