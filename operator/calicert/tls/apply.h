// --apply of the commands that make Secrets and ConfigMaps for Calico.
#ifndef CALICO_OPERATOR_CALICERT_TLS_APPLY_H_
#define CALICO_OPERATOR_CALICERT_TLS_APPLY_H_

#include "operator/calicert/command/cluster_writer.h"

namespace calico::calicert {

// Objects without a namespace go into the one of the flags. What is there gets the data and keeps
// everything else; a Secret of another type, and one that another program manages, is refused, and
// nothing after it is written. kubectl's --user is left out: these commands have one of their own.
DeclareWriter ApplyToCluster();

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_TLS_APPLY_H_
