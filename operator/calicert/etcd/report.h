// What the etcd commands print, for people and as values for -o json|yaml.
#ifndef CALICO_OPERATOR_CALICERT_ETCD_REPORT_H_
#define CALICO_OPERATOR_CALICERT_ETCD_REPORT_H_

#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/command/output.h"
#include "operator/calicert/command/terminal.h"
#include "operator/calicert/etcd/generate.h"
#include "operator/calicert/etcd/layout.h"
#include "operator/calicert/etcd/verify.h"
#include "pkg/codec/json.h"

namespace calico::calicert::etcd {

// Findings for people, each in two or three lines, with colours on a terminal.
std::string FindingsText(const std::vector<Finding>& findings, const Terminal& terminal);
// [{"severity", "file", "role", "check", "refusedBy", "reason", "advice"}].
json::array FindingsValue(const std::vector<Finding>& findings);

// "create   server of etcd-1   certs/server-etcd-1.pem: it is missing".
std::string StepLine(const Step& step);
json::array StepsValue(const std::vector<Step>& steps);

// One row of `etcd show` for each CA and pair.
struct ShownRow {
  std::string file;
  std::string role;
  std::string name;  // common name
  std::string usages;
  std::string hosts;
  absl::Time not_after = absl::InfinitePast();  // infinite: there is no certificate
  std::string issuer;                           // common name
  std::string key;                              // "ECDSA-P256", "missing", ...
  std::string status;                           // "ok", "ends soon", "missing", ...
};
// Reads the files. Blocking.
std::vector<ShownRow> ShowRows(const Layout& layout, absl::Time now);
std::string ShowText(const std::vector<ShownRow>& rows, OutputFormat format, absl::Time now);
json::array ShowValue(const std::vector<ShownRow>& rows, absl::Time now);

}  // namespace calico::calicert::etcd

#endif  // CALICO_OPERATOR_CALICERT_ETCD_REPORT_H_
