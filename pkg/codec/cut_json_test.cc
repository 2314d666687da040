#include "pkg/codec/cut_json.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace calico::codec {
namespace {

struct Case {
  const char* name;
  std::string_view text;
  std::vector<std::string_view> path;
  std::string_view want;
};

TEST(CutJsonTest, FindsStrings) {
  const std::vector<std::string_view> name = {"metadata", "name"};
  const Case cases[] = {
      {"whole", R"({"kind":"Pod","metadata":{"name":"a"}})", name, "a"},
      {"cut behind it", R"({"metadata":{"name":"a","labels":{"x)", name, "a"},
      {"with space", "{ \"metadata\" :\n{ \"name\" : \"a\"", name, "a"},
      {"behind other members", R"({"metadata":{"labels":{"name":"b"},"list":["c"],"name":"a")",
       name, "a"},
      {"in an event",
       R"({"type":"ADDED","object":{"metadata":{"name":"a")",
       {"object", "metadata", "name"},
       "a"},
      {"at the top", R"({"type":"ADDED","object":{)", {"type"}, "ADDED"},
      {"brackets in strings", R"({"x":"}]{[\"","metadata":{"name":"a")", name, "a"},
      {"value that is a key's name", R"({"x":"metadata","y":{"name":"b"},"metadata":{"name":"a")",
       name, "a"},
      {"first of two", R"({"metadata":{"name":"a","name":"b"}})", name, "a"},

      {"cut within it", R"({"metadata":{"name":"a)", name, ""},
      {"not there", R"({"metadata":{"namespace":"a"}})", name, ""},
      {"at another depth", R"({"name":"b","metadata":{"x":{"name":"b"}}})", name, ""},
      {"elsewhere", R"({"spec":{"metadata":{"name":"b"}},"status":{"name":"b"}})", name, ""},
      {"after its parent", R"({"metadata":{},"spec":{"name":"b"}})", name, ""},
      {"in a list", R"({"metadata":[{"name":"b"}]})", name, ""},
      {"list in its place", R"({"metadata":{"name":["b"]}})", name, ""},
      {"object in its place", R"({"metadata":{"name":{"x":"b"}}})", name, ""},
      {"no string", R"({"metadata":{"name":7,"x":"b"}})", name, ""},
      {"escaped", R"({"metadata":{"name":"\u0061"}})", name, ""},
      {"too many brackets", R"(}{"metadata":{"name":"a")", name, ""},
      {"no object", R"("metadata")", name, ""},
      {"nothing", "", name, ""},
      {"no path", R"({"a":"b"})", {}, ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FindStringInCutJson(c.text, c.path), c.want) << c.name;
  }
}

}  // namespace
}  // namespace calico::codec
