// cfssl's commands, for the table of calicert and for the program `cfssl`, and the program
// `cfssljson`. What differs from cfssl 1.2 on purpose is in docs/CFSSL.md.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert::cfssl {

// genkey, gencert, sign, selfsign, gencsr, certinfo, bundle, print-defaults, gencrl, crl, info,
// version.
std::vector<Command> CfsslCommands();

// cfssljson under its own name in a table of several.
Command CfssljsonCommand();
// The program `cfssljson`: one command without a name.
std::vector<Command> CfssljsonProgram();

// The program `cfssl`: as RunProgram, but a missing or unknown command ends with 1, as there.
int RunCfssl(int argc, const char* const* argv, Terminal& terminal);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_COMMANDS_H_
