#include "operator/controllers/kinds/image_choice.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::kinds {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kVersion[] = "v3.33.1";
constexpr char kWanted[] = "calico-v3.33.1";

json::object Set(std::string_view name, json::array images) {
  return {{"kind", "ImageSet"},
          {"metadata", {{"name", name}}},
          {"spec", {{"images", std::move(images)}}}};
}

ImageSetFacts Facts(std::vector<json::object> objects, std::string_view in_use = "") {
  ImageSetFacts facts{.in_use = in_use};
  for (const json::object& object : objects) {
    auto record = ImageSetRecord::Decode(object, kWanted);
    EXPECT_THAT(record, base::IsOk());
    facts.sets.push_back(std::make_shared<const ImageSetRecord>(**std::move(record)));
  }
  return facts;
}

const json::array kNode = {{{"image", "calico/node"}, {"digest", "sha256:1"}}};

TEST(ImageChoiceTest, ImagesAreByTagWithoutASet) {
  const ImageChoice choice = ChooseImages(Facts({}), kVersion);
  EXPECT_FALSE(choice.set.has_value());
  EXPECT_FALSE(choice.obstacle.has_value());
}

TEST(ImageChoiceTest, TheSetOfTheReleaseCounts) {
  const ImageChoice choice =
      ChooseImages(Facts({Set("calico-v3.32.1", {}), Set(kWanted, kNode)}), kVersion);
  ASSERT_TRUE(choice.set.has_value());
  EXPECT_EQ(choice.set->meta.name, kWanted);
  EXPECT_TRUE(choice.set->digests.contains("calico/node"));
  EXPECT_FALSE(choice.obstacle.has_value());
}

TEST(ImageChoiceTest, OnlySetsOfOtherReleasesAreAnObstacleThatNamesBoth) {
  const ImageChoice choice = ChooseImages(Facts({Set("calico-v3.32.1", kNode)}), kVersion);
  EXPECT_FALSE(choice.set.has_value());
  ASSERT_TRUE(choice.obstacle.has_value());
  EXPECT_EQ(choice.obstacle->reason, "ResourceReadError");
  EXPECT_THAT(choice.obstacle->message, AllOf(HasSubstr("calico-v3.32.1"), HasSubstr(kWanted)));
}

TEST(ImageChoiceTest, ASetThatCannotBeReadIsToldWithItsPathAndNeverLeftOut) {
  const ImageChoice choice =
      ChooseImages(Facts({Set(kWanted, {{{"image", "calico/node"}}})}), kVersion);
  EXPECT_FALSE(choice.set.has_value());
  ASSERT_TRUE(choice.obstacle.has_value());
  EXPECT_EQ(choice.obstacle->reason, "ResourceValidationError");
  EXPECT_THAT(choice.obstacle->message, AllOf(HasSubstr(kWanted), HasSubstr("digest")));
}

TEST(ImageChoiceTest, SetsThatCannotBeSeenStopOnlyWhereOneWasInUse) {
  ImageSetFacts facts = Facts({});
  facts.known = absl::PermissionDeniedError("list ImageSet: forbidden");
  EXPECT_FALSE(ChooseImages(facts, kVersion).obstacle.has_value());
  facts.in_use = kWanted;
  const ImageChoice choice = ChooseImages(facts, kVersion);
  ASSERT_TRUE(choice.obstacle.has_value());
  EXPECT_THAT(choice.obstacle->message,
              AllOf(HasSubstr(kWanted), HasSubstr("list ImageSet: forbidden")));
}

TEST(ImageSetRecordTest, OnlyTheNameIsKeptOfSetsOfOtherReleases) {
  const auto record = ImageSetRecord::Decode(Set("calico-v3.27.5", kNode), kWanted);
  ASSERT_THAT(record, base::IsOk());
  EXPECT_EQ((*record)->name, "calico-v3.27.5");
  ASSERT_THAT((*record)->set, base::IsOk());
  EXPECT_TRUE((*record)->set->digests.empty());
}

}  // namespace
}  // namespace calico::kinds
