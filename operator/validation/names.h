// The forms of names that an Installation holds.
#ifndef CALICO_OPERATOR_VALIDATION_NAMES_H_
#define CALICO_OPERATOR_VALIDATION_NAMES_H_

#include <string_view>

namespace calico::validation {

// Parts of an image reference; empty and "UseDefault" are fine. No scheme, no blanks.
bool IsRegistry(std::string_view text);
bool IsImagePath(std::string_view text);
bool IsImagePrefix(std::string_view text);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_NAMES_H_
