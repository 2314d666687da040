// What the installation controller is told when it starts.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_OPTIONS_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_OPTIONS_H_

#include <optional>
#include <string>

#include "operator/render/inputs.h"
#include "operator/render/release.h"

namespace calico::installation {

struct InstallationControllerOptions {
  const render::Release* release = nullptr;  // what is installed; outlives the controller
  std::string operator_namespace;
  std::string operator_name;  // of the operator's own Deployment, for its DNS settings
  // KUBERNETES_SERVICE_HOST and _PORT of the process, where there is no ConfigMap with them.
  std::optional<render::ApiEndpoint> process_endpoint;
  std::string mtu_file;           // see cluster::ReadMtuFile; empty: none
  bool manages_crds = false;      // an older CustomResourceDefinition is updated by this process
  bool allows_downgrade = false;  // of Calico, to an older minor release
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_OPTIONS_H_
