#include "pkg/kube/testing/csr_rules.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

using ::testing::HasSubstr;

// PEM labels in base64, as the API carries them.
constexpr char kRequest[] = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
constexpr char kKey[] = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==";
constexpr char kCertificate[] = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";
constexpr char kNow[] = "2027-01-15T08:00:00Z";

json::object Request(const char* request = kRequest, const char* signer = "example.com/s") {
  return {{"metadata", {{"name", "a:b:c"}}},
          {"spec", {{"request", request}, {"signerName", signer}, {"usages", {"server auth"}}}}};
}

json::object Condition(const char* type, const char* status = "True", const char* reason = "R") {
  return {{"type", type}, {"status", status}, {"reason", reason}};
}

std::string MessageOf(const std::optional<ApiReply>& reply) {
  return reply ? std::string(TextAt(reply->body, {"message"})) : "accepted";
}

TEST(CsrRulesTest, CreationFillsInTheRequester) {
  json::object csr = Request();
  csr["spec"].as_object()["username"] = "forged";
  csr["spec"].as_object()["extra"] = {{"forged", {"x"}}};
  csr["status"] = {{"certificate", kCertificate}};
  EXPECT_EQ(MessageOf(PrepareCsrCreate(
                csr, {.username = "jane", .groups = {"dev"}, .extra = {{"pod-uid", {"1"}}}})),
            "accepted");
  EXPECT_EQ(TextAt(csr, {"spec", "username"}), "jane");
  EXPECT_EQ(codec::Serialize(csr.at("spec").at("extra")), R"({"pod-uid":["1"]})");
  EXPECT_EQ(codec::Serialize(csr.at("status")), "{}");
}

TEST(CsrRulesTest, CreationChecksTheSpec) {
  json::object usages = Request();
  usages["spec"].as_object()["usages"] = {"server auth", "server auth", "flying"};
  json::object none = Request();
  none["spec"].as_object().erase("usages");
  json::object brief = Request();
  brief["spec"].as_object()["expirationSeconds"] = 599;
  const struct {
    json::object csr;
    const char* want;
  } kCases[] = {
      {Request("%%%"), "PEM block type must be CERTIFICATE REQUEST"},
      {Request(kKey), "PEM block type must be CERTIFICATE REQUEST"},
      {Request(kRequest, "no-domain/x"), "fully qualified domain"},
      {Request(kRequest, "example.com"), "fully qualified domain"},
      {Request(kRequest, "example.com/a/b"), "fully qualified domain"},
      {usages, "Duplicate value"},
      {usages, "Unsupported value: \"flying\""},
      {none, "spec.usages: Required value"},
      {brief, "less than 600 seconds"},
  };
  for (const auto& c : kCases) {
    json::object csr = c.csr;
    const std::optional<ApiReply> reply = PrepareCsrCreate(csr, {});
    EXPECT_THAT(MessageOf(reply), HasSubstr(c.want));
    if (reply) EXPECT_EQ(reply->code, 422);
  }
}

// The answer to changing the status of `live` to these conditions and certificate.
std::string Change(const json::object& live, const char* subresource, json::array conditions,
                   const char* certificate = "", json::object* result = nullptr) {
  json::object next = live;
  next["spec"].as_object()["signerName"] = "changed.example.com/s";
  next["status"] = {{"conditions", std::move(conditions)}};
  if (*certificate != 0) next["status"].as_object()["certificate"] = certificate;
  const std::string message = MessageOf(PrepareCsrUpdate(live, next, subresource, kNow));
  EXPECT_EQ(TextAt(next, {"spec", "signerName"}), "example.com/s");
  if (result != nullptr) *result = next;
  return message;
}

json::object With(json::array conditions, const char* certificate = "") {
  json::object csr = Request();
  csr["status"] = {{"conditions", std::move(conditions)}};
  if (*certificate != 0) csr["status"].as_object()["certificate"] = certificate;
  return csr;
}

TEST(CsrRulesTest, MainEndpointChangesMetadataOnly) {
  json::object result;
  EXPECT_EQ(Change(With({}), "", {Condition("Approved")}, kCertificate, &result), "accepted");
  EXPECT_EQ(codec::Serialize(result.at("status")), R"({"conditions":[]})");
}

TEST(CsrRulesTest, ApprovalChangesConditionsOnly) {
  json::object result;
  EXPECT_EQ(Change(With({}), "approval", {Condition("Approved")}, kCertificate, &result),
            "accepted");
  EXPECT_EQ(TextAt(result, {"status", "certificate"}), "");
  const json::object& condition = result.at("status").at("conditions").at(0).as_object();
  EXPECT_EQ(TextAt(condition, {"lastUpdateTime"}), kNow);
  EXPECT_EQ(TextAt(condition, {"lastTransitionTime"}), kNow);

  const json::array approved = {Condition("Approved")};
  EXPECT_THAT(Change(With(approved), "approval", {}), HasSubstr("may not remove a condition"));
  EXPECT_THAT(Change(With(approved), "approval", {Condition("Approved"), Condition("Denied")}),
              HasSubstr("mutually exclusive"));
  EXPECT_THAT(Change(With({}), "approval", {Condition("Approved"), Condition("Approved")}),
              HasSubstr("Duplicate value"));
  EXPECT_THAT(Change(With({}), "approval", {Condition("Approved", "False")}),
              HasSubstr("Unsupported value"));
  EXPECT_THAT(Change(With({}), "approval", {Condition("Approved", "")}),
              HasSubstr("Required value"));
  EXPECT_EQ(Change(With({}), "approval", {Condition("Custom", "False")}), "accepted");
}

TEST(CsrRulesTest, StatusSetsTheCertificateOnce) {
  const json::array approved = {Condition("Approved")};
  json::object result;
  EXPECT_EQ(Change(With(approved), "status", approved, kCertificate, &result), "accepted");
  EXPECT_EQ(TextAt(result, {"status", "certificate"}), kCertificate);
  EXPECT_EQ(Change(With(approved, kCertificate), "status", approved, kCertificate), "accepted");
  EXPECT_THAT(Change(With(approved, kCertificate), "status", approved, kKey),
              HasSubstr("may not modify existing certificate content"));
  EXPECT_THAT(Change(With(approved, kCertificate), "status", approved),
              HasSubstr("may not modify existing certificate content"));
  EXPECT_THAT(Change(With(approved), "status", approved, kKey),
              HasSubstr("must contain at least one CERTIFICATE PEM block"));
}

TEST(CsrRulesTest, StatusLeavesApprovalAlone) {
  EXPECT_THAT(Change(With({}), "status", {Condition("Approved")}),
              HasSubstr("may not add a condition of type \"Approved\""));
  EXPECT_THAT(Change(With({Condition("Denied")}), "status", {}),
              HasSubstr("may not remove a condition of type \"Denied\""));
  json::object result;
  EXPECT_EQ(Change(With({Condition("Approved")}), "status",
                   {Condition("Approved", "True", "Edited"), Condition("Failed")}, "", &result),
            "accepted");
  EXPECT_EQ(TextAt(result.at("status").at("conditions").at(0).as_object(), {"reason"}), "R");
  EXPECT_THAT(Change(With({Condition("Failed")}), "status", {}),
              HasSubstr("may not remove a condition of type \"Failed\""));
}

}  // namespace
}  // namespace calico::kube
