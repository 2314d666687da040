// The commands that look after what exists, as they are typed.
#include "operator/calicert/inventory/inventory_commands.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_program.h"
#include "operator/calicert/cluster/testing/cluster_test.h"
#include "operator/calicert/inventory/signer_state.h"
#include "operator/calicert/inventory/verdict.h"
#include "operator/config/signer_policy.h"
#include "operator/csr_policy/rules.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class InventoryTest : public ClusterProgramTest {
 protected:
  aio::Task<RunResult> Look(std::vector<std::string> words) {
    return Run(InventoryCommands(), std::move(words));
  }
  void PutSecret(const std::string& ns, const std::string& name, const std::string& pem) {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Secret"},
                  {"metadata", json::object{{"name", name}, {"namespace", ns}}},
                  {"type", "kubernetes.io/tls"},
                  {"data", json::object{{"tls.crt", base::Base64Encode(pem)}}}});
  }

  pki::TestCa ca_{"test-ca"};
};

using ExpiringTest = InventoryTest;

ASYNC_TEST_F(ExpiringTest, ListsWhatEndsSoonWithKubeadmsColumns) {
  PutSecret(
      "default", "soon",
      ca_.Leaf({.common_name = "web", .valid_until_now = absl::Hours(24 * 10)}).certificate_pem);
  PutSecret(
      "default", "later",
      ca_.Leaf({.common_name = "x", .valid_until_now = absl::Hours(24 * 90)}).certificate_pem);
  PutSecret("other", "elsewhere", ca_.Leaf({.common_name = "y"}).certificate_pem);
  const RunResult result = co_await Look({"expiring", "--within", "30d"});
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_EQ(result.out,
            "CERTIFICATE                   SUBJECT   EXPIRES                  RESIDUAL TIME   "
            "CERTIFICATE AUTHORITY   EXTERNALLY MANAGED\n"
            "secret/default/soon:tls.crt   web       Jan 25, 2027 08:00 UTC   10d             "
            "test-ca                 no\n");
  EXPECT_THAT(result.err, HasSubstr("1 of 2 certificates end within 30d"));
  EXPECT_EQ((co_await Look({"expiring", "--within", "5d"})).code, 0);
  const RunResult all = co_await Look({"expiring", "--within", "30d", "-A", "-o", "json"});
  const auto document = codec::ParseJsonObject(all.out);
  CO_ASSERT_OK(document.status());
  EXPECT_EQ(codec::FindArray(*document, "items")->size(), 2u);
}

ASYNC_TEST_F(ExpiringTest, WhatMayNotBeReadIsNoGoodNews) {
  server().Inject({.path_contains = "/secrets", .status = 403, .reason = "Forbidden"});
  const RunResult result = co_await Look({"expiring"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("Error from server (Forbidden): list Secret"));
}

ASYNC_TEST_F(ExpiringTest, FilesNeedNoCluster) {
  const RunResult result = co_await Look({"expiring", Write("ca.pem", ca_.certificate_pem())});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(server().Count(""), 0);
  EXPECT_EQ((co_await Look({"expiring", folder() + "/none.pem"})).code, 1);
  EXPECT_EQ((co_await Look({"expiring", "--within", "soon"})).code, 2);
}

ASYNC_TEST_F(ExpiringTest, FilesMayBeOfAnyForm) {
  const auto ca =
      pki::Certificate::ParsePemBundle(ca_.certificate_pem(), pki::SurroundingText::kRefuse);
  const RunResult der =
      co_await Look({"expiring", "--within", "100y", Write("ca.der", ca->front().der())});
  EXPECT_EQ(der.code, 3) << der.err;
  EXPECT_THAT(der.out, HasSubstr("ca.der   test-ca "));
}

// Cron would believe that nothing ends.
ASYNC_TEST_F(ExpiringTest, AFileWithoutCertificatesIsNoGoodNews) {
  const RunResult result = co_await Look({"expiring", Write("tls.key", ca_.key_pem())});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("tls.key: no certificate in it, but a private key"));
}

