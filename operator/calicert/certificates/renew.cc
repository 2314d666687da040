// calicert renew: the same certificate again, by a CA whose key is at hand.
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/certificates/describe.h"
#include "operator/calicert/certificates/renewal_due.h"
#include "operator/calicert/certificates/renewed.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "operator/calicert/command/progress.h"
#include "pkg/pki/compose/key_generation.h"
#include "pkg/pki/verify.h"

namespace calico::calicert {
namespace {

constexpr std::string_view kDetails =
    "Keeps subject, names, usages and every other extension, and the key unless --new-key is "
    "given. All files are renewed, or none is changed. A file that holds a chain gets the new "
    "chain. Files keep their owners and modes. What is not due is left alone, unless --force is "
    "given.";

struct RenewOptions {
  std::vector<std::string> files;
  std::string ca_file;
  std::string ca_key_file;
  PassphraseSource passphrase;
  std::string expires_in = std::string(kDefaultRenewal);
  absl::Duration duration = absl::ZeroDuration();
  std::string new_key_file;
  std::string exec;
  int process = 0;
  bool force = false;
};

// A file with what will stand in it.
struct NewFile {
  std::string path;
  base::SecretString content;
  mode_t mode = kCertificateMode;
};

// Why a file is not one that renew can write again, for it would lose what is in it; empty if it
// is.
std::string WhatWouldBeLost(const Material& material) {
  if (material.form != "PEM") return material.form;
  if (material.skipped_keys > 0) return "one with a private key";
  if (material.certificates.empty()) return "one without a certificate";
  if (!material.requests.empty()) return "one with a certificate request";
  if (!material.notes.empty()) return "one with " + material.notes.front();
  if (material.other_blocks > 0) return "one with parameters of keys";
  const auto& all = material.certificates;
  const auto other =
      std::find_if(all.begin() + 1, all.end(), [](const auto& c) { return !c.is_ca(); });
  if (other == all.end()) return "";
  return fmt::format("one with a second certificate, of {:?}, that is no CA", TitleOf(*other));
}

class Renewal {
 public:
  Renewal(const RenewOptions& options, Terminal& terminal)
      : options_(options), terminal_(terminal) {}

  absl::Status Prepare() {
    const auto threshold = ParseRenewalThreshold(options_.expires_in);
    if (!threshold.ok()) return threshold.status();
    const auto chain =
        ReadCertificates(terminal_, options_.ca_file, {.passphrase = options_.passphrase});
    if (!chain.ok()) return chain.status();
    const auto key = ReadKey(terminal_, options_.ca_key_file, options_.passphrase);
    if (!key.ok()) return key.status();
    const RenewingCa ca{.chain = *chain, .key = &key->key, .file = options_.ca_file};
    for (const std::string& file : options_.files) {
      const absl::Status status = PrepareFile(file, *threshold, ca);
      if (!status.ok()) {
        return absl::Status(status.code(),
                            fmt::format("{}; nothing was changed", std::string(status.message())));
      }
    }
    return absl::OkStatus();
  }

  bool has_files() const { return !files_.empty(); }

  absl::Status Write() const {
    std::vector<OutputFile> output;
    for (const NewFile& file : files_) {
      output.push_back({file.path, file.content.view(), file.mode, true});
    }
    return WriteFiles(output);
  }

  void Tell() const {
    for (const std::string& line : told_) Note(terminal_, line);
  }

 private:
  absl::Status PrepareFile(const std::string& file, const RenewalThreshold& threshold,
                           const RenewingCa& ca) {
    const auto material = ReadSource(terminal_, file, {}, KeyReading::kSkip);
    if (!material.ok()) return material.status();
    if (const std::string lost = WhatWouldBeLost(*material); !lost.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: renew writes a file with a PEM certificate and its chain and nothing "
                      "else, and this one is {}",
                      file, lost));
    }
    const pki::Certificate& old = material->certificates.front();
    const absl::Time now = terminal_.clock.Now();
    if (const absl::Time due = RenewalTime(old, threshold); now < due && !options_.force) {
      told_.push_back(fmt::format("{}: left alone, {}; due {}", file, ValidityText(old, now),
                                  DistanceText(due, now)));
      return absl::OkStatus();
    }
    const auto key = KeyFor(old);
    if (!key.ok()) return key.status();
    const auto renewed = Renewed(old, *key, ca, {.now = now, .lifetime = options_.duration});
    if (!renewed.ok()) {
      return absl::Status(renewed.status().code(),
                          fmt::format("{}: {}", file, std::string(renewed.status().message())));
    }
    std::string text = renewed->pem();
    if (material->certificates.size() > 1) text += ChainText(ca, material->certificates);
    files_.push_back({file, base::SecretString(text), kCertificateMode});
    told_.push_back(fmt::format("{}: renewed, {}", file, ValidityText(*renewed, now)));
    return absl::OkStatus();
  }

