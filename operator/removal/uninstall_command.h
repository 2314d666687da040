// `calico-operator uninstall`: removes Calico and the operator from a cluster, in an order in which
// nothing gets stuck.
//
//   calico-operator uninstall --dry-run
//   calico-operator uninstall --yes
//
// Exit codes: 0 everything is gone, or nothing was there, or --dry-run; 1 it did not get to the
// end, stderr says why and what to do; 2 wrong flags, or neither --yes nor --dry-run.
#ifndef CALICO_OPERATOR_REMOVAL_UNINSTALL_COMMAND_H_
#define CALICO_OPERATOR_REMOVAL_UNINSTALL_COMMAND_H_

#include <functional>
#include <string>
#include <string_view>

#include "operator/config/flags.h"
#include "operator/removal/removal_plan.h"
#include "pkg/base/clock.h"

namespace calico::removal {

// Where the command writes to, piece by piece while it works.
struct CommandOutput {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
};

// `argv` begins with the command's own name. Blocks until it is done. The exit code.
int RunUninstallCommand(int argc, const char* const* argv,
                        const config::EnvironmentReader& environment, const base::Clock& clock,
                        const CommandOutput& output);

// What would be removed, and what stays, for people.
std::string ToText(const RemovalPlan& plan);

// A part of the program's completion script.
std::string UninstallCommandCompletion(std::string_view shell);

}  // namespace calico::removal

#endif  // CALICO_OPERATOR_REMOVAL_UNINSTALL_COMMAND_H_
