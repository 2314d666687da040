#include "operator/calicert/command/input.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/clock.h"

namespace calico::calicert {
namespace {

using ::testing::HasSubstr;

struct Streams {
  explicit Streams(const std::string& text) : in(text) {}
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Terminal terminal{.in = in, .out = out, .err = err, .clock = base::SystemClock()};
};

std::string File(const std::string& content) {
  const std::string path = ::testing::TempDir() + "/input";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(InputTest, ReadsFilesAndStandardInputWithALimit) {
  Streams streams(std::string(200'000, 'x'));
  EXPECT_EQ(ReadInput(streams.terminal, "-")->size(), 200'000U);
  Streams large(std::string(11, 'x'));
  EXPECT_EQ(ReadInput(large.terminal, "-", 10).status().message(),
            "read standard input: larger than 10 bytes");
  EXPECT_EQ(*ReadInput(streams.terminal, File("abc")), "abc");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadInput(streams.terminal, File("abc"), 2).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadInput(streams.terminal, "/none").status()));
  EXPECT_EQ(ReadInput(streams.terminal, "/").status().message(), "read /: Is a directory");
}

TEST(InputTest, APassphraseIsTheFirstLineOfItsFile) {
  Streams streams("");
  EXPECT_EQ(ReadPassphrase(streams.terminal, {File("secret\r\nmore")}, "a.p12")->view(), "secret");
  EXPECT_EQ(ReadPassphrase(streams.terminal, {File("")}, "a.p12")->view(), "");
}

TEST(InputTest, WithoutTerminalThePassphraseNeedsAFile) {
  Streams streams("secret\n");
  const auto passphrase = ReadPassphrase(streams.terminal, {}, "a.p12");
  EXPECT_THAT(std::string(passphrase.status().message()), HasSubstr("--passphrase-file FILE"));
}

TEST(InputTest, AsksAndCompares) {
  Streams streams("one\ntwo\n");
  streams.terminal.in_is_terminal = true;
  const auto differs = ReadPassphrase(streams.terminal, {}, "a.p12", true);
  EXPECT_EQ(differs.status().message(), "the two passphrases differ");
  EXPECT_EQ(streams.err.str(), "Passphrase of a.p12: \nThe same again: \n");
  EXPECT_TRUE(absl::IsCancelled(ReadPassphrase(streams.terminal, {}, "a.p12").status()));
}

TEST(InputTest, APassphraseIsNeverCutShort) {
  Streams streams(std::string(1024, 'x') + "\n" + std::string(1025, 'x') + "\n");
  streams.terminal.in_is_terminal = true;
  EXPECT_EQ(ReadPassphrase(streams.terminal, {}, "a.p12")->view().size(), 1024U);
  EXPECT_EQ(ReadPassphrase(streams.terminal, {}, "a.p12").status().message(),
            "the passphrase has more than 1024 bytes");
}

}  // namespace
}  // namespace calico::calicert
