#include "operator/validation/quantity.h"

#include <gtest/gtest.h>

namespace calico::validation {
namespace {

bool Less(std::string_view a, std::string_view b) {
  return IsLess(*ParseQuantity(a), *ParseQuantity(b));
}

TEST(QuantityTest, ComparesWhateverTheSuffix) {
  struct Pair {
    const char* less;
    const char* more;
  };
  const Pair pairs[] = {{"1m", "2m"},  {"999m", "1"},  {"1", "1k"},      {"1k", "1Ki"},
                        {"-1", "0"},   {"1e2", "101"}, {"99", "1E2"},    {"1000Mi", "1Gi"},
                        {"1G", "1Gi"}, {"100n", "1u"}, {"0.49", "500m"}, {"1P", "1Ei"},
                        {"1e-3", "2m"}};
  for (const Pair& pair : pairs) {
    EXPECT_TRUE(Less(pair.less, pair.more)) << pair.less << " " << pair.more;
    EXPECT_FALSE(Less(pair.more, pair.less)) << pair.less << " " << pair.more;
  }
  const Pair equal[] = {{"0.1", "100m"}, {"1024", "1Ki"}, {"1e3", "1k"},      {".5", "500m"},
                        {"1.", "1"},     {"+2", "2"},     {"1.5Gi", "1536Mi"}};
  for (const Pair& pair : equal) {
    EXPECT_FALSE(Less(pair.less, pair.more)) << pair.less;
    EXPECT_FALSE(Less(pair.more, pair.less)) << pair.less;
  }
}

TEST(QuantityTest, KnowsBinarySuffixes) {
  EXPECT_TRUE(ParseQuantity("100Mi")->has_binary_suffix);
  EXPECT_FALSE(ParseQuantity("100M")->has_binary_suffix);
  EXPECT_FALSE(ParseQuantity("100")->has_binary_suffix);
}

TEST(QuantityTest, RefusesWhatIsNone) {
  for (const char* text : {"", "x", "1x", "Mi", "1 Gi", "1MiB", "1..2", ".", "1e", "1e1.5", "--1",
                           "1Mi ", " 1", "0x10", "1e9999", "1mi"}) {
    EXPECT_FALSE(ParseQuantity(text).has_value()) << text;
  }
  EXPECT_FALSE(ParseQuantity(std::string(100, '1')).has_value());
}

}  // namespace
}  // namespace calico::validation
