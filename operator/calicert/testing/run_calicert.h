// Runs the whole program as a user types it, with strings in place of the terminal and the clock of
// the machine.
#ifndef CALICO_OPERATOR_CALICERT_TESTING_RUN_CALICERT_H_
#define CALICO_OPERATOR_CALICERT_TESTING_RUN_CALICERT_H_

#include <string>
#include <vector>

#include "operator/calicert/command/testing/run.h"

namespace calico::calicert {

// `words` begin with the program's name.
RunResult RunCalicertWords(const std::vector<std::string>& words, const std::string& input = "");

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_TESTING_RUN_CALICERT_H_