ASYNC_TEST_F(ExpiringTest, ACertificateWithoutASubjectHasAName) {
  PutSecret("default", "nameless", ca_.Leaf({.dns_names = {"web.example"}}).certificate_pem);
  EXPECT_THAT((co_await Look({"expiring", "--all"})).out,
              HasSubstr("secret/default/nameless:tls.crt   web.example "));
}

// Where the signer of a cluster runs, and with which policy.
json::object SignerDeployment(int ready, const std::string& signer_name,
                              const std::string& more_arguments = "") {
  return codec::ParseJsonObject(R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"csr-signer","namespace":"csr-signer"},
      "spec":{"template":{"spec":{"serviceAccountName":"csr-signer","containers":[{"name":"s",
        "args":["--signer-name=)" +
                                signer_name + R"(","--ca-cert","/ca/tls.crt")" + more_arguments +
                                R"(],
        "volumeMounts":[{"name":"ca","mountPath":"/ca"},{"name":"policy","mountPath":"/policy"}]}],
        "volumes":[{"name":"ca","secret":{"secretName":"csr-signer-ca"}},
                   {"name":"policy","configMap":{"name":"rules"}}]}}},
      "status":{"readyReplicas":)" +
                                std::to_string(ready) + "}}")
      .value();
}

class ExplainTest : public InventoryTest {
 protected:
  // Of calico-node's pod, as its init container asks.
  void PutRequest(const pki::CertificateRequestTemplate& wanted) {
    api::CertificateSigningRequest csr;
    csr.meta.name = "calico-system:node-a:123456";
    csr.request_pem = pki::CreateCertificateRequest(RequestKey(), wanted).value();
    csr.signer_name = "example.com/signer";
    csr.usages = {"digital signature", "server auth", "client auth"};
    csr.username = "system:serviceaccount:calico-system:calico-node";
    csr.groups = {"system:serviceaccounts"};
    csr.extra = {{"authentication.kubernetes.io/pod-name", {"node-a"}},
                 {"authentication.kubernetes.io/pod-uid", {"1234567890"}}};
    server().Put(csr.Encode());
  }
  void PutPod(std::string_view name, std::string_view uid) {
    server().Put(
        {{"apiVersion", "v1"},
         {"kind", "Pod"},
         {"metadata", json::object{{"name", name}, {"namespace", "calico-system"}, {"uid", uid}}},
         {"spec", json::object{{"serviceAccountName", "calico-node"}}},
         {"status", json::object{{"phase", "Pending"},
                                 {"podIP", "10.0.0.1"},
                                 {"podIPs", json::array{json::object{{"ip", "10.0.0.1"}}}}}}});
  }
  static pki::CertificateRequestTemplate Good() {
    return {.common_name = "typha-client",
            .dns_names = {"typha-client"},
            .ip_addresses = {base::IpAddress::Parse("10.0.0.1").value()},
            .key_usages = {pki::KeyUsage::kDigitalSignature}};
  }
  aio::Task<RunResult> Explain(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"explain", "calico-system:node-a:123456"};
    words.insert(words.end(), more.begin(), more.end());
    return Look(std::move(words));
  }
};

ASYNC_TEST_F(ExplainTest, SaysWhatTheSignerWouldApprove) {
  PutRequest(Good());
  PutPod("node-a", "1234567890");
  const RunResult result = co_await Explain();
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("asked by    system:serviceaccount:calico-system:calico-node, pod "
                              "calico-system/node-a\n"),
                    HasSubstr("asks for    CN=typha-client for typha-client, 10.0.0.1; "),
                    HasSubstr("answer      approve, by policy entry ")));
}

