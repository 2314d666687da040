// The examples of every command's help are taken by the program, and those that need nothing but
// files are run.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/testing/run_calicert.h"

namespace calico::calicert {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A line of shell as words; what stands in single quotes is one.
std::vector<std::string> WordsOf(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      open = false;
      continue;
    } else if (open) {
      words.back() += c;
      continue;
    } else {
      words.emplace_back(1, c);
    }
    if (!open && c == '\'') words.emplace_back();
    open = true;
  }
  return words;
}

bool IsOurs(const std::string& word) {
  return word == "calicert" || word == "cfssl" || word == "cfssljson";
}

// Runs the programs of ours in a line one after the other, each with what the one before it printed
// where there is a `|` between them. Returns the last one's answer, or that of the first failure.
RunResult RunLine(const std::string& line) {
  RunResult ran{.code = 0};
  std::vector<std::string> words;
  const auto run = [&] {
    if (!words.empty() && IsOurs(words[0]) && ran.code == 0) ran = RunCalicertWords(words, ran.out);
    words.clear();
  };
  bool redirected = false;
  for (std::string word : WordsOf(line)) {
    if (word == "|" || word == "&&" || word == "source") {
      run();
      continue;
    }
    if (word.starts_with("<(")) word = word.substr(2);
    if (word.ends_with(')') && word.find('(') == std::string::npos) word.pop_back();
    if (std::exchange(redirected, word == ">") || word == ">") continue;
    words.push_back(word);
  }
  run();
  return ran;
}

// The example lines of all commands, in the order of the help.
std::vector<std::string> Examples() {
  std::vector<std::string> examples;
  std::istringstream help(RunCalicertWords({"calicert", "--help"}).out);
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with("  ")) continue;
    std::vector<std::string> words = WordsOf(line.substr(2, line.find("  ", 2) - 2));
    words.insert(words.begin(), "calicert");
    words.emplace_back("--help");
    std::istringstream own(RunCalicertWords(words).out);
    bool in_examples = false;
    for (std::string example; std::getline(own, example);) {
      in_examples |= example == "Examples:";
      if (in_examples && example.starts_with("  ") && !example.starts_with("  #")) {
        examples.push_back(example.substr(2));
      }
    }
  }
  return examples;
}

// It needs a cluster, a server, a passphrase, a folder of this machine or another time.
bool NeedsMore(const std::string& example) {
  constexpr std::string_view kNeeds[] = {
      "https://", "/etc/", "calicert csr ", "calicert tls ", "expiring", "calicert check",
      "explain", "kubectl", "etcdctl", "pkcs12", "web.p12", "man ~", "-batch", "--apply", "/hack/",
      "2028", "needs-renewal",
      // Examples before them have made other files of these names.
      "typha-check", "cfssl bundle"};
  return std::any_of(std::begin(kNeeds), std::end(kNeeds), [&](std::string_view need) {
    return example.find(need) != std::string::npos;
  });
}

// A folder with the files that the examples name, in which the process then is.
class ExamplesTest : public ::testing::Test {
 protected:
  ExamplesTest() : before_(std::filesystem::current_path()) {
    std::string pattern = ::testing::TempDir() + "/examples.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    std::filesystem::current_path(folder_);
    for (const std::string name : {"ca", "root", "server", "csr"}) {
      std::ofstream(name + ".json") << R"({"CN": ")" << name << R"(", "hosts": ["typha"],
                                           "key": {"algo": "ecdsa", "size": 256}})";
    }
    std::ofstream("config.json") << R"({"signing": {
        "default": {"expiry": "8760h", "usages": ["signing", "server auth"]}, "profiles": {
        "intermediate": {"expiry": "8760h", "usages": ["cert sign", "crl sign"],
                         "ca_constraint": {"is_ca": true}},
        "server": {"expiry": "8760h", "usages": ["signing", "server auth"]},
        "peer": {"expiry": "8760h", "usages": ["signing", "server auth", "client auth"]}}}})";
    std::ofstream("serials.txt") << "1\n";
    Make("cfssl gencert -initca ca.json | cfssljson -bare ca");
    Make("cfssl gencert -initca root.json | cfssljson -bare root");
    Make(
        "cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json -profile server "
        "server.json | cfssljson -bare tls");
    for (const char* name : {"tls.crt", "member-1.pem"}) {
      std::filesystem::copy_file("tls.pem", name);
    }
    for (const char* name : {"tls.key", "ec.key"}) std::filesystem::copy_file("tls-key.pem", name);
  }
  ~ExamplesTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }

 private:
  static void Make(const std::string& line) {
    const RunResult made = RunLine(line);
    EXPECT_EQ(made.code, 0) << line << ": " << made.err;
  }

  std::filesystem::path before_;
  std::filesystem::path folder_;
};

TEST_F(ExamplesTest, EachIsTakenAndWhatNeedsOnlyFilesWorks) {
  const std::vector<std::string> examples = Examples();
  EXPECT_GE(examples.size(), 50U);
  size_t worked = 0;
  for (const std::string& example : examples) {
    SCOPED_TRACE(example);
    const RunResult ran = RunLine(example);
    EXPECT_THAT(ran.err, Not(HasSubstr("\nTry '"))) << "a flag or argument that there is not";
    if (NeedsMore(example)) continue;
    EXPECT_EQ(ran.code, 0) << ran.err;
    ++worked;
  }
  EXPECT_GE(worked, 25U);
}

}  // namespace
}  // namespace calico::calicert
