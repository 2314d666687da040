// What every program of the frame says about its commands: help, man pages, completion.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_REFERENCE_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_REFERENCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

// The commands help, completion, man, and one without summary that shells ask while a command line
// is typed. Copies `table`.
std::vector<Command> ReferenceCommands(const std::string& program,
                                       const std::vector<Command>& table);

// What may stand in place of the last word of `line`, which follows the program's name.
config::Flags::Candidates CompleteWords(std::string_view program, const std::vector<Command>& table,
                                        const std::vector<std::string>& words);

// The script for bash, fish or zsh: it asks the program, so that it never ages.
std::string CompletionScript(std::string_view program, std::string_view shell);

// The same as kubectl asks a plug-in for it (a program `kubectl_complete-NAME`): a line for each
// word, then what the shell does besides, in the numbers of kubectl's library.
std::string KubectlCompletion(std::string_view program, const std::vector<Command>& table,
                              const std::vector<std::string>& words);

// A page of man: its file's name ("calicert-csr-create.1") and its text.
struct ManPage {
  std::string file;
  std::string text;
};
// The program's own first, then one of each command.
std::vector<ManPage> ManPages(std::string_view program, const std::vector<Command>& table);

// `version`: name and version.
Command VersionCommand(std::string_view program);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_REFERENCE_H_
