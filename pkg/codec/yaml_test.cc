#include "pkg/codec/yaml.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

json::value Json(std::string_view text) { return ParseJson(text).value(); }

TEST(ParseYamlTest, PlainScalarsMeanWhatKubernetesMakesOfThem) {
  struct Case {
    const char* yaml;
    const char* json;
  };
  const Case kCases[] = {
      {"~", "null"},
      {"null", "null"},
      {"NULL", "null"},
      {"", "null"},
      {"nUll", "\"nUll\""},
      {"true", "true"},
      {"False", "false"},
      {"yes", "true"},
      {"No", "false"},
      {"on", "true"},
      {"OFF", "false"},
      {"y", "true"},
      {"n", "false"},
      {"tRue", "\"tRue\""},
      {"0", "0"},
      {"-0", "0"},
      {"+12", "12"},
      {"1_000", "1000"},
      {"0644", "420"},
      {"0o14", "12"},
      {"0x1F", "31"},
      {"-0x10", "-16"},
      {"0b101", "5"},
      {"08", "8"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"1.5", "1.5"},
      {"-.5", "-0.5"},
      {"1.0", "1"},
      {"1e3", "1000"},
      {"1.25e-1", "0.125"},
      {"1e999", "\"1e999\""},
      {"+", "\"+\""},
      {".", "\".\""},
      {"0x", "\"0x\""},
      {"0xg", "\"0xg\""},
      {"1.2.3", "\"1.2.3\""},
      {"10.0.0.0/16", "\"10.0.0.0/16\""},
      {"fd00::/8", "\"fd00::/8\""},
      {"100Mi", "\"100Mi\""},
      {"2026-11-22", "\"2026-11-22\""},
      {"2026-11-22T19:42:02Z", "\"2026-11-22T19:42:02Z\""},
      {"1:30", "\"1:30\""},
      {"'true'", "\"true\""},
      {"\"12\"", "\"12\""},
      {"''", "\"\""},
      {"!!str 12", "\"12\""},
      {"\"a\\nb\\u00e9\\x41\"", "\"a\\nb\u00e9A\""},
      {"'it''s'", "\"it's\""},
      {"[a, 1, {b: yes}]", "[\"a\",1,{\"b\":true}]"},
      {"{a: {}, b: []}", "{\"a\":{},\"b\":[]}"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.yaml);
    EXPECT_THAT(ParseYaml("k: " + std::string(c.yaml)),
                IsOkAndHolds(Json("{\"k\":" + std::string(c.json) + "}")));
  }
}

