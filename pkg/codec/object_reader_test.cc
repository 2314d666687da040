#include "pkg/codec/object_reader.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::codec {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

json::object Parse(std::string_view text) { return ParseJsonObject(text).value(); }

TEST(ObjectReaderTest, ReadsEveryType) {
  const json::object document = Parse(R"({
      "s": "text", "i": -5, "big": 5000000000, "b": true, "t": "2026-11-22T19:42:02Z",
      "bytes": "aGk=", "o": {"x": "y"}, "map": {"k": "v", "a": "b"}, "list": ["p", "q"],
      "items": [{"n": "1"}, {"n": "2"}], "e": "On"})");
  Decoder decoder("Thing");
  const ObjectReader thing = decoder.Read(document);
  constexpr std::string_view kValues[] = {"Off", "On"};

  EXPECT_EQ(thing.String("s"), "text");
  EXPECT_EQ(thing.RequiredString("s"), "text");
  EXPECT_EQ(thing.StringView("s"), "text");
  EXPECT_EQ(thing.OptionalString("s"), "text");
  EXPECT_EQ(thing.Enum("e", kValues), "On");
  EXPECT_EQ(thing.Int64("big"), 5000000000);
  EXPECT_EQ(thing.Int32("i"), -5);
  EXPECT_EQ(thing.IntOrString("i"), "-5");
  EXPECT_EQ(thing.IntOrString("s"), "text");
  EXPECT_TRUE(thing.Bool("b"));
  EXPECT_EQ(thing.Time("t"), absl::FromUnixSeconds(1795376522));
  EXPECT_EQ(thing.Bytes("bytes"), "hi");
  EXPECT_TRUE(thing.Object("o").exists());
  EXPECT_EQ(thing.Object("o").String("x"), "y");
  EXPECT_THAT(thing.Strings("map"), ElementsAre(Pair("a", "b"), Pair("k", "v")));
  EXPECT_THAT(thing.StringList("list"), ElementsAre("p", "q"));
  std::vector<std::string> names;
  thing.ForEach("items", [&](const ObjectReader& item) { names.push_back(item.String("n")); });
  EXPECT_THAT(names, ElementsAre("1", "2"));
  EXPECT_THAT(decoder.status(), IsOk());
}

TEST(ObjectReaderTest, AbsentAndNullReadAsEmpty) {
  for (const char* text : {"{}", R"({"k": null})"}) {
    SCOPED_TRACE(text);
    const json::object document = Parse(text);
    Decoder decoder("Thing");
    const ObjectReader thing = decoder.Read(document);
    EXPECT_FALSE(thing.Has("k"));
    EXPECT_EQ(thing.String("k"), "");
    EXPECT_EQ(thing.OptionalString("k"), std::nullopt);
    EXPECT_EQ(thing.Enum("k", {}), "");
    EXPECT_EQ(thing.Int64("k", 7), 7);
    EXPECT_EQ(thing.OptionalInt32("k"), std::nullopt);
    EXPECT_TRUE(thing.Bool("k", true));
    EXPECT_EQ(thing.OptionalBool("k"), std::nullopt);
    EXPECT_EQ(thing.Time("k"), std::nullopt);
    EXPECT_EQ(thing.Bytes("k"), "");
    EXPECT_THAT(thing.Strings("k"), IsEmpty());
    EXPECT_THAT(thing.StringList("k"), IsEmpty());
    const ObjectReader absent = thing.Object("k");
    EXPECT_FALSE(absent.exists());
    EXPECT_EQ(absent.Object("deeper").RequiredString("k"), "");
    EXPECT_THAT(decoder.status(), IsOk());
  }
}

