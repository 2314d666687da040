// The forms of names that an Installation holds.
#ifndef CALICO_OPERATOR_POLICY_INSTALLATION_NAMES_H_
#define CALICO_OPERATOR_POLICY_INSTALLATION_NAMES_H_

#include <string_view>

namespace calico::policy {

// RFC 1123 label: lower-case letters, digits and '-', no '-' at the ends, at most 63 characters.
bool IsDnsLabel(std::string_view text);
// Labels joined by dots, at most 253 characters: the name of most Kubernetes objects.
bool IsDnsSubdomain(std::string_view text);

// Parts of an image reference; empty and "UseDefault" are fine. No scheme, no blanks.
bool IsRegistry(std::string_view text);
bool IsImagePath(std::string_view text);
bool IsImagePrefix(std::string_view text);

}  // namespace calico::policy

#endif  // CALICO_OPERATOR_POLICY_INSTALLATION_NAMES_H_
