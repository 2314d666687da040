// The way of commands that work offline into a cluster: they know no client of Kubernetes, and are
// given one where the program has one.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_CLUSTER_WRITER_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_CLUSTER_WRITER_H_

#include <functional>
#include <vector>

#include "operator/calicert/command/terminal.h"
#include "operator/config/flags.h"
#include "pkg/codec/json.h"

namespace calico::calicert {

// Writes Secrets and ConfigMaps into the cluster, in their order, and says of each what became of
// it. The exit code; errors are printed.
using ClusterWriter =
    std::function<int(const std::vector<json::value>& objects, Terminal& terminal)>;
// Adds the flags of a cluster, and gives what writes to it once they are set. Null: there is none.
using DeclareWriter = std::function<ClusterWriter(config::Flags& flags)>;

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_CLUSTER_WRITER_H_
