#include "pkg/pki/pem.h"

#include <string>

#include "pkg/base/testing/status_matchers.h"

namespace calico::pki {
namespace {

using ::calico::base::IsOk;
using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kExhausted = absl::StatusCode::kResourceExhausted;

const char kOne[] = "-----BEGIN THING-----\nAQID\n-----END THING-----\n";

TEST(ParsePemTest, RoundTripsEveryLength) {
  std::string der;
  for (int size = 0; size < 200; ++size) {
    const std::string pem = EncodePem("CERTIFICATE", der);
    const absl::StatusOr<PemText> parsed = ParsePem(pem);
    ASSERT_THAT(parsed, IsOk()) << size;
    ASSERT_EQ(parsed->blocks.size(), 1);
    EXPECT_EQ(parsed->blocks[0].der, der) << size;
    EXPECT_EQ(parsed->blocks[0].label, "CERTIFICATE");
    EXPECT_TRUE(parsed->IsClean());
    der += static_cast<char>(size * 7 + 250);
  }
}

TEST(ParsePemTest, EncodesAsOpensslDoes) {
  EXPECT_EQ(EncodePem("X", std::string(49, '\xff')),
            "-----BEGIN X-----\n" + std::string(64, '/') + "\n/w==\n-----END X-----\n");
  EXPECT_EQ(EncodePem("X", std::string(48, '\0')),
            "-----BEGIN X-----\n" + std::string(64, 'A') + "\n-----END X-----\n");
}

TEST(ParsePemTest, AcceptsWhatToolsWrite) {
  const std::string kCases[] = {
      kOne,
      "-----BEGIN THING-----\nAQID\n-----END THING-----",          // no last line feed
      "-----BEGIN THING-----\r\nAQID\r\n-----END THING-----\r\n",  // Windows
      "\n\n \t\n-----BEGIN THING-----\nAQ\nID\n-----END THING-----\n \n\n",
      "-----BEGIN THING-----  \n AQID \n\n-----END THING-----\t\n",
  };
  for (const std::string& text : kCases) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseSinglePem(text, "THING"), IsOkAndHolds("\x01\x02\x03"));
  }
}

TEST(ParsePemTest, ReportsTextAroundBlocks) {
  const std::string one = kOne;
  const absl::StatusOr<PemText> before = ParsePem("# roots\n" + one + one);
  ASSERT_THAT(before, IsOk());
  ASSERT_EQ(before->blocks.size(), 2);
  EXPECT_TRUE(before->blocks[0].text_before);
  EXPECT_FALSE(before->blocks[1].text_before);
  EXPECT_FALSE(before->text_after);
  EXPECT_FALSE(before->IsClean());

  const absl::StatusOr<PemText> between = ParsePem(one + "-------- next\n" + one);
  ASSERT_THAT(between, IsOk());
  EXPECT_FALSE(between->blocks[0].text_before);
  EXPECT_TRUE(between->blocks[1].text_before);

  const absl::StatusOr<PemText> after = ParsePem(one + "garbage");
  ASSERT_THAT(after, IsOk());
  EXPECT_TRUE(after->text_after);
  EXPECT_FALSE(after->IsClean());

  const absl::StatusOr<PemText> none = ParsePem("not PEM");
  ASSERT_THAT(none, IsOk());
  EXPECT_TRUE(none->blocks.empty());
  EXPECT_TRUE(none->text_after);
  const absl::StatusOr<PemText> empty = ParsePem(" \n");
  ASSERT_THAT(empty, IsOk());
  EXPECT_TRUE(empty->IsClean());
}

TEST(ParsePemTest, KeepsHeaders) {
  const absl::StatusOr<PemText> pem = ParsePem(
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n "
      "00FF\n\nAQID\n-----END RSA PRIVATE KEY-----\n");
  ASSERT_THAT(pem, IsOk());
  EXPECT_EQ(pem->blocks[0].headers, "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n 00FF");
  EXPECT_EQ(pem->blocks[0].der, "\x01\x02\x03");
}

