// The flags of cfssl's commands. Each command takes all of them, as cfssl's do; its help tells
// those that it looks at, and others are a warning.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_OPTIONS_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_OPTIONS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operator/calicert/command/command.h"
#include "operator/config/flags.h"

namespace calico::calicert::cfssl {

struct Options {
  std::string ca;
  std::string ca_key;
  std::string config;
  std::string profile;
  std::string hostname;
  std::string cn;
  std::string csr;
  std::string cert;
  std::string key;
  std::string remote;
  std::string domain;
  std::string batch;
  std::string ca_bundle;
  std::string int_bundle;
  std::string flavor = "ubiquitous";
  std::string db_config;
  std::string serial;
  std::string aki;
  std::string ignored;  // the last value of a flag that means nothing here
  bool initca = false;
  bool renewca = false;
  bool clamp = false;
  int log_level = 1;
  std::vector<std::string> arguments;
};

// Declares every flag in Go's style; the help tells of those in `told` and of -loglevel.
void DeclareOptions(config::Flags& flags, const std::vector<std::string_view>& told,
                    Options* options);

using CommandFunction = int (*)(const Options& options, Terminal& terminal);

struct CommandText {
  std::string name;
  std::string summary;
  std::string details;
  std::vector<std::string_view> flags;
  std::string arguments;  // "CSRJSON"; how the help names them
  std::string arguments_help;
  std::vector<std::pair<std::string, std::string>> examples;
};

// A command of the table from what is said about it and what it does.
Command MakeCommand(CommandText text, CommandFunction run);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_OPTIONS_H_
