#include "pkg/pki/secret_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

class ReadSecretFileTest : public testing::Test {
 protected:
  ReadSecretFileTest() : path_(testing::TempDir() + "/secret_file_test") {}
  ~ReadSecretFileTest() override { std::filesystem::remove(path_); }
  void Write(const std::string& content) { std::ofstream(path_, std::ios::binary) << content; }

  const std::string path_;
};

TEST_F(ReadSecretFileTest, ReadsTheWholeFileUpToTheBound) {
  for (const size_t size : {0U, 1U, 4096U, 1U << 20}) {
    const std::string content(size, 'x');
    Write(content);
    const absl::StatusOr<base::SecretString> read = ReadSecretFile(path_);
    ASSERT_THAT(read, IsOk()) << size;
    EXPECT_TRUE(read->view() == content) << size;
  }
}

TEST_F(ReadSecretFileTest, RefusesMoreThanTheBound) {
  Write(std::string((1 << 20) + 1, 'x'));
  EXPECT_THAT(ReadSecretFile(path_).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr(path_)));
}

TEST_F(ReadSecretFileTest, NamesWhatIsMissingOrNoFile) {
  EXPECT_THAT(ReadSecretFile(path_ + ".absent").status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(".absent")));
  EXPECT_THAT(ReadSecretFile(testing::TempDir()).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ReadSecretFileTest, ReadsFilesWithoutASizeOfTheirOwn) {
  const absl::StatusOr<base::SecretString> read = ReadSecretFile("/proc/self/comm");
  ASSERT_THAT(read, IsOk());
  EXPECT_FALSE(read->empty());
}

}  // namespace
}  // namespace calico::pki
