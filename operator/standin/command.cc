#include "operator/standin/command.h"

#include <algorithm>
#include <string_view>

#include <absl/strings/str_join.h>

namespace calico::standin {
namespace {

// `words` is the program's name without its folder, and what must follow it.
struct Entry {
  std::vector<std::string_view> words;
  Program program;
};

const std::vector<Entry>& Entries() {
  static const auto& entries = *new std::vector<Entry>{
      // Images of one program each.
      {{"calico-node"}, &RunNode},
      {{"calico-typha"}, &RunTypha},
      {{"install"}, &InstallCni},
      {{"flexvol"}, &InstallFlexvol},
      {{"kube-controllers"}, &RunKubeControllers},
      {{"check-status"}, &CheckKubeControllers},
      {{"csi-driver"}, &RunCsi},
      {{"csi-node-driver-registrar"}, &RunCsiRegistrar},
      {{"apiserver"}, &RunApiServer},
      {{"filecheck"}, &CheckApiServer},
      {{"third-party-cni-plugins"}, &Succeed},
      // The combined image, and calico/node beside it.
      {{"calico", "component", "node", "init"}, &Succeed},
      {{"calico", "component", "node", "shutdown"}, &Succeed},
      {{"calico", "component", "node"}, &RunNode},
      {{"calico", "component", "typha"}, &RunTypha},
      {{"calico", "component", "cni", "install"}, &InstallCni},
      {{"calico", "component", "flexvol", "install"}, &InstallFlexvol},
      {{"calico", "component", "kube-controllers"}, &RunKubeControllers},
      {{"calico", "component", "csi"}, &RunCsi},
      {{"calico", "component", "apiserver"}, &RunApiServer},
      {{"calico", "health"}, &CheckHealth},
  };
  return entries;
}

}  // namespace

absl::StatusOr<Command> FindCommand(const std::vector<std::string>& command_line) {
  std::vector<std::string> words = command_line;
  if (!words.empty()) words.front().erase(0, words.front().rfind('/') + 1);
  for (const Entry& entry : Entries()) {
    if (words.size() < entry.words.size()) continue;
    if (!std::equal(entry.words.begin(), entry.words.end(), words.begin())) continue;
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(entry.words.size());
    return Command{entry.program, Arguments(first, words.end())};
  }
  return absl::InvalidArgumentError("no stand-in for: " + absl::StrJoin(command_line, " "));
}

}  // namespace calico::standin
