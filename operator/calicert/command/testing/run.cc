#include "operator/calicert/command/testing/run.h"

#include <sstream>

#include "pkg/base/testing/fake_clock.h"

namespace calico::calicert {

RunResult RunOnTerminal(const RunOptions& options, const std::function<int(Terminal&)>& run) {
  std::istringstream in(options.in);
  std::ostringstream out;
  std::ostringstream err;
  const base::FakeClock clock(options.now);
  Terminal terminal{.in = in,
                    .out = out,
                    .err = err,
                    .in_is_terminal = options.in_is_terminal,
                    .out_is_terminal = options.out_is_terminal,
                    .environment =
                        [&options](const std::string& name) {
                          const auto found = options.environment.find(name);
                          return found == options.environment.end() ? "" : found->second;
                        },
                    .clock = clock};
  const int code = run(terminal);
  return {code, out.str(), err.str()};
}

RunResult RunWords(const std::vector<Command>& table, const std::vector<std::string>& words,
                   const RunOptions& options) {
  std::vector<const char*> argv = {options.program.c_str()};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return RunOnTerminal(options, [&](Terminal& terminal) {
    return RunProgram(options.program, table, static_cast<int>(argv.size()), argv.data(), terminal);
  });
}

}  // namespace calico::calicert
