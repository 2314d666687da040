// Runs a program of calicert's frame as a user types it, with strings in place of the terminal.
//
//   const RunResult result = RunWords(KeyCommands(), {"key", "inspect", "-"}, {.in = pem});
//   EXPECT_EQ(result.code, 0) << result.err;
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_TESTING_RUN_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_TESTING_RUN_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "operator/calicert/command/command.h"

namespace calico::calicert {

struct RunOptions {
  std::string in;
  std::map<std::string, std::string> environment = {};
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);  // as base::FakeClock and pki::TestTime
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  std::string program = "calicert";
};

struct RunResult {
  int code = -1;
  std::string out;
  std::string err;
};

// `run` on such a terminal; what it returns is the exit code.
RunResult RunOnTerminal(const RunOptions& options, const std::function<int(Terminal&)>& run);

RunResult RunWords(const std::vector<Command>& table, const std::vector<std::string>& words,
                   const RunOptions& options = {});

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_TESTING_RUN_H_
