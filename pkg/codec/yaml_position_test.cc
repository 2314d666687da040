#include "pkg/codec/yaml_position.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace calico::codec {
namespace {

constexpr std::string_view kText = R"(# a comment
members:
- name: a
  peerURLs: ["https://a:1",
             "https://b:1"]
- {name: b, hosts: [x, y]}
users:
  - name: c
  -
    name: d
)";

std::string At(std::string_view path, std::string_view text = kText) {
  const auto position = FindInYaml(text, path);
  if (!position.has_value()) return "nowhere";
  return std::to_string(position->line) + ":" + std::to_string(position->column);
}

TEST(YamlPositionTest, FindsKeysAndEntries) {
  const std::pair<const char*, const char*> cases[] = {
      {"members", "2:1"},
      {"members[0]", "3:3"},
      {"members[0].name", "3:3"},
      {"members[0].peerURLs", "4:3"},
      {"members[0].peerURLs[1]", "5:14"},
      {"members[1]", "6:3"},
      {"members[1].hosts", "6:13"},
      {"members[1].hosts[1]", "6:24"},
      {"users[1].name", "10:5"},
  };
  for (const auto& [path, want] : cases) EXPECT_EQ(At(path), want) << path;
}

TEST(YamlPositionTest, WhatIsMissingIsWhereItBelongs) {
  EXPECT_EQ(At("members[1].peerURLs"), "6:3");
  EXPECT_EQ(At("users[7].name"), "7:1");
  EXPECT_EQ(At("name"), "nowhere") << "only from the beginning";
  EXPECT_EQ(At(""), "nowhere");
  EXPECT_EQ(At("members", ""), "nowhere");
  EXPECT_EQ(At("members", "members: [}"), "nowhere");
  EXPECT_EQ(At("members", "members: " + std::string(1'000'000, '[')), "nowhere");
}

}  // namespace
}  // namespace calico::codec
