#include "operator/csr_policy/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::csr_policy {
namespace {

using ::testing::ElementsAre;

base::IpAddress Ip(std::string_view text) { return base::IpAddress::Parse(text).value(); }

TEST(CsrFactsTest, RequesterOfUserNames) {
  struct Case {
    const char* username;
    const char* ns;
    const char* service_account;
  };
  const Case cases[] = {
      {"system:serviceaccount:calico-system:calico-node", "calico-system", "calico-node"},
      {"system:serviceaccount:a:b:c", "", ""},
      {"system:serviceaccount::b", "", ""},
      {"system:serviceaccount:a:", "", ""},
      {"system:serviceaccount:a", "", ""},
      {"system:serviceaccount:", "", ""},
      {"System:serviceaccount:a:b", "", ""},
      {" system:serviceaccount:a:b", "", ""},
      {"system:node:n1", "", ""},
      {"kubernetes-admin", "", ""},
      {"", "", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.username);
    api::CertificateSigningRequest csr;
    csr.username = c.username;
    const Requester requester = RequesterOf(csr);
    EXPECT_EQ(requester.ns, c.ns);
    EXPECT_EQ(requester.service_account, c.service_account);
    EXPECT_EQ(requester.is_service_account(), c.ns[0] != '\0');
  }
}

TEST(CsrFactsTest, BoundOnlyWithOneNameAndOneUid) {
  struct Case {
    std::vector<std::string> names;
    std::vector<std::string> uids;
    bool bound;
  };
  const Case cases[] = {
      {{"pod"}, {"uid"}, true}, {{}, {"uid"}, false},         {{"pod"}, {}, false},
      {{""}, {"uid"}, false},   {{"pod"}, {""}, false},       {{"a", "b"}, {"uid"}, false},
      {{}, {}, false},          {{"pod"}, {"u", "v"}, false}, {{"pod", "pod"}, {"uid"}, false},
  };
  for (const Case& c : cases) {
    api::CertificateSigningRequest csr;
    csr.extra = {{std::string(api::kExtraPodName), c.names},
                 {std::string(api::kExtraPodUid), c.uids}};
    const Requester requester = RequesterOf(csr);
    EXPECT_EQ(requester.is_bound(), c.bound);
    EXPECT_EQ(requester.pod_name, c.bound ? "pod" : "");
  }
}

TEST(CsrFactsTest, PodAndNode) {
  api::Pod pod;
  pod.meta.uid = "u";
  pod.service_account_name = "sa";
  pod.node_name = "n";
  pod.phase = "Running";
  pod.pod_ips = {"10.0.0.1", "not an address", "fd00::1"};
  pod.host_ips = {"192.0.2.1"};
  PodFacts facts = PodFactsOf(pod);
  EXPECT_EQ(facts.uid, "u");
  EXPECT_EQ(facts.service_account, "sa");
  EXPECT_FALSE(facts.terminating || facts.finished || facts.host_network);
  EXPECT_THAT(facts.ips, ElementsAre(Ip("10.0.0.1"), Ip("fd00::1")));
  EXPECT_THAT(facts.host_ips, ElementsAre(Ip("192.0.2.1")));
  pod.phase = "Failed";
  pod.host_network = true;
  pod.meta.deletion_timestamp = absl::UnixEpoch();
  facts = PodFactsOf(pod);
  EXPECT_TRUE(facts.terminating && facts.finished && facts.host_network);

  api::Node node;
  node.internal_ips = {"192.0.2.1"};
  node.external_ips = {"198.51.100.1", "bad"};
  EXPECT_THAT(AddressesOf(node), ElementsAre(Ip("192.0.2.1"), Ip("198.51.100.1")));
}

}  // namespace
}  // namespace calico::csr_policy
