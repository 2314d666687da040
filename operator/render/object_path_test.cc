#include "operator/render/object_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using base::IsOk;
using base::StatusIs;
using testing::HasSubstr;

json::object Workload() {
  return codec::ParseYaml(
             "{kind: DaemonSet, metadata: {name: d}, spec: {template: {spec: {containers: [{name: "
             "c, env: [{name: A, value: x}]}], initContainers: [{name: i}]}}}}")
      ->as_object();
}

TEST(ObjectEditorTest, ChangesWhatIsThere) {
  json::object workload = Workload();
  ObjectEditor edit(workload);
  edit.SetEnvironment(edit.Container("c"), "A", "y");
  edit.InitContainer("i")["image"] = "z";
  edit.PodSpec()["hostNetwork"] = true;
  EXPECT_THAT(edit.status(), IsOk());
  EXPECT_EQ(codec::Serialize(workload.at("spec").at("template").at("spec")),
            R"({"containers":[{"name":"c","env":[{"name":"A","value":"y"}]}],)"
            R"("initContainers":[{"name":"i","image":"z"}],"hostNetwork":true})");
}

TEST(ObjectEditorTest, WhatIsMissingIsAnErrorAndChangesNothing) {
  struct Case {
    void (*change)(ObjectEditor& edit);
    const char* error;
  };
  const Case cases[] = {
      {[](ObjectEditor& edit) { edit.Container("nope")["image"] = "x"; },
       "DaemonSet d: [nope]: not there"},
      {[](ObjectEditor& edit) { edit.ObjectAt(edit.root(), {"spec", "selector"})["a"] = 1; },
       "DaemonSet d: spec.selector: not there"},
      {[](ObjectEditor& edit) { edit.ArrayAt(edit.root(), {"spec"}).push_back(1); },
       "DaemonSet d: spec: not there"},
      {[](ObjectEditor& edit) { edit.ArrayAt(edit.root(), {"kind", "x"}).push_back(1); },
       "DaemonSet d: kind.x: not there"},
      {[](ObjectEditor& edit) { edit.SetEnvironment(edit.Container("c"), "B", "x"); },
       "DaemonSet d: [B]: not there"},
      {[](ObjectEditor& edit) { edit.SetEnvironment(edit.InitContainer("i"), "A", "x"); },
       "DaemonSet d: env: not there"},
      {[](ObjectEditor& edit) { edit.Fail("something else"); }, "DaemonSet d: something else"},
  };
  for (const Case& c : cases) {
    json::object workload = Workload();
    ObjectEditor edit(workload);
    c.change(edit);
    edit.Fail("later");
    EXPECT_THAT(edit.status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    EXPECT_EQ(workload, Workload()) << c.error;
  }
}

TEST(ObjectPathTest, LooksIntoObjectsOfAnyShape) {
  EXPECT_EQ(NameOf({{"metadata", "x"}}), "");
  EXPECT_EQ(NameOf({{"metadata", {{"name", 1}}}}), "");
  EXPECT_EQ(NameOf(Workload()), "d");
  EXPECT_EQ(KindOf({}), "");
  json::array list = {1, {{"name", "a"}}};
  EXPECT_EQ(FindNamed(list, "b"), nullptr);
  EXPECT_NE(FindNamed(list, "a"), nullptr);
  json::object root = {{"a", "text"}};
  EnsureObject(root, {"a", "b"})["c"] = 1;
  EXPECT_EQ(codec::Serialize(root), R"({"a":{"b":{"c":1}}})");
}

}  // namespace
}  // namespace calico::render
