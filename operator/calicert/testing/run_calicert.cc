#include "operator/calicert/testing/run_calicert.h"

#include <sstream>

#include "operator/calicert/command/terminal.h"
#include "operator/cmd/calicert/program.h"
#include "pkg/base/clock.h"

namespace calico::calicert {

RunResult RunCalicertWords(const std::vector<std::string>& words, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal{.in = in,
                    .out = out,
                    .err = err,
                    .environment = [](const std::string&) { return std::string(); },
                    .clock = base::SystemClock()};
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  const int code = RunCalicert(static_cast<int>(argv.size()), argv.data(), terminal);
  return {code, out.str(), err.str()};
}

}  // namespace calico::calicert
