// sign and selfsign.

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
#include "pkg/pki/pem.h"

namespace calico::calicert::cfssl {
namespace {

constexpr std::string_view kSelfSignedWarning =
    "*** WARNING ***\n\n"
    "Self-signed certificates are dangerous. Use this self-signed\n"
    "certificate at your own risk.\n\n"
    "It is strongly recommended that these certificates NOT be used\n"
    "in production.\n\n"
    "*** WARNING ***\n\n";

// Where the request and the subject come from.
struct SignInputs {
  std::string csr;
  std::string subject;  // empty: the request's
};

absl::StatusOr<SignInputs> InputsOf(const Options& options) {
  std::vector<std::string> words = options.arguments;
  SignInputs inputs{.csr = options.csr};
  if (inputs.csr.empty()) {
    if (words.empty()) {
      return absl::InvalidArgumentError(
          "not enough arguments are supplied --- please refer to the usage");
    }
    inputs.csr = words.front();
    words.erase(words.begin());
  }
  const auto is_flag = [](const std::string& word) {
    return word.size() > 1 && word.starts_with('-');
  };
  if (const auto flag = std::find_if(words.begin(), words.end(), is_flag); flag != words.end()) {
    return absl::InvalidArgumentError(
        fmt::format("{:?} stands behind the request and would be the SUBJECT file: flags stand "
                    "before it: sign {} ... {}",
                    *flag, *flag, inputs.csr));
  }
  if (!words.empty()) inputs.subject = words.front();
  if (words.size() > 1) {
    return absl::InvalidArgumentError(
        fmt::format("too many arguments are provided, please check with usage: {:?}", words[1]));
  }
  return inputs;
}

absl::Status FillOrder(const Options& options, const SignInputs& inputs, Terminal& terminal,
                       Log& log, SigningOrder& order) {
  order.profile = options.profile;
  order.may_outlive_ca = !options.clamp;
  if (!inputs.subject.empty()) {
    CALICO_ASSIGN_OR_RETURN(const std::string text, ReadText(terminal, inputs.subject));
    CALICO_ASSIGN_OR_RETURN(ReadSubject read, ParseSubject(text, inputs.subject));
    log.Warnings(read.warnings);
    order.subject = std::move(read.subject);
  }
  if (options.hostname.empty()) return absl::OkStatus();
  CALICO_ASSIGN_OR_RETURN(SplitNames split,
                          SplitHosts(SplitHostnameFlag(options.hostname), "-hostname"));
  log.Warnings(split.warnings);
  order.names = std::move(split.names);
  return absl::OkStatus();
}

absl::Status RunSign(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  CALICO_ASSIGN_OR_RETURN(const SignInputs inputs, InputsOf(options));
  CALICO_ASSIGN_OR_RETURN(const pki::CertificateRequest request,
                          ReadRequestPem(terminal, inputs.csr));
  SigningOrder order{.request = &request};
  CALICO_RETURN_IF_ERROR(FillOrder(options, inputs, terminal, log, order));
  CALICO_ASSIGN_OR_RETURN(const Signer signer, ReadSigner(options, terminal, log));
  CALICO_ASSIGN_OR_RETURN(const ChosenProfile chosen,
                          ChooseProfile(signer.config(), options.profile));
  if (request.requests_ca() && !chosen.profile->ca.is_ca) {
    log.Error("local signer policy disallows issuing CA certificate");
  }
  CALICO_ASSIGN_OR_RETURN(const Signed made, signer.Sign(order, terminal.clock.Now()));
  log.Info(fmt::format("signed certificate with serial number {}", made.serial));
  log.Info(DescribeIssued(signer.config(), *chosen.profile, made.not_before, made.not_after));
  log.Warnings(made.warnings);
  const std::string csr = pki::EncodePem("CERTIFICATE REQUEST", request.der());
  PrintResult({.cert = made.pem, .csr = csr}, terminal.out);
  return absl::OkStatus();
}

// HOSTNAME, which -hostname may give too, and CSRJSON.
struct SelfSignInputs {
  std::string hosts;
  std::string request;
};

absl::StatusOr<SelfSignInputs> SelfSignInputsOf(const Options& options) {
  const std::vector<std::string>& words = options.arguments;
  if (words.size() == 1 && !options.hostname.empty()) {
    return SelfSignInputs{.hosts = options.hostname, .request = words[0]};
  }
  if (words.size() == 2) {
    const bool both = !words[0].empty() && !options.hostname.empty();
    return SelfSignInputs{.hosts = words[0] + (both ? "," : "") + options.hostname,
                          .request = words[1]};
  }
  return absl::InvalidArgumentError(
      words.size() < 2 ? std::string("not enough arguments are supplied --- please refer to the "
                                     "usage")
                       : fmt::format("too many arguments are provided: {:?}", words[2]));
}

// `hosts` come first; cfssl leaves them out, which nobody expects.
absl::Status PutHostsFirst(const std::string& hosts, Request& request, Log& log) {
  CALICO_ASSIGN_OR_RETURN(SplitNames split, SplitHosts(SplitHostnameFlag(hosts), "HOSTNAME"));
  log.Warnings(split.warnings);
  const auto append = [](auto& to, const auto& from) {
    for (const auto& name : from) {
      if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
    }
  };
  append(split.names.dns_names, request.names.dns_names);
  append(split.names.emails, request.names.emails);
  append(split.names.ip_addresses, request.names.ip_addresses);
  append(split.names.uris, request.names.uris);
  request.names = std::move(split.names);
  return absl::OkStatus();
}

// The profile that -profile names; the built-in one for a quarter of a year otherwise, whatever the
// default of the configuration is, as in cfssl.
Profile SelfSignProfile(const SigningConfig& config, const std::string& name, Log& log) {
  const auto found = config.profiles.find(name);
  if (found != config.profiles.end()) return found->second;
  Profile profile = BuiltInSigningConfig().default_profile;
  profile.expiry = absl::ZeroDuration();
  if (!name.empty()) {
    log.Warning(NoSuchProfile(config, name) + "; the built-in one for tests is used");
  } else if (!config.file.empty()) {
    log.Warning("-config has no effect without -profile: the built-in profile for tests is used");
  }
  return profile;
}

absl::Status RunSelfSign(const Options& options, Terminal& terminal) {
  Log log(terminal, options.log_level);
  CALICO_ASSIGN_OR_RETURN(const SelfSignInputs inputs, SelfSignInputsOf(options));
  CALICO_ASSIGN_OR_RETURN(Request request, ReadRequestFile(options, inputs.request, terminal, log));
  CALICO_RETURN_IF_ERROR(PutHostsFirst(inputs.hosts, request, log));
  CALICO_ASSIGN_OR_RETURN(const SigningConfig config, ReadConfig(options, terminal, log));
  const Profile profile = SelfSignProfile(config, options.profile, log);
  if (request.ca.has_value() && !profile.ca.is_ca) {
    log.Warning(fmt::format("{}:{}: ca: selfsign makes no CA: use gencert -initca", request.file,
                            request.ca->location.ToString()));
  }
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, MakeKeyLoudly(request.key, terminal, log));
  CALICO_ASSIGN_OR_RETURN(const std::string csr, MakeRequest(request, key));
  log.Info("encoded CSR");
  CALICO_ASSIGN_OR_RETURN(const Signed made, SelfSign(request.subject, request.names, key, profile,
                                                      terminal.clock.Now()));
  terminal.err << kSelfSignedWarning;
  const base::SecretString pem = key.ToPem();
  PrintResult({.cert = made.pem, .csr = csr, .key = pem.view()}, terminal.out);
  return absl::OkStatus();
}

}  // namespace

int Sign(const Options& options, Terminal& terminal) {
  const absl::Status status = RunSign(options, terminal);
  return status.ok() ? kExitOk : Failed(terminal, status);
}

int SelfSignCommand(const Options& options, Terminal& terminal) {
  const absl::Status status = RunSelfSign(options, terminal);
  return status.ok() ? kExitOk : Failed(terminal, status);
}

}  // namespace calico::calicert::cfssl
