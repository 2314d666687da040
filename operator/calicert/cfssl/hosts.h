// The `hosts` of a request, and the value of -hostname, as subject alternative names.
//
// cfssl makes a DNS name of everything that is no IP address, e-mail address or URI, though no TLS
// client can ever match `localhost:443` or `192.168.0.0/16`. Here such a host is an error that says
// what to write.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_HOSTS_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_HOSTS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/pki/compose/composition.h"

namespace calico::calicert::cfssl {

struct SplitNames {
  pki::AlternativeNameLists names;
  std::vector<std::string> warnings;
};

// IP address, else e-mail address (`Name <a@b>` gives a@b), else URI (spiffe://..., urn:..., and
// http:// with a path), else DNS name. Each kind keeps the order of the list.
// With a warning: white space around a host is dropped, a dot at its end too; an empty host stays
// an empty DNS name, as the files for users of etcd have it.
// `what` begins each message: "hosts" gives `hosts[0]: "localhost:443" ...`.
// Errors: InvalidArgument with every host that is none, on lines of their own.
absl::StatusOr<SplitNames> SplitHosts(const std::vector<std::string>& hosts, std::string_view what);

// The value of -hostname: cut at commas, without white space around the parts.
std::vector<std::string> SplitHostnameFlag(std::string_view text);

// The ASCII form of an internationalized name ("xn--bcher-kva.example"), for advice; empty when
// there is none. Letters are taken as they are: capitals with accents are not made small.
std::string AsciiHost(std::string_view host);

// `<name>`, `$NAME` and `{{ name }}`, as templates and documents have them.
bool IsPlaceholder(std::string_view text);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_HOSTS_H_
