#include "pkg/kube/cache/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Item {
  std::string node;
  int value = 0;
};
using ItemStore = Store<Item>;

Item Make(std::string node, int value) { return Item{std::move(node), value}; }

std::vector<int> Values(const std::vector<ItemStore::Pointer>& items) {
  std::vector<int> values;
  for (const ItemStore::Pointer& item : items) values.push_back(item->value);
  return values;
}

TEST(StoreTest, SetReplacesAndRemoveReturns) {
  ItemStore store;
  const api::ObjectKey key{"ns", "a"};
  EXPECT_EQ(store.Get(key), nullptr);
  store.Set(key, Make("n", 1));
  const ItemStore::Pointer old = store.Get(key);
  store.Set(key, Make("n", 2));
  EXPECT_EQ(store.Get(key)->value, 2);
  EXPECT_EQ(old->value, 1);
  EXPECT_EQ(store.size(), 1u);
  EXPECT_THAT(store.Keys(), ElementsAre(key));
  EXPECT_EQ(store.Remove(key)->value, 2);
  EXPECT_EQ(store.Remove(key), nullptr);
  EXPECT_THAT(store.List(), IsEmpty());
}

TEST(StoreTest, SameNameInTwoNamespacesAreTwoObjects) {
  ItemStore store;
  store.Set({"x", "a"}, Make("n", 1));
  store.Set({"y", "a"}, Make("n", 2));
  EXPECT_THAT(Values(store.List()), UnorderedElementsAre(1, 2));
}

TEST(StoreTest, ASweepFindsWhatWasNeitherSetNorKept) {
  ItemStore store;
  for (const char* name : {"a", "b", "c"}) store.Set({"", name}, Make("n", 1));
  store.BeginSweep();
  store.Set({"", "a"}, Make("n", 2));
  store.Keep({"", "b"});
  store.Keep({"", "nowhere"});
  EXPECT_THAT(store.NotSeen(), ElementsAre(api::ObjectKey{"", "c"}));
  EXPECT_EQ(store.size(), 3u);
}

TEST(StoreTest, IndexFollowsChangesAndDeletions) {
  ItemStore store;
  store.AddIndex("node", [](const Item& item) { return std::vector<std::string>{item.node}; });
  store.Set({"", "a"}, Make("n1", 1));
  store.Set({"", "b"}, Make("n1", 2));
  store.Set({"", "c"}, Make("n2", 3));
  EXPECT_THAT(Values(store.ByIndex("node", "n1")), UnorderedElementsAre(1, 2));
  store.Set({"", "b"}, Make("n2", 4));
  EXPECT_THAT(Values(store.ByIndex("node", "n1")), ElementsAre(1));
  EXPECT_THAT(Values(store.ByIndex("node", "n2")), UnorderedElementsAre(3, 4));
  store.Remove({"", "a"});
  EXPECT_THAT(store.ByIndex("node", "n1"), IsEmpty());
  EXPECT_THAT(store.ByIndex("node", "n3"), IsEmpty());
  EXPECT_THAT(store.ByIndex("other", "n1"), IsEmpty());
}

TEST(StoreTest, AnIndexMayGiveNoneOrSeveralValues) {
  ItemStore store;
  store.AddIndex("bits", [](const Item& item) {
    std::vector<std::string> bits;
    for (int bit = 0; bit < 3; ++bit) {
      if ((item.value >> bit & 1) != 0) bits.push_back(std::to_string(bit));
    }
    return bits;
  });
  store.Set({"", "a"}, Make("", 0));
  store.Set({"", "b"}, Make("", 5));
  EXPECT_THAT(Values(store.ByIndex("bits", "0")), ElementsAre(5));
  EXPECT_THAT(store.ByIndex("bits", "1"), IsEmpty());
  EXPECT_THAT(Values(store.ByIndex("bits", "2")), ElementsAre(5));
}

}  // namespace
}  // namespace calico::kube
