// calicert by each of its names, with the terminal as an argument.
#ifndef CALICO_OPERATOR_CMD_CALICERT_PROGRAM_H_
#define CALICO_OPERATOR_CMD_CALICERT_PROGRAM_H_

#include "operator/calicert/command/terminal.h"

namespace calico::calicert {

// The last part of argv[0] says which program it is: "kubectl-calicert" is calicert as a plug-in of
// kubectl, which asks "kubectl_complete-calicert" for completion; "cfssl" and "cfssljson" take what
// those take; every other name is calicert. Returns the exit code. Requires: argv[0] is there.
int RunCalicert(int argc, const char* const* argv, Terminal& terminal);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CMD_CALICERT_PROGRAM_H_
