#include "pkg/serving/process_metrics.h"

#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace calico::serving {
namespace {

double Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double ResidentBytes() {
  double total_pages = 0;
  double resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenFiles() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(files), end(files)));
}

// proc(5): field 22 of stat is the start in clock ticks after boot. Fields are counted after the
// program's name, which may hold spaces and is the last thing in parentheses.
double StartTime() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  const double after_boot =
      std::strtod(field.c_str(), nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return Seconds(CLOCK_REALTIME) - Seconds(CLOCK_BOOTTIME) + after_boot;
}

}  // namespace

void AddProcessMetrics(metrics::Registry& registry) {
  registry.AddGaugeCallback("process_resident_memory_bytes", "Resident memory.", &ResidentBytes);
  registry.AddCounterCallback("process_cpu_seconds_total", "User and system time.",
                              [] { return Seconds(CLOCK_PROCESS_CPUTIME_ID); });
  registry.AddGaugeCallback("process_open_fds", "Open file descriptors.", &OpenFiles);
  registry.AddGauge("process_start_time_seconds", "Start of the process in Unix time.")
      .Set(StartTime());
}

}  // namespace calico::serving
