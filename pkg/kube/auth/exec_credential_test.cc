#include "pkg/kube/auth/exec_credential.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kV1[] = "client.authentication.k8s.io/v1";

std::string Credential(const std::string& status) {
  return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":)" +
         status + "}";
}

TEST(ExecCredentialTest, InfoTellsWhatIsWanted) {
  const KubeconfigCluster cluster{.server = "https://h:6443",
                                  .tls_server_name = "k",
                                  .proxy_url = "http://p:1",
                                  .exec_config = {{"audience", "a"}}};
  KubeconfigExec exec{.api_version = kV1};
  EXPECT_EQ(EncodeExecInfo(exec, cluster, "CA", false),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":false}})");
  exec.provide_cluster_info = true;
  EXPECT_EQ(EncodeExecInfo(exec, cluster, "CA", true),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":true,"cluster":{"server":"https://h:6443",)"
            R"("tls-server-name":"k","certificate-authority-data":"Q0E=",)"
            R"("proxy-url":"http://p:1","config":{"audience":"a"}}}})");
  EXPECT_THAT(
      EncodeExecInfo(exec, {.server = "https://h", .insecure_skip_tls_verify = true}, "", false),
      HasSubstr(R"("insecure-skip-tls-verify":true)"));
}

TEST(ExecCredentialTest, ReadsTokensAndCertificates) {
  const auto token = ParseExecCredential(
      Credential(R"({"token":"abc","expirationTimestamp":"2030-01-02T03:04:05Z"})"), kV1);
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ(token->token.view(), "abc");
  EXPECT_EQ(token->expires,
            absl::FromCivil(absl::CivilSecond(2030, 1, 2, 3, 4, 5), absl::UTCTimeZone()));
  const auto certificate = ParseExecCredential(
      Credential(R"({"clientCertificateData":"CERT","clientKeyData":"KEY"})"), kV1);
  ASSERT_THAT(certificate, IsOk());
  EXPECT_EQ(certificate->client_certificate_pem, "CERT");
  EXPECT_EQ(certificate->client_key_pem.view(), "KEY");
  EXPECT_EQ(certificate->expires, std::nullopt);
}

TEST(ExecCredentialTest, RefusesOthersWithoutQuotingThem) {
  const std::string kCases[] = {
      "",
      "s3cret",
      "[]",
      Credential("{}"),
      Credential("null"),
      Credential(R"({"token":["s3cret"]})"),
      Credential(R"({"token":"s3cret","clientCertificateData":"x"})"),
      Credential(R"({"token":"s3cret","clientKeyData":"x"})"),
      Credential(R"({"token":"s3cret","expirationTimestamp":"tomorrow"})"),
      R"({"kind":"Other","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"s3cret"}})",
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",)"
      R"("status":{"token":"s3cret"}})",
      std::string(2 << 20, ' '),
  };
  for (const std::string& text : kCases) {
    const auto credential = ParseExecCredential(text, kV1);
    EXPECT_FALSE(credential.ok()) << text.substr(0, 100);
    EXPECT_THAT(std::string(credential.status().message()), Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace calico::kube
