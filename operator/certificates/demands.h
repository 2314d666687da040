// What is asked of the certificates: which pairs there shall be, for whom, and who signs.
#ifndef CALICO_OPERATOR_CERTIFICATES_DEMANDS_H_
#define CALICO_OPERATOR_CERTIFICATES_DEMANDS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/pki/verify.h"

namespace calico::certificates {

// In the operator's namespace.
inline constexpr std::string_view kCaSecret = "tigera-ca-private";
inline constexpr std::string_view kTyphaCa = "typha-ca";  // the user's ConfigMap
inline constexpr std::string_view kTyphaCaKey = "caBundle";
// There, and where pods mount them.
inline constexpr std::string_view kNodeCerts = "node-certs";
inline constexpr std::string_view kTyphaCerts = "typha-certs";
inline constexpr std::string_view kApiServerCerts = "calico-apiserver-certs";

struct KeyPairDemand {
  std::string name;  // of the Secret, and of the volume
  std::string ns;    // where the pods are
  // Of the certificate, in alphabetical order; the first is its common name.
  std::vector<std::string> dns_names;
  // What the pods do with it.
  std::vector<pki::ExtendedKeyUsage> usages;
  // felix and typha look at each other's name, and trust a certificate that the user supplies.
  bool is_peer = false;
  // The kind, of the operator's group, whose object `default` owns the Secrets.
  std::string owner = "Installation";

  friend bool operator==(const KeyPairDemand&, const KeyPairDemand&) = default;
};

KeyPairDemand NodeKeyPair();
KeyPairDemand TyphaKeyPair();
// calico-system, or calico-apiserver with Calico 3.27.
std::string_view ApiServerNamespace(std::string_view release);
// The domain is mostly cluster.local.
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

  friend bool operator==(const Demands&, const Demands&) = default;
};

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_DEMANDS_H_
