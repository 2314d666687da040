#include "pkg/base/memory/release.h"

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace calico::base {
namespace {

constexpr int kPages = 200;
constexpr int kPageBytes = 4096;

// Constants of 800 KiB, as the manifests inside the operator are.
struct Constants {
  unsigned char bytes[kPages * kPageBytes];
};
constexpr Constants MakeConstants() {
  Constants constants{};
  for (int page = 0; page < kPages; ++page) constants.bytes[page * kPageBytes] = page % 251 + 1;
  return constants;
}
constexpr Constants kConstants = MakeConstants();

int SumOfConstants() {
  int sum = 0;
  const volatile unsigned char* const bytes = kConstants.bytes;
  for (int page = 0; page < kPages; ++page) sum += bytes[page * kPageBytes];
  return sum;
}

// Of the mapping that holds `address`.
int ResidentKib(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool is_found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> start >> dash >> end && dash == '-') {
      is_found = start <= wanted && wanted < end;
    } else if (is_found && line.starts_with("Rss:")) {
      return std::stoi(line.substr(4));
    }
  }
  return -1;
}

TEST(MemoryReleaseTest, ConstantsAreUnmappedAndComeBack) {
  const int sum = SumOfConstants();
  const int before = ResidentKib(&kConstants);
  EXPECT_GE(before, kPages * kPageBytes / 1024);
  ReleaseMemory();
  EXPECT_LE(ResidentKib(&kConstants), before / 2);
  EXPECT_EQ(SumOfConstants(), sum);
}

TEST(MemoryReleaseTest, WhatWasWrittenStays) {
  static std::string text = "written at the start";
  static int number = 7;
  static const std::string* const kPointer = &text;  // relocated, then protected
  number = 8;
  ReleaseMemory();
  EXPECT_EQ(number, 8);
  EXPECT_EQ(*kPointer, "written at the start");
}

}  // namespace
}  // namespace calico::base
