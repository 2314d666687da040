#include "operator/calicert/etcd/description.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::calicert::etcd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const WantedPair* Find(const Layout& layout, std::string_view base) {
  for (const WantedPair& pair : layout.pairs) {
    if (pair.base == base) return &pair;
  }
  return nullptr;
}

TEST(DescriptionTest, ExampleIsWhatItSaysItIs) {
  const auto text = ExampleDescription({"etcd-1=10.0.0.11", "etcd-2=fd00::2", "etcd-3=three"});
  ASSERT_TRUE(text.ok()) << text.status();
  const auto layout = ParseDescription(*text);
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->folder, "certs");
  ASSERT_EQ(layout->cas.size(), 1u);
  EXPECT_EQ(layout->cas[0].request.subject.common_name, "etcd CA");
  EXPECT_EQ(layout->pairs.size(), 9u);
  const WantedPair* server = Find(*layout, "server-etcd-1");
  ASSERT_NE(server, nullptr);
  EXPECT_THAT(server->request.names.dns_names, ElementsAre("localhost"));
  EXPECT_THAT(
      server->request.names.ip_addresses,
      ElementsAre(*base::IpAddress::Parse("10.0.0.11"), *base::IpAddress::Parse("127.0.0.1")));
  EXPECT_THAT(server->profile.extended_key_usages,
              ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  const WantedPair* peer = Find(*layout, "peer-etcd-2");
  ASSERT_NE(peer, nullptr);
  EXPECT_THAT(peer->request.names.ip_addresses, ElementsAre(*base::IpAddress::Parse("fd00::2")));
  EXPECT_THAT(peer->request.names.dns_names, ElementsAre());
  const WantedPair* user = Find(*layout, "user-kube-apiserver");
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->request.subject.common_name, "kube-apiserver");
  EXPECT_THAT(user->profile.extended_key_usages, ElementsAre(pki::kOidClientAuth));
  EXPECT_TRUE(user->request.names.dns_names.empty() && user->request.names.ip_addresses.empty());
  ASSERT_EQ(layout->users.size(), 3u);
  EXPECT_EQ(layout->users[1].grants[0].key, "/registry/");
  ASSERT_EQ(layout->secrets.size(), 1u);
}

TEST(DescriptionTest, MemberOfTheExampleMustBeNameAndHost) {
  for (const char* member :
       {"etcd-1", "=10.0.0.1", "a=https://10.0.0.1", "a=b c", "a=10.0.0.1:80"}) {
    EXPECT_THAT(ExampleDescription({member}).status().message(), HasSubstr("NAME=HOST")) << member;
  }
}

TEST(DescriptionTest, AnExampleIsAlwaysOneThatIsRead) {
  for (const char* name : {"1", "yes", "null", "1e3", "0x1", "a@b", "x_y.z"}) {
    const auto text = ExampleDescription({fmt::format("{}=10.0.0.1", name)});
    ASSERT_TRUE(text.ok()) << name << text.status();
    const auto layout = ParseDescription(*text);
    ASSERT_TRUE(layout.ok()) << name << layout.status();
    EXPECT_EQ(layout->members[0].name, name);
  }
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"*x=10.0.0.1"}, "etcd.members[0].name: only letters, digits"},
      {{"a b=10.0.0.1"}, "etcd.members[0].name: only letters, digits"},
      {{"../a=10.0.0.1"}, "etcd.members[0].name: only letters, digits"},
      {{"a=0.0.0.0"}, "nobody can dial it: 0.0.0.0 is no one's address"},
      {{"a=10.0.0.256"}, "10.0.0.256 is no IP address, and no DNS name ends in a number"},
      {{"a=10.0.0.1", "a=10.0.0.2"}, "etcd.members[1].name: \"a\" is there twice"},
  };
  for (const auto& [members, want] : cases) {
    EXPECT_THAT(std::string(ExampleDescription(members).status().message()), HasSubstr(want));
  }
}

TEST(DescriptionTest, PeersMayHaveACaAndANameOfTheirOwn) {
  const auto layout = ParseDescription(R"(
peerCA: {commonName: peers}
peerCertAllowedCN: etcd-peer
grpcProxy: true
members:
- name: a
  clientURLs: ["https://a:2379"]
  peerURLs: ["https://a:2380"]
  peerSources: [10.0.0.1]
)");
  ASSERT_TRUE(layout.ok()) << layout.status();
  ASSERT_EQ(layout->cas.size(), 2u);
  const WantedPair* peer = Find(*layout, "peer-a");
  EXPECT_EQ(peer->ca, 1u);
  EXPECT_EQ(peer->request.subject.common_name, "etcd-peer");
  EXPECT_THAT(peer->request.names.ip_addresses, ElementsAre(*base::IpAddress::Parse("10.0.0.1")));
  EXPECT_EQ(Find(*layout, "server-a")->ca, 0u);
  EXPECT_EQ(Find(*layout, "grpc-proxy-client")->request.subject.common_name, "");
}

