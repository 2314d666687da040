// "Did you mean": the known name nearest to one that somebody typed.
#ifndef CALICO_OPERATOR_CONFIG_NEAR_NAME_H_
#define CALICO_OPERATOR_CONFIG_NEAR_NAME_H_

#include <string>
#include <string_view>
#include <vector>

namespace calico::config {

// The first of the nearest of `names`; empty when each is too far away to be more than a guess: a
// third of the letters and one more. Lifetime: that of `names`.
std::string_view NearestName(std::string_view typed, const std::vector<std::string_view>& names);

}  // namespace calico::config

#endif  // CALICO_OPERATOR_CONFIG_NEAR_NAME_H_