TEST(ObjectReaderTest, WrongTypesNameTheirPath) {
  const json::object document = Parse(
      R"({"str": 1, "num": "1", "float": 1.5, "big": 9223372036854775808, "int32": 2147483648,
          "flag": "true", "time": "yesterday", "bytes": "?", "obj": [], "list": {}, "map": []})");
  struct Case {
    void (*read)(const ObjectReader&);
    const char* want;
  };
  const Case kCases[] = {
      {[](const ObjectReader& r) { r.String("str"); }, "T.str: expected string, got number"},
      {[](const ObjectReader& r) { r.OptionalString("str"); },
       "T.str: expected string, got number"},
      {[](const ObjectReader& r) { r.Int64("num"); }, "T.num: expected integer, got string"},
      {[](const ObjectReader& r) { r.Int64("float"); }, "T.float: expected a 64-bit integer"},
      {[](const ObjectReader& r) { r.Int64("big"); }, "T.big: expected a 64-bit integer"},
      {[](const ObjectReader& r) { r.Int32("int32"); }, "T.int32: expected a 32-bit integer"},
      {[](const ObjectReader& r) { r.IntOrString("float"); },
       "T.float: expected integer or string, got number"},
      {[](const ObjectReader& r) { r.Bool("flag"); }, "T.flag: expected boolean, got string"},
      {[](const ObjectReader& r) { r.Time("time"); }, "T.time: expected an RFC 3339 time"},
      {[](const ObjectReader& r) { r.Bytes("bytes"); }, "T.bytes: expected base64"},
      {[](const ObjectReader& r) { r.Object("obj"); }, "T.obj: expected object, got array"},
      {[](const ObjectReader& r) { r.StringList("list"); }, "T.list: expected array, got object"},
      {[](const ObjectReader& r) { r.ForEach("list", [](const ObjectReader&) {}); },
       "T.list: expected array, got object"},
      {[](const ObjectReader& r) { r.Strings("map"); }, "T.map: expected object, got array"},
      {[](const ObjectReader& r) { r.RequiredString("none"); }, "T.none: required"},
      {[](const ObjectReader& r) { r.RequiredObject("none"); }, "T.none: required"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.want);
    Decoder decoder("T");
    c.read(decoder.Read(document));
    EXPECT_THAT(decoder.status(), StatusIs(absl::StatusCode::kInvalidArgument, c.want));
  }
}

TEST(ObjectReaderTest, PathsGoThroughObjectsAndArrays) {
  const json::object document = Parse(
      R"({"spec": {"calicoNetwork": {"ipPools": [{"cidr": "10.0.0.0/8"}, {"cidr": 5}, 7]},
          "labels": {"a": 1}, "args": ["x", 2]}})");
  Decoder decoder("Installation");
  const ObjectReader spec = decoder.Read(document).Object("spec");
  spec.Object("calicoNetwork").ForEach("ipPools", [](const ObjectReader& pool) {
    pool.String("cidr");
  });
  spec.Strings("labels");
  spec.StringList("args");
  spec.String("args");  // After ForEach: the path tree is as before.
  EXPECT_EQ(decoder.status().message(),
            "Installation.spec.calicoNetwork.ipPools[1].cidr: expected string, got number; "
            "Installation.spec.calicoNetwork.ipPools[2]: expected object, got number; "
            "Installation.spec.labels[\"a\"]: expected string, got number; "
            "Installation.spec.args[1]: expected string, got number; "
            "Installation.spec.args: expected string, got array");
}

TEST(ObjectReaderTest, EnumNamesTheAllowedValues) {
  const json::object document = Parse(R"({"bgp": "Perhaps"})");
  Decoder decoder("T");
  constexpr std::string_view kValues[] = {"Enabled", "Disabled"};
  EXPECT_EQ(decoder.Read(document).Enum("bgp", kValues), "");
  EXPECT_EQ(decoder.status().message(),
            "T.bgp: unsupported value \"Perhaps\", expected one of Enabled, Disabled");
}

TEST(ObjectReaderTest, MessagesAreBounded) {
  json::object document;
  json::array list;
  for (int i = 0; i < 40; ++i) list.push_back(i);
  document["list"] = list;
  document["enum"] = std::string(10'000, 'x');
  Decoder decoder("T");
  decoder.Read(document).Enum("enum", {});
  decoder.Read(document).StringList("list");
  const std::string message(decoder.status().message());
  EXPECT_LT(message.size(), 1500u);
  EXPECT_THAT(message, HasSubstr("T.list[14]: expected string"));
  EXPECT_THAT(message, Not(HasSubstr("T.list[15]")));
  EXPECT_THAT(message, testing::EndsWith("; and 25 more"));
}

TEST(ObjectReaderTest, BytesNeverShowInTheMessage) {
  const json::object document = Parse(R"({"key": "c2VjcmV0!"})");
  Decoder decoder("T");
  EXPECT_EQ(decoder.Read(document).Bytes("key"), "");
  EXPECT_THAT(std::string(decoder.status().message()), Not(HasSubstr("c2Vj")));
}

}  // namespace
}  // namespace calico::codec
