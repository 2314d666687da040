#include "operator/controllers/kinds/rendering.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/object_path.h"
#include "operator/render/releases.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/objects.h"
#include "pkg/api/operator/image_set.h"

namespace calico::kinds {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kDigest[] =
    "sha256:0123456789012345678901234567890123456789012345678901234567890123";

class RenderApartTest : public testing::Test {
 protected:
  RenderApartTest() : case_(render::LoadReferenceCase("b-cm-default", "v3.32")) {
    case_.inputs.owner_uid = "installation-uid";
    case_.inputs.has_admission_policies = true;
    case_.inputs.api_server = render::ApiServerInput{.uid = "api-uid", .name = "tigera-secure"};
  }

  // One whose API server has an image of its own.
  static const render::Release& Release() { return **render::Releases::Embedded().Find("v3.32"); }
  Rendering Render() { return RenderApart(Release(), case_.installation, case_.inputs); }
  // A set with every image of the release but these.
  void UseImageSet(const std::vector<std::string>& without) {
    api::ImageSet set{.meta = {.name = "calico-v3"}};
    for (const auto& [reference, key] : Release().images().KeysByReference({})) {
      set.digests[key] = kDigest;
    }
    for (const std::string& image : without) set.digests.erase(image);
    case_.inputs.image_set = std::move(set);
  }
  static std::vector<std::string> Names(const std::vector<json::object>& objects) {
    std::vector<std::string> names;
    for (const json::object& object : objects) {
      names.push_back(std::string(render::KindOf(object)) + "/" +
                      std::string(render::NameOf(object)));
    }
    return names;
  }
  static std::vector<std::string> Images(const std::vector<json::object>& objects) {
    std::vector<std::string> images;
    for (json::object object : objects) {
      if (render::KindOf(object) != "Deployment" && render::KindOf(object) != "DaemonSet") continue;
      for (const json::value& container :
           render::ArrayAt(render::PodSpec(object), {"containers"})) {
        images.emplace_back(render::TextAt(container.as_object(), "image"));
      }
    }
    return images;
  }

  render::ReferenceCase case_;
};

TEST_F(RenderApartTest, WhatBelongsToTheApiServerIsApartAndNamesItsOwner) {
  const Rendering rendering = Render();
  EXPECT_THAT(
      Names(rendering.api_server),
      AllOf(Contains("Deployment/calico-apiserver"), Contains("APIService/v3.projectcalico.org"),
            Contains("ServiceAccount/calico-apiserver"), Not(Contains("DaemonSet/calico-node"))));
  EXPECT_THAT(Names(rendering.objects),
              AllOf(Contains("DaemonSet/calico-node"), Contains("Namespace/calico-system"),
                    Not(Contains("Deployment/calico-apiserver"))));
  for (const json::object& object : rendering.api_server) {
    const json::object& owner = object.at("metadata").at("ownerReferences").at(0).as_object();
    EXPECT_EQ(owner.at("kind"), "APIServer");
    EXPECT_EQ(owner.at("name"), "tigera-secure");
    EXPECT_EQ(owner.at("uid"), "api-uid");
  }
}

TEST_F(RenderApartTest, WithoutAnApiServerNothingOfItIsRendered) {
  case_.inputs.api_server.reset();
  const Rendering rendering = Render();
  EXPECT_THAT(rendering.api_server, IsEmpty());
  EXPECT_THAT(Names(rendering.objects), Contains("DaemonSet/calico-node"));
  EXPECT_FALSE(rendering.api_server_obstacle.has_value());
}

TEST_F(RenderApartTest, AnImageSetIsAppliedToEveryPodTemplate) {
  UseImageSet({});
  const Rendering rendering = Render();
  ASSERT_FALSE(rendering.obstacle.has_value());
  for (const auto* objects : {&rendering.objects, &rendering.api_server}) {
    EXPECT_THAT(Images(*objects), Not(IsEmpty()));
    EXPECT_THAT(Images(*objects), testing::Each(EndsWith(std::string("@") + kDigest)));
  }
}

TEST_F(RenderApartTest, ASetThatLacksImagesIsToldWithAllOfThem) {
  UseImageSet({"calico/node", "calico/typha", "calico/apiserver"});
  const Rendering rendering = Render();
  EXPECT_THAT(rendering.objects, IsEmpty());
  EXPECT_THAT(rendering.api_server, IsEmpty());
  ASSERT_TRUE(rendering.obstacle.has_value());
  EXPECT_EQ(rendering.obstacle->reason, "ResourceValidationError");
  EXPECT_THAT(rendering.obstacle->message,
              AllOf(HasSubstr("calico/node"), HasSubstr("calico/typha"),
                    Not(HasSubstr("calico/apiserver"))));
  EXPECT_TRUE(rendering.error.ok());
}

TEST_F(RenderApartTest, ASetWithoutTheImageOfTheApiServerStopsOnlyThat) {
  UseImageSet({"calico/apiserver"});
  const Rendering rendering = Render();
  EXPECT_FALSE(rendering.obstacle.has_value());
  EXPECT_THAT(Names(rendering.objects), Contains("DaemonSet/calico-node"));
  EXPECT_THAT(rendering.api_server, IsEmpty());
  ASSERT_TRUE(rendering.api_server_obstacle.has_value());
  EXPECT_THAT(rendering.api_server_obstacle->message, HasSubstr("calico/apiserver"));
}

}  // namespace
}  // namespace calico::kinds
