// Commands that look after what exists: `expiring`, `check`, `explain`.
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_INVENTORY_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_INVENTORY_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

std::vector<Command> InventoryCommands();

namespace inventory {

// Something ends within the time asked about.
inline constexpr int kExitExpiring = 3;
// The signer would deny; it would wait.
inline constexpr int kExitWouldDeny = 3;
inline constexpr int kExitWouldWait = 4;

Command ExpiringCommand();
Command CheckCommand();
Command ExplainCommand();

}  // namespace inventory
}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_INVENTORY_COMMANDS_H_
