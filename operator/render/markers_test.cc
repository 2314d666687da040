#include "operator/render/markers.h"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using base::IsOk;
using base::StatusIs;
using testing::HasSubstr;

absl::StatusOr<const json::value*> ValueAt(std::string_view path) {
  static const auto& values = *new std::map<std::string, json::value, std::less<>>{
      {"spec.port", 9091},
      {"spec.text", "a${b}"},
      {"spec.flag", true},
      {"spec.digits", "12"},
      {"spec.list", json::array{"x", "w"}},
      {"spec.map", json::object{{"k", "v"}}},
  };
  if (path == "spec.nothing") return nullptr;
  const auto found = values.find(path);
  if (found == values.end()) return absl::InvalidArgumentError("there is no such path");
  return &found->second;
}

// What a field of a DaemonSet becomes.
absl::StatusOr<json::value> Expanded(const std::string& spec) {
  absl::StatusOr<json::value> object =
      codec::ParseYaml(fmt::format("apiVersion: apps/v1\nkind: DaemonSet\nspec: {}\n", spec));
  if (!object.ok()) return object.status();
  if (const absl::Status status = ExpandMarkers(object->as_object(), ValueAt); !status.ok()) {
    return status;
  }
  return object->as_object()["spec"];
}

TEST(MarkersTest, TakeTheTypeOfTheirPlace) {
  struct Case {
    const char* spec;
    const char* want;
  };
  const Case cases[] = {
      // A number where a number is wanted, its digits where text is.
      {"minReadySeconds: '${spec.port}'", "minReadySeconds: 9091"},
      {"minReadySeconds: '${spec.digits}'", "minReadySeconds: 12"},
      {"minReadySeconds: '${spec.nothing:-5}'", "minReadySeconds: 5"},
      {"template: {spec: {hostname: '${spec.port}'}}", "template: {spec: {hostname: '9091'}}"},
      {"template: {spec: {hostname: 'a-${spec.port}-${spec.flag}'}}",
       "template: {spec: {hostname: a-9091-true}}"},
      {"template: {spec: {hostname: '${spec.nothing:-}'}}", "template: {spec: {hostname: ''}}"},
      {"template: {spec: {hostNetwork: '${spec.flag}'}}", "template: {spec: {hostNetwork: true}}"},
      {"template: {spec: {hostNetwork: '${spec.nothing:-false}'}}",
       "template: {spec: {hostNetwork: false}}"},
      // A whole list, a whole map.
      {"template: {spec: {hostAliases: [{ip: a, hostnames: '${spec.list}'}]}}",
       "template: {spec: {hostAliases: [{ip: a, hostnames: [x, w]}]}}"},
      {"template: {spec: {nodeSelector: '${spec.map}'}}",
       "template: {spec: {nodeSelector: {k: v}}}"},
      // Elements.
      {"template: {spec: {containers: [{name: c, args: ['${spec.port}', 'b']}]}}",
       "template: {spec: {containers: [{name: c, args: ['9091', 'b']}]}}"},
      // Keys, and the entries of a map beside others.
      {"template: {metadata: {annotations: {'${spec.port}/x': '1', $merge: '${spec.map}'}}}",
       "template: {metadata: {annotations: {'9091/x': '1', k: v}}}"},
      // What a value holds is not looked at again; a literal one.
      {"template: {spec: {hostname: '${spec.text}'}}", "template: {spec: {hostname: 'a${b}'}}"},
      {"template: {spec: {hostname: 'x$${spec.port}'}}",
       "template: {spec: {hostname: 'x${spec.port}'}}"},
      {"template: {spec: {hostname: '$${a}'}}", "template: {spec: {hostname: '${a}'}}"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<json::value> value = Expanded(fmt::format("{{{}}}", c.spec));
    ASSERT_THAT(value, IsOk()) << c.spec;
    EXPECT_EQ(*value, *codec::ParseYaml(fmt::format("{{{}}}", c.want))) << c.spec;
  }
}

TEST(MarkersTest, ErrorsNameThePath) {
  struct Case {
    const char* spec;
    const char* error;
  };
  const Case cases[] = {
      {"template: {spec: {containers: [{name: c, image: '${spec.nothing}'}]}}",
       "spec.template.spec.containers[c].image: ${spec.nothing} has no value"},
      {"template: {spec: {hostname: '${spec.a'}}", "hostname: ${spec.a is not closed"},
      {"template: {spec: {hostname: '${spec.a}'}}",
       "spec.template.spec.hostname: ${spec.a}: there is no such path"},
      {"minReadySeconds: '${spec.text}'",
       "spec.minReadySeconds: ${spec.text}: expected integer, got string"},
      {"template: {spec: {hostNetwork: '${spec.text}'}}", "expected boolean, got string"},
      {"template: {spec: {hostname: '${spec.list}'}}", "expected one value, got array"},
      {"template: {spec: {hostname: 'a${spec.map}'}}", "expected one value, got object"},
      {"template: {metadata: {annotations: {$merge: '${spec.port}'}}}",
       "spec.template.metadata.annotations.$merge: no object"},
      {"template: {metadata: {annotations: {'a${spec.nothing}': ''}}}",
       "${spec.nothing} has no value"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Expanded(fmt::format("{{{}}}", c.spec)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.spec;
  }
}

TEST(MarkersTest, FreeJsonKeepsTypes) {
  json::value value = *codec::ParseYaml(
      "{a: '${spec.port}', b: '${spec.nothing:-0}', c: '${spec.nothing:-0.3.1}', "
      "d: '${spec.nothing:-true}', e: ['${spec.map}', 'x${spec.port}'], f: '${spec.digits}'}");
  ASSERT_THAT(ExpandFreeMarkers(value, ValueAt), IsOk());
  EXPECT_EQ(value, *codec::ParseYaml("{a: 9091, b: 0, c: '0.3.1', d: true, "
                                     "e: [{k: v}, x9091], f: '12'}"));
}

}  // namespace
}  // namespace calico::render
