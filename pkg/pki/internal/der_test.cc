#include "pkg/pki/internal/der.h"

#include <string>

#include "pkg/base/testing/status_matchers.h"

namespace calico::pki::internal {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (hex[i] == ' ') ++i;
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

absl::Status Check(std::string_view der, FalseBoolean rule = FalseBoolean::kAllowed) {
  return CheckDer(der, rule);
}

TEST(DerTest, TakesTheOneEncoding) {
  for (const char* hex : {
           "0500",
           "020100",
           "02017f",
           "02020080",
           "0201ff",
           "0202ff7f",  // NULL, INTEGER
           "0101ff",
           "010100",  // BOOLEAN
           "030100",
           "030203a8",
           "03020780",  // BIT STRING
           "0400",
           "0401ff",
           "0c0161",
           "130161",
           "160161",
           "1e020061",  // strings
           "0603550403",
           "06022a03",
           "170d3235303130313030303030305a",  // OID, time
           "3000",
           "3100",
           "30030201 00",
           "a000",
           "a003020100",
           "8000",
           "800180",
           "3106020100020101",
           "3106020100020100",  // SET in order, twice the same
       }) {
    SCOPED_TRACE(hex);
    EXPECT_THAT(Check(FromHex(hex)), IsOk());
  }
  EXPECT_THAT(Check(FromHex("048180") + std::string(128, 'x')), IsOk());
  EXPECT_THAT(Check(FromHex("04820100") + std::string(256, 'x')), IsOk());
}

struct BadCase {
  const char* hex;
  const char* message;
};

TEST(DerTest, RefusesEveryOtherEncoding) {
  const BadCase cases[] = {
      {"", "header that is cut off at byte 0"},
      {"02", "header that is cut off"},
      {"0202ff", "content that is cut off"},
      {"02010000", "bytes left over"},
      {"028101ff", "a length that is not as short"},
      {"0282000100", "a length that is not as short"},
      {"0284000000017f", "more than three bytes"},
      {"0282ff", "a length that is cut off"},
      {"30800000", "an indefinite length"},
      {"30020000", "an end-of-contents mark at byte 2"},
      {"1f2100", "a tag number above 30"},
      {"bf1f00", "a tag number above 30"},
      {"0200", "an INTEGER without a byte"},
      {"02020001", "an INTEGER that is not as short"},
      {"0202ff80", "an INTEGER that is not as short"},
      {"0a020001", "an INTEGER that is not as short"},
      {"0100", "a BOOLEAN that is not one byte"},
      {"0102ffff", "a BOOLEAN that is not one byte"},
      {"010101", "a BOOLEAN that is neither 00 nor ff"},
      {"0300", "a BIT STRING without a byte"},
      {"030101", "more unused bits"},
      {"030208a8", "more unused bits"},
      {"030203a9", "an unused bit that is set"},
      {"050100", "a NULL that is not empty"},
      {"0600", "an OBJECT IDENTIFIER that is cut off"},
      {"060180", "an OBJECT IDENTIFIER that is cut off"},
      {"06032a8001", "an OBJECT IDENTIFIER that is not as short"},
      {"2403040100", "a value in several pieces"},
      {"2303030100", "a value in several pieces"},
      {"100101", "a SEQUENCE or SET without its mark"},
      {"090100", "a type that has no place here"},
      {"0800", "a type that has no place here"},
      {"3106020101020100", "a SET that is not in order"},
      {"a0053003028101", "a length that is not as short"},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.hex);
    EXPECT_THAT(Check(FromHex(c.hex)), StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

TEST(DerTest, TellsWhereItIs) {
  EXPECT_THAT(Check(FromHex("3008 0500 3004 02020001")), StatusIs(kInvalid, HasSubstr("byte 6")));
}

TEST(DerTest, AFalseBooleanIsADefault) {
  EXPECT_THAT(Check(FromHex("3003010100"), FalseBoolean::kRefused),
              StatusIs(kInvalid, HasSubstr("must be left out at byte 2")));
  EXPECT_THAT(Check(FromHex("30030101ff"), FalseBoolean::kRefused), IsOk());
}

TEST(DerTest, IsBounded) {
  std::string deep = FromHex("0500");
  for (int i = 0; i < 32; ++i) deep = FromHex("30") + static_cast<char>(deep.size()) + deep;
  EXPECT_THAT(Check(deep), IsOk());
  deep = FromHex("30") + static_cast<char>(deep.size()) + deep;
  EXPECT_THAT(Check(deep), StatusIs(kInvalid, HasSubstr("more than 32 levels")));

  std::string many;
  for (int i = 0; i < 16'384; ++i) many += FromHex("0500");
  EXPECT_THAT(Check(FromHex("30828000") + many),
              StatusIs(kInvalid, HasSubstr("more than 16384 elements")));
}

TEST(DerTest, ListsOfNamedBitsEndWithABit) {
  for (const char* hex : {"030100", "03020780", "030203a8", "0303070080"}) {
    EXPECT_THAT(CheckNamedBits(FromHex(hex)), IsOk()) << hex;
  }
  for (const char* hex : {"030200a0", "030206 80", "03020000", "0303000180"}) {
    EXPECT_THAT(CheckNamedBits(FromHex(hex)), StatusIs(kInvalid, HasSubstr("ends with zeros")))
        << hex;
  }
}

TEST(DerTest, ChildrenAreOneLevelBelow) {
  const std::string der = FromHex("3009 0500 a003020101 0400");
  const auto outer = DerChildren(der);
  ASSERT_THAT(outer, IsOk());
  ASSERT_THAT(*outer, SizeIs(1));
  const auto children = DerChildren(outer->front().content);
  ASSERT_THAT(children, IsOk());
  ASSERT_THAT(*children, SizeIs(3));
  EXPECT_EQ(children->at(1).identifier, 0xa0);
  EXPECT_EQ(children->at(1).content, FromHex("020101"));
  EXPECT_EQ(children->at(2).encoding, FromHex("0400"));
}

}  // namespace
}  // namespace calico::pki::internal
