// The forms of names that an Installation holds.
#ifndef CALICO_OPERATOR_POLICY_INSTALLATION_NAMES_H_
#define CALICO_OPERATOR_POLICY_INSTALLATION_NAMES_H_

#include <string_view>

namespace calico::policy {

// Parts of an image reference; empty and "UseDefault" are fine. No scheme, no blanks.
bool IsRegistry(std::string_view text);
bool IsImagePath(std::string_view text);
bool IsImagePrefix(std::string_view text);

}  // namespace calico::policy

#endif  // CALICO_OPERATOR_POLICY_INSTALLATION_NAMES_H_
