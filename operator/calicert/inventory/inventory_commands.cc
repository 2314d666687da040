#include "operator/calicert/inventory/inventory_commands.h"

namespace calico::calicert {

std::vector<Command> InventoryCommands() {
  return {inventory::ExpiringCommand(), inventory::CheckCommand(), inventory::ExplainCommand()};
}

}  // namespace calico::calicert
