// The one binary in all images of stand-ins.

#include <cstdio>

#include "operator/standin/command.h"

int main(int argc, char** argv) {
  const auto command = calico::standin::FindCommand({argv, argv + argc});
  if (!command.ok()) {
    std::fprintf(stderr, "%s\n", command.status().ToString().c_str());
    return 2;
  }
  return command->program(command->arguments);
}
