#include "operator/certificates/annotation_hash.h"

#include <gtest/gtest.h>

namespace calico::certificates {
namespace {

TEST(AnnotationHashTest, QuotesAsGoDoes) {
  EXPECT_EQ(GoQuote(""), R"("")");
  EXPECT_EQ(GoQuote("a b~"), R"("a b~")");
  EXPECT_EQ(GoQuote("\"\\"), R"("\"\\")");
  EXPECT_EQ(GoQuote("\a\b\f\n\r\t\v"), R"("\a\b\f\n\r\t\v")");
  EXPECT_EQ(GoQuote(std::string_view("\0\x1b\x7f", 3)), R"("\x00\x1b\x7f")");
}

TEST(AnnotationHashTest, KeepsPrintableCharactersBeyondAscii) {
  EXPECT_EQ(GoQuote("# Főtanúsítvány"), "\"# Főtanúsítvány\"");
  EXPECT_EQ(GoQuote("# 中華電信 Ελλάς Ж"), "\"# 中華電信 Ελλάς Ж\"");
}

TEST(AnnotationHashTest, EscapesWhatGoDoesNotPrint) {
  EXPECT_EQ(GoQuote("a\u00a0b\u00ad\u200b"), R"("a\u00a0b\u00ad\u200b")");
  EXPECT_EQ(GoQuote("\U000e0001"), R"("\U000e0001")");
}

TEST(AnnotationHashTest, EscapesBytesThatAreNoCharacter) {
  EXPECT_EQ(GoQuote("a\xff\xc3"), R"("a\xff\xc3")");
  EXPECT_EQ(GoQuote("\xed\xa0\x80"), R"("\xed\xa0\x80")");
}

TEST(AnnotationHashTest, HashesTheQuotedText) {
  // As `printf '""' | sha1sum` gives it; recorded for an empty certificate, too.
  EXPECT_EQ(AnnotationHash(""), "dd29ecf524b030a65261e3059c48ab9e1ecb2585");
}

TEST(AnnotationHashTest, HashesAMapAsGoPrintsIt) {
  // printf 'map["a":"1" "b":"x\\ny"]' | sha1sum
  EXPECT_EQ(AnnotationHash(api::StringMap{{"b", "x\ny"}, {"a", "1"}}),
            "070348e64db1e9a8e4b63df610c2b7a8494667c8");
}

TEST(AnnotationHashTest, NamesTheAnnotation) {
  EXPECT_EQ(HashAnnotation("tigera-operator", "node-certs"),
            "tigera-operator.hash.operator.tigera.io/node-certs");
  EXPECT_EQ(HashAnnotation("", "system"), "hash.operator.tigera.io/system");
}

}  // namespace
}  // namespace calico::certificates
