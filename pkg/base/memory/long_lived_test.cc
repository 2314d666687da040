#include "pkg/base/memory/long_lived.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace calico::base {
namespace {

constexpr int kMany = 5000;
constexpr std::uintptr_t kPageBytes = 4096;

struct Entry {
  explicit Entry(int n) : number(n) {}
  int number;
  char rest[180] = {};
};

TEST(LongLivedTest, LieSideBySideWhateverIsAllocatedBetween) {
  std::vector<std::shared_ptr<Entry>> entries;
  std::vector<std::unique_ptr<char[]>> others;
  std::set<std::uintptr_t> pages;
  for (int i = 0; i < kMany; ++i) {
    entries.push_back(std::allocate_shared<Entry>(LongLivedAllocator<Entry>(), i));
    others.push_back(std::make_unique<char[]>(2000));
    pages.insert(reinterpret_cast<std::uintptr_t>(entries.back().get()) / kPageBytes);
  }
  const size_t needed = kMany * sizeof(Entry) / kPageBytes;
  EXPECT_LT(pages.size(), needed * 2);
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(entries[i]->number, i);
}

TEST(LongLivedTest, WhatIsFreedServesTheNext) {
  std::set<void*> first;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::shared_ptr<Entry>> entries;
    for (int i = 0; i < kMany; ++i) {
      entries.push_back(std::allocate_shared<Entry>(LongLivedAllocator<Entry>(), i));
    }
    std::set<void*> places;
    for (const auto& entry : entries) places.insert(entry.get());
    if (round == 0) first = places;
    EXPECT_TRUE(std::includes(first.begin(), first.end(), places.begin(), places.end()));
  }
}

TEST(LongLivedTest, StringsHoldWhatTheyWereGiven) {
  LongLivedString text = "a name that does not fit into the object";
  const LongLivedString copy = text;
  text += "!";
  EXPECT_EQ(copy, "a name that does not fit into the object");
  EXPECT_EQ(text.size(), copy.size() + 1);
  const LongLivedString large(100'000, 'x');
  EXPECT_EQ(std::count(large.begin(), large.end(), 'x'), 100'000);
}

TEST(LongLivedTest, ThreadsShareIt) {
  const auto work = [] {
    for (int round = 0; round < 50; ++round) {
      LongLivedVector<LongLivedString> names;
      for (int i = 0; i < 100; ++i) names.emplace_back(20 + i, 'n');
      for (int i = 0; i < 100; ++i) EXPECT_EQ(names[i].size(), static_cast<size_t>(20 + i));
    }
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace calico::base
