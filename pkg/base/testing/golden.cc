#include "pkg/base/testing/golden.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include <fmt/format.h>

namespace calico::base {
namespace {

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string Part(const std::vector<std::string>& lines, size_t from, size_t to, char mark) {
  std::string part;
  for (size_t i = from; i < std::min(to, lines.size()); ++i) {
    part += fmt::format("{} {}\n", mark, lines[i]);
  }
  return part;
}

// The lines from the first difference to the last one, with three around them.
std::string Diff(const std::vector<std::string>& want, const std::vector<std::string>& got) {
  constexpr size_t kContext = 3;
  constexpr size_t kMost = 60;
  size_t begin = 0;
  while (begin < want.size() && begin < got.size() && want[begin] == got[begin]) ++begin;
  size_t end = 0;
  while (end < want.size() - begin && end < got.size() - begin &&
         want[want.size() - 1 - end] == got[got.size() - 1 - end]) {
    ++end;
  }
  const size_t first = begin > kContext ? begin - kContext : 0;
  return fmt::format("line {}:\n", begin + 1) + Part(want, first, begin, ' ') +
         Part(want, begin, std::min(want.size() - end, begin + kMost), '-') +
         Part(got, begin, std::min(got.size() - end, begin + kMost), '+') +
         Part(want, want.size() - end, want.size() - end + kContext, ' ');
}

const char* Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string CompareWithGolden(std::string_view text, const std::string& path) {
  const std::filesystem::path file = std::filesystem::path("testdata/golden") / path;
  if (std::string_view(Environment("UPDATE_GOLDEN")) == "1") {
    const std::filesystem::path root = Environment("BUILD_WORKSPACE_DIRECTORY");
    if (root.empty()) return "UPDATE_GOLDEN works with `bazel run` only";
    std::filesystem::create_directories((root / file).parent_path());
    std::ofstream(root / file, std::ios::binary) << text;
    return "";
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string want{std::istreambuf_iterator<char>(stream), {}};
  if (stream.is_open() && want == text) return "";
  return fmt::format("{} differs, {}\nto accept: UPDATE_GOLDEN=1 bazel run <this test>\n",
                     file.string(),
                     stream.is_open() ? Diff(Lines(want), Lines(text)) : "it does not exist");
}

}  // namespace calico::base
