// calicert verify.
#include "pkg/pki/verify.h"

#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/certificates/chain_report.h"
#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/certificates/describe.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "pkg/pki/host_names.h"

namespace calico::calicert {
namespace {

constexpr std::string_view kDetails =
    "Checks the chain to a trusted certificate link by link, the dates, the usage, every host that "
    "is named, and the key. Nothing but --ca is trusted. Names are compared as Go compares them: "
    "the common name does not count. Of an https:// source its host is checked too.";

struct VerifyOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  std::vector<std::string> ca_files;
  std::vector<std::string> intermediate_files;
  std::vector<std::string> hosts;
  std::string usage = "server";
  std::string at;
  std::string key_file;
  std::string output;
};

struct Check {
  std::string what;  // "chain: CN=typha", "host typha", "key tls.key"
  std::string verdict;
  bool holds = true;
};

pki::ExtendedKeyUsage PurposeOf(std::string_view usage) {
  if (usage == "server") return pki::ExtendedKeyUsage::kServerAuth;
  return usage == "client" ? pki::ExtendedKeyUsage::kClientAuth : pki::ExtendedKeyUsage::kAny;
}

absl::StatusOr<absl::Time> TimeOf(const VerifyOptions& options, const Terminal& terminal) {
  if (options.at.empty()) return terminal.clock.Now();
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, options.at, &time, &error)) return time;
  return absl::InvalidArgumentError("expected a time such as 2027-01-31T12:00:00Z");
}

// The certificates of all files, one after the other.
absl::Status ReadAll(Terminal& terminal, const std::vector<std::string>& files,
                     const SourceOptions& options, std::vector<pki::Certificate>& all) {
  for (const std::string& file : files) {
    auto certificates = ReadCertificates(terminal, file, options);
    if (!certificates.ok()) return certificates.status();
    for (pki::Certificate& certificate : *certificates) all.push_back(std::move(certificate));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Check>> RunChecks(const VerifyOptions& options, Terminal& terminal) {
  ChainQuestion question{.purpose = PurposeOf(options.usage)};
  const absl::StatusOr<absl::Time> now = TimeOf(options, terminal);
  if (!now.ok()) return now.status();
  question.now = *now;
  question.roots_name = fmt::format("{}", fmt::join(options.ca_files, ", "));
  absl::Status read = ReadAll(terminal, options.sources, options.source, question.chain);
  if (read.ok()) {
    read = ReadAll(terminal, options.intermediate_files, options.source, question.chain);
  }
  if (read.ok()) read = ReadAll(terminal, options.ca_files, options.source, question.roots);
  if (!read.ok()) return read;
  const pki::Certificate& leaf = question.chain.front();
  std::vector<Check> checks;
  for (const ChainLink& link : JudgeChain(question).links) {
    checks.push_back({"chain: " + link.subject, link.verdict, link.holds});
  }
  for (const std::string& host : options.hosts) {
    const std::optional<std::string> problem = pki::HostProblem(leaf, host);
    checks.push_back(
        {"host: " + host, problem.value_or("it is for this host"), !problem.has_value()});
  }
  if (!options.key_file.empty()) {
    const auto key = ReadKey(terminal, options.key_file, options.source.passphrase);
    if (!key.ok()) return key.status();
    const absl::Status match = pki::KeyMatches(leaf, key->key);
    checks.push_back({"key: " + options.key_file,
                      match.ok() ? "it is the certificate's" : std::string(match.message()),
                      match.ok()});
  }
  return checks;
}

void Print(const std::vector<Check>& checks, OutputFormat format, Terminal& terminal) {
  if (format != OutputFormat::kText) {
    json::array documents;
    for (const Check& check : checks) {
      documents.push_back(
          json::object{{"check", check.what}, {"holds", check.holds}, {"message", check.verdict}});
    }
    terminal.out << Document(std::move(documents), format);
    return;
  }
  for (const Check& check : checks) {
    const bool colour = terminal.out_is_terminal;
    terminal.out << (check.holds ? Coloured(terminal, colour, Colour::kGreen, "ok      ")
                                 : Coloured(terminal, colour, Colour::kRed, "FAILED  "))
                 << Printable(check.what) << ": " << Printable(check.verdict) << '\n';
  }
}

int Verify(VerifyOptions options, Terminal& terminal) {
  const std::string& source = options.sources.front();
  if (options.hosts.empty() && source.starts_with("https://")) {
    const std::string_view rest = std::string_view(source).substr(8);
    const size_t end = rest.starts_with('[') ? rest.find(']') + 1 : rest.find_first_of(":/?#");
    options.hosts.emplace_back(rest.substr(0, end));
  }
  const auto checks = RunChecks(options, terminal);
  if (!checks.ok()) return Fail(terminal, checks.status());
  Print(*checks, ParseOutputFormat(options.output), terminal);
  for (const Check& check : *checks) {
    if (!check.holds) return kExitFailed;
  }
  return kExitOk;
}

}  // namespace

Command VerifyCommand(const DeclareCluster& cluster) {
  return {
      .path = "verify",
      .summary = "say whether a certificate will be accepted, and which link fails and why",
      .details = std::string(kDetails),
      .declare = [cluster](config::Flags& flags) -> Run {
        auto options = std::make_shared<VerifyOptions>();
        flags.Arguments({.name = "FILE",
                         .help = "the leaf with its chain: file, \"-\", https://HOST[:PORT] or "
                                 "HOST:PORT",
                         .minimum = 1,
                         .maximum = 1},
                        &options->sources);
        flags.List(
            {.name = "ca", .value = "FILE", .help = "trusted certificates", .required = true},
            &options->ca_files);
        flags.List({.name = "intermediates",
                    .value = "FILE",
                    .help = "further certificates of the chain, not trusted"},
                   &options->intermediate_files);
        flags.List({.name = "host", .value = "NAME", .help = "names or addresses it is dialled by"},
                   &options->hosts);
        flags.Text({.name = "usage",
                    .value = "USAGE",
                    .help = "what it is for",
                    .choices = {"server", "client", "any"}},
                   &options->usage);
        flags.Text({.name = "at", .value = "TIME", .help = "when, as RFC 3339; else now"},
                   &options->at);
        flags.Text({.name = "key", .value = "FILE", .help = "its private key"}, &options->key_file);
        AddOutputFlag(flags, {OutputFormat::kText, OutputFormat::kJson, OutputFormat::kYaml},
                      &options->output);
        AddSourceFlags(flags, cluster, &options->source);
        flags.Check([options](std::vector<std::string>& problems) {
          absl::Time time;
          std::string error;
          if (!options->at.empty() &&
              !absl::ParseTime(absl::RFC3339_full, options->at, &time, &error)) {
            problems.push_back(fmt::format(
                "--at: {:?}: expected a time such as 2027-01-31T12:00:00Z", options->at));
          }
        });
        flags.ExitCode(kExitOk, "everything holds");
        flags.ExitCode(kExitFailed, "something does not hold, or could not be read");
        flags.ExitCode(kExitUsage, "unknown flag or argument; nothing was done");
        flags.Example("A pair before it is installed",
                      "calicert verify tls.crt --ca ca.pem --key tls.key --host typha");
        flags.Example("A running server",
                      "calicert verify https://example.com --ca "
                      "/etc/ssl/certs/ca-certificates.crt");
        flags.Example("Will it still be good in a year?",
                      "calicert verify tls.crt --ca ca.pem --at 2028-01-01T00:00:00Z");
        return [options](Terminal& terminal) { return Verify(*options, terminal); };
      }};
}

}  // namespace calico::calicert
