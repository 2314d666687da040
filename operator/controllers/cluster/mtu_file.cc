#include "operator/controllers/cluster/mtu_file.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <fmt/format.h>

namespace calico::cluster {
namespace {

constexpr int kMostCharacters = 32;

}  // namespace

absl::StatusOr<int> ReadMtuFile(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return 0;
  std::ifstream file(path, std::ios::binary);
  char buffer[kMostCharacters];
  file.read(buffer, kMostCharacters);
  const std::string text(buffer, static_cast<size_t>(file.gcount()));
  int mtu = 0;
  if (file.bad() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &mtu) || mtu < 0) {
    return absl::InvalidArgumentError(fmt::format("{} of this node does not say an MTU", path));
  }
  return mtu;
}

}  // namespace calico::cluster
