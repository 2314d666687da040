// `calicert calico typha-tls` and `calicert calico typha-check`.
#ifndef CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/cluster_writer.h"
#include "operator/calicert/command/command.h"

namespace calico::calicert {

// `writer`: for `typha-tls --apply`; null: there is no such flag.
std::vector<Command> TyphaCommands(const DeclareWriter& writer = nullptr);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CALICO_TYPHA_TYPHA_COMMANDS_H_
