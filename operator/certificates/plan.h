// The plan of certificates: which key pairs there are and who makes them, which Secrets that takes,
// and whom Calico's programs trust.
//
//   CALICO_ASSIGN_OR_RETURN(const Plan plan,
//                           MakePlan(live, demands, clock.Now(), pki::PrivateKey::Generate));
//
// Names, data keys and hashes are those of Calico's own operator, so that what it made is kept and
// it could go on with what we make. Without certificateManagement the operator is the CA
// (tigera-ca-private); with it pods ask for their certificates. A Secret that the user has put into
// the operator's namespace wins over both, is never changed, and is copied to where pods mount it.
//
// Pure: no I/O, no clock. It takes CPU time where a key must be made (RSA 2048, 0.1 s each), which
// happens once. A Plan holds private keys, in memory that is wiped; its copies share them.
#ifndef CALICO_OPERATOR_CERTIFICATES_PLAN_H_
#define CALICO_OPERATOR_CERTIFICATES_PLAN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/certificates/authority.h"
#include "operator/certificates/demands.h"
#include "operator/certificates/planned_secret.h"
#include "operator/certificates/trust.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/secret.h"

namespace calico::certificates {

// What the cluster has. Objects that the plan does not need are passed over.
struct Live {
  std::vector<api::Secret> secrets;  // of the operator's namespace and of those of the pairs
  std::optional<api::ConfigMap> typha_ca;
  std::optional<api::ConfigMap> trusted_bundle;  // calico-system/tigera-ca-bundle
  // Of files that people pass around: a private key that is this text was taken out, and counts as
  // the certificate's. Empty: no key is, as in a cluster.
  std::string_view withheld_key;
};

enum class Source { kOperatorSigned, kUserSupplied, kRequest };
std::string_view ToString(Source source);

struct KeyPair {
  std::string name;
  std::string ns;
  Source source = Source::kOperatorSigned;
  // What peers look for in the certificate; of a user-supplied one, one of them may be empty.
  std::string common_name;
  std::string uri_san;
  // On the template of pods that do not read the files again. The value is empty for kRequest.
  std::string hash_annotation;
  std::string hash;
  // As it is in tls.crt; empty for kRequest.
  std::string certificate_pem;
  // What a client has to trust, such as an APIService's caBundle.
  std::string issuer_pem;
  absl::Time not_after = absl::InfiniteFuture();
};

struct SecretDeletion {
  std::string name;
  std::string ns;
  std::string uid;  // with the version the precondition
  std::string resource_version;
};

struct Plan {
  std::vector<KeyPair> key_pairs;  // in the order of the demands; without those that are not usable
  TrustedBundle bundle;

  // In the operator's namespace, the CA first. Those with a new key are written one after the
  // other, in this order, before anything else of this plan is: when one of them fails, for
  // instance because another process has made the Secret meanwhile, the plan is void and has to be
  // made anew from what is there. A CA can thereby not be made twice.
  std::vector<PlannedSecret> originals;
  std::vector<PlannedSecret> copies;  // where pods mount them
  // With certificateManagement: what the operator made for pods that ask now, and its own CA, which
  // nobody trusts any more. A CA of the user's stays.
  std::vector<SecretDeletion> deletions;

  // Sentences that name object, cause and next step. With a problem the status is Degraded, and
  // what pods have is kept.
  std::vector<std::string> problems;
  // Likewise, of pairs that the APIServer owns: nothing but Calico's API server depends on them.
  std::vector<std::string> api_server_problems;
  std::vector<std::string> warnings;
  // For the log: why a certificate is made anew.
  std::vector<std::string> notes;
  // There is a key pair for each demand, those of the APIServer aside, and a bundle. Otherwise
  // nothing can be rendered.
  bool is_complete = true;
  // When something changes by itself.
  absl::Time recheck_at = absl::InfiniteFuture();

  // The pair, or nullptr.
  const KeyPair* Find(std::string_view name) const;
  // Some `originals` hold a new key.
  bool HasNewKeys() const;
};

// What is wrong with an object of the cluster is among the problems; the Status is about this
// program. Errors: InvalidArgument for demands without a namespace, a pair or a name; Internal when
// the library fails, and what `new_key` returns. Threading: may run on any thread.
absl::StatusOr<Plan> MakePlan(const Live& live, const Demands& demands, absl::Time now,
                              KeySource new_key);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_PLAN_H_
