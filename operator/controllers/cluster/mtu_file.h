// The MTU that Calico's CNI plugin has found on this node.
#ifndef CALICO_OPERATOR_CONTROLLERS_CLUSTER_MTU_FILE_H_
#define CALICO_OPERATOR_CONTROLLERS_CLUSTER_MTU_FILE_H_

#include <string>

#include <absl/status/statusor.h>

namespace calico::cluster {

// Where it writes it, in the host's folder that is mounted into the operator's pod.
inline constexpr char kMtuFile[] = "/var/lib/calico/mtu";

// 0 when there is no such file. Errors: kInvalidArgument when it says no MTU, or cannot be read.
// Blocking: a read of a few bytes.
absl::StatusOr<int> ReadMtuFile(const std::string& path);

}  // namespace calico::cluster

#endif  // CALICO_OPERATOR_CONTROLLERS_CLUSTER_MTU_FILE_H_
