#include "operator/provision/pair_directory.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/file.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::provision {
namespace {

using ::calico::base::IsOk;
using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;

class PairDirectoryTest : public testing::Test {
 protected:
  PairDirectoryTest() {
    std::string pattern = testing::TempDir() + "/pairXXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~PairDirectoryTest() override { std::filesystem::remove_all(directory_); }

  absl::Status Write(const std::string& key, const std::string& certificate) {
    return ReplaceSet(directory_, {{"tls.key", key, 0600}, {"tls.crt", certificate, 0644}});
  }
  unsigned Mode(const std::string& name) const {
    struct stat attributes{};
    EXPECT_EQ(stat((directory_ + "/" + name).c_str(), &attributes), 0);
    return attributes.st_mode & 07777;
  }
  int SetFolders() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      count += entry.path().filename().string().starts_with("..set_") ? 1 : 0;
    }
    return count;
  }

  std::string directory_;
};

TEST_F(PairDirectoryTest, WritesFilesWithTheirModes) {
  ASSERT_THAT(Write("key", "certificate"), IsOk());
  EXPECT_THAT(base::ReadFile(directory_ + "/tls.key"), IsOkAndHolds("key"));
  EXPECT_THAT(base::ReadFile(directory_ + "/tls.crt"), IsOkAndHolds("certificate"));
  EXPECT_EQ(Mode("tls.key"), 0600U);
  EXPECT_EQ(Mode("tls.crt"), 0644U);
}

TEST_F(PairDirectoryTest, ReplacesTheSetAndRemovesTheOldOne) {
  ASSERT_THAT(Write("key1", "certificate1"), IsOk());
  ASSERT_THAT(Write("key2", "certificate2"), IsOk());
  EXPECT_THAT(base::ReadFile(directory_ + "/tls.key"), IsOkAndHolds("key2"));
  EXPECT_EQ(SetFolders(), 1);
}

TEST_F(PairDirectoryTest, PlainFilesOfAnotherProgramAreReplaced) {
  std::filesystem::create_symlink("/nonexistent", directory_ + "/tls.key");
  ASSERT_THAT(Write("key", "certificate"), IsOk());
  EXPECT_THAT(base::ReadFile(directory_ + "/tls.key"), IsOkAndHolds("key"));
}

TEST_F(PairDirectoryTest, AFailedWriteKeepsTheOldSet) {
  ASSERT_THAT(Write("key1", "certificate1"), IsOk());
  EXPECT_THAT(ReplaceSet(directory_, {{"tls.key", "key2", 0600}, {"no/such", "x", 0600}}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(base::ReadFile(directory_ + "/tls.key"), IsOkAndHolds("key1"));
  EXPECT_EQ(SetFolders(), 1);
}

TEST_F(PairDirectoryTest, AMissingFolderIsNamed) {
  EXPECT_THAT(ReplaceSet(directory_ + "/absent", {{"tls.key", "key", 0600}}),
              StatusIs(absl::StatusCode::kNotFound, testing::HasSubstr("/absent")));
}

TEST_F(PairDirectoryTest, AFileIsReplacedInOneStepWhateverACrashLeft) {
  const std::string path = directory_ + "/..request";
  ASSERT_THAT(ReplaceFile(path + ".new", "half", 0644), IsOk());
  ASSERT_THAT(ReplaceFile(path, "one", 0600), IsOk());
  ASSERT_THAT(ReplaceFile(path, "two", 0600), IsOk());
  EXPECT_THAT(base::ReadFile(path), IsOkAndHolds("two"));
  EXPECT_EQ(Mode("..request"), 0600U);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_THAT(ReplaceFile(directory_ + "/absent/file", "x", 0600),
              StatusIs(absl::StatusCode::kNotFound));
}

// A writer that is killed at any moment leaves a matching pair.
TEST_F(PairDirectoryTest, KilledWritersLeaveTheOldOrTheNewSet) {
  ASSERT_THAT(Write("0", "0"), IsOk());
  for (int round = 1; round <= 40; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (int i = 0;; ++i) {
        const std::string content = std::to_string(round) + "." + std::to_string(i);
        if (!Write(content, content).ok()) _exit(1);
      }
    }
    usleep(static_cast<useconds_t>(round * 137));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const absl::StatusOr<std::string> key = base::ReadFile(directory_ + "/tls.key");
    ASSERT_THAT(key, IsOk());
    EXPECT_THAT(base::ReadFile(directory_ + "/tls.crt"), IsOkAndHolds(*key));
    EXPECT_FALSE(key->empty());
  }
  ASSERT_THAT(Write("end", "end"), IsOk());
  EXPECT_EQ(SetFolders(), 1);
}

}  // namespace
}  // namespace calico::provision
