#include "pkg/base/memory/short_lived.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace calico::base {
namespace {

constexpr int kMany = 20000;
constexpr size_t kPageBytes = 4096;

// A sanitizer's operator new knows nothing of scopes.
bool IsInUse() {
  const ShortLivedScope scope;
  return IsShortLived(std::make_unique<int>(1).get());
}

class ShortLivedTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!IsInUse()) GTEST_SKIP() << "the heap alone, under a sanitizer";
  }
};

std::string Text(int i) { return "the number of this one is " + std::to_string(i); }

TEST_F(ShortLivedTest, AWaveLeavesNothingWhateverWasAllocatedInItsMidst) {
  const size_t before = ShortLivedBytes();
  std::vector<std::unique_ptr<std::string>> wave;
  std::vector<std::unique_ptr<std::string>> others;
  std::set<std::uintptr_t> pages;
  for (int i = 0; i < kMany; ++i) {
    {
      const ShortLivedScope scope;
      wave.push_back(std::make_unique<std::string>(Text(i)));
      EXPECT_TRUE(IsShortLived(wave.back().get()));
      EXPECT_TRUE(IsShortLived(wave.back()->data()));
    }
    if (i % 10 != 0) continue;
    others.push_back(std::make_unique<std::string>(Text(i)));
    EXPECT_FALSE(IsShortLived(others.back().get()));
    pages.insert(reinterpret_cast<std::uintptr_t>(others.back().get()) / kPageBytes);
  }
  EXPECT_GT(ShortLivedBytes(), before + kMany * sizeof(std::string));
  EXPECT_LT(pages.size() * kPageBytes, others.size() * 4 * sizeof(std::string) + 4 * kPageBytes);
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(*wave[static_cast<size_t>(i)], Text(i));
  wave.clear();
  EXPECT_LE(ShortLivedBytes(), before + 2 * kPageBytes);
  for (size_t i = 0; i < others.size(); ++i) ASSERT_EQ(*others[i], Text(static_cast<int>(i) * 10));
}

TEST_F(ShortLivedTest, WhatIsLargeOrTooMuchComesFromTheHeap) {
  const ShortLivedScope scope;
  EXPECT_FALSE(IsShortLived(std::make_unique<char[]>(4096).get()));
  EXPECT_FALSE(IsShortLived(nullptr));
  const size_t before = ShortLivedBytes();
  std::vector<std::unique_ptr<char[]>> all;
  while (all.empty() || IsShortLived(all.back().get())) {
    all.push_back(std::make_unique<char[]>(1024));
    ASSERT_LT(all.size(), 1U << 20);
  }
  EXPECT_GT(ShortLivedBytes(), 60U << 20);
  all.clear();
  EXPECT_LE(ShortLivedBytes(), before + 2 * kPageBytes);
  EXPECT_TRUE(IsShortLived(std::make_unique<int>(1).get()));
}

TEST_F(ShortLivedTest, ScopesNestAndAreOfOneThread) {
  const ShortLivedScope scope;
  {
    const ShortLivedScope inner;
  }
  std::unique_ptr<int> here = std::make_unique<int>(1);
  EXPECT_TRUE(IsShortLived(here.get()));
  std::thread([here = std::move(here)]() mutable {
    EXPECT_FALSE(IsShortLived(std::make_unique<int>(2).get()));
    here.reset();
  }).join();
}

TEST_F(ShortLivedTest, EveryFormOfNewHasItsDelete) {
  const ShortLivedScope scope;
  struct alignas(64) Wide {
    char bytes[64];
  };
  const auto wide = std::make_unique<Wide>();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide.get()) % 64, 0U);
  EXPECT_FALSE(IsShortLived(wide.get()));
  delete new (std::nothrow) int(3);
  delete[] new int[5];
  delete[] new std::string[3];
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(std::make_unique<char>('a').get()) %
                __STDCPP_DEFAULT_NEW_ALIGNMENT__,
            0U);
}

TEST_F(ShortLivedTest, ARandomOrderOfAllocationsLosesNothing) {
  const size_t before = ShortLivedBytes();
  std::mt19937 random(7);
  std::vector<std::pair<std::unique_ptr<char[]>, char>> live;
  for (int i = 0; i < 200000; ++i) {
    if (live.size() > 500 && random() % 2 == 0) {
      const size_t at = random() % live.size();
      ASSERT_EQ(live[at].first[0], live[at].second);
      std::swap(live[at], live.back());
      live.pop_back();
      continue;
    }
    const ShortLivedScope scope;
    const size_t size = 1 + random() % 1500;
    auto piece = std::make_unique<char[]>(size);
    const char mark = static_cast<char>(i);
    std::fill_n(piece.get(), size, mark);
    live.emplace_back(std::move(piece), mark);
  }
  live.clear();
  live.shrink_to_fit();
  EXPECT_LE(ShortLivedBytes(), before + 2 * kPageBytes);
}

}  // namespace
}  // namespace calico::base
