#include "operator/controllers/csr/address_index.h"

#include <malloc.h>

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::csr {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Sanitizers count in their own way.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMeasure = false;
#else
constexpr bool kMeasure = true;
#endif

base::IpAddress Ip(std::string_view text) { return base::IpAddress::Parse(text).value(); }

AddressHolder Holder(HolderKind kind, std::string_view text) {
  return HolderOf(kind, codec::ParseJsonObject(text).value());
}

std::vector<std::string> Addresses(const AddressHolder& holder) {
  std::vector<std::string> texts;
  for (const base::IpAddress& address : holder.addresses) texts.push_back(address.ToString());
  return texts;
}

class AddressIndexTest : public testing::Test {
 protected:
  void Set(HolderKind kind, const api::ObjectKey& key, const std::vector<std::string>& addresses,
           const std::string& host_node = "") {
    AddressHolder holder{.host_node = host_node};
    for (const std::string& address : addresses) holder.addresses.push_back(Ip(address));
    index_.Set(kind, key, holder, now_);
  }
  // "Kind name" of all who hold it beside a pod of that node's host network.
  std::vector<std::string> Others(const std::string& address, const AddressSelf& self = {}) const {
    std::vector<std::string> others;
    for (const csr_policy::AddressOwner& owner : index_.OthersWith(Ip(address), self, now_)) {
      EXPECT_EQ(owner.address, Ip(address));
      EXPECT_FALSE(owner.live);
      others.push_back(owner.kind + " " + owner.name + (owner.left ? " (left)" : ""));
    }
    return others;
  }

  AddressIndex index_;
  absl::Time now_ = absl::UnixEpoch();
};

TEST(AddressHolderTest, OfAServiceIsEveryAddressThatClientsDial) {
  const AddressHolder holder = Holder(HolderKind::kService, R"({
    "spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd00::1"],
             "externalIPs": ["192.0.2.7"]},
    "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.1"}, {"hostname": "lb"}]}}})");
  EXPECT_THAT(Addresses(holder), ElementsAre("10.96.0.1", "fd00::1", "192.0.2.7", "198.51.100.1"));
  EXPECT_THAT(Addresses(Holder(HolderKind::kService, R"({"spec": {"clusterIP": "None",
    "clusterIPs": ["None"]}})")),
              IsEmpty());
}

TEST(AddressHolderTest, OfANodeIsWhatItsStatusSays) {
  const AddressHolder holder = Holder(HolderKind::kNode, R"({"status": {"addresses": [
    {"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": "n1"},
    {"type": "ExternalIP", "address": "203.0.113.1"}]}})");
  EXPECT_THAT(Addresses(holder), ElementsAre("192.0.2.1", "203.0.113.1"));
}

TEST(AddressHolderTest, OfAPodIsNothingOnceItHasFinished) {
  const char* running = R"({"metadata": {"deletionTimestamp": "2026-11-22T19:42:02Z"},
    "spec": {"nodeName": "n1", "hostNetwork": true},
    "status": {"phase": "Running", "podIP": "192.0.2.1",
               "podIPs": [{"ip": "192.0.2.1"}, {"ip": "fd00::2"}]}})";
  const AddressHolder holder = Holder(HolderKind::kPod, running);
  EXPECT_THAT(Addresses(holder), ElementsAre("192.0.2.1", "fd00::2"));
  EXPECT_EQ(holder.host_node, "n1");
  EXPECT_TRUE(holder.terminating);
  for (const char* phase : {"Succeeded", "Failed"}) {
    json::object pod = codec::ParseJsonObject(running).value();
    pod["status"].as_object()["phase"] = phase;
    EXPECT_THAT(HolderOf(HolderKind::kPod, pod).addresses, IsEmpty()) << phase;
  }
}

TEST(AddressHolderTest, TakesWhatComes) {
  for (const HolderKind kind : {HolderKind::kService, HolderKind::kNode, HolderKind::kPod}) {
    EXPECT_THAT(Addresses(Holder(kind, "{}")), IsEmpty());
    EXPECT_THAT(Addresses(Holder(kind, R"({"metadata": 1, "spec": {"clusterIPs": [1, "x"],
      "hostNetwork": "yes"}, "status": {"addresses": ["x", {"address": 2}], "podIP": [],
      "podIPs": {}, "loadBalancer": {"ingress": "x"}}})")),
                IsEmpty());
  }
}

TEST_F(AddressIndexTest, KnowsWhoElseHoldsAnAddress) {
  Set(HolderKind::kService, {"default", "kubernetes"}, {"10.96.0.1"});
  Set(HolderKind::kNode, {"", "n1"}, {"192.0.2.1"});
  Set(HolderKind::kNode, {"", "n2"}, {"192.0.2.2", "192.0.2.1"});
  Set(HolderKind::kPod, {"calico-system", "node-1"}, {"192.0.2.1", "10.96.0.1"}, "n1");
  Set(HolderKind::kPod, {"kube-system", "proxy-1"}, {"192.0.2.1"}, "n1");
  Set(HolderKind::kPod, {"kube-system", "proxy-2"}, {"192.0.2.1"}, "n2");
  const AddressSelf self{"calico-system/node-1", "n1"};
  EXPECT_THAT(Others("10.96.0.1", self), ElementsAre("Service default/kubernetes"));
  EXPECT_THAT(Others("192.0.2.1", self),
              UnorderedElementsAre("Node n2", "Pod kube-system/proxy-2"));
  // Off the host network the node is somebody else.
  EXPECT_THAT(Others("192.0.2.1", {"calico-system/node-1", ""}),
              UnorderedElementsAre("Node n1", "Node n2", "Pod kube-system/proxy-1",
                                   "Pod kube-system/proxy-2"));
  EXPECT_THAT(Others("192.0.2.9", self), IsEmpty());
}

