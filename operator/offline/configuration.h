// Calico's own configuration beside what is rendered: IPPools, FelixConfiguration and the like as
// they will be.
#ifndef CALICO_OPERATOR_OFFLINE_CONFIGURATION_H_
#define CALICO_OPERATOR_OFFLINE_CONFIGURATION_H_

#include <string>
#include <string_view>
#include <vector>

#include "operator/offline/world.h"
#include "pkg/codec/json.h"

namespace calico::offline {

// The objects that are made, and those of the world that are changed, as they are then. `given` is
// the spec before its defaults. What stands in the way, and what will be deleted, goes to
// `warnings`.
std::vector<json::object> Configuration(const World& world, std::string_view release,
                                        const json::object& given, const json::object& completed,
                                        std::vector<std::string>& warnings);

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_CONFIGURATION_H_
