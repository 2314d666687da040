// A chain link by link: who signed whom, and which link does not hold and why. OpenSSL stops at its
// first objection and names a number; people want to know which file to mend.
#ifndef CALICO_OPERATOR_CALICERT_CERTIFICATES_CHAIN_REPORT_H_
#define CALICO_OPERATOR_CALICERT_CERTIFICATES_CHAIN_REPORT_H_

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "pkg/pki/certificate.h"
#include "pkg/pki/verify.h"

namespace calico::calicert {

struct ChainQuestion {
  std::vector<pki::Certificate> chain;  // the leaf, then what may stand above it; not empty
  std::vector<pki::Certificate> roots;  // trusted; not empty
  std::string roots_name;               // for messages: "ca.pem"
  pki::ExtendedKeyUsage purpose = pki::ExtendedKeyUsage::kAny;
  absl::Time now;
};

struct ChainLink {
  std::string subject;
  std::string verdict;  // "signed by CN=root", "trusted (ca.pem)", or what is wrong
  bool holds = true;
};

struct ChainReport {
  std::vector<ChainLink> links;  // from the leaf upwards, as far as it goes
  bool holds = true;             // what VerifyChain says
};

ChainReport JudgeChain(const ChainQuestion& question);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CERTIFICATES_CHAIN_REPORT_H_
