// A certificate with its key, as a Secret or two files hold it, and whether it still does.
#ifndef CALICO_OPERATOR_CALICERT_TLS_PAIR_H_
#define CALICO_OPERATOR_CALICERT_TLS_PAIR_H_

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/base/ip_address.h"
#include "pkg/base/secret_string.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert::tls {

struct Pair {
  std::string certificate_pem;  // leaf first
  base::SharedSecret key_pem;
};

// What a pair has to be.
struct Demands {
  std::vector<pki::Certificate> ca;                  // one of these has to be above it
  const pki::CertificateRequest* request = nullptr;  // whose names it must have
  bool any_purpose = false;                          // it is for something else than a TLS server
};

// OK when certificate and key fit together, the chain leads to the CA, and every name of the
// request is in it. Errors: FailedPrecondition, InvalidArgument: a phrase with the reason.
absl::Status CheckPair(const Pair& pair, const Demands& demands, absl::Time now);

// As CheckPair, and not in the last third of its life.
absl::Status CheckStillGood(const Pair& pair, const Demands& demands, absl::Time now);

}  // namespace calico::calicert::tls

#endif  // CALICO_OPERATOR_CALICERT_TLS_PAIR_H_
