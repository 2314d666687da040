// calicert's own file of an etcd cluster (docs/CALICERT.md, section etcd): members with their URLs,
// users with what they may do, proxies, Secrets.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_DESCRIPTION_H_
#define CALICO_OPERATOR_CALICERT_ETCD_DESCRIPTION_H_

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/calicert/etcd/layout.h"

namespace calico::calicert::etcd {

// Errors: InvalidArgument with every problem and its path, such as
// `etcd.members[0].peerURLs: …`, and line and column of the first; a key that the format does not
// have is one, with the nearest that it has. Layout::folder is the file's `directory`.
absl::StatusOr<Layout> ParseDescription(std::string_view yaml);

// What `etcd init` writes: a file with comments that ParseDescription takes, for members
// "NAME=HOST" (each host a name or an address).
// Errors: InvalidArgument for a member that is not of this form, or as ParseDescription.
absl::StatusOr<std::string> ExampleDescription(const std::vector<std::string>& members);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_DESCRIPTION_H_
