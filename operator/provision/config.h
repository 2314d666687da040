// What the key-cert-provisioner init container is told by its environment.
//
// The variables are the reference's; POD_UID, POD_IPS and EXTENDED_KEY_USAGES are new.
// EMAIL_ADDRESS is accepted and ignored with a warning: nothing in Calico looks at it and no signer
// policy should allow it.
#ifndef CALICO_OPERATOR_PROVISION_CONFIG_H_
#define CALICO_OPERATOR_PROVISION_CONFIG_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"
#include "pkg/pki/verify.h"

namespace calico::provision {

struct Config {
  std::string directory;                      // CERTIFICATE_PATH
  std::string key_file = "tls.key";           // KEY_NAME, a plain file name
  std::string certificate_file = "tls.crt";   // CERT_NAME
  std::string ca_file;                        // CA_CERT_NAME; empty = not written
  std::string signer_name;                    // SIGNER
  std::string common_name;                    // COMMON_NAME
  std::vector<std::string> dns_names;         // DNS_NAMES, comma-separated
  std::vector<base::IpAddress> ip_addresses;  // POD_IP, then the rest of POD_IPS
  // EXTENDED_KEY_USAGES: what the certificate is for. Asked for, and demanded of what is issued.
  std::vector<pki::ExtendedKeyUsage> usages = {pki::ExtendedKeyUsage::kServerAuth,
                                               pki::ExtendedKeyUsage::kClientAuth};
  std::string app_name;       // APP_NAME, value of the two labels
  std::string pod_name;       // POD_NAME
  std::string pod_namespace;  // POD_NAMESPACE
  std::string pod_uid;        // POD_UID
  pki::KeyAlgorithm key_algorithm = pki::KeyAlgorithm::kRsa2048;  // KEY_ALGORITHM
  pki::SignatureAlgorithm signature_algorithm = pki::SignatureAlgorithm::kSha256WithRsa;
  std::string ca_pem;                             // CA_CERT, decoded; written as ca_file
  std::vector<pki::Certificate> ca_certificates;  // the trust anchors in it; empty = no chain check
  absl::Duration timeout = absl::Seconds(90);     // TIMEOUT_DURATION, from the CSR's submission
  std::string server;                             // URL of the API server, for messages; not read
  std::vector<std::string> warnings;              // what was ignored

  // `namespace:pod:uid6`.
  std::string RequestName() const;
};

// Errors: kInvalidArgument with every problem at once, each naming its variable.
absl::StatusOr<Config> LoadConfig(const kube::Environment& environment);

// A Go duration such as `90s`, `1m30s`, `1.5h`; must be positive.
absl::StatusOr<absl::Duration> ParseGoDuration(const std::string& text);

}  // namespace calico::provision

#endif  // CALICO_OPERATOR_PROVISION_CONFIG_H_
