#include "operator/calicert/certificates/commands.h"

namespace calico::calicert {

std::vector<Command> CertificateCommands(const DeclareCluster& cluster) {
  return {InspectCommand(cluster),     NeedsRenewalCommand(cluster),
          LintCommand(cluster),        VerifyCommand(cluster),
          FingerprintCommand(cluster), FormatCommand(),
          KeyInspectCommand(),         RenewCommand()};
}

}  // namespace calico::calicert