TEST(ParseYamlTest, ReadsAManifest) {
  const absl::StatusOr<json::value> value = ParseYaml(R"(
# A comment.
apiVersion: v1
kind: ConfigMap
metadata:
  name: cni-config
  labels: {k8s-app: calico-node}
data:
  literal: |
    first
      second

    third
  stripped: |-
    one
  folded: >-
    a
    b
  tabs: "a\tb"
list:
- a
-
  - b
- c: d
  e:
  - f
)");
  EXPECT_THAT(value, IsOkAndHolds(Json(R"({
      "apiVersion": "v1", "kind": "ConfigMap",
      "metadata": {"name": "cni-config", "labels": {"k8s-app": "calico-node"}},
      "data": {"literal": "first\n  second\n\nthird\n", "stripped": "one", "folded": "a b",
               "tabs": "a\tb"},
      "list": ["a", ["b"], {"c": "d", "e": ["f"]}]})")));
}

TEST(ParseYamlTest, ReadsJson) {
  const std::string text = R"({"a": [1, "x", null, true], "b": {"c": "d"}})";
  EXPECT_THAT(ParseYaml(text), IsOkAndHolds(Json(text)));
}

TEST(ParseYamlTest, KeysBecomeStrings) {
  EXPECT_THAT(ParseYaml("{1: a, true: b, 'x y': c}"),
              IsOkAndHolds(Json(R"({"1":"a","true":"b","x y":"c"})")));
}

TEST(ParseYamlTest, RefusesWithThePlace) {
  struct Case {
    const char* name;
    const char* yaml;
    const char* want;
  };
  const Case kCases[] = {
      {"alias", "a: &x 1\nb: *x\n", "line 1, column 4: anchors are not supported"},
      {"anchor on a map", "a: &x {}\n", "anchors are not supported"},
      {"unknown alias", "a: *x\n", "parse YAML"},
      {"merge key", "a:\n  <<: {b: c}\n", "line 2, column 3: merge keys are not supported"},
      {"tag", "a: !!binary aGk=\n", "tags are not supported"},
      {"local tag", "a: !secret x\n", "tags are not supported"},
      {"key twice", "a: 1\nb: 2\na: 3\n", "line 3, column 1: key given twice"},
      {"keys equal as strings", "1: a\n'1': b\n", "key given twice"},
      {"map as key", "? {a: b}\n: c\n", "a key must be a scalar"},
      {"null as key", "~: a\n", "a key must be a string"},
      {"float as key", "1.5: a\n", "a key must be a string"},
      {"infinity", "a: .inf\n", "not a finite number"},
      {"not a number", "a: .NaN\n", "not a finite number"},
      {"tab as indentation", "a:\n\tb: c\n", "parse YAML: line 2"},
      {"bad indentation", "a: b\n  c: d\n", "parse YAML: line 2"},
      {"unclosed flow", "a: [1, 2\n", "parse YAML"},
      {"unclosed quote", "a: \"x", "parse YAML"},
      {"unclosed quote, line ended", "a: \"x\n", "parse YAML"},
      {"unclosed quote, blanks after it", "a: 'x\n  ", "parse YAML"},
      {"broken UTF-8", "a: b\xff\n", "byte 4: not UTF-8"},
      {"UTF-16",
       "\xff\xfe"
       "a:",
       "byte 0: not UTF-8"},
      {"control character", "a: \x01\n", "byte 3: control character"},
      {"nothing", "", "expected one document, got 0"},
      {"comment only", "# nothing\n", "expected one document, got 0"},
      {"two documents", "a: 1\n---\nb: 2\n", "expected one document, got 2"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(ParseYaml(c.yaml), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.want)));
  }
}

TEST(ParseYamlDocumentsTest, SkipsEmptyDocuments) {
  const absl::StatusOr<std::vector<json::value>> documents =
      ParseYamlDocuments("---\n---\na: 1\n---\n# comment\n---\nb: 2\n...\n---\n");
  ASSERT_THAT(documents, IsOk());
  ASSERT_THAT(*documents, SizeIs(2));
  EXPECT_EQ((*documents)[0], Json(R"({"a":1})"));
  EXPECT_EQ((*documents)[1], Json(R"({"b":2})"));
  EXPECT_THAT(ParseYamlDocuments("# nothing\n"), IsOkAndHolds(IsEmpty()));
}

TEST(ParseYamlDocumentsTest, ForgetsAKeyBetweenDocuments) {
  EXPECT_THAT(ParseYamlDocuments("a: 1\n---\na: 1\n"), IsOkAndHolds(SizeIs(2)));
}

TEST(ParseYamlTest, BoundsSizeDepthAndNodes) {
  EXPECT_THAT(ParseYaml("a: b", {.max_bytes = 4}), IsOk());
  EXPECT_THAT(ParseYaml("a: bc", {.max_bytes = 4}), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ParseYaml("[[1]]", {.max_depth = 2}), IsOk());
  EXPECT_THAT(ParseYaml("[[[1]]]", {.max_depth = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("nested")));
  EXPECT_THAT(ParseYaml("[1, 2]", {.max_nodes = 3}), IsOk());
  EXPECT_THAT(ParseYaml("[1, 2, 3]", {.max_nodes = 3}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("values")));
  EXPECT_THAT(ParseYaml(std::string(10'000, '[') + std::string(10'000, ']')),
              StatusIs(absl::StatusCode::kResourceExhausted));
  std::string dashes;
  for (int i = 0; i < 2'000; ++i) dashes += "- ";
  EXPECT_THAT(ParseYaml(dashes), StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace calico::codec
