// Between members of etcd: the address that a connection comes from against the certificate that it
// shows, as etcd compares them. The host that is dialled is judged by pkg/pki/host_names.h.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_PEER_NAMES_H_
#define CALICO_OPERATOR_CALICERT_ETCD_PEER_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "pkg/base/ip_address.h"
#include "pkg/pki/certificate.h"

namespace calico::calicert::etcd {

// What name servers say, as far as somebody has asked. A key that is missing was not asked for; an
// empty list is the answer that there is none.
struct Lookups {
  std::map<std::string, std::vector<base::IpAddress>, std::less<>> addresses;  // of a name
  std::map<base::IpAddress, std::vector<std::string>> names;                   // of an address
};

enum class SourceVerdict {
  kAccepted,
  kDepends,  // on an answer that is not in the look-ups
  kRefused,
};

struct SourceFinding {
  SourceVerdict verdict = SourceVerdict::kAccepted;
  std::string reason;  // unless accepted
};

// Whether a member takes a connection from `source` that shows `certificate`
// (--peer-client-cert-auth): one of its addresses is the source; or a DNS name of it has the
// source's address, or is what the address resolves back to (the only way for a wildcard). A
// certificate with neither kind of name is taken from everywhere.
SourceFinding JudgeSource(const pki::Certificate& certificate, const base::IpAddress& source,
                          const Lookups& lookups);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_PEER_NAMES_H_
