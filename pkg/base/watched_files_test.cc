#include "pkg/base/watched_files.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using News = WatchedFiles::News;

class WatchedFilesTest : public testing::Test {
 protected:
  News Refresh() {
    return watched_.Refresh([this](std::span<const SecretString> contents) {
      ++takes_;
      if (!refusal_.ok()) return refusal_;
      taken_.clear();
      for (const SecretString& content : contents) taken_.emplace_back(content.view());
      return absl::OkStatus();
    });
  }

  std::map<std::string, std::string> files_ = {{"crt", "one"}, {"key", "two"}};
  WatchedFiles watched_{{"crt", "key"},
                        [this](const std::string& path) -> absl::StatusOr<SecretString> {
                          const auto found = files_.find(path);
                          if (found == files_.end()) return absl::NotFoundError("read " + path);
                          return SecretString(std::string_view(found->second));
                        }};
  absl::Status refusal_;
  std::vector<std::string> taken_;
  int takes_ = 0;
};

TEST_F(WatchedFilesTest, TakesTheFilesAtFirstAndWhenOneChanges) {
  EXPECT_EQ(Refresh(), News::kTaken);
  EXPECT_THAT(taken_, ElementsAre("one", "two"));
  EXPECT_EQ(Refresh(), News::kNone);
  EXPECT_EQ(takes_, 1);
  files_["key"] = "six";
  EXPECT_EQ(Refresh(), News::kTaken);
  EXPECT_THAT(taken_, ElementsAre("one", "six"));
  files_["crt"] = "onesix";
  files_["key"] = "";
  EXPECT_EQ(Refresh(), News::kTaken) << "what stands in which file counts";
}

TEST_F(WatchedFilesTest, AFileThatIsAwayIsSaidOnceAndTakenAgain) {
  EXPECT_EQ(Refresh(), News::kTaken);
  files_.erase("key");
  EXPECT_EQ(Refresh(), News::kFailed);
  EXPECT_THAT(watched_.status(), StatusIs(absl::StatusCode::kNotFound, "read key"));
  EXPECT_EQ(Refresh(), News::kNone);
  EXPECT_THAT(taken_, ElementsAre("one", "two")) << "the last good ones";
  files_.erase("crt");
  EXPECT_EQ(Refresh(), News::kFailed) << "another error";
  files_ = {{"crt", "one"}, {"key", "two"}};
  EXPECT_EQ(Refresh(), News::kTaken);
  EXPECT_THAT(watched_.status(), IsOk());
}

TEST_F(WatchedFilesTest, WhatIsRefusedIsOfferedAgain) {
  refusal_ = absl::FailedPreconditionError("not valid yet");
  EXPECT_EQ(Refresh(), News::kFailed);
  EXPECT_EQ(Refresh(), News::kNone);
  EXPECT_EQ(takes_, 2);
  refusal_ = absl::FailedPreconditionError("no CA");
  EXPECT_EQ(Refresh(), News::kFailed);
  refusal_ = absl::OkStatus();
  EXPECT_EQ(Refresh(), News::kTaken);
}

TEST(WatchedFilesOnDiskTest, SeeAFileReplacedThroughALink) {
  const std::string folder = testing::TempDir() + "/watched_files_test";
  std::filesystem::remove_all(folder);
  for (const char* version : {"/v1", "/v2"}) {
    std::filesystem::create_directories(folder + version);
    std::ofstream(folder + version + "/token") << version;
  }
  std::filesystem::create_directory_symlink("v1", folder + "/data");
  WatchedFiles watched({folder + "/data/token"});
  std::string taken;
  const auto take = [&taken](std::span<const SecretString> contents) {
    taken = contents.front().view();
    return absl::OkStatus();
  };
  EXPECT_EQ(watched.Refresh(take), News::kTaken);
  EXPECT_EQ(taken, "/v1");
  std::filesystem::create_directory_symlink("v2", folder + "/data.new");
  std::filesystem::rename(folder + "/data.new", folder + "/data");
  EXPECT_EQ(watched.Refresh(take), News::kTaken);
  EXPECT_EQ(taken, "/v2");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(watched.Refresh(take), News::kFailed);
  EXPECT_THAT(watched.status(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("data/token")));
}

TEST(WatchedFilesOnDiskTest, NoFilesAreTakenOnce) {
  WatchedFiles watched({});
  const auto take = [](std::span<const SecretString>) { return absl::OkStatus(); };
  EXPECT_EQ(watched.Refresh(take), News::kTaken);
  EXPECT_EQ(watched.Refresh(take), News::kNone);
}

}  // namespace
}  // namespace calico::base
