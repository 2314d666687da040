#include "operator/calicert/cfssl/commands/options.h"

#include <algorithm>
#include <utility>

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

// Adds flags whose help is shown only where the command looks at them.
class Declarer {
 public:
  Declarer(config::Flags& flags, const std::vector<std::string_view>& told)
      : flags_(flags), told_(told) {}

  void Text(std::string_view name, std::string_view value, std::string_view help,
            std::string* target) {
    flags_.Text({.name = std::string(name), .value = std::string(value), .help = Shown(name, help)},
                target);
  }
  void Switch(std::string_view name, std::string_view help, bool* target) {
    flags_.Switch({.name = std::string(name), .help = Shown(name, help)}, target);
  }

 private:
  std::string Shown(std::string_view name, std::string_view help) const {
    const bool told = std::find(told_.begin(), told_.end(), name) != told_.end();
    return told ? std::string(help) : std::string();
  }

  config::Flags& flags_;
  const std::vector<std::string_view>& told_;
};

}  // namespace

void DeclareOptions(config::Flags& flags, const std::vector<std::string_view>& told,
                    Options* options) {
  flags.Style(config::FlagStyle::kGo);
  Declarer declare(flags, told);
  declare.Text("ca", "FILE", "the CA's certificate: a file, or env:VARIABLE", &options->ca);
  declare.Text("ca-key", "FILE",
               "the CA's key: a file, or env:VARIABLE; CFSSL_CA_PK_PASSWORD decrypts it",
               &options->ca_key);
  declare.Text("config", "FILE", "signing configuration with profiles", &options->config);
  declare.Text("profile", "NAME", "profile of the configuration; the default one otherwise",
               &options->profile);
  declare.Text("hostname", "HOSTS", "names with commas between them, in place of the request's",
               &options->hostname);
  declare.Text("cn", "NAME", "common name in place of the request's", &options->cn);
  declare.Text("csr", "FILE", "certificate request; wins over the argument", &options->csr);
  declare.Text("cert", "FILE", "certificate; - is standard input", &options->cert);
  declare.Text("key", "FILE", "private key", &options->key);
  declare.Text("remote", "HOST", "a signing server: not supported", &options->remote);
  declare.Text("domain", "HOST", "a server's certificate: not supported, see inspect",
               &options->domain);
  declare.Text("batch", "FILE", "a list of requests: a key and certificate for each, one a line",
               &options->batch);
  declare.Text("ca-bundle", "FILE", "trusted root certificates", &options->ca_bundle);
  declare.Text("int-bundle", "FILE", "intermediate certificates", &options->int_bundle);
  declare.Text("flavor", "NAME", "ubiquitous, optimal (the same here) or force", &options->flavor);
  declare.Text("db-config", "FILE", "a certificate database: not supported", &options->db_config);
  declare.Text("serial", "NUMBER", "of a certificate in the database: not supported",
               &options->serial);
  declare.Text("aki", "ID", "of a certificate in the database: not supported", &options->aki);
  declare.Switch("initca", "make a CA that signs itself", &options->initca);
  declare.Switch("renewca", "make the CA's certificate anew: same key, subject and length",
                 &options->renewca);
  declare.Switch("clamp", "end certificates with their CA at the latest", &options->clamp);
  flags.Number({.name = "loglevel", .value = "LEVEL", .help = "0 (debug) to 5 (fatal only)"}, 0, 5,
               &options->log_level);
  // Shared by all: nobody reads it.
  static thread_local std::string ignored;
  for (const std::string_view name : kIgnored) declare.Text(name, "VALUE", "", &ignored);
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
    return [options, run](Terminal& terminal) { return run(*options, terminal); };
  };
  return command;
}

}  // namespace calico::calicert::cfssl
