// calicert key inspect.
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/output.h"
#include "pkg/openssl/digest.h"
#include "pkg/pki/verify.h"

namespace calico::calicert {
namespace {

struct KeyOptions {
  std::vector<std::string> files;
  PassphraseSource passphrase;
  std::string certificate;
  std::string output;
};

struct KeyFacts {
  std::string file;
  std::string description;
  std::string form;
  std::string sha256;
  std::string problem;
};

std::string FormText(const pki::KeyForm& form) {
  std::string text = form.encoding;
  if (form.encoding != "PKCS#12") text += form.is_pem ? " PEM" : " DER";
  if (!form.is_encrypted) return text;
  return text + (form.encryption.empty() ? ", encrypted"
                                         : fmt::format(", encrypted with {}", form.encryption));
}

int InspectKeys(const KeyOptions& options, Terminal& terminal) {
  std::optional<pki::Certificate> certificate;
  if (!options.certificate.empty()) {
    auto read = ReadCertificates(terminal, options.certificate, {.passphrase = options.passphrase});
    if (!read.ok()) return Fail(terminal, read.status());
    certificate = std::move(read->front());
  }
  int code = kExitOk;
  std::vector<KeyFacts> all;
  for (const std::string& file : options.files) {
    const auto parsed = ReadKey(terminal, file, options.passphrase);
    if (!parsed.ok()) {
      code = Fail(terminal, parsed.status());
      continue;
    }
    const pki::PublicKey& key = parsed->key.public_key();
    absl::Status problem = key.CheckStrength();
    if (problem.ok() && certificate.has_value()) problem = pki::KeyMatches(*certificate, key);
    if (!problem.ok()) code = kExitFailed;
    all.push_back({file, key.Description(), FormText(parsed->form), openssl::Sha256Hex(key.der()),
                   std::string(problem.message())});
  }
  if (const OutputFormat format = ParseOutputFormat(options.output);
      format != OutputFormat::kTable) {
    json::array documents;
    for (const KeyFacts& key : all) {
      documents.push_back(json::object{{"file", key.file},
                                       {"key", key.description},
                                       {"form", key.form},
                                       {"publicKeySha256", key.sha256},
                                       {"problem", key.problem}});
    }
    terminal.out << Document(std::move(documents), format);
    return code;
  }
  Table table({{"FILE"}, {"KEY"}, {"FORM"}, {"SHA-256 OF PUBLIC KEY"}});
  for (const KeyFacts& key : all) table.AddRow({key.file, key.description, key.form, key.sha256});
  if (!table.empty()) terminal.out << table.Text();
  for (const KeyFacts& key : all) {
    if (!key.problem.empty()) Fail(terminal, fmt::format("{}: {}", key.file, key.problem));
  }
  return code;
}

}  // namespace

Command KeyInspectCommand() {
  return {.path = "key inspect",
          .summary = "show what private keys are, and whether they fit a certificate",
          .details =
              "Nothing secret is printed. A key too weak for a certificate, or one that does "
              "not fit, makes the exit code 1.",
          .declare = [](config::Flags& flags) -> Run {
            auto options = std::make_shared<KeyOptions>();
            flags.Arguments({.name = "FILE", .help = "files, or \"-\"", .minimum = 1},
                            &options->files);
            flags.Text({.name = "certificate", .value = "FILE", .help = "whose key it should be"},
                       &options->certificate);
            AddPassphraseFlag(flags, &options->passphrase);
            AddOutputFlag(flags, {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml},
                          &options->output);
            flags.Example("Do the two belong together?",
                          "calicert key inspect tls.key --certificate tls.crt");
            return [options](Terminal& terminal) { return InspectKeys(*options, terminal); };
          }};
}

}  // namespace calico::calicert
