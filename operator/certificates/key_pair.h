// A key pair as it lies in a Secret: found under the names that Calico has used over the years,
// read, and judged.
#ifndef CALICO_OPERATOR_CERTIFICATES_KEY_PAIR_H_
#define CALICO_OPERATOR_CERTIFICATES_KEY_PAIR_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/certificates/demands.h"
#include "pkg/api/core/secret.h"
#include "pkg/base/secret_string.h"
#include "pkg/pki/certificate.h"

namespace calico::certificates {

// The usual keys of the data.
inline constexpr std::string_view kCertificateKey = "tls.crt";
inline constexpr std::string_view kPrivateKeyKey = "tls.key";
// What peers shall look for in a certificate that the user supplies.
inline constexpr std::string_view kCommonNameKey = "common-name";
inline constexpr std::string_view kUriSanKey = "uri-san";

// Certificates of the operator have an issuer whose common name begins so.
inline constexpr std::string_view kOperatorIssuer = "tigera-operator-signer";

struct StoredPair {
  std::string certificate_pem;  // as it is; empty when there is none
  base::SharedSecret key_pem;
  std::vector<pki::Certificate> chain;  // the leaf first; empty when it cannot be read
  std::string common_name;              // common-name of the data
  std::string uri_san;                  // uri-san of the data
  // OK: both halves are there and can be read, and the key is the leaf's. Otherwise a phrase that
  // follows the name of the Secret; it names the key of the data and never quotes a value.
  absl::Status status;

  bool has_leaf() const { return !chain.empty(); }
  // Requires: has_leaf().
  const pki::Certificate& leaf() const { return chain.front(); }
};

// Of the known pairs of names the first one that is whole counts, else the first with a half. A key
// that is `withheld` (not empty) is taken for the right one.
StoredPair ReadPair(const api::Secret& secret, std::string_view withheld = {});

// Both are what the data of a copy holds besides everything that the original has.
void SetPair(std::string_view certificate_pem, const base::SharedSecret& key_pem,
             api::SecretData& data);

// Whether pods can work with a pair that the user supplies: phrases that follow the Secret's name.
// An expired or unsuitable certificate is a problem, since every connection would fail.
struct PairFindings {
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};
// Requires: pair.status.ok().
PairFindings CheckSuppliedPair(const StoredPair& pair, const KeyPairDemand& demand, absl::Time now);

// Why a certificate that the operator has signed does not do any more; empty when it does. Whether
// it is about to end is not looked at. Requires: pair.has_leaf().
std::string Shortcoming(const StoredPair& pair, const KeyPairDemand& demand, absl::Time now);

// Whether the operator has made the Secret. `is_ours_by_key`: its leaf verifies with the CA's key.
// A name alone proves nothing, but neither does the user put the operator's into a certificate of
// his own without saying what peers shall look for. Nor does a key: where the CA is the user's, so
// may be what it has signed, and only the owner tells.
bool IsMadeByOperator(const api::Secret& secret, const StoredPair& pair, bool is_ours_by_key);

// The Secret belongs to the Installation (or another kind of the operator's group).
bool IsOwned(const api::Secret& secret);

// "2027-01-15 08:00 UTC".
std::string TimeText(absl::Time time);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_KEY_PAIR_H_
