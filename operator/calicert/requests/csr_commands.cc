#include "operator/calicert/requests/csr_commands.h"

namespace calico::calicert {

std::vector<Command> CsrCommands() {
  return {requests::CreateCommand(), requests::ApproveCommand(), requests::DenyCommand(),
          requests::SignCommand(),   requests::GetCommand(),     requests::ListCommand(),
          requests::DeleteCommand(), requests::WaitCommand()};
}

}  // namespace calico::calicert
