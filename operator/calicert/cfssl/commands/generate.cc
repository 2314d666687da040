// genkey, gencert, gencsr: a key and what is made for it.

#include <algorithm>
#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "operator/calicert/cfssl/commands/functions.h"
#include "operator/calicert/cfssl/commands/session.h"
#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/cfssl/hosts.h"
#include "operator/calicert/command/exit_codes.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::cfssl {
namespace {

constexpr std::string_view kLacksHosts =
    "This certificate lacks a \"hosts\" field. This makes it unsuitable for\n"
    "websites. For more information see the Baseline Requirements for the Issuance and Management\n"
    "of Publicly-Trusted Certificates, v.1.1.6, from the CA/Browser Forum (https://cabforum.org);\n"
    "specifically, section 10.2.3 (\"Information Requirements\").";

// The only argument, or an error in words.
absl::StatusOr<std::string> OnlyArgument(const Options& options, std::string_view command) {
  if (options.arguments.empty()) {
    return absl::InvalidArgumentError(
        "not enough arguments are supplied --- please refer to the usage");
  }
  if (options.arguments.size() == 1) return options.arguments.front();
  const std::string& second = options.arguments[1];
  std::string hint;
  if (second.starts_with("-") && second.size() > 1) {
    hint = fmt::format("; flags stand before FILE: {} {} ... {}", command, second,
                       options.arguments.front());
  } else if (!options.hostname.empty()) {
    hint = fmt::format("; several hosts are one word: -hostname {},{}", options.hostname,
                       options.arguments.front());
  }
  return absl::InvalidArgumentError(
      fmt::format("only one argument is accepted, please check with usage: {:?} is taken as the "
                  "request's file, and {:?} is too much{}",
                  options.arguments.front(), second, hint));
}

absl::Status CaSectionRefused(const Request& request) {
  return absl::InvalidArgumentError(
      fmt::format("ca section only permitted in initca: {}:{}: ca: leave it out; what a CA below "
                  "another may do, and for how long, is in its profile (-config): "
                  "\"ca_constraint\": {{\"is_ca\": true}}, \"expiry\"",
                  request.file, request.ca->location.ToString()));
}

// -hostname in place of the request's hosts.
absl::Status ApplyHostname(const Options& options, Request& request, Log& log) {
  if (options.hostname.empty()) return absl::OkStatus();
  CALICO_ASSIGN_OR_RETURN(SplitNames split,
                          SplitHosts(SplitHostnameFlag(options.hostname), "-hostname"));
  log.Warnings(split.warnings);
  request.names = std::move(split.names);
  return absl::OkStatus();
}

// "lacks hosts" only where a TLS server would: without names, and meant to serve.
bool LacksHosts(const Request& request, const Profile& profile) {
  const auto& usages = profile.extended_key_usages;
  const bool serves = std::find(usages.begin(), usages.end(), pki::kOidServerAuth) != usages.end();
  return request.names.empty() && serves && !profile.ca.is_ca;
}

// What there is to a request once its key is made.
struct KeyAndRequest {
  pki::PrivateKey key;
  std::string csr;
};

absl::StatusOr<KeyAndRequest> MakeKeyAndRequest(const Request& request, Terminal& terminal,
                                                Log& log) {
  CALICO_ASSIGN_OR_RETURN(pki::PrivateKey key, MakeKeyLoudly(request.key, terminal, log));
  CALICO_ASSIGN_OR_RETURN(std::string csr, MakeRequest(request, key));
  log.Info("encoded CSR");
  return KeyAndRequest{std::move(key), std::move(csr)};
}

absl::Status RunGenerateKey(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  CALICO_ASSIGN_OR_RETURN(const std::string file, OnlyArgument(options, "genkey"));
  CALICO_ASSIGN_OR_RETURN(const Request request, ReadRequestFile(options, file, terminal, log));
  if (request.ca.has_value()) return CaSectionRefused(request);
  // cfssl reads a configuration here too, for nothing.
  CALICO_RETURN_IF_ERROR(ReadConfig(options, terminal, log).status());
  CALICO_ASSIGN_OR_RETURN(const KeyAndRequest made, MakeKeyAndRequest(request, terminal, log));
  const base::SecretString key = made.key.ToPem();
  PrintResult({.csr = made.csr, .key = key.view()}, terminal.out);
  return absl::OkStatus();
}

// cfssl's lines in the log.
void LogNobody(Log& log) {
  const std::string text = ErrorText(CodedError(kPolicyRequest, "missing subject information"));
  log.Warning(fmt::format("invalid request: {}", text));
  log.Error(fmt::format("failed to process request: {}", text));
}

// What has no effect with -initca, and what to write in its place.
void WarnOfInitCa(const Options& options, std::string_view file, Log& log) {
  const auto warn = [&log](const std::string& value, std::string_view flag, std::string_view why) {
    if (!value.empty()) {
      log.Warning(fmt::format("-{} is not looked at with -initca: {}", flag, why));
    }
  };
  const std::string expiry =
      fmt::format("the length of validity is \"ca\": {{\"expiry\": ...}} in {}", file);
  warn(options.config, "config", expiry);
  warn(options.profile, "profile", expiry);
  warn(options.hostname, "hostname", fmt::format("IP addresses of a CA are \"hosts\" in {}", file));
  warn(options.ca, "ca", "the CA signs itself; leave -initca out for a CA below -ca");
}

absl::Status RunInitCa(const Options& options, Terminal& terminal, bool is_genkey) {
  Log log(terminal, options.log_level);
  CALICO_ASSIGN_OR_RETURN(const std::string file, OnlyArgument(options, "gencert -initca"));
  CALICO_ASSIGN_OR_RETURN(const Request request, ReadRequestFile(options, file, terminal, log));
  CALICO_RETURN_IF_ERROR(ReadConfig(options, terminal, log).status());
  WarnOfInitCa(options, request.file, log);
  const bool has_key = !options.ca_key.empty();
  if (!is_genkey)
    log.Info(has_key ? "re-generate a CA certificate from CSR and CA key"
                     : "generating a new CA key and certificate from CSR");
  if (const absl::Status subject = CheckSubjectOfCa(request); !subject.ok()) {
    if (!has_key) log.Info("generate received request");
    LogNobody(log);
    return subject;
  }
  absl::StatusOr<pki::PrivateKey> key =
      has_key ? ReadKey(terminal, options.ca_key) : MakeKeyLoudly(request.key, terminal, log);
  if (!key.ok()) return key.status();
  CALICO_ASSIGN_OR_RETURN(const std::string csr, MakeRequest(request, *key));
  log.Info("encoded CSR");
  CALICO_ASSIGN_OR_RETURN(const Signed made, MakeCa(request, *key, terminal.clock.Now()));
  log.Info(fmt::format("signed certificate with serial number {}", made.serial));
  log.Warnings(made.warnings);
  const base::SecretString pem = has_key ? base::SecretString() : key->ToPem();
  PrintResult({.cert = made.pem, .csr = csr, .key = pem.view()}, terminal.out);
  return absl::OkStatus();
}

absl::Status RunRenewCa(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  log.Info("re-generate a CA certificate from CA cert and key");
  if (options.ca.empty() || options.ca_key.empty()) {
    return absl::InvalidArgumentError("-renewca needs -ca and -ca-key");
  }
  CALICO_ASSIGN_OR_RETURN(const pki::Certificate ca, ReadCertificate(terminal, options.ca));
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, ReadKey(terminal, options.ca_key));
  CALICO_ASSIGN_OR_RETURN(const Signed made, RenewCa(ca, key, terminal.clock.Now()));
  log.Info("encoded CSR");
  log.Info(fmt::format("signed certificate with serial number {}", made.serial));
  log.Warnings(made.warnings);
  PrintResult({.cert = made.pem}, terminal.out);
  return absl::OkStatus();
}

