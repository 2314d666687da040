// Listen addresses as flags take them: `:8080`, `127.0.0.1:8080`, `[::1]:8080`.
#ifndef CALICO_PKG_SERVING_ADDRESS_H_
#define CALICO_PKG_SERVING_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace calico::serving {

struct ListenAddress {
  std::string host;   // an IP address
  uint16_t port = 0;  // 0 = any free one
};

// Without a host: all addresses, IPv6 and IPv4. Errors: InvalidArgument naming what is wrong.
absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace calico::serving

#endif  // CALICO_PKG_SERVING_ADDRESS_H_
