// Whether one certificate passes what every TLS peer of etcd checks before it looks at names: time,
// usage, chain. As Go does it, which etcd, kube-apiserver and Calico are written in.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_CHAIN_CHECK_H_
#define CALICO_OPERATOR_CALICERT_ETCD_CHAIN_CHECK_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::etcd {

// Certificates that somebody trusts, and the file that holds them.
struct Trust {
  std::string file;
  std::vector<pki::Certificate> certificates;
};

struct CheckProblem {
  std::string check;   // "clock", "usage", "chain", "form": closed, for -o json
  std::string reason;  // a phrase about the certificate: "it lacks clientAuth: …"
  std::string advice;  // what to do
};

// "2035-01-01 00:00 UTC".
std::string TimeText(absl::Time time);
// "serverAuth", or "serverAuth, clientAuth".
std::string UsageList(const pki::Certificate& certificate);
// A certificate without the extension may be used for everything.
bool MayServe(const pki::Certificate& certificate);
bool MayBeClient(const pki::Certificate& certificate);

// Clock, form and chain of `chain` (the leaf first, then what is sent with it), for `purpose` as
// far as CAs limit it; the leaf's own usages are not looked at. Requires: `chain` is not empty.
std::vector<CheckProblem> CheckChain(const std::vector<pki::Certificate>& chain, const Trust& trust,
                                     pki::ExtendedKeyUsage purpose, absl::Time now);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_CHAIN_CHECK_H_
