// What each command does. For commands.cc and its tests.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_FUNCTIONS_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_FUNCTIONS_H_

#include "operator/calicert/cfssl/commands/options.h"
#include "operator/calicert/command/terminal.h"

namespace calico::calicert::cfssl {

int GenerateKey(const Options& options, Terminal& terminal);
int GenerateCertificate(const Options& options, Terminal& terminal);
int GenerateRequest(const Options& options, Terminal& terminal);
int Sign(const Options& options, Terminal& terminal);
int SelfSignCommand(const Options& options, Terminal& terminal);
int CertificateInfo(const Options& options, Terminal& terminal);
int Bundle(const Options& options, Terminal& terminal);
int PrintDefaults(const Options& options, Terminal& terminal);
int GenerateCrl(const Options& options, Terminal& terminal);
int DatabaseCrl(const Options& options, Terminal& terminal);
int SignerInfo(const Options& options, Terminal& terminal);
int PrintVersion(const Options& options, Terminal& terminal);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_FUNCTIONS_H_
