// `calicert calico certificate-management`.
#ifndef CALICO_OPERATOR_CALICERT_CALICO_CALICO_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_CALICO_CALICO_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

std::vector<Command> CalicoCommands();

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CALICO_CALICO_COMMANDS_H_
