// Where the API server is, as somebody wrote it into a ConfigMap or an environment. It is checked
// before anything is told to go there: a pod that is rolled to a wrong address never comes back.
#ifndef CALICO_OPERATOR_VALIDATION_API_ENDPOINT_H_
#define CALICO_OPERATOR_VALIDATION_API_ENDPOINT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace calico::validation {

inline constexpr std::string_view kServiceHostKey = "KUBERNETES_SERVICE_HOST";
inline constexpr std::string_view kServicePortKey = "KUBERNETES_SERVICE_PORT";
// Behind both keys: where pods of the pods' network reach it.
inline constexpr std::string_view kPodNetworkSuffix = "_POD_NETWORK";

struct EndpointVerdict {
  std::string host;  // an IP address without brackets, or a DNS name in lower case
  std::string port;  // 1 to 65535
  // One for each key, beginning with it: what is wrong and what to write. Empty: host and port are
  // good, or both were left empty.
  std::vector<std::string> problems;

  bool ok() const { return problems.empty(); }
  // Neither was given.
  bool empty() const { return problems.empty() && host.empty(); }
};

// Takes white space around them, brackets around an IPv6 address, upper case and a final dot away.
// One without the other is a problem. The keys that problems name end with `key_suffix`.
EndpointVerdict ReadApiEndpoint(std::string_view host, std::string_view port,
                                std::string_view key_suffix = "");

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_API_ENDPOINT_H_
