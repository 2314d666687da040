// The section certificateManagement of an Installation: made, judged as the operator judges it, and
// compared with what is there.
#ifndef CALICO_OPERATOR_CALICERT_CALICO_CERTIFICATE_MANAGEMENT_H_
#define CALICO_OPERATOR_CALICERT_CALICO_CERTIFICATE_MANAGEMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/codec/json.h"

namespace calico::calicert::calico_section {

struct SectionOptions {
  std::string ca_text;  // of the CA's file
  std::string signer_name;
  std::string key_algorithm;        // empty: the operator's own choice
  std::string signature_algorithm;  // the same
  // Of the certificate that the signer signs with, if it is known: it has to be one of the CA's, or
  // below one.
  std::string signer_certificate_text;
};

struct Section {
  json::object fields;  // of spec.certificateManagement
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

// caCert becomes the certificates of the file without the text around them.
Section MakeSection(const SectionOptions& options, absl::Time now);

// An Installation that has this section and nothing else.
json::object InstallationWith(const Section& section, std::string_view name);

// A line for each field that changes, "-" and "+" before it; certificates are named, not printed.
// Empty: nothing changes. `old_fields` is null when there is no such section.
std::string DifferenceText(const json::object* old_fields, const json::object& new_fields);

// The merge patch that makes one of the other, for that version of the object only.
json::object PatchTo(const json::object* old_fields, const json::object& new_fields,
                     std::string_view resource_version);

}  // namespace calico::calicert::calico_section

#endif  // CALICO_OPERATOR_CALICERT_CALICO_CERTIFICATE_MANAGEMENT_H_
