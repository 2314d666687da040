// The commands of a certificate's day: what it is, when it ends, whether it is any good, in another
// form, and anew. All of them work without a cluster.
#ifndef CALICO_OPERATOR_CALICERT_CERTIFICATES_COMMANDS_H_
#define CALICO_OPERATOR_CALICERT_CERTIFICATES_COMMANDS_H_

#include <vector>

#include "operator/calicert/certificates/material.h"
#include "operator/calicert/command/command.h"

namespace calico::calicert {

// inspect, needs-renewal, lint, verify, fingerprint, format, key inspect, renew. With `cluster`
// those that read certificates take names of a cluster's objects too.
std::vector<Command> CertificateCommands(const DeclareCluster& cluster = nullptr);

Command InspectCommand(const DeclareCluster& cluster);
Command NeedsRenewalCommand(const DeclareCluster& cluster);
Command LintCommand(const DeclareCluster& cluster);
Command FingerprintCommand(const DeclareCluster& cluster);
Command VerifyCommand(const DeclareCluster& cluster);
Command FormatCommand();
Command KeyInspectCommand();
Command RenewCommand();

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CERTIFICATES_COMMANDS_H_
