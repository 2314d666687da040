#include "operator/config/operator_flags.h"

namespace calico::config {

void AddOperatorFlags(Flags& flags, std::string* operator_namespace, std::string* operator_name) {
  flags.Text({.name = "namespace",
              .value = "NAME",
              .help = "where the operator runs",
              .environment = "OPERATOR_NAMESPACE"},
             operator_namespace);
  flags.Text({.name = "operator-name",
              .value = "NAME",
              .help = "of the operator's Deployment",
              .environment = "OPERATOR_NAME"},
             operator_name);
}

}  // namespace calico::config
