#include "operator/calicert/command/output.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/command/file_output.h"
#include "pkg/codec/json.h"

namespace calico::calicert {
namespace {

using ::testing::HasSubstr;

TEST(OutputTest, ATableIsAlignedAndWideOnlyOnDemand) {
  Table table({{"NAME"}, {"NODE", true}, {"AGE"}});
  table.AddRow({"größe", "n1", "5d"});
  table.AddRow({"a\nb\x1b[31m", "n2", ""});
  EXPECT_EQ(table.Text(), "NAME       AGE\ngröße      5d\na b [31m\n");
  EXPECT_EQ(table.Text(OutputFormat::kWide, false), "größe      n1   5d\na b [31m   n2\n");
}

TEST(OutputTest, WhatWouldMoveTheCursorIsASpace) {
  EXPECT_EQ(Printable("a\x1b[31m\tb\x7f"), "a [31m b ");
  EXPECT_EQ(Printable("a\u009b31mb\u0085"), "a 31mb ");
  EXPECT_EQ(Printable("gr\u00f6\u00dfe \u00a0\u20ac"), "gr\u00f6\u00dfe \u00a0\u20ac");
  EXPECT_EQ(Printable("\xc2"), "\xc2");
}

TEST(OutputTest, DocumentsAreIndented) {
  const json::value value = {{"a", {1, json::object{}}}, {"b", "x"}, {"c", json::array{}}};
  EXPECT_EQ(
      Document(value),
      "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": \"x\",\n    \"c\": []\n}\n");
  EXPECT_EQ(Document(json::value{{"a", 1}}, OutputFormat::kYaml), "a: 1\n");
}

TEST(OutputTest, PeriodsAreShort) {
  const std::pair<absl::Duration, const char*> cases[] = {
      {absl::Seconds(45), "45s"}, {absl::Minutes(12), "12m"},      {absl::Hours(5), "5h"},
      {absl::Hours(76), "3d4h"},  {absl::Hours(24 * 364), "364d"}, {absl::Hours(24 * 3650), "10y"},
      {absl::Hours(-1), "0s"}};
  for (const auto& [period, want] : cases) EXPECT_EQ(ShortPeriod(period), want);
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Folder {
  Folder() {
    std::string name = ::testing::TempDir() + "/file.XXXXXX";
    path = mkdtemp(name.data());
  }
  size_t Count() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++count;
    return count;
  }
  std::string path;
};

TEST(FileOutputTest, AFileAppearsWithItsModeAndKeepsALink) {
  const Folder folder;
  umask(022);
  ASSERT_TRUE(WriteFile(folder.path + "/key", "1", kKeyMode).ok());
  ASSERT_EQ(symlink("key", (folder.path + "/link").c_str()), 0);
  ASSERT_TRUE(WriteFile(folder.path + "/link", "2", kKeyMode).ok());
  EXPECT_EQ(Content(folder.path + "/key"), "2");
  struct stat status{};
  ASSERT_EQ(lstat((folder.path + "/link").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
  ASSERT_EQ(stat((folder.path + "/key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_TRUE(WriteFile("/dev/null", "x", kCertificateMode).ok());
  EXPECT_EQ(folder.Count(), 2U) << "nothing else is left";
}

TEST(FileOutputTest, OneThatCannotBeWrittenLeavesAllAsTheyWere) {
  const Folder folder;
  ASSERT_TRUE(WriteFile(folder.path + "/a", "old", kCertificateMode).ok());
  const OutputFile files[] = {{folder.path + "/a", "new"}, {folder.path + "/none/b", "new"}};
  const absl::Status status = WriteFiles(files);
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/none/b: No such file or directory"));
  EXPECT_EQ(Content(folder.path + "/a"), "old");
  EXPECT_EQ(folder.Count(), 1U);
  EXPECT_THAT(std::string(WriteFile(folder.path, "x", kKeyMode).message()), HasSubstr("Is a dir"));
}

TEST(FileOutputTest, OneWhoseNameCannotBeChangedGivesTheOthersBack) {
  // In a sticky folder everybody may make files, and nobody but its owner replaces one.
  std::string folder = "/tmp/sticky.XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(chmod(folder.c_str(), 0755), 0);
  const std::string mine = folder + "/mine";
  const std::string sticky = folder + "/sticky";
  EXPECT_EQ(mkdir(mine.c_str(), 0755) + mkdir(sticky.c_str(), 0755), 0);
  EXPECT_TRUE(WriteFile(sticky + "/theirs", "old", kCertificateMode).ok());
  EXPECT_TRUE(WriteFile(mine + "/a", "old", kKeyMode).ok());
  constexpr uid_t kNobody = 65534;
  const bool can_change = geteuid() == 0 && chown(mine.c_str(), kNobody, kNobody) == 0 &&
                          chown((mine + "/a").c_str(), kNobody, kNobody) == 0 &&
                          chmod(sticky.c_str(), 01777) == 0 && seteuid(kNobody) == 0;
  if (can_change) {
    const OutputFile files[] = {
        {mine + "/a", "new", kKeyMode}, {mine + "/b", "new"}, {sticky + "/theirs", "new"}};
    EXPECT_TRUE(absl::IsPermissionDenied(WriteFiles(files)));
    EXPECT_EQ(Content(mine + "/a"), "old");
    EXPECT_FALSE(std::filesystem::exists(mine + "/b"));
    EXPECT_EQ(seteuid(0), 0);
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(sticky)) ++count;
    EXPECT_EQ(count, 1U) << "nothing else is left";
  }
  std::filesystem::remove_all(folder);
  if (!can_change) GTEST_SKIP() << "only root can become somebody else";
}

TEST(FileOutputTest, AFileThatIsThereKeepsItsMode) {
  const Folder folder;
  const std::string path = folder.path + "/a";
  const auto mode_after = [&path](mode_t before, mode_t mode) {
    EXPECT_EQ(chmod(path.c_str(), before), 0);
    const OutputFile file{.path = path, .content = "new", .mode = mode, .keep_mode = true};
    EXPECT_TRUE(WriteFiles({&file, 1}).ok());
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  };
  EXPECT_TRUE(WriteFile(path, "old", kCertificateMode).ok());
  umask(077);
  EXPECT_EQ(mode_after(0644, kCertificateMode), 0644U) << "whatever the umask";
  EXPECT_EQ(mode_after(0640, kKeyMode), 0640U) << "a group may read a key on purpose";
  EXPECT_EQ(mode_after(0644, kKeyMode), 0640U) << "others may not";
  EXPECT_EQ(mode_after(0400, kKeyMode), 0400U);
  umask(022);
}

}  // namespace
}  // namespace calico::calicert
