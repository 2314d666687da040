#include "pkg/base/heap_optional.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace calico::base {
namespace {

TEST(HeapOptionalTest, HoldsAValueOrNone) {
  HeapOptional<std::string> text;
  EXPECT_FALSE(text.has_value());
  text = std::string("a");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, "a");
  EXPECT_EQ(text->size(), 1U);
  text = std::nullopt;
  EXPECT_FALSE(text.has_value());
}

TEST(HeapOptionalTest, ACopyIsItsOwn) {
  HeapOptional<std::string> text = std::string("a");
  HeapOptional<std::string> copy = text;
  *copy += "b";
  EXPECT_EQ(*text, "a");
  EXPECT_EQ(*copy, "ab");
  HeapOptional<std::string> moved = std::move(copy);
  EXPECT_EQ(*moved, "ab");
  moved = *&moved;
  EXPECT_EQ(*moved, "ab");
}

TEST(HeapOptionalTest, ComparesByValue) {
  const HeapOptional<std::string> none;
  const HeapOptional<std::string> text = std::string("a");
  EXPECT_TRUE(none == HeapOptional<std::string>());
  EXPECT_TRUE(text == HeapOptional<std::string>(std::string("a")));
  EXPECT_FALSE(text == HeapOptional<std::string>(std::string("b")));
  EXPECT_FALSE(text == none);
}

TEST(HeapOptionalTest, TakesThePlaceOfAPointer) {
  EXPECT_EQ(sizeof(HeapOptional<std::string>), sizeof(void*));
}

}  // namespace
}  // namespace calico::base
