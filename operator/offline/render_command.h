// `calico-operator render`: prints what an Installation would install, without a cluster.
//
//   calico-operator render --installation installation.yaml --world secrets.yaml -o yaml
//
// Exit codes: 0 the objects are printed; 1 the Installation cannot be installed, every problem on a
// line of its own; 2 wrong flags or files that cannot be read.
#ifndef CALICO_OPERATOR_OFFLINE_RENDER_COMMAND_H_
#define CALICO_OPERATOR_OFFLINE_RENDER_COMMAND_H_

#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "operator/config/flags.h"

namespace calico::offline {

struct CommandResult {
  int exit_code = 0;
  std::string out;  // for stdout
  std::string err;  // for stderr
};

// `argv` begins with the command's own name. Reads files, writes none. `now` decides whether
// certificates are valid.
CommandResult RunRenderCommand(int argc, const char* const* argv,
                               const config::EnvironmentReader& environment, absl::Time now);

// A part of the program's completion script.
std::string RenderCommandCompletion(std::string_view shell);

}  // namespace calico::offline

#endif  // CALICO_OPERATOR_OFFLINE_RENDER_COMMAND_H_
