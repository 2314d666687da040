// What `etcd generate` does with each pair, decided from what is wanted and what is there. A key
// that is there is never replaced unless that is asked for: what is half written is completed, what
// has changed or ends gets a new certificate for the same key.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_DECISION_H_
#define CALICO_OPERATOR_CALICERT_ETCD_DECISION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/etcd/layout.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::calicert::etcd {

// What the files of one pair hold. An empty file counts as none.
struct Found {
  bool has_certificate = false;
  std::string certificate_problem;      // why it cannot be read
  std::vector<pki::Certificate> chain;  // the leaf first; empty unless it could be read
  bool has_key = false;
  std::string key_problem;
  std::optional<pki::PublicKey> key;  // of the key file, if it could be read

  bool IsEmpty() const { return !has_certificate && !has_key; }
  // Certificate and key are there and belong together.
  bool IsPair() const;
};

struct DecisionOptions {
  // What ends within this time is renewed. Absent: 30 days, or a third of its life if that is less.
  std::optional<absl::Duration> renew_within;
  bool new_keys = false;  // --force: pairs
  bool new_ca = false;    // and CAs
};

enum class Action {
  kKeep,
  kCreate,   // a new key and its certificate
  kCertify,  // a certificate for the key that is there
  kRefuse,   // nothing can be done without somebody's decision
};
// "keep", "create", "certify", "refuse".
std::string_view ToString(Action action);

struct Decision {
  Action action = Action::kKeep;
  std::string reason;
  std::string advice;  // of kRefuse
  std::string note;    // of kKeep: what differs and stays
};

// `others_exist`: certificates below it are there.
Decision DecideCa(const WantedCa& wanted, const Found& found, bool others_exist,
                  const DecisionOptions& options, absl::Time now);

// `ca`: as it will be, null when it is not known yet (a new one). `ca_key_is_here`: something can
// be signed.
Decision DecidePair(const WantedPair& wanted, const Found& found, const pki::Certificate* ca,
                    bool ca_key_is_here, const DecisionOptions& options, absl::Time now);

// What of `certificate` is not as wanted: "it is for a, not for a, b"; nothing when all is.
std::optional<std::string> Difference(const WantedPair& wanted,
                                      const pki::Certificate& certificate);

// Whether a certificate is due at `now`.
bool IsDue(const pki::Certificate& certificate, const DecisionOptions& options, absl::Time now);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_DECISION_H_
