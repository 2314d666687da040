// Stand-in for the image quay.io/calico/pod2daemon-flexvol: puts its driver into /host/driver.

#include <cstdio>
#include <fstream>

int main() {
  std::ofstream driver("/host/driver/uds");
  driver << "#!/bin/sh\necho '{\"status\":\"Not supported\"}'\n";
  driver.close();
  if (!driver) {
    std::perror("/host/driver/uds");
    return 1;
  }
  return 0;
}
