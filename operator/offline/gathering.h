// What rendering takes besides the Installation, out of a world of files.
#ifndef CALICO_OPERATOR_OFFLINE_GATHERING_H_
#define CALICO_OPERATOR_OFFLINE_GATHERING_H_

#include <string>
#include <vector>

#include "operator/defaults/cluster_facts.h"
#include "operator/offline/rendering.h"
#include "operator/offline/world.h"
#include "operator/render/inputs.h"
#include "pkg/api/operator/installation.h"

namespace calico::offline {

// What defaults depend on. No ConfigMap kubeadm-config in the world: no cluster of kubeadm's.
defaults::ClusterFacts GatherClusterFacts(const World& world, const Surroundings& surroundings);

// The ConfigMap kubernetes-services-endpoint, or null.
const json::object* FindEndpoint(const World& world, const Surroundings& surroundings);

// What is missing or wrong goes to `problems`, each with the field or object.
render::Inputs Gather(const World& world, const api::Installation& installation,
                      const Surroundings& surroundings, std::vector<std::string>& problems);

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_GATHERING_H_
