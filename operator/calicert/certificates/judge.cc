// calicert needs-renewal, lint, fingerprint.
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/certificates/describe.h"
#include "operator/calicert/certificates/renewal_due.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "pkg/openssl/digest.h"
#include "pkg/pki/lint/certificate_lint.h"
#include "pkg/pki/verify.h"

namespace calico::calicert {
namespace {

// --- needs-renewal ---

constexpr int kNeedsRenewal = 0;
constexpr int kNoRenewal = 1;
constexpr int kMissing = 2;
constexpr int kRenewalError = 255;

struct RenewalOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  std::string expires_in = std::string(kDefaultRenewal);
  bool bundle = false;
};

int JudgeRenewal(const RenewalOptions& options, Terminal& terminal) {
  const absl::StatusOr<RenewalThreshold> threshold = ParseRenewalThreshold(options.expires_in);
  if (!threshold.ok()) {  // the flags have seen to it
    Fail(terminal, threshold.status());
    return kRenewalError;
  }
  const std::string& name = options.sources.front();
  const auto certificates = ReadCertificates(terminal, name, options.source);
  if (!certificates.ok()) {
    Fail(terminal, certificates.status());
    return absl::IsNotFound(certificates.status()) ? kMissing : kRenewalError;
  }
  const absl::Time now = terminal.clock.Now();
  for (const pki::Certificate& certificate : *certificates) {
    const absl::Time due = RenewalTime(certificate, *threshold);
    if (now >= due) {
      Note(terminal, fmt::format("{}: {} {}; due since {}", name, TitleOf(certificate),
                                 ValidityText(certificate, now), TimeText(due)));
      return kNeedsRenewal;
    }
    if (!options.bundle) break;
  }
  const pki::Certificate& first = certificates->front();
  Note(terminal, fmt::format("{}: {} {}; due {}", name, TitleOf(first), ValidityText(first, now),
                             DistanceText(RenewalTime(first, *threshold), now)));
  return kNoRenewal;
}

// --- lint ---

struct LintOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  std::string output;
  std::string fail_on = "error";
};

struct Found {
  std::string source;
  pki::Finding finding;
};

pki::Severity SeverityOf(std::string_view name) {
  for (const pki::Severity severity : {pki::Severity::kNotice, pki::Severity::kWarning}) {
    if (pki::ToString(severity) == name) return severity;
  }
  return pki::Severity::kError;
}

// A chain in its file: each one the issuer of the one before.
void LintOrder(const std::string& name, const std::vector<pki::Certificate>& chain,
               std::vector<Found>& found) {
  if (chain.front().is_ca()) return;  // a bundle of CAs has no order
  for (size_t i = 1; i < chain.size(); ++i) {
    if (pki::IsIssuedBy(chain[i - 1], chain[i])) continue;
    found.push_back({name,
                     {pki::Severity::kWarning, "chain-order",
                      fmt::format("certificate {} ({}) is not the issuer of the one before it, "
                                  "{:?} is: TLS peers may refuse the chain",
                                  i + 1, TitleOf(chain[i]), chain[i - 1].issuer())}});
    return;
  }
}

void PrintFindings(const std::vector<Found>& found, OutputFormat format, Terminal& terminal) {
  if (format == OutputFormat::kTable) {
    if (found.empty()) return;
    Table table({{"SOURCE"}, {"SEVERITY"}, {"RULE"}, {"MESSAGE"}});
    for (const Found& one : found) {
      table.AddRow({one.source, std::string(pki::ToString(one.finding.severity)), one.finding.rule,
                    one.finding.message});
    }
    terminal.out << table.Text();
    return;
  }
  json::array documents;
  for (const Found& one : found) {
    documents.push_back(json::object{{"source", one.source},
                                     {"severity", std::string(pki::ToString(one.finding.severity))},
                                     {"rule", one.finding.rule},
                                     {"message", one.finding.message}});
  }
  terminal.out << Document(std::move(documents), format);
}

int Lint(const LintOptions& options, Terminal& terminal) {
  std::vector<Found> found;
  int code = kExitOk;
  for (const std::string& name : options.sources) {
    const auto certificates = ReadCertificates(terminal, name, options.source);
    if (!certificates.ok()) {
      code = Fail(terminal, certificates.status());
      continue;
    }
    for (size_t i = 0; i < certificates->size(); ++i) {
      const std::string source =
          certificates->size() > 1 ? fmt::format("{} #{}", name, i + 1) : name;
      for (pki::Finding& finding : pki::LintCertificate((*certificates)[i], terminal.clock.Now())) {
        found.push_back({source, std::move(finding)});
      }
    }
    LintOrder(name, *certificates, found);
  }
  PrintFindings(found, ParseOutputFormat(options.output), terminal);
  if (found.empty() && code == kExitOk) Note(terminal, "nothing found");
  for (const Found& one : found) {
    if (one.finding.severity >= SeverityOf(options.fail_on)) code = kExitFailed;
  }
  return code;
}

// --- fingerprint ---

struct FingerprintOptions {
  std::vector<std::string> sources;
  SourceOptions source;
  std::string algorithm = "sha256";
  bool of_key = false;
  bool colons = false;
  bool bundle = false;
};

std::string WithColons(std::string_view hex) {
  std::string text;
  for (size_t i = 0; i < hex.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += static_cast<char>(hex[i] >= 'a' ? hex[i] - 'a' + 'A' : hex[i]);
  }
  return text;
}

