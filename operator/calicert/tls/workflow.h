// From a Service's name to its certificate in the cluster: key, request, object, approval,
// signature, download, Secret and ConfigMap.
//
// Safe to repeat: a pair that will do is left alone; a request that an interrupted run has left
// behind (our label on it, its key lost) is replaced.
#ifndef CALICO_OPERATOR_CALICERT_TLS_WORKFLOW_H_
#define CALICO_OPERATOR_CALICERT_TLS_WORKFLOW_H_

#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/requests/issuers.h"
#include "pkg/aio/task.h"
#include "pkg/pki/certificate.h"

namespace calico::calicert::tls {

// Says that this command has made a request.
inline constexpr char kManagedBy[] = "app.kubernetes.io/managed-by";
inline constexpr char kCalicert[] = "calicert";

struct Target {
  bool secret = false;
  bool config_map = false;
  bool files = false;
};

struct Plan {
  std::string service;
  std::string csr_name;
  std::string signer_name;
  std::vector<std::string> usages;
  std::optional<int32_t> expiration_seconds;
  // A CSR description in cfssl's JSON; empty: of the Service's own names.
  std::string description;
  std::string description_file;  // as messages name it
  std::vector<std::string> more_hosts;
  std::string cluster_domain = "cluster.local";

  std::string ca_text;  // as it was read: what ca.crt will hold
  std::vector<pki::Certificate> ca;
  // Absent: somebody else approves and signs, and is waited for.
  std::optional<requests::CertificateSource> issuer;
  absl::Duration timeout = absl::Minutes(5);

  Target target;
  std::string secret_name;
  std::string config_map_name;
  std::string directory;
  bool renew = false;    // even if what is there will do
  bool dry_run = false;  // print the objects
};

// Does it and tells each step on stderr, results on stdout in kubectl's words. The exit code.
// Lifetime: `plan` outlives the task.
aio::Task<absl::StatusOr<int>> IssueForService(Cluster& cluster, const Plan& plan);

}  // namespace calico::calicert::tls

#endif  // CALICO_OPERATOR_CALICERT_TLS_WORKFLOW_H_
