// The names that a CA may not put under itself (RFC 5280 4.2.1.10), told before it has done so.
//
// OpenSSL and Go judge them only in a chain, and OpenSSL says no more than "permitted subtree
// violation". Here the constraint and the name are named.
#ifndef CALICO_PKG_PKI_CA_NAME_CONSTRAINTS_H_
#define CALICO_PKG_PKI_CA_NAME_CONSTRAINTS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"

namespace calico::pki {

// Of one certificate. Views: what they show outlives the call.
struct SubjectNames {
  std::string_view common_name;
  absl::Span<const std::string> dns_names;
  absl::Span<const base::IpAddress> ip_addresses;
};

// What `ca` forbids of `wanted`, in phrases such as `its name constraints permit only the DNS names
// "example.com", not "typha-server"`; empty when all is allowed. A common name counts as a subject
// without other attributes. IPv4 and IPv6 are one kind of name: a list of IPv4 ranges permits no
// IPv6 address.
std::vector<std::string> NameConstraintViolations(const Certificate& ca,
                                                  const SubjectNames& wanted);

// The same for every CA of a chain at once. Errors: FailedPrecondition with the subject of the CA,
// the constraint and the names.
absl::Status CheckNameConstraints(absl::Span<const Certificate> cas,
                                  absl::Span<const std::string> dns_names,
                                  absl::Span<const base::IpAddress> ip_addresses,
                                  std::string_view common_name = {});

// Its constraints speak of IP addresses at all, so that it matters which ones will be asked for.
bool ConstrainsIpAddresses(const Certificate& ca);
// ... and leave none.
bool ForbidsEveryIpAddress(const Certificate& ca);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_CA_NAME_CONSTRAINTS_H_
