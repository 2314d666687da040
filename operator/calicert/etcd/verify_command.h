// `calicert etcd verify`.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_VERIFY_COMMAND_H_
#define CALICO_OPERATOR_CALICERT_ETCD_VERIFY_COMMAND_H_

#include "operator/calicert/command/command.h"

namespace calico::calicert::etcd {

// Exit codes: 0 nobody refuses anything; 1 somebody does; 2 wrong flags or files. With --strict
// warnings count, too.
Run DeclareVerify(config::Flags& flags);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_VERIFY_COMMAND_H_
