// The fields of an Installation that Installation::Decode reads, as a table: what they are, and
// whether something is rendered from them. It decides what is an ignored field; a test compares it
// with the schema, and the operator asks by it whether the API server keeps what matters.
#ifndef CALICO_PKG_API_OPERATOR_INSTALLATION_FIELDS_H_
#define CALICO_PKG_API_OPERATOR_INSTALLATION_FIELDS_H_

#include <string_view>

#include <absl/types/span.h>

namespace calico::api {

struct InstallationField {
  enum class Use {
    kParent,    // Fields below are in the table and say it.
    kRendered,  // Its value shows in what is rendered, with everything below.
    kFixed,     // What is rendered always fits the values `fixed`, and no other.
    kIgnored,   // Read, but not rendered.
  };
  std::string_view path;  // "spec.calicoNetwork.ipPools[].cidr"
  // As in the schema: "string", "bytes" (base64), "integer", "boolean", "array", "object",
  // "int-or-string".
  std::string_view type;
  Use use = Use::kRendered;
  std::string_view fixed = {};                     // JSON: one value, or an array of several.
  absl::Span<const std::string_view> values = {};  // Empty: any.
};

absl::Span<const InstallationField> InstallationFields();

// The one at `path`, or null.
const InstallationField* FindInstallationField(std::string_view path);

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_INSTALLATION_FIELDS_H_
