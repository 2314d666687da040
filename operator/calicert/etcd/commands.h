// `calicert etcd …`: certificates for etcd clusters.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_ETCD_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

// init, generate, verify, show, secrets, flags, users.
std::vector<Command> EtcdCommands();

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_ETCD_COMMANDS_H_
