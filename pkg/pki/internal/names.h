// Subjects and alternative names, from OpenSSL's form and into it.
#ifndef CALICO_PKG_PKI_INTERNAL_NAMES_H_
#define CALICO_PKG_PKI_INTERNAL_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/base/ip_address.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/usage.h"

namespace calico::pki::internal {

// The attributes in order. A value that is no text (a bit string, say) becomes '#' and the
// hexadecimal of its content, as in RFC 4514.
// Errors: InvalidArgument for text that does not decode, or that contains a NUL.
absl::StatusOr<std::vector<NameAttribute>> ReadName(const X509_NAME* name);

// RFC 4514 text: the last attribute first, UTF-8 kept.
std::string NameText(const X509_NAME* name);

// Fills `name` with `attributes` and then the common name, if it is not empty.
// Errors: InvalidArgument naming the attribute.
absl::Status WriteName(X509_NAME* name, std::string_view common_name,
                       const std::vector<NameAttribute>& attributes);

struct AlternativeNames {
  std::vector<std::string> dns_names;
  std::vector<base::IpAddress> ip_addresses;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  std::vector<std::string> other_kinds;  // one of each further name: "otherName", "registeredID"
};

// Errors: InvalidArgument for text that is not ASCII or holds a NUL, or an address of a length that
// does not exist.
absl::StatusOr<AlternativeNames> ReadAlternativeNames(const GENERAL_NAMES* names);

// Errors: InvalidArgument for a text name that is empty, too long or not printable ASCII without
// spaces; Internal. Null when there are no names. `other_kinds` is ignored.
absl::StatusOr<openssl::GeneralNamesPtr> WriteAlternativeNames(const AlternativeNames& names);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_NAMES_H_
