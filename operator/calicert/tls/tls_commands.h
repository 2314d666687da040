// `calicert tls SERVICE`.
#ifndef CALICO_OPERATOR_CALICERT_TLS_TLS_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_TLS_TLS_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

std::vector<Command> TlsCommands();

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_TLS_TLS_COMMANDS_H_
