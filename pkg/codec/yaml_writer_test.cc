#include "pkg/codec/yaml_writer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::codec {
namespace {

using base::IsOkAndHolds;

json::value Json(std::string_view text) { return ParseJson(text).value(); }

TEST(ToYamlTest, PrintsAsKubectlDoes) {
  const json::value value = Json(R"({
      "kind": "ConfigMap", "apiVersion": "v1",
      "metadata": {"name": "x", "labels": {}, "finalizers": [], "creationTimestamp":
                   "2026-11-22T19:42:02Z", "annotations": {"a/b": "12", "c": "plain text"}},
      "data": {"script": "#!/bin/sh\nset -e\n\n  exit 0\n", "no-end": "a\nb", "more": "a\n\n"},
      "list": ["a", {"b": 1, "c": [true, null]}, [1, [2]], []], "float": 0.5, "big": 1e30})");
  EXPECT_EQ(ToYaml(value), R"(apiVersion: v1
big: 1e+30
data:
  more: |+
    a

  no-end: |-
    a
    b
  script: |
    #!/bin/sh
    set -e

      exit 0
float: 0.5
kind: ConfigMap
list:
- a
- b: 1
  c:
  - true
  - null
- - 1
  - - 2
- []
metadata:
  annotations:
    a/b: "12"
    c: plain text
  creationTimestamp: "2026-11-22T19:42:02Z"
  finalizers: []
  labels: {}
  name: x
)");
}

TEST(ToYamlTest, QuotesOnlyWhatNeedsIt) {
  struct Case {
    std::string text;
    const char* want;
  };
  const Case kCases[] = {
      {"", "\"\""},
      {"true", "\"true\""},
      {"no", "\"no\""},
      {"y", "\"y\""},
      {"null", "\"null\""},
      {"~", "\"~\""},
      {"0", "\"0\""},
      {"0x1F", "\"0x1F\""},
      {"1e3", "\"1e3\""},
      {".inf", "\".inf\""},
      {"2026-11-22", "\"2026-11-22\""},
      {"1:30", "\"1:30\""},
      {"12:30:45.5", "\"12:30:45.5\""},
      {"<<", "\"<<\""},
      {"a b", "a b"},
      {"k8s-app=calico", "k8s-app=calico"},
      {"10.0.0.0/16", "10.0.0.0/16"},
      {"fd00::/8", "fd00::/8"},
      {"http://x/y?z#f", "http://x/y?z#f"},
      {"/opt/cni/bin", "/opt/cni/bin"},
      {"all()", "all()"},
      {"-x", "-x"},
      {"-", "'-'"},
      {"- x", "'- x'"},
      {"---", "'---'"},
      {"?", "'?'"},
      {":", "':'"},
      {"a:", "'a:'"},
      {"a: b", "'a: b'"},
      {"a #b", "'a #b'"},
      {"*", "'*'"},
      {"*.example.com", "'*.example.com'"},
      {"&a", "'&a'"},
      {"{{x}}", "'{{x}}'"},
      {"[x]", "'[x]'"},
      {"%a", "'%a'"},
      {"@a", "'@a'"},
      {"`a", "'`a'"},
      {"'a'", "'''a'''"},
      {"it's", "it's"},
      {" a", "' a'"},
      {"a ", "'a '"},
      {"a\tb", "\"a\\tb\""},
      {"a\r\nb", "\"a\\r\\nb\""},
      {"\x01", "\"\\x01\""},
      {"\x7f", "\"\\x7f\""},
      {" a\nb", "\" a\\nb\""},
      {"\na", "\"\\na\""},
      {"a \nb", "\"a \\nb\""},
      {"\n", "\"\\n\""},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"a\xe2\x80\xa8z", "\"a\\u2028z\""},
      {"a\xc2\x85z", "\"a\\u0085z\""},
      {"\xef\xbb\xbfz", "\"\\ufeffz\""},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.want);
    const std::string yaml = ToYaml(json::object{{"k", c.text}});
    EXPECT_EQ(yaml, "k: " + std::string(c.want) + "\n");
    EXPECT_THAT(ParseYaml(yaml), IsOkAndHolds(json::value(json::object{{"k", c.text}})));
    // The same text as a key.
    const json::value as_key = json::object{{c.text, 1}};
    EXPECT_THAT(ParseYaml(ToYaml(as_key)), IsOkAndHolds(as_key));
  }
}

TEST(ToYamlTest, ReadingBackGivesTheSameValue) {
  const char* kCases[] = {
      "1",
      "\"a\\nb\"",
      "[]",
      "{}",
      "[[[]], {}, [{}]]",
      R"([{"a": {"b": {"c": ["d\ne\n", "f\n\n\n", {"g": "h\n  i"}]}}}])",
      R"({"a": "x\n#y", "b": "x\n- y\n...\n---\n", "c": ["|", ">", "|\n>"]})",
      R"([-1.5, 1e100, 123456789012345678, 18446744073709551615, 0.1])",
  };
  for (const char* text : kCases) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseYaml(ToYaml(Json(text))), IsOkAndHolds(Json(text)));
  }
}

TEST(ToYamlTest, SeparatesDocuments) {
  const std::vector<json::value> documents = {Json(R"({"a":1})"), Json(R"({"b":2})")};
  EXPECT_EQ(ToYaml(documents), "a: 1\n---\nb: 2\n");
}

}  // namespace
}  // namespace calico::codec
