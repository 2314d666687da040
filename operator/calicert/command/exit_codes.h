// How commands end. A command with further codes names them in its help (config::Flags::ExitCode).
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_EXIT_CODES_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_EXIT_CODES_H_

#include "operator/config/flags.h"

namespace calico::calicert {

inline constexpr int kExitOk = 0;
// It did not work; of a command that answers a question: no.
inline constexpr int kExitFailed = 1;
// Unknown command, flag or argument; nothing was done.
inline constexpr int kExitUsage = config::kExitUsage;

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_EXIT_CODES_H_
