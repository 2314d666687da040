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

}  // namespace
}  // namespace calico::calicert
