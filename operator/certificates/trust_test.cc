#include "operator/certificates/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/certificates/testing/installed_secrets.h"

namespace calico::certificates {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

struct Made {
  const char* file;
  const char* release;
};
constexpr Made kMade[] = {
    {"v1.44-a-default-made", "v3.33"},      {"v1.44-b-cm-default-made", "v3.33"},
    {"v1.44-h-byo-made", "v3.33"},          {"v1.42.4-a-default-made", "v3.32"},
    {"v1.42.4-b-cm-default-made", "v3.32"}, {"v1.42.4-h-byo-made", "v3.32"},
    {"v1.32.13-a-default-made", "v3.27"},   {"v1.32.13-b-cm-default-made", "v3.27"},
    {"v1.32.13-h-byo-made", "v3.27"},
};

// Text and hashes of bundles that Calico's operator has made, to the letter: with another hash,
// every pod would be restarted when its cluster is taken over.
TEST(TrustTest, BundlesAreThoseOfCalicosOperator) {
  for (const Made& made : kMade) {
    SCOPED_TRACE(made.file);
    const InstalledSecrets installed(made.file);
    const api::ConfigMap live = installed.ConfigMap(kTrustedBundle).value();
    api::StringMap annotations = installed.Annotations(kTrustedBundle);
    annotations.erase("hash.operator.tigera.io/system");  // of roots that are not in the file

    const TrustedBundle bundle =
        MakeBundle(ReadBundle(live.Get(kBundleKey)), nullptr, FormOf(made.release));

    EXPECT_EQ(bundle.text, live.Get(kBundleKey));
    EXPECT_EQ(bundle.annotations, annotations);
    EXPECT_EQ(bundle.has_ca_key, !live.Get(kCaKey).empty());
  }
}

TEST(TrustTest, MembersStandInTheOrderOfTheirNames) {
  const TrustedBundle bundle = MakeBundle({{"op", "tigera-ca-private", "A\n"},
                                           {"calico-system", "typha-ca", "C\n"},
                                           {"op", "b", "B\n"}},
                                          nullptr, FormOf("v3.33"));
  EXPECT_EQ(bundle.text,
            "# certificate name: op/b\nB\n\n\n"
            "# certificate name: op/tigera-ca-private\nA\n\n\n"
            "# certificate name: calico-system/typha-ca\nC\n\n\n");
}

TEST(TrustTest, RootsHaveAHashAndAKeyOfTheirOwn) {
  const auto roots = std::make_shared<const std::string>("roots\n");
  const TrustedBundle bundle = MakeBundle({{"op", "a", "A\n"}}, roots, FormOf("v3.33"));
  EXPECT_TRUE(bundle.HasSystemRoots());
  EXPECT_EQ(bundle.annotations.at("hash.operator.tigera.io/system"), AnnotationHash("roots\n"));
  EXPECT_EQ(bundle.text.find("roots"), std::string::npos);
  EXPECT_EQ(bundle.size(), 2 * bundle.text.size() + roots->size());
  const json::object object = ToObject(bundle);
  EXPECT_EQ(object.at("data").at("ca-bundle.crt"), "roots\n");
}

TEST(TrustTest, TheConfigMapHasTheKeysOfItsRelease) {
  const std::vector<TrustMember> members = {{"op", "a", "A\n"}};
  const json::object now = ToObject(MakeBundle(members, nullptr, FormOf("v3.33")));
  EXPECT_EQ(now.at("metadata").at("name"), "tigera-ca-bundle");
  EXPECT_EQ(now.at("metadata").at("namespace"), "calico-system");
  EXPECT_EQ(now.at("data").at("ca.crt"), now.at("data").at("tigera-ca-bundle.crt"));
  EXPECT_EQ(now.at("data").at("ca-bundle.crt"), "");
  const json::object old = ToObject(MakeBundle(members, nullptr, FormOf("v3.27")));
  EXPECT_FALSE(old.at("data").get_object().contains("ca.crt"));
}

TEST(TrustTest, ReadsABundleThatSomebodyHasEdited) {
  EXPECT_THAT(ReadBundle("stray\n# certificate name: op/a\r\nA\n# certificate name: alone"),
              ElementsAre(TrustMember{"op", "a", "A\n"}, TrustMember{"", "alone", ""}));
  EXPECT_THAT(ReadBundle(""), IsEmpty());
}

}  // namespace
}  // namespace calico::certificates
