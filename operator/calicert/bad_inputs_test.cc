// What people get wrong, and what they are told: each command line of bad_inputs.txt beside its
// output. Nothing of it may succeed, change a file or print a secret.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/terminal.h"
#include "operator/cmd/calicert/program.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/golden.h"

namespace calico::calicert {
namespace {

namespace fs = std::filesystem;

std::string Content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<std::string, std::string> ContentsOf(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::directory_iterator(folder)) {
    contents[entry.path().filename()] = Content(entry.path());
  }
  return contents;
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

struct Ran {
  int code = 0;
  std::string output;
};

Ran RunLine(const std::vector<std::string>& words) {
  std::istringstream in;
  std::ostringstream both;
  const base::FakeClock clock;
  Terminal terminal{.in = in,
                    .out = both,
                    .err = both,
                    .environment = [](const std::string&) { return std::string(); },
                    .clock = clock};
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  const int code = RunCalicert(static_cast<int>(argv.size()), argv.data(), terminal);
  return {code, both.str()};
}

// A folder of copies, in which the command lines run.
fs::path CopyInputs() {
  std::string pattern = testing::TempDir() + "/inputs.XXXXXX";
  const fs::path folder = mkdtemp(pattern.data());
  for (const auto& entry : fs::directory_iterator("testdata/calicert")) {
    const fs::path copy = folder / entry.path().filename();
    std::ofstream(copy, std::ios::binary) << Content(entry.path());
    const bool is_key = copy.string().ends_with("-key.pem");
    chmod(copy.c_str(), is_key ? 0600 : 0644);
  }
  return folder;
}

TEST(BadInputsTest, EachIsToldWhatIsWrongAndWhatToDo) {
  std::istringstream table(Content("operator/calicert/bad_inputs.txt"));
  const fs::path here = fs::current_path();
  const fs::path folder = CopyInputs();
  const auto before = ContentsOf(folder);
  fs::current_path(folder);
  std::string transcript;
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line.front() == '#') continue;
    const Ran ran = RunLine(Words(line));
    EXPECT_NE(ran.code, 0) << line << '\n' << ran.output;
    EXPECT_EQ(ran.output.find("passphrase\n"), std::string::npos) << line;
    EXPECT_EQ(ran.output.find("BEGIN"), std::string::npos) << line;
    transcript +=
        "$ " + line + "\n" + ran.output + "exit code " + std::to_string(ran.code) + "\n\n";
    ++count;
  }
  EXPECT_GE(count, 40);
  EXPECT_EQ(ContentsOf(folder), before) << "a file was changed";
  fs::current_path(here);
  EXPECT_THAT(transcript, base::MatchesGolden("calicert/bad_inputs.txt"));
}

}  // namespace
}  // namespace calico::calicert