int PrintFingerprints(const FingerprintOptions& options, Terminal& terminal) {
  int code = kExitOk;
  for (const std::string& name : options.sources) {
    const auto certificates = ReadCertificates(terminal, name, options.source);
    if (!certificates.ok()) {
      code = Fail(terminal, certificates.status());
      continue;
    }
    for (const pki::Certificate& certificate : *certificates) {
      const std::string& bytes =
          options.of_key ? certificate.public_key().der() : certificate.der();
      const std::string hex =
          options.algorithm == "sha1" ? openssl::Sha1Hex(bytes) : openssl::Sha256Hex(bytes);
      terminal.out << (options.colons ? WithColons(hex) : hex);
      if (options.sources.size() > 1) terminal.out << "  " << Printable(name);
      terminal.out << '\n';
      if (!options.bundle) break;
    }
  }
  return code;
}

}  // namespace

Command NeedsRenewalCommand(const DeclareCluster& cluster) {
  return {.path = "needs-renewal",
          .summary = "tell by the exit code whether a certificate is due to be renewed",
          .details = "A percentage is a part of its life that is over; a time is what is left.",
          .declare = [cluster](config::Flags& flags) -> Run {
            auto options = std::make_shared<RenewalOptions>();
            flags.Arguments({.name = "FILE",
                             .help = "file, \"-\", https://HOST[:PORT] or HOST:PORT",
                             .minimum = 1,
                             .maximum = 1},
                            &options->sources);
            flags.Text({.name = "expires-in", .value = "PERCENT|TIME", .help = "when it is due"},
                       &options->expires_in);
            flags.Switch({.name = "bundle", .help = "judge every certificate, not the first only"},
                         &options->bundle);
            AddSourceFlags(flags, cluster, &options->source);
            flags.Check([options](std::vector<std::string>& problems) {
              const auto threshold = ParseRenewalThreshold(options->expires_in);
              if (!threshold.ok()) {
                problems.push_back(fmt::format("--expires-in: {:?}: {}", options->expires_in,
                                               std::string(threshold.status().message())));
              }
            });
            flags.UsageExit(kRenewalError);
            flags.ExitCode(kNeedsRenewal, "it is due, or has expired");
            flags.ExitCode(kNoRenewal, "it is not due");
            flags.ExitCode(kMissing, "there is no such file or object");
            flags.ExitCode(kRenewalError, "it cannot be read, or a flag is wrong");
            flags.Example("Renew in time, from cron",
                          "calicert needs-renewal --expires-in 75% tls.crt && ./renew.sh");
            flags.Example("Does a server's certificate end within 30 days?",
                          "calicert needs-renewal --expires-in 720h https://example.com");
            return [options](Terminal& terminal) { return JudgeRenewal(*options, terminal); };
          }};
}

Command LintCommand(const DeclareCluster& cluster) {
  return {.path = "lint",
          .summary = "find what is wrong with certificates",
          .details =
              "By the rules of RFC 5280 and of the CA/Browser Forum that make a program "
              "refuse a certificate or surprise its owner, and by what programs in Go, such "
              "as the API server and etcd, cannot read.",
          .declare = [cluster](config::Flags& flags) -> Run {
            auto options = std::make_shared<LintOptions>();
            flags.Arguments({.name = "FILE",
                             .help = "files, \"-\", https://HOST[:PORT] or HOST:PORT",
                             .minimum = 1},
                            &options->sources);
            AddOutputFlag(flags, {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml},
                          &options->output);
            flags.Text({.name = "fail-on",
                        .value = "SEVERITY",
                        .help = "least severity that makes the exit code 1",
                        .choices = {"notice", "warning", "error"}},
                       &options->fail_on);
            AddSourceFlags(flags, cluster, &options->source);
            flags.ExitCode(kExitOk, "nothing of that severity");
            flags.ExitCode(kExitFailed, "something was found, or could not be read");
            flags.ExitCode(kExitUsage, "unknown flag or argument; nothing was done");
            flags.Example("All certificates of a folder", "calicert lint /etc/etcd/pki/*.pem");
            return [options](Terminal& terminal) { return Lint(*options, terminal); };
          }};
}

Command FingerprintCommand(const DeclareCluster& cluster) {
  return {.path = "fingerprint",
          .summary = "print the fingerprint of certificates, or of their public keys",
          .details = "",
          .declare = [cluster](config::Flags& flags) -> Run {
            auto options = std::make_shared<FingerprintOptions>();
            flags.Arguments({.name = "FILE",
                             .help = "files, \"-\", https://HOST[:PORT] or HOST:PORT",
                             .minimum = 1},
                            &options->sources);
            flags.Text({.name = "algorithm",
                        .value = "NAME",
                        .help = "the digest",
                        .choices = {"sha256", "sha1"}},
                       &options->algorithm);
            flags.Switch({.name = "public-key", .help = "of the public key (SubjectPublicKeyInfo)"},
                         &options->of_key);
            flags.Switch({.name = "colons", .help = "as openssl prints it: AB:CD"},
                         &options->colons);
            flags.Switch({.name = "bundle", .help = "of every certificate, not the first only"},
                         &options->bundle);
            AddSourceFlags(flags, cluster, &options->source);
            flags.Example("What kubeadm join wants behind sha256:",
                          "calicert fingerprint --public-key /etc/kubernetes/pki/ca.crt");
            return [options](Terminal& terminal) { return PrintFingerprints(*options, terminal); };
          }};
}

}  // namespace calico::calicert
