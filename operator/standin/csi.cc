// Stand-ins for the images quay.io/calico/csi and node-driver-registrar: they check that they were
// given what the real ones need of the host, and wait. No pod gets a volume from them.

#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "operator/standin/environment.h"
#include "operator/standin/program.h"
#include "operator/standin/termination.h"

namespace calico::standin {
namespace {

bool IsFolder(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return true;
  std::fprintf(stderr, "%s: no such folder\n", path.c_str());
  return false;
}

bool HasFlag(const Arguments& arguments, const char* name) {
  if (!Flag(arguments, name).empty()) return true;
  std::fprintf(stderr, "--%s is missing\n", name);
  return false;
}

}  // namespace

int RunCsi(const Arguments& arguments) {
  ExitOnTermination();
  if (!HasFlag(arguments, "nodeid") || !IsFolder("/csi") || !IsFolder("/var/run")) return 1;
  std::puts("serving");
  std::fflush(stdout);
  WaitForever();
}

int RunCsiRegistrar(const Arguments& arguments) {
  ExitOnTermination();
  if (!HasFlag(arguments, "csi-address") || !HasFlag(arguments, "kubelet-registration-path") ||
      !IsFolder("/registration") || !IsFolder("/csi")) {
    return 1;
  }
  std::puts("registered");
  std::fflush(stdout);
  WaitForever();
}

}  // namespace calico::standin
