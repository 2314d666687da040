#include "operator/standin/typha_addresses.h"

#include <algorithm>

namespace calico::standin {

void AddTyphas(const api::EndpointSlice& slice, std::vector<TyphaAddress>& typhas) {
  const auto port =
      std::find_if(slice.ports.begin(), slice.ports.end(),
                   [](const api::EndpointPort& one) { return one.name == "calico-typha"; });
  if (port == slice.ports.end()) return;
  for (const api::Endpoint& endpoint : slice.endpoints) {
    if (!endpoint.ready) continue;
    for (const std::string& address : endpoint.addresses) {
      typhas.push_back({address, static_cast<uint16_t>(port->port)});
    }
  }
}

}  // namespace calico::standin
