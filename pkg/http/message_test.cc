#include "pkg/http/message.h"

#include <gtest/gtest.h>

namespace calico::http {
namespace {

TEST(FindHeaderTest, FirstWithoutCase) {
  const Headers headers = {{"Content-Type", "a"}, {"content-type", "b"}, {"X", ""}};
  EXPECT_EQ(FindHeader(headers, "CONTENT-TYPE"), "a");
  EXPECT_EQ(FindHeader(headers, "x"), "");
  EXPECT_EQ(FindHeader(headers, "Content-Typ"), std::nullopt);
  EXPECT_EQ(FindHeader(headers, "Content-Type2"), std::nullopt);
}

TEST(PercentEncodeTest, KeepsUnreservedOnly) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a:b/c d%\n"), "a%3Ab%2Fc%20d%25%0A");
  EXPECT_EQ(PercentEncode("=,\xc3\xa9"), "%3D%2C%C3%A9");
  EXPECT_EQ(PercentEncode(std::string_view("\0", 1)), "%00");
  EXPECT_EQ(PercentEncode(""), "");
}

}  // namespace
}  // namespace calico::http
