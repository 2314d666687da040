// A certificate in words, as a line of a table, and as JSON with stable names.
#ifndef CALICO_OPERATOR_CALICERT_CERTIFICATES_DESCRIBE_H_
#define CALICO_OPERATOR_CALICERT_CERTIFICATES_DESCRIBE_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/command/output.h"
#include "pkg/base/ip_address.h"
#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert {

// "2026-11-28T21:00:00Z".
std::string TimeText(absl::Time time);
// "in 45d", "12h ago".
std::string DistanceText(absl::Time time, absl::Time now);
// "expires in 45d", "expired 3d ago", "valid in 2h".
std::string ValidityText(const pki::Certificate& certificate, absl::Time now);
// "DNS:a, IP:10.0.0.1"; empty without names.
std::string NamesText(const std::vector<std::string>& dns_names,
                      const std::vector<base::IpAddress>& ip_addresses,
                      const std::vector<std::string>& emails, const std::vector<std::string>& uris);
// "serverAuth, clientAuth"; "any" without the extension; "CA" of a CA without it.
std::string PurposeText(const pki::Certificate& certificate);
// What identifies it for people: the common name, else the whole subject, else its first name.
std::string TitleOf(const pki::Certificate& certificate);

// Several lines, two spaces of indent, each "Label: value"; the problems of lint at the end.
std::string Paragraph(const pki::Certificate& certificate, absl::Time now);
std::string Paragraph(const pki::CertificateRequest& request);

json::object Describe(const pki::Certificate& certificate, absl::Time now);
json::object Describe(const pki::CertificateRequest& request);

// SOURCE, NAME, ISSUER, USAGES, EXPIRES; wide: NAMES, KEY, SERIAL.
Table CertificateTable();
void AddCertificate(Table& table, std::string_view source, const pki::Certificate& certificate,
                    absl::Time now);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CERTIFICATES_DESCRIBE_H_