TEST(DescriptionTest, EveryProblemIsNamedByItsPath) {
  struct Case {
    const char* name;
    const char* yaml;
    const char* says;
  };
  const Case kCases[] = {
      {"unknown key near", "memebrs: []", "etcd.memebrs: unknown key; \"members\" is one"},
      {"unknown key far", "x: 1", "etcd.x: unknown key; here are: directory"},
      {"unknown key inside", "members: [{name: a, peerURL: x}]",
       "etcd.members[0].peerURL: unknown key; \"peerURLs\" is one"},
      {"no member", "directory: x", "etcd.members: there is no member, user or proxy"},
      {"http", "members: [{name: a, clientURLs: ['http://a:1'], peerURLs: ['https://a:1']}]",
       "etcd.members[0].clientURLs: \"http://a:1\": the scheme is http, and only https"},
      {"unspecified", "members: [{name: a, clientURLs: ['https://0.0.0.0:1']}]",
       "nobody can dial it: 0.0.0.0 is no one's address"},
      {"address that is none in a URL", "members: [{name: a, peerURLs: ['https://10.0.0.256:1']}]",
       "10.0.0.256 is no IP address"},
      {"one URL for two",
       "members: [{name: a, peerURLs: ['https://a:1']}, {name: b, peerURLs: ['https://a:1']}]",
       "etcd.members[1].peerURLs: \"https://a:1\" is a peer URL of \"a\", too"},
      {"host with a dot at its end", "proxies: [{name: a, hosts: [a.example.com.]}]",
       "ends in a dot, which clients do not match: leave it out"},
      {"lone wildcard", "proxies: [{name: a, hosts: ['*']}]", "\"*\" matches nothing"},
      {"wildcard inside", "proxies: [{name: a, hosts: ['a.*.b']}]", "a wildcard that is not its"},
      {"empty part", "proxies: [{name: a, hosts: [a..b]}]", "has an empty part"},
      {"address that is none", "proxies: [{name: a, hosts: [10.0.0.300]}]", "is no IP address"},
      {"no urls", "members: [{name: a}]", "etcd.members[0].peerURLs: at least one URL is needed"},
      {"host with port", "proxies: [{name: a, hosts: ['a:1']}]",
       "holds \":\", which no host name has; expected a DNS name or an IP address"},
      {"empty host", "proxies: [{name: a, hosts: ['']}]", "etcd.proxies[0].hosts: \"\""},
      {"zero host", "proxies: [{name: a, hosts: [0.0.0.0]}]", "is no one's address"},
      {"source", "members: [{name: a, peerSources: [b]}]", "peerSources: \"b\" is no IP address"},
      {"twice", "users: [{name: a}, {name: a}]", "etcd.users[1].name: \"a\" is there twice"},
      {"no name", "users: [{}]", "etcd.users[0].name"},
      {"file name", "proxies: [{name: ../a, hosts: [a]}]", "only letters, digits"},
      {"one file", "users: [{name: a/b}, {name: a_b}]",
       "user a/b and user a_b would both be in user-a_b.pem"},
      {"key", "key: {algorithm: rsa, size: 1024}\nusers: [{name: a}]",
       "etcd.key.size: rsa has 2048 to 8192 bits"},
      {"curve", "key: {size: 255}\nusers: [{name: a}]", "etcd.key.size: ecdsa has 256, 384 or 521"},
      {"algorithm", "key: {algorithm: dsa}\nusers: [{name: a}]", "etcd.key.algorithm"},
      {"days", "expiry: 365d\nusers: [{name: a}]", "etcd.expiry: expected a time such as 8760h"},
      {"zero time", "expiry: 0s\nusers: [{name: a}]", "etcd.expiry: expected a time"},
      {"century", "ca: {expiry: 9000000h}\nusers: [{name: a}]", "etcd.ca.expiry: more than"},
      {"grant", "users: [{name: a, grants: [{permission: read}]}]",
       "etcd.users[0].grants[0].prefix: exactly one of prefix and key"},
      {"permission", "users: [{name: a, grants: [{prefix: /, permission: all}]}]",
       "etcd.users[0].grants[0].permission"},
      {"secret", "users: [{name: a}]\nsecrets: [{user: b}]", "\"b\" is not among the users"},
      {"line of the first", "directory: x\nusers:\n- {name: a, grant: []}\nx: 1\n",
       "line 4, column 1: etcd.x: unknown key"},
      {"line of an entry", "users:\n- name: a\n- name: b\n  grant: []\n",
       "line 4, column 3: etcd.users[1].grant: unknown key; \"grants\" is one"},
      {"line of what lacks a key", "members:\n- name: a\n  peerURLs: ['https://a:1']\n",
       "line 2, column 3: etcd.members[0].clientURLs: at least one URL is needed"},
      {"list", "- a", "expected keys and values, not array"},
      {"not yaml", "a: [", "line"},
      {"key twice", "directory: a\ndirectory: b\n", "line 2, column 1: key given twice"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto layout = ParseDescription(c.yaml);
    EXPECT_EQ(layout.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(layout.status().message()), HasSubstr(c.says));
  }
}

TEST(DescriptionTest, UserMayHaveAnyName) {
  const auto layout = ParseDescription("users: [{name: 'system:calico node'}]");
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->pairs[0].request.subject.common_name, "system:calico node");
  EXPECT_EQ(layout->pairs[0].base, "user-system_calico_node");
}

}  // namespace
}  // namespace calico::calicert::etcd
