// `calicert csr ...`: CertificateSigningRequests from the description to the certificate.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_CSR_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_CSR_COMMANDS_H_

#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

// create, approve, deny, sign, get, list, delete, wait.
std::vector<Command> CsrCommands();

namespace requests {

// Exit codes of `csr wait` beside the usual ones.
inline constexpr int kExitDenied = 3;
inline constexpr int kExitCsrFailed = 4;
inline constexpr int kExitTimeout = 5;

Command CreateCommand();
Command ApproveCommand();
Command DenyCommand();
Command SignCommand();
Command GetCommand();
Command ListCommand();
Command DeleteCommand();
Command WaitCommand();

}  // namespace requests
}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_CSR_COMMANDS_H_
