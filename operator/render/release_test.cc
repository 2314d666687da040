#include "operator/render/release.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/releases.h"
#include "operator/render/testing/objects.h"
#include "operator/render/testing/releases.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::render {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;

const Release& Current() { return DefaultRelease(); }

absl::Status CheckAll(const std::vector<base::EmbeddedFile>& files) {
  absl::StatusOr<Releases> releases = Releases::Open(files);
  return releases.ok() ? releases->CheckAll() : releases.status();
}

TEST(ReleaseTest, ImagesOfTheCurrentRelease) {
  ASSERT_THAT(Releases::Embedded().CheckAll(), IsOk());
  EXPECT_EQ(Current().calico_version(), "v3.33.1");
  EXPECT_EQ(Current().version(), "v3.33");
  EXPECT_THAT(
      Current().images().References({}),
      ElementsAre("quay.io/calico/calico:v3.33.1", "quay.io/calico/key-cert-provisioner:v0.1.0",
                  "quay.io/calico/node:v3.33.1", "quay.io/calico/third-party-cni-plugins:v3.33.1"));
}

TEST(ReleaseTest, ImageSources) {
  struct Case {
    ImageSource source;
    const char* want;
  };
  const Case cases[] = {
      {{}, "quay.io/calico/node:v3.33.1"},
      {{"UseDefault", "UseDefault", "UseDefault"}, "quay.io/calico/node:v3.33.1"},
      {{"registry.example.com:5000/", "mirror/calico", "pfx-"},
       "registry.example.com:5000/mirror/calico/pfx-node:v3.33.1"},
      {{"registry.example.com", "", ""}, "registry.example.com/calico/node:v3.33.1"},
      {{"docker.io", "rancher", "mirrored-calico-"},
       "docker.io/rancher/mirrored-calico-node:v3.33.1"},
      {{"r/sub/", "/mirror/", ""}, "r/sub/mirror/node:v3.33.1"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Current().images().Reference("calico/node", c.source), IsOkAndHolds(c.want));
  }
  EXPECT_THAT(Current().images().Reference("calico/nod", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("calico/nod")));
}

TEST(ReleaseTest, AnImageMayHaveARegistryOfItsOwn) {
  const json::object given = {{"a", {{"image", "a"}, {"tag", "v1"}}},
                              {"b", {{"image", "b"}, {"tag", "v1"}, {"registry", "quay.io/"}}}};
  const absl::StatusOr<ImageTable> images =
      ImageTable::Parse({{"registry", "docker.io/"}, {"path", "calico"}, {"images", given}});
  ASSERT_THAT(images, IsOk());
  EXPECT_THAT(images->Reference("a", {}), IsOkAndHolds("docker.io/calico/a:v1"));
  EXPECT_THAT(images->Reference("b", {}), IsOkAndHolds("quay.io/calico/b:v1"));
  EXPECT_THAT(images->Reference("b", {.registry = "r.example.com/"}),
              IsOkAndHolds("r.example.com/calico/b:v1"));
}

TEST(ReleaseTest, ImagesByDigest) {
  api::ImageSet set;
  set.meta.name = "calico-v3.33.1";
  const std::string digest = "sha256:" + std::string(64, 'a');
  set.digests = {{"calico/node", digest}, {"calico/key-cert-provisioner", digest}};
  const ImageSource source = {"r.example.com/", "mirror", "pfx-"};
  EXPECT_THAT(Current().images().Reference("calico/node", source, &set),
              IsOkAndHolds("r.example.com/mirror/pfx-node@" + digest));
  // A set for Calico's own operator means Calico's own program.
  EXPECT_THAT(Current().images().Reference("calico/key-cert-provisioner", source, &set),
              IsOkAndHolds("r.example.com/mirror/pfx-key-cert-provisioner:v0.1.0"));
  EXPECT_THAT(Current().images().Reference("calico/calico", source, &set),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("calico/calico")));
}

