#include "pkg/kube/testing/selectors.h"

#include <gtest/gtest.h>

namespace calico::kube {
namespace {

const json::object& Object() {
  static const auto* const kObject = new json::object{
      {"metadata", {{"name", "a"}, {"namespace", "ns"}, {"labels", {{"app", "node"}, {"x", ""}}}}},
      {"spec", {{"signerName", "example.com/s"}, {"nodeName", "n1"}}}};
  return *kObject;
}

bool Matches(std::string_view labels, std::string_view fields, std::string_view plural) {
  const absl::StatusOr<Selectors> selectors = Selectors::Parse(labels, fields, plural);
  EXPECT_TRUE(selectors.ok()) << selectors.status();
  return selectors.ok() && selectors->Match(Object());
}

TEST(SelectorsTest, Labels) {
  const struct {
    const char* text;
    bool want;
  } kCases[] = {
      {"", true},
      {"app=node", true},
      {"app==node", true},
      {" app = node , x ", true},
      {"app=typha", false},
      {"app!=typha", true},
      {"app!=node", false},
      {"other!=typha", true},
      {"other=typha", false},
      {"app", true},
      {"other", false},
      {"!other", true},
      {"!app", false},
      {"x=", true},
      {"app in (typha,node)", true},
      {"app in (typha)", false},
      {"app notin (typha, node)", false},
      {"other notin (a)", true},
      {"other in (a)", false},
      {"app in (node),x,!y", true},
  };
  for (const auto& c : kCases) EXPECT_EQ(Matches(c.text, "", "pods"), c.want) << c.text;
}

TEST(SelectorsTest, Fields) {
  const struct {
    const char* text;
    const char* plural;
    bool want;
  } kCases[] = {
      {"metadata.name=a", "configmaps", true},
      {"metadata.name!=a", "configmaps", false},
      {"metadata.namespace==ns,metadata.name=a", "secrets", true},
      {"spec.signerName=example.com/s", "certificatesigningrequests", true},
      {"spec.signerName=example.com/t", "certificatesigningrequests", false},
      {"spec.nodeName=n1", "pods", true},
      {"spec.nodeName!=n1", "pods", false},
      {"status.phase=Running", "pods", false},
      {"type!=Opaque", "secrets", true},
  };
  for (const auto& c : kCases) EXPECT_EQ(Matches("", c.text, c.plural), c.want) << c.text;
}

TEST(SelectorsTest, RefusesWhatTheServerRefuses) {
  EXPECT_EQ(Selectors::Parse("", "spec.nodeName=n", "configmaps").status().message(),
            "field label not supported: spec.nodeName");
  EXPECT_FALSE(Selectors::Parse("", "status.phase=x", "certificatesigningrequests").ok());
  EXPECT_FALSE(Selectors::Parse("", "metadata.name", "pods").ok());
  EXPECT_FALSE(Selectors::Parse("a b (c)", "", "pods").ok());
  EXPECT_FALSE(Selectors::Parse("a in b", "", "pods").ok());
}

}  // namespace
}  // namespace calico::kube
