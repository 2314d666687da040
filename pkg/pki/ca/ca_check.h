// Will a CA do for the certificates that are wanted of it? Decided before anything depends on it,
// from certificates, demands and the time alone, so that whoever trusts a CA and whoever signs with
// it say the same.
#ifndef CALICO_PKG_PKI_CA_CA_CHECK_H_
#define CALICO_PKG_PKI_CA_CA_CHECK_H_

#include <cstddef>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::pki {

// A CA that ends within this time is worth a note.
inline constexpr absl::Duration kCaEndsSoon = absl::Hours(30 * 24);

// What the certificates below a CA will be.
struct CaDemands {
  struct Usage {
    std::string oid;
    std::string who;  // needs it, for messages
  };
  std::vector<Usage> usages;
  std::vector<std::string> names;  // DNS names, which are common names too
  // Certificates will be asked for with addresses, and with which ones as far as that is known. A
  // CA that does not permit them is worth a note only, because its signer may leave them out.
  bool has_ip_addresses = false;
  std::vector<base::IpAddress> ip_addresses;
};

// Everything that keeps `ca` from serving at any time: no CA (basicConstraints, keyUsage), a weak
// key, unreadable for Go, an extended key usage or name constraints that leave out a usage or name
// that is demanded. Phrases that follow the certificate's name, each with what to do.
std::vector<std::string> CaProblems(const Certificate& ca, const CaDemands& demands);

// "the certificate (CN=a)" or "certificate 2 of 3 (CN=a)".
std::string NameInFile(size_t index, absl::Span<const Certificate> file);

struct CaFindings {
  std::vector<std::string> problems;
  std::vector<std::string> notes;
  // When problems or notes change by themselves.
  absl::Time recheck_at = absl::InfiniteFuture();
};

// A bundle of trusted CAs at `now`. In a rollover an expired or a future one beside a good one is
// normal: a note with its date. When none is valid, each one's date is a problem. The others are
// judged by CaProblems, an expired one by nothing else. A path length that forbids a valid one
// below is a note: each member is trusted itself, so that what the lower one signs is taken
// (VerifyChain and Go say so), but not by those who trust the upper one alone.
CaFindings CheckCaBundle(absl::Span<const Certificate> bundle, const CaDemands& demands,
                         absl::Time now);

// Which certificates of a CA's file sign and are sent.
struct CaChain {
  std::vector<size_t> indices;     // of the file: the CA itself, then each one's issuer
  std::vector<std::string> notes;  // which are left out and why; what peers may refuse
};

// The certificate of `file` that is for `key` and valid at `now`, wherever it stands, and the valid
// ones above it. Where several would do, the one that ends last. One above that is not valid ends
// the chain with a note. Errors: FailedPrecondition: none is for the key; none of those is valid,
// with the dates.
absl::StatusOr<CaChain> ChooseCaChain(absl::Span<const Certificate> file, const PublicKey& key,
                                      absl::Time now);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_CA_CA_CHECK_H_
