#include "operator/calicert/requests/csr_printing.h"

#include <utility>

#include <fmt/format.h>

#include "operator/calicert/requests/csr_text.h"
#include "operator/calicert/requests/signing.h"
#include "operator/calicert/requests/submission.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

std::string TableOf(const std::vector<Csr>& csrs, OutputFormat format, absl::Time now) {
  constexpr size_t kNarrow = 6;
  std::vector<Table::Column> columns;
  for (std::string& title : CsrHeader(true)) {
    columns.push_back({std::move(title), columns.size() >= kNarrow});
  }
  Table table(std::move(columns));
  for (const Csr& csr : csrs) table.AddRow(CsrRow(csr, now, true));
  return table.Text(format);
}

json::object WithoutManagedFields(json::object object) {
  json::value* const metadata = object.if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->get_object().erase("managedFields");
  return object;
}

std::string DocumentOf(const std::vector<json::object>& objects, bool is_list,
                       OutputFormat format) {
  if (!is_list && objects.size() == 1) {
    return Document(WithoutManagedFields(objects.front()), format);
  }
  json::array items;
  for (const json::object& object : objects) items.push_back(WithoutManagedFields(object));
  return Document(json::object{{"apiVersion", "v1"},
                               {"items", std::move(items)},
                               {"kind", "List"},
                               {"metadata", json::object{{"resourceVersion", ""}}}},
                  format);
}

absl::StatusOr<std::string> TextOf(const std::vector<Csr>& csrs, OutputFormat format) {
  std::string text;
  for (const Csr& csr : csrs) {
    switch (format) {
      case OutputFormat::kName:
        text += CsrName(csr.meta.name) + "\n";
        break;
      case OutputFormat::kPem:
        CALICO_RETURN_IF_ERROR(IssuedLeaf(csr));
        text += csr.certificate_pem;
        break;
      default:
        if (!text.empty()) text += "\n\n";
        text += CsrDescription(csr);
    }
  }
  return text;
}

}  // namespace

std::string CsrName(std::string_view name) {
  return fmt::format("{}/{}", kCsrPlural, Printable(name));
}

absl::StatusOr<std::string> PrintCsrs(const std::vector<json::object>& objects, bool is_list,
                                      OutputFormat format, absl::Time now) {
  if (format == OutputFormat::kJson || format == OutputFormat::kYaml) {
    return DocumentOf(objects, is_list, format);
  }
  std::vector<Csr> csrs;
  for (const json::object& object : objects) {
    CALICO_ASSIGN_OR_RETURN(Csr csr, Csr::Decode(object));
    csrs.push_back(std::move(csr));
  }
  if (format == OutputFormat::kTable || format == OutputFormat::kWide) {
    return TableOf(csrs, format, now);
  }
  return TextOf(csrs, format);
}

}  // namespace calico::calicert::requests
