#include "operator/calicert/cfssl/commands/options.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cfssl/commands/session.h"

namespace calico::calicert::cfssl {
namespace {

// Every flag that cfssl 1.2 or later registers and that we have nothing to do with, so that a
// command line with it still works. Its value goes here.
constexpr std::string_view kIgnored[] = {
    "label",
    "responder",
    "responder-key",
    "tls-cert",
    "tls-key",
    "tls-remote-ca",
    "mutual-tls-ca",
    "mutual-tls-cn",
    "mutual-tls-client-cert",
    "mutual-tls-client-key",
    "mutual-tls-cert",
    "int-dir",
    "metadata",
    "ip",
    "address",
    "port",
    "family",
    "scanner",
    "timeout",
    "reason",
    "status",
    "revoked-at",
    "interval",
    "responses",
    "path",
    "usage",
    "password",
    "num-workers",
    "max-hosts",
    "csv",
    "disable",
    "min-tls-version",
    "crl-expiry",
};

struct TextFlag {
  std::string_view name;
  std::string_view value;
  std::string_view help;
  std::string Options::* target;
};
constexpr TextFlag kTexts[] = {
    {"ca", "FILE", "the CA's certificate: a file, or env:VARIABLE", &Options::ca},
    {"ca-key", "FILE", "the CA's key: a file, or env:VARIABLE; CFSSL_CA_PK_PASSWORD decrypts it",
     &Options::ca_key},
    {"config", "FILE", "signing configuration with profiles", &Options::config},
    {"profile", "NAME", "profile of the configuration; the default one otherwise",
     &Options::profile},
    {"hostname", "HOSTS", "names with commas between them, in place of the request's",
     &Options::hostname},
    {"cn", "NAME", "common name in place of the request's", &Options::cn},
    {"csr", "FILE", "certificate request; wins over the argument", &Options::csr},
    {"cert", "FILE", "certificate; - is standard input", &Options::cert},
    {"key", "FILE", "private key", &Options::key},
    {"remote", "HOST", "a signing server: not supported", &Options::remote},
    {"domain", "HOST", "a server's certificate: not supported, see inspect", &Options::domain},
    {"batch", "FILE", "a list of requests: a key and certificate for each, one a line",
     &Options::batch},
    {"ca-bundle", "FILE", "trusted root certificates", &Options::ca_bundle},
    {"int-bundle", "FILE", "intermediate certificates", &Options::int_bundle},
    {"flavor", "NAME", "ubiquitous, optimal (the same here) or force", &Options::flavor},
    {"db-config", "FILE", "a certificate database: not supported", &Options::db_config},
    {"serial", "NUMBER", "of a certificate in the database: not supported", &Options::serial},
    {"aki", "ID", "of a certificate in the database: not supported", &Options::aki},
};

struct SwitchFlag {
  std::string_view name;
  std::string_view help;
  bool Options::* target;
};
constexpr SwitchFlag kSwitches[] = {
    {"initca", "make a CA that signs itself", &Options::initca},
    {"renewca", "make the CA's certificate anew: same key, subject and length", &Options::renewca},
    {"clamp", "end certificates with their CA at the latest", &Options::clamp},
};

bool IsTold(const std::vector<std::string_view>& told, std::string_view name) {
  return std::find(told.begin(), told.end(), name) != told.end();
}

// Flags that the command does not look at, and values that are rather the next flag.
void WarnOfFlags(const Options& options, std::string_view command,
                 const std::vector<std::string_view>& told, Log& log) {
  const Options defaults;
  for (const TextFlag& flag : kTexts) {
    const std::string& value = options.*flag.target;
    if (value == defaults.*flag.target) continue;
    if (!IsTold(told, flag.name)) {
      log.Warning(fmt::format("-{}: {} does not look at it", flag.name, command));
    } else if (value.size() > 1 && value.starts_with('-')) {
      log.Warning(fmt::format("-{}: {:?} is taken as its value: is a value missing before it?",
                              flag.name, value));
    }
  }
  for (const SwitchFlag& flag : kSwitches) {
    if (options.*flag.target && !IsTold(told, flag.name)) {
      log.Warning(fmt::format("-{}: {} does not look at it", flag.name, command));
    }
  }
}

}  // namespace

void DeclareOptions(config::Flags& flags, const std::vector<std::string_view>& told,
                    Options* options) {
  flags.Style(config::FlagStyle::kGo);
  const auto shown = [&told](std::string_view name, std::string_view help) {
    return IsTold(told, name) ? std::string(help) : std::string();
  };
  for (const TextFlag& flag : kTexts) {
    flags.Text({.name = std::string(flag.name),
                .value = std::string(flag.value),
                .help = shown(flag.name, flag.help)},
               &(options->*flag.target));
  }
  for (const SwitchFlag& flag : kSwitches) {
    flags.Switch({.name = std::string(flag.name), .help = shown(flag.name, flag.help)},
                 &(options->*flag.target));
  }
  // cfssl takes any number.
  constexpr int kMost = 99;
  flags.Number({.name = "loglevel", .value = "LEVEL", .help = "0 (debug) to 5 (fatal only)"},
               -kMost, kMost, &options->log_level);
  for (const std::string_view name : kIgnored) {
    flags.Text({.name = std::string(name), .value = "VALUE"}, &options->ignored);
  }
}

Command MakeCommand(CommandText text, CommandFunction run) {
  Command command{.path = text.name, .summary = text.summary, .details = text.details};
  command.declare = [text = std::move(text), run](config::Flags& flags) -> Run {
    auto options = std::make_shared<Options>();
    DeclareOptions(flags, text.flags, options.get());
    if (!text.arguments.empty()) {
      flags.Arguments({.name = text.arguments, .help = text.arguments_help}, &options->arguments);
    } else {
      flags.Arguments({.name = "[ARGUMENT]", .help = "not looked at"}, &options->arguments);
    }
    for (const auto& [comment, line] : text.examples) flags.Example(comment, line);
    return [options, run, text](Terminal& terminal) {
      Log log(terminal, options->log_level);
      WarnOfFlags(*options, text.name, text.flags, log);
      return run(*options, terminal);
    };
  };
  return command;
}

}  // namespace calico::calicert::cfssl
