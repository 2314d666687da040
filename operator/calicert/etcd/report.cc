#include "operator/calicert/etcd/report.h"

#include <fmt/format.h>

#include "operator/calicert/etcd/chain_check.h"
#include "operator/calicert/etcd/store.h"
#include "pkg/codec/time.h"
#include "pkg/pki/host_names.h"

namespace calico::calicert::etcd {
namespace {

constexpr absl::Duration kEndsSoonInShow = kEndsSoon;

Colour ColourOf(Severity severity) {
  return severity == Severity::kError ? Colour::kRed : Colour::kYellow;
}

std::string Residual(absl::Time not_after, absl::Time now) {
  if (not_after == absl::InfinitePast()) return "";
  return not_after <= now ? "expired" : ShortPeriod(not_after - now);
}

ShownRow RowOf(const std::string& file, const std::string& key_file, std::string role,
               absl::Time now) {
  const Found found = ReadFound(file, key_file);
  ShownRow row{.file = file, .role = std::move(role)};
  row.key =
      found.key.has_value() ? found.key->Description() : (found.has_key ? "unreadable" : "missing");
  if (found.chain.empty()) {
    row.status = found.has_certificate ? "unreadable" : "missing";
    return row;
  }
  const pki::Certificate& leaf = found.chain.front();
  row.name = leaf.common_name();
  row.usages = leaf.is_ca() ? "CA" : UsageList(leaf);
  row.hosts = leaf.dns_names().empty() && leaf.ip_addresses().empty() ? "" : pki::NameList(leaf);
  row.not_after = leaf.not_after();
  row.issuer = leaf.is_self_signed() ? "" : leaf.issuer_common_name();
  if (found.key.has_value() && !found.IsPair()) {
    row.status = "other key";
  } else if (now > leaf.not_after()) {
    row.status = "expired";
  } else if (now < leaf.not_before()) {
    row.status = "not yet valid";
  } else {
    row.status = leaf.not_after() - now < kEndsSoonInShow ? "ends soon" : "ok";
  }
  return row;
}

}  // namespace

std::string FindingsText(const std::vector<Finding>& findings, const Terminal& terminal) {
  std::string text;
  for (const Finding& finding : findings) {
    const std::string word = Coloured(terminal, terminal.out_is_terminal,
                                      ColourOf(finding.severity), ToString(finding.severity));
    text += fmt::format("{}: {} ({}): {}\n", word, Printable(finding.file), Printable(finding.role),
                        Printable(finding.reason));
    if (!finding.refuser.empty()) {
      const bool depends = finding.severity == Severity::kWarning && finding.check == "source";
      text += fmt::format("  {}refused by: {}\n", depends ? "otherwise " : "",
                          Printable(finding.refuser));
    }
    if (!finding.advice.empty()) text += fmt::format("  do: {}\n", Printable(finding.advice));
  }
  return text;
}

json::array FindingsValue(const std::vector<Finding>& findings) {
  json::array list;
  for (const Finding& finding : findings) {
    json::object item = {{"severity", std::string(ToString(finding.severity))},
                         {"file", finding.file},
                         {"role", finding.role},
                         {"check", finding.check},
                         {"reason", finding.reason}};
    if (!finding.refuser.empty()) item["refusedBy"] = finding.refuser;
    if (!finding.advice.empty()) item["advice"] = finding.advice;
    list.push_back(std::move(item));
  }
  return list;
}

std::string StepLine(const Step& step) {
  std::string line = fmt::format("{:8} {} ({})", ToString(step.decision.action),
                                 Printable(step.title), Printable(step.certificate_file));
  if (!step.decision.reason.empty()) line += ": " + Printable(step.decision.reason);
  if (!step.decision.note.empty()) line += ": " + Printable(step.decision.note);
  if (step.cut_to_ca) line += "; it ends with its CA, at " + TimeText(step.not_after);
  if (!step.decision.advice.empty()) line += ": " + Printable(step.decision.advice);
  return line;
}

json::array StepsValue(const std::vector<Step>& steps) {
  json::array list;
  for (const Step& step : steps) {
    json::object item = {{"action", std::string(ToString(step.decision.action))},
                         {"certificate", step.title},
                         {"file", step.certificate_file}};
    if (!step.decision.reason.empty()) item["reason"] = step.decision.reason;
    if (!step.decision.note.empty()) item["note"] = step.decision.note;
    if (!step.decision.advice.empty()) item["advice"] = step.decision.advice;
    if (step.not_after != absl::InfinitePast()) {
      item["notAfter"] = codec::EncodeTime(step.not_after);
    }
    list.push_back(std::move(item));
  }
  return list;
}

std::vector<ShownRow> ShowRows(const Layout& layout, absl::Time now) {
  std::vector<ShownRow> rows;
  for (const WantedCa& ca : layout.cas) {
    rows.push_back(RowOf(layout.CertificateFile(ca.base), layout.KeyFile(ca.base), ca.title, now));
  }
  for (const WantedPair& pair : layout.pairs) {
    rows.push_back(
        RowOf(layout.CertificateFile(pair.base), layout.KeyFile(pair.base), pair.Title(), now));
  }
  return rows;
}

std::string ShowText(const std::vector<ShownRow>& rows, OutputFormat format, absl::Time now) {
  Table table({{.title = "CERTIFICATE"},
               {.title = "ROLE"},
               {.title = "CN"},
               {.title = "NAMES"},
               {.title = "USAGES"},
               {.title = "EXPIRES"},
               {.title = "RESIDUAL TIME"},
               {.title = "CERTIFICATE AUTHORITY"},
               {.title = "KEY", .only_wide = true},
               {.title = "STATUS"}});
  for (const ShownRow& row : rows) {
    table.AddRow({row.file, row.role, row.name, row.hosts, row.usages,
                  row.not_after == absl::InfinitePast() ? "" : TimeText(row.not_after),
                  Residual(row.not_after, now), row.issuer, row.key, row.status});
  }
  return table.Text(format);
}

json::array ShowValue(const std::vector<ShownRow>& rows, absl::Time now) {
  json::array list;
  for (const ShownRow& row : rows) {
    json::object item = {
        {"file", row.file}, {"role", row.role}, {"status", row.status}, {"key", row.key}};
    if (row.not_after != absl::InfinitePast()) {
      item["commonName"] = row.name;
      item["names"] = row.hosts;
      item["usages"] = row.usages;
      item["notAfter"] = codec::EncodeTime(row.not_after);
      item["residualSeconds"] = absl::ToInt64Seconds(row.not_after - now);
      if (!row.issuer.empty()) item["certificateAuthority"] = row.issuer;
    }
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace calico::calicert::etcd