absl::Status RunGenerateCertificate(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  CALICO_ASSIGN_OR_RETURN(const std::string file, OnlyArgument(options, "gencert"));
  CALICO_ASSIGN_OR_RETURN(Request request, ReadRequestFile(options, file, terminal, log));
  if (request.ca.has_value()) return CaSectionRefused(request);
  CALICO_RETURN_IF_ERROR(ApplyHostname(options, request, log));
  // Before a key is made: what is wrong with the CA shows at once.
  CALICO_ASSIGN_OR_RETURN(const Signer signer, ReadSigner(options, terminal, log));
  CALICO_ASSIGN_OR_RETURN(const ChosenProfile chosen,
                          ChooseProfile(signer.config(), options.profile));
  CALICO_ASSIGN_OR_RETURN(const KeyAndRequest made, MakeKeyAndRequest(request, terminal, log));
  const SigningOrder order{.profile = options.profile, .may_outlive_ca = !options.clamp};
  CALICO_ASSIGN_OR_RETURN(const Signed leaf, signer.SignOwn(request, made.key.public_key(), order,
                                                            terminal.clock.Now()));
  log.Info(fmt::format("signed certificate with serial number {}", leaf.serial));
  log.Info(DescribeIssued(signer.config(), *chosen.profile, leaf.not_before, leaf.not_after));
  log.Warnings(leaf.warnings);
  if (LacksHosts(request, *chosen.profile)) log.Warning(kLacksHosts);
  const base::SecretString key = made.key.ToPem();
  PrintResult({.cert = leaf.pem, .csr = made.csr, .key = key.view()}, terminal.out);
  return absl::OkStatus();
}

