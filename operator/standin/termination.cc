#include "operator/standin/termination.h"

#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace calico::standin {

void ExitOnTermination() {
  for (const int number : {SIGTERM, SIGINT}) {
    std::signal(number, [](int) { _exit(0); });
  }
}

}  // namespace calico::standin
