// calicert format: the same thing in another form.
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/certificates/commands.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/file_output.h"
#include "pkg/pki/formats/encrypted_key.h"
#include "pkg/pki/formats/pkcs12.h"
#include "pkg/pki/pem.h"

namespace calico::calicert {
namespace {

struct FormatOptions {
  std::vector<std::string> files;
  std::string to = "pem";
  std::string out = "-";
  std::string key_file;
  std::string alias;
  bool encrypt = false;
  bool force = false;
  PassphraseSource passphrase;
  PassphraseSource out_passphrase;
};

// What is written: wiped, for it may hold a key.
struct Converted {
  base::SecretString bytes;
  bool is_secret = false;
  bool is_binary = false;
};

absl::Status Refuse(const Material& material, std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", material.origin, cause));
}

absl::StatusOr<Converted> ToPem(const Material& material) {
  std::string text;
  for (const pki::Certificate& certificate : material.certificates) text += certificate.pem();
  for (const pki::CertificateRequest& request : material.requests) {
    text += pki::EncodePem("CERTIFICATE REQUEST", request.der());
  }
  base::SecretString all = base::SecretString(text);
  for (const pki::ParsedKey& key : material.keys) {
    all = base::JoinSecrets({all.view(), key.key.ToPem().view()});
  }
  if (all.empty()) return Refuse(material, "nothing in it that could be written as PEM");
  return Converted{std::move(all), !material.keys.empty(), false};
}

absl::StatusOr<Converted> ToDer(const Material& material) {
  const size_t count =
      material.certificates.size() + material.requests.size() + material.keys.size();
  if (count != 1) {
    return Refuse(material, fmt::format("DER holds one thing, and {} are in it", count));
  }
  if (!material.keys.empty()) {
    return Converted{pki::ToPkcs8Der(material.keys.front().key), true, true};
  }
  const std::string& der = material.certificates.empty() ? material.requests.front().der()
                                                         : material.certificates.front().der();
  return Converted{base::SecretString(der), false, true};
}

absl::StatusOr<Converted> ToKey(const Material& material, const FormatOptions& options,
                                Terminal& terminal) {
  if (material.keys.size() != 1) {
    return Refuse(material,
                  fmt::format("{} private keys in it, one is wanted", material.keys.size()));
  }
  const pki::PrivateKey& key = material.keys.front().key;
  if (options.to == "traditional") return Converted{key.ToPem(), true, false};
  if (!options.encrypt) return Converted{pki::ToPkcs8Pem(key), true, false};
  auto passphrase = ReadPassphrase(terminal, options.out_passphrase, "the new file", true);
  if (!passphrase.ok()) return passphrase.status();
  const auto pem = pki::ToEncryptedPkcs8Pem(key, passphrase->view());
  if (!pem.ok()) return pem.status();
  return Converted{base::SecretString(*pem), true, false};
}

absl::StatusOr<Converted> ToPkcs12(const Material& material, const FormatOptions& options,
                                   Terminal& terminal) {
  std::optional<pki::ParsedKey> key_of_file;
  const pki::PrivateKey* key = nullptr;
  if (!options.key_file.empty()) {
    auto read = ReadKey(terminal, options.key_file, options.passphrase);
    if (!read.ok()) return read.status();
    key_of_file.emplace(*std::move(read));
    key = &key_of_file->key;
  } else if (material.keys.size() == 1) {
    key = &material.keys.front().key;
  }
  if (key == nullptr) return Refuse(material, "PKCS#12 needs a private key too: give --key FILE");
  auto passphrase = ReadPassphrase(terminal, options.out_passphrase, "the new file", true);
  if (!passphrase.ok()) return passphrase.status();
  auto der = pki::WritePkcs12(*key, material.certificates, options.alias, passphrase->view());
  if (!der.ok()) return der.status();
  return Converted{*std::move(der), true, true};
}

absl::StatusOr<Converted> Convert(const FormatOptions& options, Terminal& terminal) {
  const auto material =
      ReadSource(terminal, options.files.front(), {.passphrase = options.passphrase},
                 options.key_file.empty() ? KeyReading::kRead : KeyReading::kSkip);
  if (!material.ok()) return material.status();
  if (options.to == "pem") return ToPem(*material);
  if (options.to == "der") return ToDer(*material);
  if (options.to == "pkcs12") return ToPkcs12(*material, options, terminal);
  return ToKey(*material, options, terminal);
}

// A key in the way of the result, which is lost where it is not the source itself.
bool WouldReplaceKey(const FormatOptions& options, Terminal& terminal) {
  if (options.force || options.out == options.files.front()) return false;
  const auto there = ReadSecretInput(terminal, options.out);
  return there.ok() && pki::LooksLikeKey(there->view());
}

// Nothing is left out in silence; of a key above all its encryption.
void CheckOptions(const FormatOptions& options, std::vector<std::string>& problems) {
  const bool to_pkcs12 = options.to == "pkcs12";
  if (options.encrypt && options.to != "pkcs8" && !to_pkcs12) {
    problems.push_back(
        fmt::format("--encrypt: goes with --to pkcs8; --to {} would not be encrypted", options.to));
  }
  if (!options.out_passphrase.file.empty() && !to_pkcs12 && !options.encrypt) {
    problems.emplace_back(
        "--out-passphrase-file: goes with --to pkcs12, or with --to pkcs8 --encrypt");
  }
  if (!options.key_file.empty() && !to_pkcs12)
    problems.emplace_back("--key: goes with --to pkcs12");
  if (!options.alias.empty() && !to_pkcs12) problems.emplace_back("--alias: goes with --to pkcs12");
}

int Format(const FormatOptions& options, Terminal& terminal) {
  const absl::StatusOr<Converted> converted = Convert(options, terminal);
  if (!converted.ok()) return Fail(terminal, converted.status());
  if (options.out == "-") {
    if (converted->is_binary && terminal.out_is_terminal) {
      return Fail(terminal,
                  "the result is binary, and standard output is a terminal: give --out "
                  "FILE");
    }
    terminal.out << converted->bytes.view();
    return kExitOk;
  }
  if (WouldReplaceKey(options, terminal)) {
    return Fail(terminal,
                fmt::format("write {}: a private key is there; --force replaces it", options.out));
  }
  const absl::Status written = WriteFile(options.out, converted->bytes.view(),
                                         converted->is_secret ? kKeyMode : kCertificateMode);
  return written.ok() ? kExitOk : Fail(terminal, written);
}

}  // namespace

Command FormatCommand() {
  return {
      .path = "format",
      .summary = "write certificates, requests and keys in another form",
      .details =
          "Reads PEM, DER, PKCS#7 and PKCS#12. A file with a key gets the mode 0600. "
          "PKCS#12 is written with AES-256, which OpenSSL 1.1.1, Java 8u301 and Windows "
          "Server 2019 and later read.",
      .declare = [](config::Flags& flags) -> Run {
        auto options = std::make_shared<FormatOptions>();
        flags.Arguments({.name = "FILE", .help = "file, or \"-\"", .minimum = 1, .maximum = 1},
                        &options->files);
        flags.Text({.name = "to",
                    .value = "FORM",
                    .help = "pkcs8 and traditional are forms of a key",
                    .choices = {"pem", "der", "pkcs12", "pkcs8", "traditional"}},
                   &options->to);
        flags.Text({.name = "out", .value = "FILE", .help = "where to; \"-\" is standard output"},
                   &options->out);
        flags.Text({.name = "key", .value = "FILE", .help = "the private key, for PKCS#12"},
                   &options->key_file);
        flags.Text({.name = "alias", .value = "NAME", .help = "the entry's name, for PKCS#12"},
                   &options->alias);
        flags.Switch({.name = "encrypt", .help = "encrypt a PKCS#8 key with a passphrase"},
                     &options->encrypt);
        flags.Switch({.name = "force", .help = "replace a private key that is in the --out file"},
                     &options->force);
        AddPassphraseFlag(flags, &options->passphrase);
        flags.Text({.name = "out-passphrase-file",
                    .value = "FILE",
                    .help = "file whose first line is the new passphrase; else it is asked for"},
                   &options->out_passphrase.file);
        flags.Check(
            [options](std::vector<std::string>& problems) { CheckOptions(*options, problems); });
        flags.Example("A key store for Java",
                      "calicert format tls.crt --key tls.key --to pkcs12 --alias web --out "
                      "web.p12");
        flags.Example("Back again", "calicert format web.p12 --to pem --out web.pem");
        flags.Example("A key that openssl and Java read alike",
                      "calicert format ec.key --to pkcs8 --out key.pem");
        return [options](Terminal& terminal) { return Format(*options, terminal); };
      }};
}

}  // namespace calico::calicert