ASYNC_TEST_F(ExplainTest, NamesRuleAndWhatToDo) {
  pki::CertificateRequestTemplate wanted = Good();
  wanted.dns_names = {"evil.example"};
  PutRequest(wanted);
  PutPod("node-a", "1234567890");
  const RunResult result = co_await Explain();
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("answer      deny\n"), HasSubstr("because     rule dns-names: "),
                    HasSubstr("what to do  Add the name to dnsNames")));
  const auto document = codec::ParseJsonObject((co_await Explain({"-o", "json"})).out);
  CO_ASSERT_OK(document.status());
  EXPECT_EQ(codec::TextAt(*document, "rule"), "dns-names");
}

ASYNC_TEST_F(ExplainTest, LooksAtThePodAndAtWhoElseHasTheAddress) {
  PutRequest(Good());
  RunResult result = co_await Explain();
  EXPECT_THAT(result.out, HasSubstr("rule pod-exists: there is no pod calico-system/node-a"));
  PutPod("node-a", "another");
  result = co_await Explain();
  EXPECT_THAT(result.out, HasSubstr("rule pod-uid: "));
  PutPod("node-a", "1234567890");
  PutPod("node-b", "2");
  result = co_await Explain();
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.out, HasSubstr("10.0.0.1 is also an address of Pod"));
}

ASYNC_TEST_F(ExplainTest, TakesThePolicyOfTheSignerThatRuns) {
  pki::CertificateRequestTemplate wanted = Good();
  wanted.common_name = "another";
  PutRequest(wanted);
  PutPod("node-a", "1234567890");
  EXPECT_THAT((co_await Explain()).err, HasSubstr("taking the policy calico"));
  server().Put(SignerDeployment(1, "example.com/signer", R"(,"--policy=/policy/policy.yaml")"));
  const RunResult without = co_await Explain();
  EXPECT_EQ(without.code, 1);
  EXPECT_THAT(without.err, HasSubstr("the signer's policy: "));
  std::string text(config::BuiltinSignerPolicy("calico").value());
  text.replace(text.find("typha-client"), std::string_view("typha-client").size(), "another");
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", json::object{{"name", "rules"}, {"namespace", "csr-signer"}}},
                {"data", json::object{{"policy.yaml", text}}}});
  const RunResult result = co_await Explain();
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("policy      ConfigMap csr-signer/rules, policy.yaml\n"));
  EXPECT_EQ((co_await Explain({"--builtin-policy", "calico"})).code, 3);
  EXPECT_EQ((co_await Explain({"--builtin-policy", "calico", "--policy", "x"})).code, 2);
}

ASYNC_TEST_F(ExplainTest, ASignerThatServesAnotherName) {
  PutRequest(Good());
  server().Put(SignerDeployment(1, "example.com/other"));
  const RunResult result = co_await Explain();
  EXPECT_THAT(result.out, HasSubstr("rule signer-name: "));
}

TEST(AdviceOnTest, EveryRuleHasAdvice) {
  for (const std::string_view rule : csr_policy::RuleNames()) {
    EXPECT_FALSE(inventory::AdviceOn(rule).empty()) << rule;
  }
}

class CheckTest : public InventoryTest {
 protected:
  void PutDeployment(int ready, const std::string& signer_name = "example.com/signer") {
    server().Put(SignerDeployment(ready, signer_name));
  }
  void PutInstallation(const std::string& ca_pem) {
    server().Put({{"apiVersion", "operator.tigera.io/v1"},
                  {"kind", "Installation"},
                  {"metadata", json::object{{"name", "default"}}},
                  {"spec", json::object{{"certificateManagement",
                                         json::object{{"signerName", "example.com/signer"},
                                                      {"caCert", base::Base64Encode(ca_pem)}}}}}});
  }
  void Allow(int times, const char* allowed) {
    server().Inject({.method = "POST",
                     .path_contains = "subjectaccessreviews",
                     .times = times,
                     .status = 201,
                     .raw_body = std::string(R"({"status":{"allowed":)") + allowed + "}}"});
  }
};

