// Where the endpoints of Typha's Service listen.
#ifndef CALICO_OPERATOR_STANDIN_TYPHA_ADDRESSES_H_
#define CALICO_OPERATOR_STANDIN_TYPHA_ADDRESSES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "pkg/api/discovery/endpoint_slice.h"

namespace calico::standin {

struct TyphaAddress {
  std::string address;
  uint16_t port = 0;
};

// Adds the ready endpoints of `slice` with its port `calico-typha`, which is the name that Felix
// looks for; a slice without such a port adds nothing.
void AddTyphas(const api::EndpointSlice& slice, std::vector<TyphaAddress>& typhas);

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_TYPHA_ADDRESSES_H_
