// `calicert etcd …`: certificates for etcd clusters.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_ETCD_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/cluster_writer.h"
#include "operator/calicert/command/command.h"

namespace calico::calicert {

// init, generate, verify, show, secrets, flags, users. `writer`: for `secrets --apply`; null: there
// is no such flag.
std::vector<Command> EtcdCommands(const DeclareWriter& writer = nullptr);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_ETCD_COMMANDS_H_