  // What stands behind the new certificate: the CA and those above it, as far as they are in its
  // file, and then in the old one.
  static std::string ChainText(const RenewingCa& ca, const std::vector<pki::Certificate>& old) {
    std::string text;
    const pki::Certificate* last = nullptr;
    const auto add = [&](const pki::Certificate& certificate) {
      if (certificate.is_self_signed()) return;
      text += certificate.pem();
      last = &certificate;
    };
    for (const pki::Certificate& certificate : ca.chain) add(certificate);
    for (size_t i = 1; i < old.size() && last != nullptr; ++i) {
      if (!(old[i] == *last) && pki::IsIssuedBy(*last, old[i])) add(old[i]);
    }
    return text;
  }

  // The key that the new certificate is for; a new one is written before the certificate is.
  absl::StatusOr<pki::PublicKey> KeyFor(const pki::Certificate& old) {
    if (options_.new_key_file.empty()) return old.public_key();
    const SlowNotice notice(terminal_,
                            fmt::format("making an {} key", old.public_key().Description()));
    const auto key = pki::GenerateKey(old.public_key().family(), old.public_key().bits());
    if (!key.ok()) return key.status();
    files_.push_back({options_.new_key_file, key->ToPem(), kKeyMode});
    return key->public_key();
  }

  const RenewOptions& options_;
  Terminal& terminal_;
  std::vector<NewFile> files_;
  std::vector<std::string> told_;
};

// Who uses the files is told that they are new.
int TellUser(const RenewOptions& options, Terminal& terminal) {
  if (options.process > 0 && kill(options.process, SIGHUP) != 0) {
    return Fail(terminal, fmt::format("the files are renewed, but process {} cannot be signalled: "
                                      "{}; restart it",
                                      options.process, strerror(errno)));
  }
  if (options.exec.empty()) return kExitOk;
  terminal.out.flush();
  const int status = std::system(options.exec.c_str());
  if (status == 0) return kExitOk;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return Fail(terminal, fmt::format("the files are renewed, but the command of --exec has ended "
                                    "with code {}: run it again",
                                    code));
}

int Renew(const RenewOptions& options, Terminal& terminal) {
  Renewal renewal(options, terminal);
  absl::Status status = renewal.Prepare();
  if (status.ok() && renewal.has_files()) status = renewal.Write();
  if (!status.ok()) return Fail(terminal, status);
  renewal.Tell();
  return renewal.has_files() ? TellUser(options, terminal) : kExitOk;
}

void CheckOptions(const RenewOptions& options, std::vector<std::string>& problems) {
  const auto threshold = ParseRenewalThreshold(options.expires_in);
  if (!threshold.ok()) {
    problems.push_back(fmt::format("--expires-in: {:?}: {}", options.expires_in,
                                   std::string(threshold.status().message())));
  }
  if (!options.new_key_file.empty() && options.files.size() > 1) {
    problems.push_back("--new-key: goes with one FILE");
  }
  for (const std::string& file : options.files) {
    if (file == options.new_key_file) problems.push_back("--new-key: the same file as FILE");
    if (file == "-") problems.push_back("FILE: standard input cannot be renewed");
  }
}

}  // namespace

Command RenewCommand() {
  return {
      .path = "renew",
      .summary = "issue certificates again with a CA of one's own, before they expire",
      .details = std::string(kDetails),
      .declare = [](config::Flags& flags) -> Run {
        auto options = std::make_shared<RenewOptions>();
        flags.Arguments({.name = "FILE", .help = "PEM certificates", .minimum = 1},
                        &options->files);
        flags.Text({.name = "ca",
                    .value = "FILE",
                    .help = "the CA's certificate, and those above "
                            "it",
                    .required = true},
                   &options->ca_file);
        flags.Text({.name = "ca-key", .value = "FILE", .help = "the CA's key", .required = true},
                   &options->ca_key_file);
        AddPassphraseFlag(flags, &options->passphrase);
        flags.Text({.name = "expires-in",
                    .value = "PERCENT|TIME",
                    .help = "when it is due, as needs-renewal has it"},
                   &options->expires_in);
        flags.Period({.name = "duration",
                      .value = "TIME",
                      .help = "how long the new one is valid; 0s is as long as the old one was"},
                     &options->duration);
        flags.Text({.name = "new-key",
                    .value = "FILE",
                    .help = "make a new key of the same kind, and write it there"},
                   &options->new_key_file);
        flags.Text({.name = "exec",
                    .value = "COMMAND",
                    .help = "run by the shell once something was renewed"},
                   &options->exec);
        flags.Number({.name = "signal",
                      .value = "PID",
                      .help = "process that gets SIGHUP once something was renewed; 0 is none"},
                     0, 1 << 22, &options->process);
        flags.Switch({.name = "force", .help = "renew what is not due too"}, &options->force);
        flags.Check(
            [options](std::vector<std::string>& problems) { CheckOptions(*options, problems); });
        flags.ExitCode(kExitOk, "renewed, or nothing was due");
        flags.ExitCode(kExitFailed, "failed: no file was changed, unless the message says so");
        flags.ExitCode(kExitUsage, "unknown flag or argument; nothing was done");
        flags.Example("Each night",
                      "calicert renew /etc/nginx/tls.crt --ca ca.pem --ca-key "
                      "ca-key.pem --exec 'systemctl reload nginx'");
        return [options](Terminal& terminal) { return Renew(*options, terminal); };
      }};
}

}  // namespace calico::calicert