ASYNC_TEST_F(CheckTest, AllInOrder) {
  PutDeployment(2);
  PutSecret("csr-signer", "csr-signer-ca", ca_.certificate_pem());
  PutInstallation(ca_.certificate_pem());
  Allow(15, "true");
  const RunResult result = co_await Look({"check"});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  for (const char* const line :
       {"deployment    ok       Deployment csr-signer/csr-signer: 2 ready",
        "signer-name   ok       example.com/signer",
        "rights        ok       system:serviceaccount:csr-signer:csr-signer",
        "policy        ok       the built-in policy calico",
        "Secret csr-signer/csr-signer-ca, tls.crt: CN=test-ca ends on",
        "trust         ok       caCert of the Installation leads to it"}) {
    EXPECT_THAT(result.out, HasSubstr(line));
  }
}

ASYNC_TEST_F(CheckTest, TellsEverythingThatIsWrong) {
  PutDeployment(0);
  PutSecret("csr-signer", "csr-signer-ca", ca_.certificate_pem());
  PutInstallation(pki::TestCa("other-ca").certificate_pem());
  Allow(4, "true");
  Allow(2, "false");
  Allow(8, "true");
  Allow(1, "false");
  const RunResult result = co_await Look({"check"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("none of its pods is ready"),
                    HasSubstr("may not approve signers, sign signers, watch services: bind it"),
                    HasSubstr("resourceNames example.com/signer or example.com/*"),
                    HasSubstr("caCert of the Installation does not lead to it")));
}

ASYNC_TEST_F(CheckTest, AnInstallationWhoseCaCannotBeRead) {
  PutDeployment(1);
  PutSecret("csr-signer", "csr-signer-ca", ca_.certificate_pem());
  PutInstallation("no certificate");
  Allow(15, "true");
  const RunResult result = co_await Look({"check"});
  EXPECT_EQ(result.code, 1) << result.out;
  EXPECT_THAT(result.out,
              HasSubstr("trust         FAILED   caCert of the Installation cannot be "));
}

ASYNC_TEST_F(CheckTest, AnotherNameThanTheInstallationAsks) {
  PutDeployment(1, "example.com/other");
  PutInstallation(ca_.certificate_pem());
  const RunResult result = co_await Look({"check"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out,
              HasSubstr("example.com/signer is asked for, and it serves example.com/other"));
}

ASYNC_TEST_F(CheckTest, NoSignerAtAll) {
  const RunResult result = co_await Look({"check", "-o", "json"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"ok\": false"), HasSubstr("NotFound")));
}

ASYNC_TEST_F(CheckTest, WhatMayNotBeReadIsAWarning) {
  PutDeployment(1);
  server().Inject({.path_contains = "subjectaccessreviews", .status = 403, .reason = "Forbidden"});
  server().Inject({.path_contains = "/secrets", .status = 403, .reason = "Forbidden"});
  const RunResult result = co_await Look({"check"});
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("rights        warning"), HasSubstr("ca            warning")));
}

TEST(ProgramOfTest, FindsWhereFilesComeFrom) {
  const auto program = inventory::ProgramOf(codec::ParseJsonObject(R"({"spec":{"template":{"spec":{
    "containers":[{"name":"x"},{"name":"s","args":["--signer-name","a.b/c","--signer-name=a.b/d",
      "--policy=/etc/p/policy.yaml","--ca-cert=/ca/ca.crt"],
      "volumeMounts":[{"name":"p","mountPath":"/etc/p"},{"name":"c","mountPath":"/ca"}]}],
    "volumes":[{"name":"p","configMap":{"name":"rules"}},
      {"name":"c","secret":{"secretName":"mine","items":[{"key":"tls.crt","path":"ca.crt"}]}}]}}}})")
                                                .value());
  EXPECT_THAT(program.signer_names, ElementsAre("a.b/c", "a.b/d"));
  EXPECT_EQ(program.policy_map + "/" + program.policy_key, "rules/policy.yaml");
  EXPECT_EQ(program.ca_secret + "/" + program.ca_key, "mine/tls.crt");
  EXPECT_EQ(program.service_account, "default");
}

}  // namespace
}  // namespace calico::calicert
