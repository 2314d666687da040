// Which stand-in a command line means.
#ifndef CALICO_OPERATOR_STANDIN_COMMAND_H_
#define CALICO_OPERATOR_STANDIN_COMMAND_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/standin/program.h"

namespace calico::standin {

struct Command {
  Program program;
  Arguments arguments;
};

// The programs of separate images have names of their own; the combined image has one, `calico`,
// and says `component NAME` or `health` first.
// Errors: InvalidArgument for what no image of Calico runs.
absl::StatusOr<Command> FindCommand(const std::vector<std::string>& command_line);

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_COMMAND_H_
