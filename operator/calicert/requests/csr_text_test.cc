#include "operator/calicert/requests/csr_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_test.h"

namespace calico::calicert::requests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(HumanDurationTest, IsKubernetes) {
  struct Case {
    absl::Duration duration;
    const char* text;
  };
  const Case kCases[] = {{absl::Seconds(-5), "<invalid>"},
                         {absl::ZeroDuration(), "0s"},
                         {absl::Seconds(119), "119s"},
                         {absl::Seconds(120), "2m"},
                         {absl::Seconds(125), "2m5s"},
                         {absl::Minutes(10), "10m"},
                         {absl::Minutes(179), "179m"},
                         {absl::Minutes(180), "3h"},
                         {absl::Minutes(330), "5h30m"},
                         {absl::Hours(24), "24h"},
                         {absl::Hours(47), "47h"},
                         {absl::Hours(24 * 3 + 4), "3d4h"},
                         {absl::Hours(24 * 8), "8d"},
                         {absl::Hours(24 * 365), "365d"},
                         {absl::Hours(24 * (365 * 2 + 34)), "2y34d"},
                         {absl::Hours(24 * 365 * 9), "9y"}};
  for (const Case& c : kCases) EXPECT_EQ(HumanDuration(c.duration), c.text);
}

TEST(HumanDurationTest, ShortIsKubeadms) {
  EXPECT_EQ(ShortHumanDuration(absl::Hours(-1)), "<invalid>");
  EXPECT_EQ(ShortHumanDuration(absl::Seconds(59)), "59s");
  EXPECT_EQ(ShortHumanDuration(absl::Minutes(59)), "59m");
  EXPECT_EQ(ShortHumanDuration(absl::Hours(23)), "23h");
  EXPECT_EQ(ShortHumanDuration(absl::Hours(24 * 364)), "364d");
  EXPECT_EQ(ShortHumanDuration(absl::Hours(24 * 365 * 9)), "9y");
}

TEST(CsrTextTest, ConditionsAreKubectls) {
  struct Case {
    const char* conditions;
    const char* certificate;
    const char* text;
  };
  const Case kCases[] = {{"", "", "Pending"},
                         {"", "x", "Pending,Issued"},
                         {"Approved", "", "Approved"},
                         {"Approved", "x", "Approved,Issued"},
                         {"Denied", "", "Denied"},
                         {"Denied", "x", "Denied,Issued"},
                         {"Approved,Failed", "", "Approved,Failed"},
                         {"Failed,Approved", "x", "Approved,Failed,Issued"}};
  for (const Case& c : kCases) {
    const auto csr =
        api::CertificateSigningRequest::Decode(StoredRequest("a", c.conditions, c.certificate));
    EXPECT_EQ(ConditionText(*csr), c.text);
  }
}

TEST(CsrTextTest, RowHasKubectlsColumns) {
  auto csr = *api::CertificateSigningRequest::Decode(StoredRequest("a", "Approved"));
  csr.meta.creation_timestamp = absl::FromUnixSeconds(0);
  EXPECT_THAT(CsrRow(csr, absl::FromUnixSeconds(600), false),
              ElementsAre("a", "10m", "example.com/serving", "jane", "<none>", "Approved"));
  csr.expiration_seconds = 86400;
  EXPECT_THAT(CsrRow(csr, absl::FromUnixSeconds(600), true),
              ElementsAre("a", "10m", "example.com/serving", "jane", "24h", "Approved",
                          "CN=a.example,O=Example", "a.example,10.0.0.1", "<none>"));
  EXPECT_EQ(CsrHeader(true).size(), 9u);
}

TEST(CsrTextTest, DescribesWhatIsAsked) {
  const auto csr = *api::CertificateSigningRequest::Decode(StoredRequest("a", "Denied"));
  const std::string text = CsrDescription(csr);
  for (const char* const line :
       {"Name:                a\n", "Labels:              <none>\n", "Requesting User:     jane\n",
        "Status:              Denied\n", "Because: it had to be\n",
        "         Common Name:        a.example\n", "         Organization:       Example\n",
        "         DNS Names:       a.example\n", "         IP Addresses:    10.0.0.1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(CsrDescriptionTest, WhatIsAskedForCannotForgeALine) {
  api::CertificateSigningRequest csr = ServingRequest("a\nStatus:              Approved");
  csr.username = "jane\x1b[2J";
  csr.meta.annotations["note"] = "x\nSigner: y";
  csr.conditions = {{.type = "Failed", .status = "True", .reason = "R", .message = "m\nName: b"}};
  const std::string text = CsrDescription(csr);
  EXPECT_THAT(text, Not(HasSubstr("\nStatus:              Approved")));
  EXPECT_THAT(text, Not(HasSubstr("\nSigner: y")));
  EXPECT_THAT(text, Not(HasSubstr("\nName: b")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace calico::calicert::requests
