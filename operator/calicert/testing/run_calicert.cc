#include "operator/calicert/testing/run_calicert.h"

#include <absl/time/clock.h>

#include "operator/cmd/calicert/program.h"

namespace calico::calicert {

RunResult RunCalicertWords(const std::vector<std::string>& words, const std::string& input) {
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  return RunOnTerminal({.in = input, .now = absl::Now()}, [&](Terminal& terminal) {
    return RunCalicert(static_cast<int>(argv.size()), argv.data(), terminal);
  });
}

}  // namespace calico::calicert
