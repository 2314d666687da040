// Is the signer of a cluster in order: is it there, may it do what it has to, is its policy
// readable, is its CA good and the one that the Installation trusts? As far as it can be read.
#ifndef CALICO_OPERATOR_CALICERT_INVENTORY_SIGNER_STATE_H_
#define CALICO_OPERATOR_CALICERT_INVENTORY_SIGNER_STATE_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cluster/cluster.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/codec/json.h"

namespace calico::calicert::inventory {

enum class Outcome { kGood, kWarning, kBad };
// "ok", "warning", "FAILED".
std::string_view ToString(Outcome outcome);

struct Finding {
  std::string check;  // "deployment", "signer-name", "rights", "policy", "ca", "trust"
  Outcome outcome = Outcome::kGood;
  std::string text;
};

// What the Deployment says about the program in it.
struct SignerProgram {
  std::vector<std::string> signer_names;  // --signer-name
  std::string service_account;
  // Secret and key of --ca-cert, ConfigMap and key of --policy; empty without the flag, or where
  // the file is not from such a volume.
  std::string ca_secret;
  std::string ca_key;
  std::string policy_map;
  std::string policy_key;
  std::string policy_file;  // --policy; empty: the built-in one
  int ready_replicas = 0;
};

// Takes what comes: what is missing stays empty.
SignerProgram ProgramOf(const json::object& deployment);

struct SignerQuestions {
  api::ObjectKey deployment = {"csr-signer", "csr-signer"};
  std::string signer_name;  // empty: the Installation's, else the first that the signer serves
  absl::Duration ca_lasts = absl::Hours(24 * 30);  // a CA that ends sooner is a warning
};

// Every check, in order; those that rest on one that failed are left out. Errors: of the client,
// but for what may not be read, which is a warning.
aio::Task<absl::StatusOr<std::vector<Finding>>> CheckSigner(Cluster& cluster,
                                                            SignerQuestions questions);

}  // namespace calico::calicert::inventory

#endif  // CALICO_OPERATOR_CALICERT_INVENTORY_SIGNER_STATE_H_