absl::Status RunBatch(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  if (!options.arguments.empty()) {
    return absl::InvalidArgumentError(fmt::format("{:?} is too much: the requests are in -batch {}",
                                                  options.arguments.front(), options.batch));
  }
  CALICO_ASSIGN_OR_RETURN(const std::string text, ReadText(terminal, options.batch));
  CALICO_ASSIGN_OR_RETURN(const ReadRequestList list, ParseRequestList(text, options.batch));
  log.Warnings(list.warnings);
  CALICO_ASSIGN_OR_RETURN(const Signer signer, ReadSigner(options, terminal, log));
  const absl::Time now = terminal.clock.Now();
  for (const ListedRequest& listed : list.requests) {
    const Request& request = listed.request;
    const auto in_entry = [&listed](const absl::Status& error) {
      return absl::Status(error.code(), fmt::format("{:?}: {}", listed.name, ErrorText(error)));
    };
    if (request.ca.has_value()) return CaSectionRefused(request);
    const absl::StatusOr<pki::PrivateKey> key = MakeKey(request.key);
    if (!key.ok()) return in_entry(key.status());
    const absl::StatusOr<std::string> csr = MakeRequest(request, *key);
    if (!csr.ok()) return in_entry(csr.status());
    const SigningOrder order{.profile = listed.profile.empty() ? options.profile : listed.profile,
                             .may_outlive_ca = !options.clamp};
    const absl::StatusOr<Signed> leaf = signer.SignOwn(request, key->public_key(), order, now);
    if (!leaf.ok()) return in_entry(leaf.status());
    for (const std::string& warning : leaf->warnings) {
      log.Warning(fmt::format("{:?}: {}", listed.name, warning));
    }
    const base::SecretString pem = key->ToPem();
    PrintResult({.cert = leaf->pem, .csr = *csr, .key = pem.view(), .name = listed.name},
                terminal.out);
  }
  log.Info(fmt::format("signed {} certificates", list.requests.size()));
  return absl::OkStatus();
}

// The subject and names of a certificate, to ask for the same again.
absl::StatusOr<Request> RequestLike(const pki::Certificate& certificate) {
  Request request;
  request.subject.common_name = certificate.common_name();
  for (const pki::NameAttribute& attribute : certificate.subject_attributes()) {
    NameEntry one;
    if (attribute.type == "C") one.country = attribute.value;
    if (attribute.type == "ST") one.state = attribute.value;
    if (attribute.type == "L") one.locality = attribute.value;
    if (attribute.type == "O") one.organization = attribute.value;
    if (attribute.type == "OU") one.organizational_unit = attribute.value;
    if (attribute.type == "serialNumber") request.subject.serial_number = attribute.value;
    request.subject.names.push_back(std::move(one));
  }
  request.names = {.dns_names = certificate.dns_names(),
                   .emails = certificate.emails(),
                   .ip_addresses = certificate.ip_addresses(),
                   .uris = certificate.uris()};
  if (certificate.is_ca()) request.ca = CaSection{.path_length = certificate.path_length()};
  return request;
}

absl::Status RunGenerateRequest(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  if (options.key.empty())
    return absl::InvalidArgumentError("need a private key (provide one with -key)");
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, ReadKey(terminal, options.key));
  Request request;
  if (!options.cert.empty()) {
    CALICO_ASSIGN_OR_RETURN(const pki::Certificate like, ReadCertificate(terminal, options.cert));
    CALICO_ASSIGN_OR_RETURN(request, RequestLike(like));
  } else {
    CALICO_ASSIGN_OR_RETURN(const std::string file, OnlyArgument(options, "gencsr"));
    CALICO_ASSIGN_OR_RETURN(request, ReadRequestFile(options, file, terminal, log));
  }
  CALICO_RETURN_IF_ERROR(ApplyHostname(options, request, log));
  CALICO_ASSIGN_OR_RETURN(const std::string csr, MakeRequest(request, key));
  log.Info("encoded CSR");
  const base::SecretString pem = key.ToPem();
  PrintResult({.csr = csr, .key = pem.view()}, terminal.out);
  return absl::OkStatus();
}

int Finish(const absl::Status& status, Terminal& terminal) {
  return status.ok() ? kExitOk : Failed(terminal, status);
}

}  // namespace

int GenerateKey(const Options& options, Terminal& terminal) {
  if (options.initca) return Finish(RunInitCa(options, terminal, /*is_genkey=*/true), terminal);
  return Finish(RunGenerateKey(options, terminal), terminal);
}

int GenerateCertificate(const Options& options, Terminal& terminal) {
  if (!options.batch.empty()) return Finish(RunBatch(options, terminal), terminal);
  if (options.renewca) return Finish(RunRenewCa(options, terminal), terminal);
  if (options.initca) return Finish(RunInitCa(options, terminal, /*is_genkey=*/false), terminal);
  return Finish(RunGenerateCertificate(options, terminal), terminal);
}

int GenerateRequest(const Options& options, Terminal& terminal) {
  return Finish(RunGenerateRequest(options, terminal), terminal);
}

}  // namespace calico::calicert::cfssl
