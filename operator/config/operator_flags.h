// The flags that say which operator a command is about.
#ifndef CALICO_OPERATOR_CONFIG_OPERATOR_FLAGS_H_
#define CALICO_OPERATOR_CONFIG_OPERATOR_FLAGS_H_

#include <string>

#include "operator/config/flags.h"

namespace calico::config {

// --namespace (OPERATOR_NAMESPACE) and --operator-name (OPERATOR_NAME) of the operator's
// Deployment. Lifetime: as Flags::Text.
void AddOperatorFlags(Flags& flags, std::string* operator_namespace, std::string* operator_name);

}  // namespace calico::config

#endif  // CALICO_OPERATOR_CONFIG_OPERATOR_FLAGS_H_
