#include "pkg/base/base64.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::base {
namespace {

// RFC 4648, section 10.
TEST(Base64Test, PublishedVectors) {
  struct Case {
    const char* bytes;
    const char* padded;
    const char* raw;
  };
  const Case kCases[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.bytes);
    for (const Base64 variant : {Base64::kStandard, Base64::kUrl}) {
      EXPECT_EQ(Base64Encode(c.bytes, variant), c.padded);
      EXPECT_THAT(Base64Decode(c.padded, variant), IsOkAndHolds(c.bytes));
    }
    for (const Base64 variant : {Base64::kStandardRaw, Base64::kUrlRaw}) {
      EXPECT_EQ(Base64Encode(c.bytes, variant), c.raw);
      EXPECT_THAT(Base64Decode(c.raw, variant), IsOkAndHolds(c.bytes));
    }
  }
}

TEST(Base64Test, AlphabetsDifferInTwoDigits) {
  const std::string bytes = "\xfb\xff\xbf";
  EXPECT_EQ(Base64Encode(bytes), "+/+/");
  EXPECT_EQ(Base64Encode(bytes, Base64::kUrl), "-_-_");
  EXPECT_THAT(Base64Decode("+/+/"), IsOkAndHolds(bytes));
  EXPECT_THAT(Base64Decode("-_-_"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Base64Decode("+/+/", Base64::kUrlRaw), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Base64Test, EveryByteSurvivesAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 520; ++i) {
    for (const Base64 variant :
         {Base64::kStandard, Base64::kStandardRaw, Base64::kUrl, Base64::kUrlRaw}) {
      ASSERT_THAT(Base64Decode(Base64Encode(bytes, variant), variant), IsOkAndHolds(bytes)) << i;
    }
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64Test, SkipsLineEndsAsGoDoes) {
  EXPECT_THAT(Base64Decode("Zm9v\r\nYmFy\n"), IsOkAndHolds("foobar"));
  EXPECT_THAT(Base64Decode("Zg\n=\n="), IsOkAndHolds("f"));
}

TEST(Base64Test, PemBodiesMayHoldSpacesAndTabs) {
  EXPECT_THAT(Base64Decode(" Zm9v\t\r\n YmE= ", Base64::kPem), IsOkAndHolds("fooba"));
  EXPECT_THAT(Base64Decode("Zm9vYg", Base64::kPem), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(Base64Encode("fooba", Base64::kPem), "Zm9vYmE=");
}

TEST(Base64Test, DecodesIntoMemoryOfTheCallerAndNotBeyond) {
  for (const std::string_view text : {"", "Zg==", "Zm9v", "Zm9vYmE=", "Zm9vYmFy\n"}) {
    const absl::StatusOr<std::string> want = Base64Decode(text);
    ASSERT_THAT(want, IsOk());
    std::string out(Base64Bound(text.size()) + 1, '#');
    ASSERT_THAT(Base64DecodeTo(text, out.data()), IsOkAndHolds(want->size()));
    EXPECT_EQ(out.substr(0, want->size()), *want);
    EXPECT_EQ(out.back(), '#');
  }
}

TEST(Base64Test, RefusesEverythingElse) {
  struct Case {
    const char* name;
    const char* text;
    Base64 variant;
  };
  const Case kCases[] = {
      {"foreign character", "Zm9%", Base64::kStandard},
      {"space", "Zm 9v", Base64::kStandard},
      {"one digit", "Z", Base64::kStandardRaw},
      {"one digit, padded", "Z===", Base64::kStandard},
      {"padding missing", "Zg", Base64::kStandard},
      {"padding too short", "Zg=", Base64::kStandard},
      {"padding too long", "Zm8==", Base64::kStandard},
      {"padding alone", "====", Base64::kStandard},
      {"padding of a full group", "Zm9v====", Base64::kStandard},
      {"padding where there is none", "Zg==", Base64::kStandardRaw},
      {"padding in the middle", "Zg==Zg==", Base64::kStandard},
      {"unused bits set, two digits", "Zh==", Base64::kStandard},
      {"unused bits set, three digits", "Zm9=", Base64::kStandard},
      {"byte above 127", "Zm9\xff", Base64::kStandard},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Base64Decode(c.text, c.variant), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(Base64Test, ErrorNamesThePlaceOnly) {
  EXPECT_EQ(Base64Decode("c2VjcmV0!").status().message(), "decode base64: illegal data at byte 8");
}

}  // namespace
}  // namespace calico::base
