#include "operator/render/release.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/object_path.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::render {
namespace {

using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReleaseTest, ImagesOfTheCurrentRelease) {
  EXPECT_EQ(Release::Current().calico_version(), "v3.32.1");
  EXPECT_THAT(
      Release::Current().images().References({}),
      ElementsAre("quay.io/calico/cni:v3.32.1", "quay.io/calico/key-cert-provisioner:v0.1.0",
                  "quay.io/calico/node:v3.32.1", "quay.io/calico/pod2daemon-flexvol:v3.32.1",
                  "quay.io/calico/typha:v3.32.1"));
}

TEST(ReleaseTest, ImageSources) {
  struct Case {
    ImageSource source;
    const char* want;
  };
  const Case cases[] = {
      {{}, "quay.io/calico/node:v3.32.1"},
      {{"UseDefault", "UseDefault", "UseDefault"}, "quay.io/calico/node:v3.32.1"},
      {{"registry.example.com:5000/", "mirror/calico", "pfx-"},
       "registry.example.com:5000/mirror/calico/pfx-node:v3.32.1"},
      {{"registry.example.com", "", ""}, "registry.example.com/calico/node:v3.32.1"},
      {{"r/sub/", "/mirror/", ""}, "r/sub/mirror/node:v3.32.1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Release::Current().images().Reference("calico/node", c.source), c.want);
  }
}

TEST(ReleaseTest, EveryImageInAManifestIsInTheTable) {
  for (const std::string_view manifest : {"calico-node", "calico-typha"}) {
    for (json::object object : Release::Current().Manifest(manifest)) {
      if (!ObjectAt(object, {}).contains("spec") || KindOf(object) == "Service" ||
          KindOf(object) == "PodDisruptionBudget") {
        continue;
      }
      for (const std::string_view list : {"initContainers", "containers"}) {
        for (json::value& container : ArrayAt(PodSpec(object), {list})) {
          EXPECT_THAT(
              Release::Current().images().Reference(TextAt(container.as_object(), "image"), {}),
              HasSubstr("quay.io/calico/"));
        }
      }
    }
  }
}

TEST(ReleaseTest, BadManifestsAreRefused) {
  const base::EmbeddedFile images{"m/images.yaml",
                                  "{calicoVersion: v1, registry: r, path: p, images: {}}"};
  const auto load = [&](base::EmbeddedFile file) {
    const base::EmbeddedFile files[] = {images, file};
    return Release::Load(files);
  };
  EXPECT_THAT(load({"m/a.yaml", "kind: A\nmetadata: {name: b}"}), base::IsOk());
  EXPECT_THAT(load({"m/a.yaml", "kind: ["}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("m/a.yaml")));
  EXPECT_THAT(load({"m/a.yaml", "metadata: {name: b}"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("without kind")));
  EXPECT_THAT(load({"m/a.yaml", "- 1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not an object")));
  EXPECT_THAT(Release::Load({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ImageTable::Parse(json::object{{"registry", "r"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("path")));
}

}  // namespace
}  // namespace calico::render