TEST(ParsePemTest, RefusesMalformedBlocks) {
  struct Case {
    const char* name;
    std::string text;
    const char* message;
  };
  const std::string b = "-----BEGIN THING-----\n", e = "-----END THING-----\n";
  const Case kCases[] = {
      {"truncated", b + "AQID\n", "no END line"},
      {"only a BEGIN line", "-----BEGIN THING-----", "no END line"},
      {"other label", b + "AQID\n-----END OTHER-----\n", "another label"},
      {"nested", b + "AQID\n" + b + "AQID\n" + e + e, "another BEGIN line"},
      {"END first", e + b, "END line without"},
      {"dashes missing", "-----BEGIN THING----\nAQID\n" + e, "malformed BEGIN"},
      {"no label", "-----BEGIN -----\nAQID\n-----END -----\n", "malformed BEGIN"},
      {"huge label", "-----BEGIN " + std::string(65, 'A') + "-----\n", "malformed BEGIN"},
      {"control character in label", "-----BEGIN A\x01-----\n", "malformed BEGIN"},
      {"line breaks lost", "-----BEGIN THING-----AQID-----END THING-----", "malformed BEGIN"},
      {"joined files", b + "AQID\n-----END THING-----" + b + "AQID\n" + e, "text after its END"},
      {"text after END", b + "AQID\n-----END THING----- x\n", "text after its END"},
      {"indented", "  " + b + "AQID\n" + e, "indented"},
      {"dashes in the body", b + "AQID\n-----\n" + e, "not an END line"},
      {"not base64", b + "AQ!D\n" + e, "not base64"},
      {"short group", b + "AQI\n" + e, "not base64"},
      {"padding inside", b + "AQ==AQID\n" + e, "not base64"},
      {"too much padding", b + "A===\n" + e, "not base64"},
      {"padding alone", b + "====\n" + e, "not base64"},
      {"padding after full group", b + "AQID=\n" + e, "not base64"},
      {"bits under the padding", b + "AR==\n" + e, "not base64"},
      {"NUL in the body", b + std::string("AQ\0D\n", 5) + e, "not base64"},
      {"high byte in the body",
       b +
           "AQ\xff"
           "D\n" +
           e,
       "not base64"},
      {"second block broken", kOne + b + "!\n" + e, "block 2"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(ParsePem(c.text), StatusIs(kInvalid, HasSubstr(c.message)));
  }
}

TEST(ParsePemTest, ErrorsDoNotRepeatTheBody) {
  const absl::StatusOr<PemText> pem =
      ParsePem("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0!\n-----END RSA PRIVATE KEY-----\n");
  EXPECT_THAT(pem, StatusIs(kInvalid, Not(HasSubstr("c2Vjcm"))));
}

TEST(ParsePemTest, KeepsItsLimits) {
  EXPECT_THAT(ParsePem(std::string(101, ' '), {.max_text_bytes = 100}),
              StatusIs(kExhausted, HasSubstr("101 bytes")));
  EXPECT_THAT(ParsePem(std::string(kOne) + kOne + kOne, {.max_blocks = 2}),
              StatusIs(kExhausted, HasSubstr("more than 2 blocks")));
  EXPECT_THAT(ParsePem(std::string(kOne) + kOne, {.max_blocks = 2}), IsOk());
  EXPECT_THAT(ParsePem(kOne, {.max_block_bytes = 2}),
              StatusIs(kExhausted, HasSubstr("larger than 2 bytes")));
  EXPECT_THAT(ParsePem(kOne, {.max_block_bytes = 3}), IsOk());
  EXPECT_THAT(ParsePem(EncodePem("A", std::string(4096, 'x')), {.max_block_bytes = 64}),
              StatusIs(kExhausted));
}

TEST(ParseSinglePemTest, WantsExactlyThatBlock) {
  const std::string one = kOne;
  EXPECT_THAT(ParseSinglePem("", "THING"), StatusIs(kInvalid, HasSubstr("empty")));
  EXPECT_THAT(ParseSinglePem("text", "THING"), StatusIs(kInvalid, HasSubstr("no PEM block")));
  EXPECT_THAT(ParseSinglePem(one, "OTHER"),
              StatusIs(kInvalid, HasSubstr("the block is labelled \"THING\"")));
  EXPECT_THAT(ParseSinglePem(one + one, "THING"), StatusIs(kInvalid, HasSubstr("2 blocks")));
  EXPECT_THAT(ParseSinglePem(one + "x", "THING"), StatusIs(kInvalid, HasSubstr("text around")));
  EXPECT_THAT(ParseSinglePem("x\n" + one, "THING"), StatusIs(kInvalid, HasSubstr("text around")));
  EXPECT_THAT(ParseSinglePem("-----BEGIN THING-----\nA: b\n\nAQID\n-----END THING-----\n", "THING"),
              StatusIs(kInvalid, HasSubstr("headers")));
}

}  // namespace
}  // namespace calico::pki
