// The stand-ins, each a function. They are all in one binary, as in Calico's own combined image;
// main.cc picks one by how the binary is called.
#ifndef CALICO_OPERATOR_STANDIN_PROGRAM_H_
#define CALICO_OPERATOR_STANDIN_PROGRAM_H_

#include <string>
#include <string_view>
#include <vector>

namespace calico::standin {

// What follows the program's name on the command line.
using Arguments = std::vector<std::string>;
// Returns the exit code.
using Program = int (*)(const Arguments&);

// Felix without arguments; asked for its health with -felix-ready or --felix-ready.
int RunNode(const Arguments& arguments);
int RunTypha(const Arguments& arguments);
int InstallCni(const Arguments& arguments);
int InstallFlexvol(const Arguments& arguments);
int RunKubeControllers(const Arguments& arguments);
int RunCsi(const Arguments& arguments);
int RunCsiRegistrar(const Arguments& arguments);
int RunApiServer(const Arguments& arguments);

// Probes: 0 if the program beside them is healthy.
int CheckHealth(const Arguments& arguments);           // calico health --port=N --type=readiness
int CheckKubeControllers(const Arguments& arguments);  // check-status -r
int CheckApiServer(const Arguments& arguments);        // filecheck

// Nothing to do, and done.
int Succeed(const Arguments& arguments);

// The value of `--NAME=VALUE` or `--NAME VALUE`; without it `fallback`.
std::string Flag(const Arguments& arguments, std::string_view name, std::string_view fallback = "");

// Waits for the signal that ends the process.
[[noreturn]] void WaitForever();

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_PROGRAM_H_
