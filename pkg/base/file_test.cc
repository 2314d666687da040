#include "pkg/base/file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::base {
namespace {

using ::testing::HasSubstr;

// Both readers keep the same contract, so each case asks both.
class FileTest : public testing::TestWithParam<bool> {
 protected:
  FileTest() : path_(testing::TempDir() + "/file_test") {}
  ~FileTest() override { std::filesystem::remove(path_); }
  void Write(const std::string& content) { std::ofstream(path_, std::ios::binary) << content; }
  static absl::StatusOr<std::string> Read(const std::string& path) {
    if (!GetParam()) return ReadFile(path);
    const absl::StatusOr<SecretString> secret = ReadSecretFile(path);
    if (!secret.ok()) return secret.status();
    return std::string(secret->view());
  }

  const std::string path_;
};

INSTANTIATE_TEST_SUITE_P(PlainAndSecret, FileTest, testing::Bool());

TEST_P(FileTest, ReadsTheWholeFileUpToTheBound) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, kMaxFileBytes}) {
    const std::string content(size, 'x');
    Write(content);
    const absl::StatusOr<std::string> read = Read(path_);
    ASSERT_THAT(read, IsOk()) << size;
    EXPECT_TRUE(*read == content) << size;
  }
}

TEST_P(FileTest, RefusesMoreThanTheBound) {
  Write(std::string(kMaxFileBytes + 1, 'x'));
  EXPECT_THAT(Read(path_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(path_)));
}

TEST(FileBoundTest, TheCallerCanGiveAnotherBound) {
  const std::string path = testing::TempDir() + "/file_bound_test";
  std::ofstream(path, std::ios::binary) << std::string(kMaxFileBytes + 1, 'x');
  EXPECT_THAT(ReadFile(path, kMaxFileBytes + 1), IsOk());
  EXPECT_THAT(ReadFile(path, 100), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("100")));
  std::filesystem::remove(path);
}

TEST_P(FileTest, NamesWhatIsMissingOrNoFile) {
  EXPECT_THAT(Read(path_ + ".absent"), StatusIs(absl::StatusCode::kNotFound, HasSubstr(".absent")));
  EXPECT_THAT(Read(testing::TempDir()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no regular file")));
}

TEST_P(FileTest, DoesNotWaitForTheWriterOfAPipe) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Read(path_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(path_)));
}

TEST_P(FileTest, ReadsFilesWithoutASizeOfTheirOwn) {
  const absl::StatusOr<std::string> read = Read("/proc/self/comm");
  ASSERT_THAT(read, IsOk());
  EXPECT_FALSE(read->empty());
}

}  // namespace
}  // namespace calico::base
