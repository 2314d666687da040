// The fields of an Installation that Installation::Decode reads, as a table: what they are, and
// whether something is rendered from them. It decides what is an ignored field; a test compares it
// with the schema, and the operator asks by it whether the API server keeps what matters.
#ifndef CALICO_PKG_API_OPERATOR_INSTALLATION_FIELDS_H_
#define CALICO_PKG_API_OPERATOR_INSTALLATION_FIELDS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/types/span.h>

#include "pkg/codec/json.h"

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
  // The first release that renders it, such as "v3.33"; before, `fixed` is what fits. Empty: all.
  std::string_view since = {};
};

absl::Span<const InstallationField> InstallationFields();

// The one at `path`, or null.
const InstallationField* FindInstallationField(std::string_view path);

// Paths of what `spec` asks for and `release` ("v3.32"; empty: the newest) does not act on, sorted:
// fields that are not rendered ("spec.windowsNodes"), and those whose value is another one than
// what is rendered always ("spec.calicoNetwork.windowsDataplane" when HNS). Only the topmost path
// is named. What asks for nothing (null, "", [], {}) or says what is so anyway is not named. For
// the spec as the user has it: defaults are no wish.
std::vector<std::string> IgnoredFields(const json::object& spec, std::string_view release = {});

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_INSTALLATION_FIELDS_H_
