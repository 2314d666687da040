#include "pkg/api/certificates/certificate_signing_request.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::Pair;

json::object Parse(std::string_view text) { return codec::ParseJsonObject(text).value(); }

constexpr std::string_view kIssued = R"({
  "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
  "metadata": {"name": "calico-system:calico-node-5ckvq:9a3a10", "uid": "u-1",
    "resourceVersion": "7", "labels": {"k8s-app": "calico-system"}, "annotations": {"a": "b"},
    "finalizers": ["f"]},
  "spec": {"request": "cmVx", "signerName": "example.com/signer", "expirationSeconds": 3600,
    "usages": ["server auth", "client auth"],
    "username": "system:serviceaccount:calico-system:calico-node", "uid": "user-uid",
    "groups": ["system:serviceaccounts", "system:authenticated"],
    "extra": {"authentication.kubernetes.io/pod-name": ["calico-node-5ckvq"],
              "authentication.kubernetes.io/pod-uid": ["9a3a10"], "two": ["a", "b"], "none": []}},
  "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Policy",
      "message": "ok", "lastUpdateTime": "2026-11-22T19:42:02Z",
      "lastTransitionTime": "2026-11-22T19:42:02Z"}],
    "certificate": "Y2VydA=="}})";

TEST(CertificateSigningRequestTest, Decodes) {
  const absl::StatusOr<CertificateSigningRequest> csr =
      CertificateSigningRequest::Decode(Parse(kIssued));
  ASSERT_THAT(csr, IsOk());
  EXPECT_EQ(csr->meta.name, "calico-system:calico-node-5ckvq:9a3a10");
  EXPECT_THAT(csr->meta.labels, ElementsAre(Pair("k8s-app", "calico-system")));
  EXPECT_EQ(csr->request_pem, "req");
  EXPECT_EQ(csr->signer_name, "example.com/signer");
  EXPECT_THAT(csr->usages, ElementsAre("server auth", "client auth"));
  EXPECT_EQ(csr->expiration_seconds, 3600);
  EXPECT_EQ(csr->username, "system:serviceaccount:calico-system:calico-node");
  EXPECT_EQ(csr->uid, "user-uid");
  EXPECT_THAT(csr->groups, ElementsAre("system:serviceaccounts", "system:authenticated"));
  EXPECT_EQ(csr->SingleExtra(kExtraPodName), "calico-node-5ckvq");
  EXPECT_EQ(csr->SingleExtra(kExtraPodUid), "9a3a10");
  EXPECT_EQ(csr->SingleExtra("two"), "");
  EXPECT_EQ(csr->SingleExtra("none"), "");
  EXPECT_EQ(csr->SingleExtra("absent"), "");
  EXPECT_EQ(csr->certificate_pem, "cert");
  EXPECT_TRUE(csr->IsIssued());
  ASSERT_TRUE(csr->IsApproved());
  EXPECT_EQ(csr->Approved()->reason, "Policy");
  EXPECT_FALSE(csr->IsDenied());
  EXPECT_FALSE(csr->IsFailed());
}

TEST(CertificateSigningRequestTest, EncodesEverythingBack) {
  EXPECT_EQ(CertificateSigningRequest::Decode(Parse(kIssued))->Encode(), Parse(kIssued));
}

TEST(CertificateSigningRequestTest, EncodesANewRequest) {
  CertificateSigningRequest csr;
  csr.meta.name = "ns:pod:abcdef";
  csr.meta.resource_version = "7";  // Must not go into a new object.
  csr.meta.labels = {{"k8s-app", "calico-system"}};
  csr.request_pem = "req";
  csr.signer_name = "example.com/signer";
  csr.usages = {"server auth"};
  csr.username = "me";
  EXPECT_EQ(csr.EncodeNew(), Parse(R"({
      "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
      "metadata": {"name": "ns:pod:abcdef", "labels": {"k8s-app": "calico-system"}},
      "spec": {"request": "cmVx", "signerName": "example.com/signer",
               "usages": ["server auth"]}})"));
  csr.expiration_seconds = 600;
  EXPECT_EQ(csr.EncodeNew().at("spec").as_object().at("expirationSeconds"), 600);
}

TEST(CertificateSigningRequestTest, ConditionsCountOnlyWhenTrue) {
  struct Case {
    const char* type;
    const char* status;
    bool approved, denied, failed;
  };
  const Case kCases[] = {
      {"Approved", "True", true, false, false},   {"Denied", "True", false, true, false},
      {"Failed", "True", false, false, true},     {"Approved", "False", false, false, false},
      {"Denied", "Unknown", false, false, false}, {"Other", "True", false, false, false},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.type) + c.status);
    CertificateSigningRequest csr;
    csr.conditions = {{.type = c.type, .status = c.status}};
    EXPECT_EQ(csr.IsApproved(), c.approved);
    EXPECT_EQ(csr.IsDenied(), c.denied);
    EXPECT_EQ(csr.IsFailed(), c.failed);
    EXPECT_FALSE(csr.IsIssued());
  }
}

TEST(CertificateSigningRequestTest, ProblemsNameThePathAndNoBytes) {
  const absl::Status status =
      CertificateSigningRequest::Decode(Parse(R"({"metadata": {"name": "c"}, "spec": {
          "request": "c2VjcmV0!", "expirationSeconds": 99999999999, "usages": "server auth",
          "extra": {"k": "v"}}})"))
          .status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "CertificateSigningRequest.spec.request: expected base64; "
                       "CertificateSigningRequest.spec.signerName: required; "
                       "CertificateSigningRequest.spec.usages: expected array, got string; "
                       "CertificateSigningRequest.spec.expirationSeconds: expected a 32-bit "
                       "integer; "
                       "CertificateSigningRequest.spec.extra.k: expected array, got string"));
  EXPECT_THAT(
      CertificateSigningRequest::Decode(Parse(R"({"metadata": {"name": "c"}})")),
      StatusIs(absl::StatusCode::kInvalidArgument, "CertificateSigningRequest.spec: required"));
}

}  // namespace
}  // namespace calico::api
