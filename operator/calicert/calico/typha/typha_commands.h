// `calicert calico typha-tls` and `calicert calico typha-check`.
#ifndef CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

std::vector<Command> TyphaCommands();

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_COMMANDS_H_
