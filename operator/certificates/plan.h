// The plan of certificates: which key pairs there are and who makes them, which Secrets that takes,
// and whom Calico's programs trust.
//
//   CALICO_ASSIGN_OR_RETURN(const Plan plan,
//                           MakePlan(live, demands, clock.Now(), &pki::PrivateKey::Generate));
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

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/certificates/trust.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/secret.h"
#include "pkg/codec/json.h"
#include "pkg/pki/key.h"
#include "pkg/pki/verify.h"

namespace calico::certificates {

// In the operator's namespace.
inline constexpr std::string_view kCaSecret = "tigera-ca-private";
inline constexpr std::string_view kTyphaCa = "typha-ca";  // the user's ConfigMap
// There, and where pods mount them.
inline constexpr std::string_view kNodeCerts = "node-certs";
inline constexpr std::string_view kTyphaCerts = "typha-certs";
inline constexpr std::string_view kApiServerCerts = "calico-apiserver-certs";

// Why a time is looked at again; a certificate is replaced or warned about so long before its end.
inline constexpr absl::Duration kRenewBefore = absl::Hours(24 * 30);

struct KeyPairDemand {
  std::string name;  // of the Secret, and of the volume
  std::string ns;    // where the pods are
  // Of the certificate; the first of them in alphabetical order is its common name.
  std::vector<std::string> dns_names;
  // What the pods do with it.
  std::vector<pki::ExtendedKeyUsage> usages;
  // felix and typha look at each other's name, and trust a certificate that the user supplies.
  bool is_peer = false;
};

KeyPairDemand NodeKeyPair();
KeyPairDemand TyphaKeyPair();
// `ns` is calico-system, or calico-apiserver with Calico 3.27; the domain is mostly cluster.local.
KeyPairDemand ApiServerKeyPair(std::string_view ns, std::string_view cluster_domain);

struct Demands {
  std::string release;  // "v3.33"
  std::string operator_namespace;
  std::vector<KeyPairDemand> key_pairs;
  // spec.certificateManagement.caCert, decoded and validated; absent: the operator is the CA.
  std::optional<std::string> ca_cert;
  // A file of public roots; null: there is none, and what is in the cluster stays.
  std::shared_ptr<const std::string> system_roots;
  // No pod of before certificateManagement is left. Until then the Secrets that such pods mount
  // stay, and the CA with them, so that a pod can start again and the way back is open.
  bool is_rolled_out = true;
};

// What the cluster has. Objects that the plan does not need are passed over.
struct Live {
  std::vector<api::Secret> secrets;  // of the operator's namespace and of those of the pairs
  std::optional<api::ConfigMap> typha_ca;
  std::optional<api::ConfigMap> trusted_bundle;  // calico-system/tigera-ca-bundle
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

// A Secret as it shall be.
struct PlannedSecret {
  enum class Write {
    kKeep,     // no new key in it: applied like any other object
    kCreate,   // a new key: only if there is no such Secret
    kReplace,  // a new key: only in place of `resource_version`
  };

  std::string name;
  std::string ns;
  Write write = Write::kKeep;
  std::string resource_version;
  api::StringMap labels;
  api::StringMap annotations;
  api::SecretData data;
};

// apiVersion, kind, metadata (name, namespace, labels, annotations), type and data. It holds base64
// of the key: make it late, keep it shortly.
json::object ToObject(const PlannedSecret& secret);

struct SecretDeletion {
  std::string name;
  std::string ns;
  std::string uid;  // the precondition
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
  std::vector<SecretDeletion> deletions;

  // Sentences that name object, cause and next step. With a problem the status is Degraded, and
  // what pods have is kept.
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  // There is a key pair for each demand, and a bundle. Otherwise nothing can be rendered.
  bool is_complete = true;
  // When something changes by itself.
  absl::Time recheck_at = absl::InfiniteFuture();

  // The pair, or nullptr.
  const KeyPair* Find(std::string_view name) const;
  // Some `originals` hold a new key.
  bool HasNewKeys() const;
};

using KeySource = absl::FunctionRef<absl::StatusOr<pki::PrivateKey>(pki::KeyAlgorithm)>;

// What is wrong with an object of the cluster is among the problems; the Status is about this
// program. Errors: InvalidArgument for demands that name no namespace or nothing to make; Internal
// when the library or `new_key` fails. Threading: may run on any thread.
absl::StatusOr<Plan> MakePlan(const Live& live, const Demands& demands, absl::Time now,
                              KeySource new_key);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_PLAN_H_