TEST_F(AddressIndexTest, FollowsChangesAndDeletions) {
  Set(HolderKind::kPod, {"ns", "a"}, {"10.0.0.1"});
  Set(HolderKind::kPod, {"ns", "b"}, {"10.0.0.1", "10.0.0.2"});
  EXPECT_THAT(Others("10.0.0.1"), UnorderedElementsAre("Pod ns/a", "Pod ns/b"));
  Set(HolderKind::kPod, {"ns", "b"}, {"10.0.0.2"});
  EXPECT_THAT(Others("10.0.0.1"), ElementsAre("Pod ns/a", "Pod ns/b (left)"));
  Set(HolderKind::kPod, {"ns", "a"}, {});
  now_ += AddressIndex::kHeld;
  EXPECT_THAT(Others("10.0.0.1"), IsEmpty());
  index_.Remove(HolderKind::kPod, {"ns", "b"});
  index_.Remove(HolderKind::kPod, {"ns", "unknown"});
  EXPECT_THAT(Others("10.0.0.2"), IsEmpty());
  EXPECT_EQ(index_.size(), 0U);
}

TEST_F(AddressIndexTest, WhatWasTakenFromALivingObjectIsHeldForAMinute) {
  Set(HolderKind::kNode, {"", "n1"}, {"192.0.2.1"});
  Set(HolderKind::kPod, {"ns", "a"}, {"192.0.2.1"}, "n1");
  Set(HolderKind::kNode, {"", "n1"}, {"192.0.2.9"});
  Set(HolderKind::kPod, {"ns", "a"}, {});  // finished
  EXPECT_THAT(Others("192.0.2.1"), ElementsAre("Node n1 (left)", "Pod ns/a (left)"));
  EXPECT_THAT(Others("192.0.2.1", {"ns/b", "n1"}), IsEmpty()) << "itself";
  now_ += absl::Seconds(59);
  EXPECT_THAT(Others("192.0.2.1"), ElementsAre("Node n1 (left)", "Pod ns/a (left)"));
  // A look-up says so again and again while the watch is behind.
  index_.Lose(HolderKind::kPod, {"ns", "a"}, Ip("192.0.2.1"), now_);
  now_ += absl::Seconds(1);
  EXPECT_THAT(Others("192.0.2.1"), IsEmpty());
  index_.Lose(HolderKind::kPod, {"ns", "c"}, Ip("192.0.2.1"), now_);
  EXPECT_THAT(Others("192.0.2.1"), ElementsAre("Pod ns/c (left)"));
}

TEST_F(AddressIndexTest, WhoIsBeingDeletedGivesHisAddressesAway) {
  Set(HolderKind::kPod, {"ns", "a"}, {"10.0.0.1"});
  index_.Set(HolderKind::kPod, {"ns", "a"}, {.terminating = true}, now_);
  Set(HolderKind::kPod, {"ns", "b"}, {"10.0.0.2"});
  index_.Remove(HolderKind::kPod, {"ns", "b"});
  EXPECT_THAT(Others("10.0.0.1"), IsEmpty());
  EXPECT_THAT(Others("10.0.0.2"), IsEmpty());
}

TEST_F(AddressIndexTest, WhatIsHeldIsBounded) {
  for (size_t i = 0; i <= AddressIndex::kMostLost; ++i) {
    const std::string name = fmt::format("p{}", i);
    Set(HolderKind::kPod, {"ns", name}, {fmt::format("10.0.{}.{}", i / 250, i % 250)});
    Set(HolderKind::kPod, {"ns", name}, {});
  }
  EXPECT_THAT(Others("10.0.0.0"), IsEmpty());
  EXPECT_THAT(Others("10.0.0.1"), ElementsAre("Pod ns/p1 (left)"));
}

TEST_F(AddressIndexTest, WhatIsNotInAListIsGone) {
  Set(HolderKind::kPod, {"ns", "a"}, {"10.0.0.1"});
  Set(HolderKind::kPod, {"ns", "b"}, {"10.0.0.2"});
  Set(HolderKind::kNode, {"", "n1"}, {"192.0.2.1"});
  index_.StartList(HolderKind::kPod);
  Set(HolderKind::kPod, {"ns", "c"}, {"10.0.0.3"});
  index_.StartList(HolderKind::kPod);  // from the beginning
  Set(HolderKind::kPod, {"ns", "b"}, {"10.0.0.2"});
  index_.FinishList(HolderKind::kPod);
  EXPECT_THAT(Others("10.0.0.1"), IsEmpty());
  EXPECT_THAT(Others("10.0.0.2"), ElementsAre("Pod ns/b"));
  EXPECT_THAT(Others("10.0.0.3"), IsEmpty());
  EXPECT_THAT(Others("192.0.2.1"), ElementsAre("Node n1"));
}

TEST_F(AddressIndexTest, TenThousandPodsCostLittle) {
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 10'000; ++i) {
    Set(HolderKind::kPod, {"some-namespace", fmt::format("some-deployment-5d4f8c7b9d-{:05}", i)},
        {fmt::format("10.0.{}.{}", i / 250, i % 250)});
  }
  const size_t bytes = mallinfo2().uordblks - before;
  fmt::print("{} bytes for each pod\n", bytes / index_.size());
  if (kMeasure) EXPECT_LT(bytes, size_t{3} << 20);
}

}  // namespace
}  // namespace calico::csr
