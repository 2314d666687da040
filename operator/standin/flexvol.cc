// Stand-in for the image quay.io/calico/pod2daemon-flexvol: puts its driver into /host/driver.

#include <cstdio>
#include <fstream>
#include <string>

#include "operator/standin/program.h"

namespace calico::standin {

int InstallFlexvol(const Arguments& arguments) {
  const std::string target = Flag(arguments, "target", "/host/driver/uds");
  std::ofstream driver(target);
  driver << "#!/bin/sh\necho '{\"status\":\"Not supported\"}'\n";
  driver.close();
  if (!driver) {
    std::perror(target.c_str());
    return 1;
  }
  return 0;
}

}  // namespace calico::standin
