#include "pkg/pki/testing/openssl_command.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace calico::pki {

OpensslCommand::OpensslCommand() {
  const char* base = std::getenv("TEST_TMPDIR");
  folder_ = std::string(base == nullptr ? "/tmp" : base) + "/openssl-XXXXXX";
  if (mkdtemp(folder_.data()) == nullptr) {
    std::perror("make temporary folder");
    std::abort();
  }
}

OpensslCommand::~OpensslCommand() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string OpensslCommand::Write(std::string_view name, std::string_view content) const {
  std::string path = Path(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string OpensslCommand::Read(std::string_view name) const {
  std::ifstream in(Path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

OpensslCommand::Result OpensslCommand::RunText(const std::string& arguments) const {
  const std::string line = fmt::format("cd {} && openssl {} 2>&1", folder_, arguments);
  std::FILE* pipe = popen(line.c_str(), "r");
  Result result;
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer;
  size_t size = 0;
  while ((size = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace calico::pki
