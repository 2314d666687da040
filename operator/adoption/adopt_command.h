// `calico-operator adopt`: takes a cluster over from Tigera's operator.
//
//   calico-operator adopt --check -o yaml
//   calico-operator adopt
//
// Exit codes: 0 done, or with --check: nothing restarts; 1 something is in the way, or the API
// server refuses; 2 wrong flags; 3 with --check: pods would restart.
#ifndef CALICO_OPERATOR_ADOPTION_ADOPT_COMMAND_H_
#define CALICO_OPERATOR_ADOPTION_ADOPT_COMMAND_H_

#include <functional>
#include <string>
#include <string_view>

#include "operator/config/flags.h"
#include "pkg/base/clock.h"

namespace calico::adoption {

inline constexpr int kExitRestarts = 3;

// Where a command writes to, piece by piece while it works.
struct CommandOutput {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
};

// `argv` begins with the command's own name. Blocks until it is done. The exit code.
int RunAdoptCommand(int argc, const char* const* argv, const config::EnvironmentReader& environment,
                    const base::Clock& clock, const CommandOutput& output);

// A part of the program's completion script.
std::string AdoptCommandCompletion(std::string_view shell);

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_ADOPT_COMMAND_H_
