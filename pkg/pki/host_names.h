// Does a certificate stand for the host that is dialled? By RFC 6125 as Go's TLS clients judge it,
// kube-apiserver, etcd and Felix among them.
#ifndef CALICO_PKG_PKI_HOST_NAMES_H_
#define CALICO_PKG_PKI_HOST_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

#include "pkg/pki/certificate.h"

namespace calico::pki {

// Why a client that has dialled `host` (a name, or an address with or without brackets) refuses
// this certificate, or nothing. An address counts among the addresses only, a name among the DNS
// names: whatever its case, with or without a dot at the host's end, `*` for all of the first
// label. The common name is not looked at.
std::optional<std::string> HostProblem(const Certificate& certificate, std::string_view host);

// Whether there is any host at all by which it can be dialled: an address of somebody, or a name.
bool HasUsableName(const Certificate& certificate);

// "localhost, 10.0.0.11": DNS names and addresses, an empty one in quotes; "no name" for none.
std::string NameList(const Certificate& certificate);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_HOST_NAMES_H_