TEST(ReleaseTest, ASetNamesTheImageForFipsModeAsEveryOther) {
  const json::object given = {{"calico/node-fips", {{"image", "node"}, {"tag", "v1-fips"}}}};
  const absl::StatusOr<ImageTable> images =
      ImageTable::Parse({{"registry", "quay.io/"}, {"path", "calico"}, {"images", given}});
  ASSERT_THAT(images, IsOk());
  api::ImageSet set;
  const std::string digest = "sha256:" + std::string(64, 'a');
  set.digests = {{"calico/node", digest}};
  EXPECT_THAT(images->Reference("calico/node-fips", {}, &set),
              IsOkAndHolds("quay.io/calico/node@" + digest));
  EXPECT_THAT(images->Reference("calico/node-fips", {}),
              IsOkAndHolds("quay.io/calico/node:v1-fips"));
}

// Whatever is wrong with a folder is found when it is loaded, and says where.
TEST(ReleaseTest, ABrokenFolderIsAClearError) {
  const std::string head = "when: {dataplane: Nftables}\n---\n";
  const std::string node =
      "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: "
      "calico-system}\n";
  const std::string index(ContentOf("release.yaml"));
  struct Case {
    const char* name;
    std::string file;
    std::string content;
    const char* error;
  };
  const Case cases[] = {
      {"no YAML", "calico-node.yaml", "kind: [", "v3.99/calico-node.yaml: "},
      {"no object", "calico-node.yaml", "- 1", "v3.99/calico-node.yaml: not an object"},
      {"no kind", "calico-node.yaml", "metadata: {name: b}", "an object without kind or name"},
      {"unknown kind", "calico-node.yaml", "{kind: Pog, metadata: {name: b}}",
       "v3.99/calico-node.yaml: Pog b: unknown kind"},
      {"unknown field", "calico-node.yaml", node + "spec: {templat: {}}",
       "v3.99/calico-node.yaml: DaemonSet calico-system/calico-node: spec.templat: DaemonSetSpec "
       "has no such field"},
      {"wrong type", "calico-node.yaml", node + "spec: {minReadySeconds: '1'}",
       "spec.minReadySeconds: expected integer, got string"},
      {"twice", "calico-node.yaml",
       std::string(ContentOf("calico-node.yaml")) + "---\n" + node + "spec: {}",
       "DaemonSet calico-system/calico-node is there twice"},
      {"missing file", "calico-node.yaml", "", "v3.99/calico-node.yaml: there is no such file"},
      {"unlisted file", "other.yaml", node, "is not listed in release.yaml"},
      {"listed twice", "release.yaml", index + "  - nftables\n",
       "v3.99/fragments/nftables.yaml: is listed twice"},
      {"no release.yaml", "release.yaml", "", "v3.99/release.yaml: there is no such file"},
      {"no images", "release.yaml", "calicoVersion: v1", "v3.99/release.yaml: release.registry"},
      {"no version", "release.yaml", "{registry: r, path: p, images: {}}",
       "v3.99/release.yaml.calicoVersion"},
      {"unknown feature", "release.yaml", index + "features: [Fast]\n",
       "v3.99/release.yaml: features: there is no Fast"},
      {"fragment for nothing", "fragments/nftables.yaml",
       head + "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-nod, namespace: "
              "calico-system}",
       "v3.99/fragments/nftables.yaml: DaemonSet calico-system/calico-nod: no manifest has such"},
      {"patch of an unknown field", "fragments/nftables.yaml",
       head + node + "spec: {template: {spec: {nodeSelectr: {}}}}",
       "v3.99/fragments/nftables.yaml: DaemonSet calico-system/calico-node: "
       "spec.template.spec.nodeSelectr: PodSpec has no such field"},
      {"delete of what is not there", "fragments/nftables.yaml",
       head + node + "spec: {template: {spec: {containers: [{name: x, $patch: delete}]}}}",
       "spec.template.spec.containers[x]: is not there to be deleted"},
      {"no when", "fragments/nftables.yaml", "addTo: calico-node\n---\n" + node,
       "v3.99/fragments/nftables.yaml.when"},
      {"unknown fact", "fragments/nftables.yaml", "when: {dataplan: x}\n---\n" + node,
       "v3.99/fragments/nftables.yaml: when: there is no fact dataplan"},
      {"unknown head", "fragments/nftables.yaml", "when: {bgp: Enabled}\nadd: x\n---\n" + node,
       "unknown field add"},
      {"nothing to do", "fragments/nftables.yaml", head, "has nothing after its `when`"},
      {"empty", "fragments/nftables.yaml", "# nothing\n", "is empty"},
      {"added to nothing", "fragments/cloud-settings.yaml",
       "when: {bgp: Enabled}\naddTo: calico-nod\n---\n" + node, "addTo: no manifest calico-nod"},
      {"added twice", "fragments/cloud-settings.yaml",
       "when: {bgp: Enabled}\naddTo: calico-node\n---\n" + node, "is there twice"},
      {"marker of no path", "fragments/nftables.yaml",
       "when: {mtu: Given}\n---\n" + node + "spec: {minReadySeconds: '${spec.calicoNetwork.mto}'}",
       "v3.99/fragments/nftables.yaml: DaemonSet calico-system/calico-node: spec.minReadySeconds: "
       "${spec.calicoNetwork.mto}: an Installation has no field spec.calicoNetwork.mto"},
      {"marker of no derived value", "calico-node.yaml", node + "spec: {paused: '${inputs.x}'}",
       "there is no inputs.x"},
      {"marker in a place that cannot have the value", "calico-node.yaml",
       node + "spec: {minReadySeconds: '${inputs.caBundle}'}",
       "spec.minReadySeconds: ${inputs.caBundle}: expected integer, got string"},
      {"marker without a value", "fragments/cloud-settings.yaml",
       "when: {bgp: Enabled}\naddTo: calico-cni\n---\n{apiVersion: v1, kind: ConfigMap, metadata: "
       "{name: c}, data: {a: '${inputs.apiServerHost}'}}",
       "release v3.99: v3.99/fragments/cloud-settings.yaml: ConfigMap c: data.a: "
       "${inputs.apiServerHost} has no value"},
      {"image that is not in the table", "fragments/no-bpf.yaml",
       "when: {dataplane: Iptables}\n---\n" + node +
           "spec: {template: {spec: {containers: [{name: calico-node, image: calico/nod}]}}}",
       "release v3.99: DaemonSet calico-node: no image calico/nod in the release"},
  };
  for (const Case& c : cases) {
    const std::vector<base::EmbeddedFile> files = WithFile(c.file, c.content);
    absl::StatusOr<Releases> releases = Releases::Open(files);
    ASSERT_THAT(releases, IsOk());
    EXPECT_THAT(releases->Find(kSecondRelease),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.name;
  }
}

// A file that several releases have in common is there once, and a release's own one comes first.
TEST(ReleaseTest, SharedFiles) {
  std::vector<base::EmbeddedFile> files = FilesOfTwoReleases();
  const std::string own = "manifests/v3.99/fragments/no-bird.yaml";
  const std::string shared = "manifests/shared/fragments/no-bird.yaml";
  for (base::EmbeddedFile& file : files) {
    if (file.name == own) file.name = shared;
  }
  absl::StatusOr<Releases> releases = Releases::Open(files);
  ASSERT_THAT(releases, IsOk());
  EXPECT_TRUE((*releases->Find("v3.99"))->files().contains(shared));
  EXPECT_FALSE((*releases->Find("v3.32"))->files().contains(shared));

  files.push_back({"manifests/shared/other.yaml", "x"});
  EXPECT_THAT(CheckAll(files),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("manifests/shared/other.yaml: no release lists it")));
}

TEST(ReleaseTest, BadFolders) {
  EXPECT_THAT(CheckAll({}), StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* name : {"manifests/3.32/release.yaml", "manifests/v3.x/release.yaml"}) {
    const base::EmbeddedFile files[] = {{name, "x"}};
    EXPECT_THAT(Releases::Open(files),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is named like v3.32")));
  }
  std::vector<base::EmbeddedFile> twice = FilesOfTwoReleases();
  const std::string prefix = "manifests/v3.32/";
  std::vector<std::string> names;
  names.reserve(twice.size());
  for (const base::EmbeddedFile& file : FilesOfTwoReleases()) {
    if (!file.name.starts_with(prefix)) continue;
    names.push_back(fmt::format("manifests/v3.032/{}", file.name.substr(prefix.size())));
    twice.push_back({names.back(), file.content});
  }
  EXPECT_THAT(CheckAll(twice),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another folder has")));
}

}  // namespace
}  // namespace calico::render
