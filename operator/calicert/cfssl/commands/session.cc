#include "operator/calicert/cfssl/commands/session.h"

#include <optional>
#include <utility>

#include <absl/time/time.h>
#include <fmt/format.h>

#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/command/input.h"
#include "operator/calicert/command/progress.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/formats/encrypted_key.h"
#include "pkg/pki/pem.h"

namespace calico::calicert::cfssl {
namespace {

constexpr std::string_view kPasswordVariable = "CFSSL_CA_PK_PASSWORD";

std::string Message(const absl::Status& status) { return std::string(status.message()); }

// What scripts look for when a file is missing.
absl::Status InGoWords(const absl::Status& status, std::string_view name) {
  if (!absl::IsNotFound(status)) return status;
  return absl::NotFoundError(fmt::format("open {}: no such file or directory", name));
}

void PrintMember(std::string_view name, std::string_view text, bool& first, std::ostream& out) {
  if (text.empty()) return;
  out << (first ? "{" : ",") << '"' << name << "\":";
  first = false;
  PrintText(text, out);
}

// What stands where PEM should, and what to do about it: ": this is ..."; empty when nobody knows.
std::string WhatElse(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return ": it is empty; did the command before this one fail?";
  text.remove_prefix(first);
  if (text.starts_with('{')) {
    return ": this is JSON: cfssljson -bare NAME takes the output of a command apart, and gencert "
           "takes a request in JSON";
  }
  const absl::StatusOr<std::string> decoded = base::Base64Decode(text);
  if (!decoded.ok()) return "";
  return decoded->starts_with("-----BEGIN")
             ? ": this is base64 of PEM: pipe it through base64 --decode"
             : ": this is base64 without the lines of PEM";
}

std::string FlagMissing(std::string_view what, std::string_view flag) {
  return fmt::format("need a CA {} (provide one with -{})", what, flag);
}

}  // namespace

void Log::Write(int level, std::string_view name, std::string_view text) {
  if (level < level_ || terminal_.quiet) return;
  const std::string time =
      absl::FormatTime("%Y/%m/%d %H:%M:%S", terminal_.clock.Now(), absl::LocalTimeZone());
  terminal_.err << fmt::format("{} [{}] {}\n", time, name, text) << std::flush;
}

int Failed(Terminal& terminal, const absl::Status& error) {
  terminal.err << ErrorText(error) << '\n';
  return kExitFailed;
}

int Failed(Terminal& terminal, std::string_view message) {
  terminal.err << message << '\n';
  return kExitFailed;
}

int NotEnoughArguments(Terminal& terminal) {
  return Failed(terminal, "not enough arguments are supplied --- please refer to the usage");
}

absl::StatusOr<std::string> ReadText(Terminal& terminal, const std::string& name) {
  absl::StatusOr<std::string> text = ReadInput(terminal, name);
  return text.ok() ? text : InGoWords(text.status(), name);
}

absl::StatusOr<base::SecretString> ReadSource(Terminal& terminal, const std::string& source) {
  if (source.starts_with("env:")) {
    const std::string variable = source.substr(4);
    std::string value = terminal.environment(variable);
    if (value.empty()) {
      return absl::NotFoundError(fmt::format("environment variable {} is not set", variable));
    }
    base::SecretString secret(value);
    value.assign(value.size(), '\0');
    return secret;
  }
  const std::string name = source.starts_with("file:") ? source.substr(5) : source;
  absl::StatusOr<base::SecretString> secret = ReadSecretInput(terminal, name);
  if (secret.ok()) return secret;
  return InGoWords(secret.status(), name);
}

std::string ShownName(std::string_view name) {
  return name == "-" ? std::string("standard input") : std::string(name);
}

absl::StatusOr<std::vector<pki::Certificate>> ReadCertificates(Terminal& terminal,
                                                               const std::string& source) {
  CALICO_ASSIGN_OR_RETURN(const base::SecretString text, ReadSource(terminal, source));
  // DER begins with a SEQUENCE.
  if (text.view().starts_with('\x30')) {
    absl::StatusOr<pki::Certificate> certificate = pki::Certificate::ParseDer(text.view());
    if (certificate.ok()) return std::vector<pki::Certificate>{*std::move(certificate)};
  }
  const absl::StatusOr<pki::PemText> pem = pki::ParsePem(text.view());
  if (!pem.ok() || pem->blocks.empty()) {
    return CodedError(kCertificateDecode,
                      fmt::format("Failed to decode certificate: {}: {}", ShownName(source),
                                  pem.ok() ? "no PEM block CERTIFICATE" + WhatElse(text.view())
                                           : Message(pem.status())));
  }
  absl::StatusOr<std::vector<pki::Certificate>> all =
      pki::Certificate::ParsePemBundle(text.view(), pki::SurroundingText::kAllow);
  if (all.ok()) return all;
  return CodedError(kCertificateParse, fmt::format("Failed to parse certificate: {}: {}",
                                                   ShownName(source), Message(all.status())));
}

absl::StatusOr<pki::Certificate> ReadCertificate(Terminal& terminal, const std::string& source) {
  CALICO_ASSIGN_OR_RETURN(std::vector<pki::Certificate> all, ReadCertificates(terminal, source));
  if (all.size() == 1) return std::move(all.front());
  return CodedError(
      kCertificateParse,
      fmt::format("the PEM file should contain only one object: {} holds {} certificates",
                  ShownName(source), all.size()));
}

absl::StatusOr<pki::CertificateRequest> ReadRequestPem(Terminal& terminal,
                                                       const std::string& name) {
  CALICO_ASSIGN_OR_RETURN(const std::string text, ReadText(terminal, name));
  absl::StatusOr<pki::CertificateRequest> request = ReadCertificateRequest(text);
  if (request.ok()) return request;
  const std::optional<int> code = CodeOf(request.status());
  return CodedError(code.value_or(kRequestParse),
                    fmt::format("{}: {}{}", Message(request.status()), ShownName(name),
                                code == kRequestDecode ? WhatElse(text) : ""));
}

absl::StatusOr<pki::PrivateKey> ReadKey(Terminal& terminal, const std::string& source) {
  CALICO_ASSIGN_OR_RETURN(const base::SecretString text, ReadSource(terminal, source));
  bool asked = false;
  const auto passphrase = [&]() -> absl::StatusOr<base::SecretString> {
    asked = true;
    std::string value = terminal.environment(std::string(kPasswordVariable));
    if (value.empty()) {
      return CodedError(kKeyEncrypted,
                        fmt::format("Private key is encrypted. {}: put its password into {}",
                                    source, kPasswordVariable));
    }
    base::SecretString secret(value);
    value.assign(value.size(), '\0');
    return secret;
  };
  absl::StatusOr<pki::ParsedKey> parsed = pki::ParseAnyKey(text.view(), passphrase);
  if (parsed.ok()) return std::move(parsed->key);
  if (CodeOf(parsed.status()).has_value()) return parsed.status();
  const int code = asked ? kKeyEncrypted : pki::LooksLikeKey(text.view()) ? kKeyParse : kKeyDecode;
  return CodedError(
      code, fmt::format("Failed to {} private key: {}: {}", code == kKeyDecode ? "decode" : "parse",
                        source, Message(parsed.status())));
}

absl::StatusOr<Request> ReadRequestFile(const Options& options, const std::string& file,
                                        Terminal& terminal, Log& log) {
  CALICO_ASSIGN_OR_RETURN(const std::string text, ReadText(terminal, file));
  CALICO_ASSIGN_OR_RETURN(ReadRequest read, ParseRequest(text, file));
  if (!options.cn.empty()) read.request.subject.common_name = options.cn;
  log.Warnings(read.warnings);
  return std::move(read.request);
}

absl::StatusOr<SigningConfig> ReadConfig(const Options& options, Terminal& terminal, Log& log) {
  if (options.config.empty()) return BuiltInSigningConfig();
  const auto wrapped = [](const absl::Status& status) {
    return absl::InvalidArgumentError(
        fmt::format("Failed to load config file: {}", ErrorText(status)));
  };
  const absl::StatusOr<std::string> text = ReadInput(terminal, options.config);
  if (!text.ok()) {
    return wrapped(CodedError(kPolicyInvalid, fmt::format("could not read configuration file: {}",
                                                          Message(text.status()))));
  }
  absl::StatusOr<SigningConfig> config = ParseSigningConfig(*text, options.config);
  if (!config.ok()) return wrapped(config.status());
  log.Warnings(config->warnings);
  return config;
}

absl::StatusOr<Signer> ReadSigner(const Options& options, Terminal& terminal, Log& log) {
  CALICO_ASSIGN_OR_RETURN(SigningConfig config, ReadConfig(options, terminal, log));
  if (!options.remote.empty()) {
    return absl::UnimplementedError(
        "-remote: signing servers are not supported: give -ca and -ca-key");
  }
  if (!options.db_config.empty()) {
    return absl::UnimplementedError(
        "-db-config: there is no certificate database, and nothing would be recorded: leave it "
        "out");
  }
  for (const auto& [value, what, flag] :
       {std::tuple(options.ca, "certificate", "ca"), std::tuple(options.ca_key, "key", "ca-key")}) {
    if (!value.empty()) continue;
    return absl::InvalidArgumentError(FlagMissing(what, flag));
  }
  CALICO_ASSIGN_OR_RETURN(pki::Certificate ca, ReadCertificate(terminal, options.ca));
  CALICO_ASSIGN_OR_RETURN(pki::PrivateKey key, ReadKey(terminal, options.ca_key));
  return Signer::Create(std::move(ca), std::move(key), std::move(config), terminal.clock.Now());
}

absl::StatusOr<pki::PrivateKey> MakeKeyLoudly(const KeyRequest& wanted, Terminal& terminal,
                                              Log& log) {
  log.Info("generate received request");
  log.Info("received CSR");
  log.Info(fmt::format("generating key: {}-{}", wanted.algorithm, wanted.size));
  if (!IsSlow(wanted)) return MakeKey(wanted);
  const SlowNotice notice(
      terminal, fmt::format("making an RSA key of {} bits, which may take {}", wanted.size,
                            wanted.size > 4096 ? "a minute" : "seconds"));
  return MakeKey(wanted);
}

void PrintText(std::string_view text, std::ostream& out) {
  out << '"';
  // In runs: PEM has a newline every 64 characters and nothing else to escape.
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20) continue;
    out << text.substr(start, i - start);
    start = i + 1;
    if (c == '\n') {
      out << "\\n";
    } else if (c == '"' || c == '\\') {
      out << '\\' << c;
    } else {
      out << fmt::format("\\u{:04x}", static_cast<int>(c));
    }
  }
  out << text.substr(start) << '"';
}

void PrintResult(const Result& result, std::ostream& out) {
  bool first = true;
  PrintMember("cert", result.cert, first, out);
  PrintMember("csr", result.csr, first, out);
  PrintMember("key", result.key, first, out);
  PrintMember("name", result.name, first, out);
  out << "}\n";
}

}  // namespace calico::calicert::cfssl
