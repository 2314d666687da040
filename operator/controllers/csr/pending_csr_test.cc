#include "operator/controllers/csr/pending_csr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::csr {
namespace {

using base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

json::object Csr(std::string_view status = "{}") {
  const std::string text = R"({
    "metadata": {
      "name": "ns:pod:abcdef", "uid": "u-1", "resourceVersion": "7",
      "labels": {"k8s-app": "calico-system"}, "annotations": {"a": "b"},
      "finalizers": ["example.com/keep"],
      "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]
    },
    "spec": {
      "request": "QUJD", "signerName": "example.com/signer", "usages": ["client auth"],
      "username": "system:serviceaccount:ns:sa", "groups": ["system:authenticated"],
      "extra": {
        "authentication.kubernetes.io/pod-name": ["pod"],
        "authentication.kubernetes.io/pod-uid": ["abcdef-1"],
        "authentication.kubernetes.io/node-name": ["node-1"]
      }
    },
    "status": )" + std::string(status) +
                           "}";
  return codec::ParseJsonObject(text).value();
}

std::string Condition(std::string_view type) {
  return R"({"conditions": [{"type": ")" + std::string(type) +
         R"(", "status": "True", "reason": "KubectlApprove", "message": "m",
             "lastUpdateTime": "2026-11-22T19:42:02Z"}]})";
}

TEST(PendingCsrTest, FinishedOnes) {
  EXPECT_FALSE(IsFinished(Csr()));
  EXPECT_FALSE(IsFinished(Csr(Condition("Approved"))));
  EXPECT_FALSE(IsFinished(Csr(Condition("Custom"))));
  EXPECT_TRUE(IsFinished(Csr(Condition("Denied"))));
  EXPECT_TRUE(IsFinished(Csr(Condition("Failed"))));
  EXPECT_TRUE(IsFinished(Csr(R"({"certificate": "QUJD"})")));
  json::object deleting = Csr();
  deleting["metadata"].as_object()["deletionTimestamp"] = "2026-11-22T19:42:02Z";
  EXPECT_TRUE(IsFinished(deleting));
  EXPECT_FALSE(IsFinished({}));
}

TEST(PendingCsrTest, KeepsWhatRulesAndWritesNeed) {
  const PendingCsrDecoder decoder(1 << 20);
  const auto pending = decoder(Csr(Condition("Approved")));
  ASSERT_TRUE(pending.ok() && pending->has_value());
  EXPECT_EQ((*pending)->uid, "u-1");
  const std::string& text = *(*pending)->text;
  EXPECT_THAT(text, Not(HasSubstr("managedFields")));
  EXPECT_THAT(text, Not(HasSubstr("groups")));
  EXPECT_THAT(text, Not(HasSubstr("node-name")));
  const auto csr = api::CertificateSigningRequest::Decode(codec::ParseJsonObject(text).value());
  ASSERT_TRUE(csr.ok()) << csr.status();
  EXPECT_EQ(csr->request_pem, "ABC");
  EXPECT_EQ(csr->SingleExtra(api::kExtraPodName), "pod");
  EXPECT_EQ(csr->SingleExtra(api::kExtraPodUid), "abcdef-1");
  EXPECT_EQ(csr->username, "system:serviceaccount:ns:sa");
  EXPECT_EQ(csr->meta.resource_version, "7");
  EXPECT_EQ(csr->meta.annotations.at("a"), "b");
  EXPECT_TRUE(csr->IsApproved());
}

TEST(PendingCsrTest, RequestersAreTheUserAndThePodOfTheToken) {
  const PendingCsrDecoder decoder(0);
  const auto requester = [&](const json::object& csr) { return decoder(csr).value()->requester; };
  json::object other = Csr();
  json::object& spec = other["spec"].as_object();
  other["metadata"].as_object()["name"] = "another";
  EXPECT_EQ(requester(other), requester(Csr()));
  spec["extra"].as_object()["authentication.kubernetes.io/pod-uid"] = json::array{"another-1"};
  EXPECT_NE(requester(other), requester(Csr()));
  const uint64_t of_another_pod = requester(other);
  spec.erase("extra");
  EXPECT_NE(requester(other), of_another_pod);
  const uint64_t unbound = requester(other);
  spec["username"] = "somebody";
  EXPECT_NE(requester(other), unbound);
}

TEST(PendingCsrTest, DropsFinishedAndRefusesNameless) {
  const PendingCsrDecoder decoder(1 << 20);
  EXPECT_EQ(decoder(Csr(Condition("Denied"))).value(), std::nullopt);
  EXPECT_THAT(decoder(json::object{}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PendingCsrTest, KeepsOnlyRemindersBeyondTheBudget) {
  const size_t size = PendingCsrDecoder(1 << 20)(Csr()).value()->text->size();
  const PendingCsrDecoder decoder(2 * size);
  auto first = decoder(Csr()).value();
  const auto second = decoder(Csr()).value();
  auto third = decoder(Csr()).value();
  EXPECT_NE(second->text, nullptr);
  EXPECT_EQ(third->text, nullptr);
  EXPECT_EQ(third->uid, "u-1");
  EXPECT_EQ(decoder.kept_bytes(), 2 * size);
  first.reset();
  EXPECT_EQ(decoder.kept_bytes(), size);
  const PendingCsrDecoder copy = decoder;  // NOLINT(performance-unnecessary-copy-initialization)
  third = copy(Csr()).value();
  EXPECT_NE(third->text, nullptr);
  EXPECT_EQ(decoder.kept_bytes(), 2 * size);
}

TEST(PendingCsrTest, BodiesSendMetadataBackAndNoSpec) {
  const json::object body =
      WriteBody(Csr(Condition("Approved")), NewCondition{"Failed", "Reason", "because"}, "PEM");
  EXPECT_EQ(codec::Serialize(body),
            R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest",)"
            R"("metadata":{"name":"ns:pod:abcdef","uid":"u-1","resourceVersion":"7",)"
            R"("labels":{"k8s-app":"calico-system"},"annotations":{"a":"b"},)"
            R"("finalizers":["example.com/keep"]},)"
            R"("status":{"conditions":[{"type":"Approved","status":"True",)"
            R"("reason":"KubectlApprove","message":"m","lastUpdateTime":"2026-11-22T19:42:02Z"},)"
            R"({"type":"Failed","status":"True","reason":"Reason","message":"because"}],)"
            R"("certificate":"UEVN"}})");
  EXPECT_EQ(codec::Serialize(WriteBody(Csr(), std::nullopt).at("status")), R"({"conditions":[]})");
}

TEST(PendingCsrTest, ALargeRequestIsNotKept) {
  const PendingCsrDecoder decoder(4 << 20);
  json::object csr = Csr();
  csr["spec"].as_object()["request"] = std::string(127 << 10, 'A');
  auto pending = decoder(csr);
  ASSERT_THAT(pending, base::IsOk());
  EXPECT_FALSE((*pending)->is_large);
  EXPECT_NE((*pending)->text, nullptr);
  csr["spec"].as_object()["request"] = std::string(129 << 10, 'A');
  pending = decoder(csr);
  ASSERT_THAT(pending, base::IsOk());
  EXPECT_TRUE((*pending)->is_large);
  EXPECT_EQ((*pending)->text, nullptr);
  EXPECT_EQ((*pending)->uid, "u-1");
  EXPECT_EQ(decoder.kept_bytes(), 0U);
}

}  // namespace
}  // namespace calico::csr
