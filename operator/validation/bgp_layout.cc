#include "operator/validation/bgp_layout.h"

#include <fmt/format.h>

namespace calico::validation {
namespace {

constexpr std::string_view kLayoutKey = "earlyNetworkConfiguration";

}  // namespace

absl::Status CheckBgpLayout(const api::StringMap& data, std::string_view ns) {
  if (data.find(kLayoutKey) != data.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("ConfigMap {}/bgp-layout has no key {}: write the layout there, or delete the "
                  "ConfigMap",
                  ns, kLayoutKey));
}

}  // namespace calico::validation
