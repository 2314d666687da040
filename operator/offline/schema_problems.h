// What the API server would refuse, or silently drop, of our own kinds: unknown fields, wrong types
// and values. Without a cluster nobody else says so. The rules in CEL are not asked.
#ifndef CALICO_OPERATOR_OFFLINE_SCHEMA_PROBLEMS_H_
#define CALICO_OPERATOR_OFFLINE_SCHEMA_PROBLEMS_H_

#include <string>
#include <vector>

#include "operator/offline/world.h"

namespace calico::offline {

// "spec.calicoNetwork.bpg: unknown field" of Installation `default`; of others with kind and name
// before it. Only objects of kinds that are defined here are looked at.
std::vector<std::string> SchemaProblems(const World& world);

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_SCHEMA_PROBLEMS_H_
