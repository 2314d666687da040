// The forms of names and values that an Installation holds.
#ifndef CALICO_OPERATOR_VALIDATION_NAMES_H_
#define CALICO_OPERATOR_VALIDATION_NAMES_H_

#include <string_view>

namespace calico::validation {

// Parts of an image reference; empty and "UseDefault" are fine. No scheme, no blanks.
bool IsRegistry(std::string_view text);
bool IsImagePath(std::string_view text);
bool IsImagePrefix(std::string_view text);

// Keys of labels, annotations, taints: a name of at most 63 characters, with a DNS subdomain and a
// slash before it or without.
bool IsQualifiedName(std::string_view text);
// Values of labels: at most 63 characters, may be empty.
bool IsLabelValue(std::string_view text);
// Domain and slash are there: "example.com/gpu".
bool HasDomain(std::string_view qualified_name);

// An absolute path of a host that Kubernetes takes for a volume: no ".." in it.
bool IsHostPath(std::string_view text);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_NAMES_H_
