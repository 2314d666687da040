#include "operator/calicert/inventory/found_certificates.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/inventory/days.h"
#include "pkg/base/base64.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert::inventory {
namespace {

using ::calico::base::IsOkAndHolds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json::object Object(std::string_view kind, json::object metadata, json::object rest) {
  metadata["name"] = "a";
  rest["kind"] = kind;
  rest["metadata"] = std::move(metadata);
  return rest;
}

std::vector<std::string> Places(const FoundCertificates& found) {
  std::vector<std::string> places;
  for (const FoundCertificate& one : found.EndingBefore(absl::InfiniteFuture())) {
    places.push_back(one.place + ":" + one.entry);
  }
  return places;
}

TEST(FoundCertificatesTest, LooksWherePeopleKeepThem) {
  const pki::TestCa ca;
  const auto pem = [&](const char* name) { return ca.Leaf({.common_name = name}).certificate_pem; };
  FoundCertificates found;
  found.AddObject(Object("Secret", {{"namespace", "n"}},
                         {{"data", json::object{{"tls.crt", base::Base64Encode(pem("1"))},
                                                {"tls.key", "not looked at"},
                                                {"password", "c2VjcmV0"}}}}));
  found.AddObject(
      Object("ConfigMap", {{"namespace", "n"}}, {{"data", json::object{{"ca.crt", pem("2")}}}}));
  found.AddObject(
      Object("CertificateSigningRequest", {},
             {{"status", json::object{{"certificate", base::Base64Encode(pem("3"))}}}}));
  found.AddObject(
      Object("Installation", {},
             {{"spec", json::object{{"certificateManagement",
                                     json::object{{"caCert", base::Base64Encode(pem("4"))}}}}}}));
  found.AddText("f.pem", "", "", "a comment\n" + pem("5") + ca.key_pem());
  EXPECT_THAT(Places(found), ElementsAre("configmap/n/a:ca.crt", "csr/a:certificate",
                                         "f.pem:", "installation/a:caCert", "secret/n/a:tls.crt"));
  EXPECT_THAT(found.problems(), IsEmpty());
}

TEST(FoundCertificatesTest, CountsTheSameOneOnce) {
  const pki::TestCa ca;
  FoundCertificates found;
  for (const char* const name : {"a", "b", "c"}) {
    found.AddText(name, "ca.crt", "", ca.certificate_pem());
  }
  EXPECT_EQ(found.size(), 1u);
  EXPECT_EQ(found.EndingBefore(absl::InfiniteFuture()).front().more_places, 2);
}

TEST(FoundCertificatesTest, SortsByTheirEnd) {
  const pki::TestCa ca;
  FoundCertificates found;
  for (const int hours : {3, 1, 2}) {
    found.AddText(
        std::to_string(hours), "", "",
        ca.Leaf({.common_name = "a", .valid_until_now = absl::Hours(hours)}).certificate_pem);
  }
  EXPECT_THAT(Places(found), ElementsAre("1:", "2:", "3:"));
  EXPECT_EQ(found.EndingBefore(pki::TestTime() + absl::Minutes(150)).size(), 2u);
}

TEST(FoundCertificatesTest, TellsWhatCannotBeRead) {
  FoundCertificates found;
  found.AddText("a", "x", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  found.AddText("b", "", "", "-----BEGIN CERTIFICATE-----\n");
  EXPECT_THAT(found.problems(), ElementsAre(HasSubstr("a:x: "), HasSubstr("b: ")));
}

TEST(ManagerOfTest, TellsWhoRenews) {
  const auto manager = [](json::object metadata) {
    return ManagerOf({{"metadata", std::move(metadata)}});
  };
  EXPECT_EQ(manager({}), "");
  EXPECT_EQ(manager({{"labels", json::object{{"app.kubernetes.io/managed-by", "Helm"}}}}), "Helm");
  EXPECT_EQ(manager({{"annotations", json::object{{"cert-manager.io/certificate-name", "a"}}}}),
            "cert-manager");
  EXPECT_EQ(manager({{"ownerReferences", json::array{json::object{{"kind", "Installation"}}}}}),
            "calico-operator");
}

TEST(ParseDaysTest, TakesDaysAndGosHours) {
  EXPECT_THAT(ParseDays("30d"), IsOkAndHolds(absl::Hours(720)));
  EXPECT_THAT(ParseDays("2w"), IsOkAndHolds(absl::Hours(336)));
  EXPECT_THAT(ParseDays("1y"), IsOkAndHolds(absl::Hours(8760)));
  EXPECT_THAT(ParseDays("1h30m"), IsOkAndHolds(absl::Minutes(90)));
  for (const char* const bad : {"", "d", "-1d", "3 days", "1.5d", "99999999d", "-5h", "inf"}) {
    EXPECT_FALSE(ParseDays(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace calico::calicert::inventory
