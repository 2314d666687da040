#include "pkg/api/operator/image_set.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kDigest = "sha256:" + std::string(64, '7');

ImageSet Named(std::string_view name) { return {.meta = {.name = std::string(name)}}; }

absl::StatusOr<ImageSet> FromImages(std::string_view images) {
  return ImageSet::Decode({{"metadata", {{"name", "calico-v3.33.1"}}},
                           {"spec", {{"images", codec::ParseJson(images).value()}}}});
}

TEST(ImageSetTest, DecodesImagesWithTheirDigests) {
  const absl::StatusOr<ImageSet> set =
      FromImages(fmt::format(R"([{{"image": "calico/node", "digest": "{}"}},
                      {{"image": "calico/calico", "digest": "sha256:00"}}])",
                             kDigest));
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->meta.name, "calico-v3.33.1");
  EXPECT_THAT(set->digests, ElementsAre(testing::Pair("calico/calico", "sha256:00"),
                                        testing::Pair("calico/node", kDigest)));
}

TEST(ImageSetTest, OneWithoutASpecIsEmpty) {
  const absl::StatusOr<ImageSet> set = ImageSet::Decode({{"metadata", {{"name", "calico-v3"}}}});
  ASSERT_THAT(set, IsOk());
  EXPECT_THAT(set->digests, IsEmpty());
}

TEST(ImageSetTest, TellsEveryProblem) {
  EXPECT_THAT(
      FromImages(R"([{"image": "a", "digest": "x"}, {"image": 5}, {"image": "a", "digest": "y"},
                     {"image": "a", "digest": "x"}])"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               testing::AllOf(HasSubstr("ImageSet.spec.images[1].image: expected string"),
                              HasSubstr("ImageSet.spec.images[1].digest: "),
                              HasSubstr("ImageSet.spec.images[2].digest: a is in the list before "
                                        "with another one"),
                              testing::Not(HasSubstr("images[3]")))));
}

TEST(FindImageSetTest, TheOneOfTheReleaseCounts) {
  const std::vector<ImageSet> sets = {Named("calico-v3.32.1"), Named("calico-v3.33.1"),
                                      Named("enterprise-v3.33.1")};
  EXPECT_THAT(FindImageSet(sets, "v3.33.1"), IsOkAndHolds(&sets[1]));
  EXPECT_THAT(FindImageSet(sets, "v3.32.1"), IsOkAndHolds(&sets[0]));
}

TEST(FindImageSetTest, WithoutSetsOfCalicoThereIsNone) {
  EXPECT_THAT(FindImageSet({}, "v3.33.1"), IsOkAndHolds(nullptr));
  const std::vector<ImageSet> sets = {Named("enterprise-v3.33.1")};
  EXPECT_THAT(FindImageSet(sets, "v3.33.1"), IsOkAndHolds(nullptr));
}

TEST(FindImageSetTest, SetsOfOtherReleasesAreNamed) {
  const std::vector<ImageSet> sets = {Named("calico-v3.32.1"), Named("calico-v3.31.0")};
  EXPECT_THAT(FindImageSet(sets, "v3.33.1"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       testing::AllOf(HasSubstr("(calico-v3.31.0, calico-v3.32.1)"),
                                      HasSubstr("none named calico-v3.33.1:"))));
}

TEST(FindImageSetTest, TheMessageNamesOnlyAFew) {
  std::vector<ImageSet> sets;
  for (int i = 0; i < 100; ++i) sets.push_back(Named(fmt::format("calico-v2.{:02}", i)));
  EXPECT_THAT(FindImageSet(sets, "v3.33.1"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("(calico-v2.00, calico-v2.01, calico-v2.02, calico-v2.03 and 96 "
                                 "more)")));
}

TEST(ImageSetProblemsTest, OfTheImagesThatAreUsedAndOfNoOther) {
  ImageSet set = Named("calico-v3.33.1");
  set.digests = {{"calico/node", kDigest}, {"calico/unused", "latest"}};
  const std::vector<std::string> images = {"calico/node"};
  EXPECT_THAT(ImageSetProblems(set, images), IsEmpty());
  EXPECT_THAT(FindDigest(set, "calico/node"), IsOkAndHolds(kDigest));
}

TEST(ImageSetProblemsTest, MissingImagesAndWhatIsNoDigest) {
  ImageSet set = Named("calico-v3.33.1");
  set.digests = {{"calico/calico", "v3.33.1"}};
  const std::vector<std::string> images = {"calico/node", "calico/calico"};
  EXPECT_THAT(ImageSetProblems(set, images),
              ElementsAre("ImageSet calico-v3.33.1 has no image calico/node: add it to spec.images "
                          "with its digest",
                          "ImageSet calico-v3.33.1: the digest of calico/calico must be sha256: "
                          "and 64 hexadecimal digits"));
  for (const std::string& digest :
       {std::string("sha256:"), "sha256:" + std::string(63, 'a'), "sha256:" + std::string(65, 'a'),
        "sha256:" + std::string(64, 'A'), "sha512:" + std::string(64, 'a'), std::string(71, 'a')}) {
    set.digests["calico/calico"] = digest;
    EXPECT_THAT(FindDigest(set, "calico/calico"), StatusIs(absl::StatusCode::kInvalidArgument))
        << digest;
  }
}

}  // namespace
}  // namespace calico::api
