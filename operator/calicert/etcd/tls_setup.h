// A folder of etcd's hack/tls-setup, unchanged: config/ca-config.json, config/ca-csr.json,
// config/req-csr.json and config/req-COMPONENT.json for each user or component.
//
// Both generations of its Makefile are there: certs/etcd1 to etcd3 and proxy1, or, where the
// variables infra0, infra1, … are set as for make, certs/$infra0 and certs/peer-$infra0.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_TLS_SETUP_H_
#define CALICO_OPERATOR_CALICERT_ETCD_TLS_SETUP_H_

#include <functional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/calicert/etcd/layout.h"
#include "operator/config/flags.h"

namespace calico::calicert::etcd {

struct TlsSetupOptions {
  // NAME=HOST[,HOST...]: members of these names in place of etcd1 to etcd3, each with these hosts
  // beside those of req-csr.json.
  std::vector<std::string> members;
  config::EnvironmentReader environment;  // for infra0, infra1, ...
};

// Layout::folder is FOLDER/certs. What is likely a mistake goes to Layout::notes.
// Errors: InvalidArgument with the file, line and column; NotFound for a missing file, naming what
// it is for. Blocking: reads files.
absl::StatusOr<Layout> ReadTlsSetup(const std::string& folder, const TlsSetupOptions& options);

// "NAME=HOST[,HOST...]". Errors: InvalidArgument.
absl::Status ParseMember(const std::string& text, std::string* name,
                         std::vector<std::string>* hosts);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_TLS_SETUP_H_
