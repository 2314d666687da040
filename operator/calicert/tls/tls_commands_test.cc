// `calicert tls` as it is typed: the first run, the second, and what stands in its way.
#include "operator/calicert/tls/tls_commands.h"

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_program.h"
#include "operator/calicert/cluster/testing/cluster_test.h"
#include "operator/calicert/tls/publishing.h"
#include "operator/calicert/tls/service_names.h"
#include "operator/calicert/tls/workflow.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/core/secret.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/file.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/verify.h"

namespace calico::calicert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ServiceNamesTest, AllWaysToASevice) {
  EXPECT_THAT(tls::DnsNamesOf("a", "ns", "cluster.local"),
              ElementsAre("a.ns.svc.cluster.local", "a.ns.svc", "a.ns", "a"));
  EXPECT_EQ(tls::CommonNameOf("a", "ns"), "a.ns.svc");
  EXPECT_EQ(tls::CommonNameOf(std::string(60, 'a'), "ns"), "");
  const auto ips = [](const char* spec) {
    return tls::ClusterIpsOf(codec::ParseJsonObject(spec).value());
  };
  EXPECT_THAT(ips(R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","fd00::1"]}})"),
              ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_THAT(ips(R"({"spec":{"clusterIP":"10.0.0.1"}})"), ElementsAre("10.0.0.1"));
  EXPECT_THAT(ips(R"({"spec":{"clusterIP":"None","clusterIPs":["None"]}})"), IsEmpty());
}

class TlsCommandTest : public ClusterProgramTest {
 protected:
  aio::Task<RunResult> Tls(std::vector<std::string> more = {}, bool with_key = true) {
    std::vector<std::string> words = {"tls",  "web",  "-n",
                                      "shop", "--ca", Write("ca.pem", ca_.certificate_pem())};
    if (with_key) words.insert(words.end(), {"--ca-key", Write("ca-key.pem", ca_.key_pem())});
    words.insert(words.end(), more.begin(), more.end());
    return Run(TlsCommands(), std::move(words));
  }
  api::Secret StoredSecret(const std::string& name = "web-tls") {
    const auto object = server().Find(api::kSecrets, {"shop", name});
    return object.has_value() ? api::Secret::Decode(*object).value() : api::Secret();
  }
  pki::Certificate StoredLeaf() {
    return pki::Certificate::ParsePemBundle(StoredSecret().Get("tls.crt")).value().front();
  }
  void PutService() {
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Service"},
                  {"metadata", json::object{{"name", "web"}, {"namespace", "shop"}}},
                  {"spec", json::object{{"clusterIP", "10.96.0.7"}}}});
  }

  pki::TestCa ca_;
};

ASYNC_TEST_F(TlsCommandTest, MakesSecretAndConfigMap) {
  PutService();
  const RunResult result = co_await Tls();
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "configmap/web-ca created\nsecret/web-tls created\n");
  for (const char* const step :
       {"/web.shop created for example.com/serving", "/web.shop approved",
        "/web.shop signed by CN=test-ca", "certificate downloaded: good until "}) {
    EXPECT_THAT(result.err, HasSubstr(step));
  }
  const auto secret = server().Find(api::kSecrets, {"shop", "web-tls"});
  CO_ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(codec::TextAt(*secret, "type"), "kubernetes.io/tls");
  EXPECT_EQ(codec::FindObject(*secret, "data")->size(), 2u);
  const auto map = server().Find(api::kConfigMaps, {"shop", "web-ca"});
  EXPECT_EQ(codec::TextAt(map->at("data").as_object(), "ca.crt"), ca_.certificate_pem());
  const pki::Certificate leaf = StoredLeaf();
  EXPECT_EQ(leaf.common_name(), "web.shop.svc");
  EXPECT_THAT(leaf.dns_names(),
              ElementsAre("web.shop.svc.cluster.local", "web.shop.svc", "web.shop", "web"));
  EXPECT_THAT(leaf.ip_addresses(), ElementsAre(base::IpAddress::Parse("10.96.0.7").value()));
  const auto key = pki::PrivateKey::ParsePem(StoredSecret().Get("tls.key"));
  EXPECT_TRUE(pki::KeyMatches(leaf, *key).ok());
}

ASYNC_TEST_F(TlsCommandTest, SecondRunChangesNothing) {
  co_await Tls();
  const std::string serial = StoredLeaf().serial();
  const RunResult again = co_await Tls();
  EXPECT_EQ(again.out, "secret/web-tls unchanged\nconfigmap/web-ca unchanged\n") << again.err;
  EXPECT_EQ(StoredLeaf().serial(), serial);
  const RunResult renewed = co_await Tls({"--renew"});
  EXPECT_EQ(renewed.out, "configmap/web-ca unchanged\nsecret/web-tls configured\n") << renewed.err;
  EXPECT_NE(StoredLeaf().serial(), serial);
}

ASYNC_TEST_F(TlsCommandTest, AnotherNameNeedsAnotherCertificate) {
  co_await Tls();
  const RunResult result = co_await Tls({"--hostname", "web.example"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("will not do: the certificate is not for web.example"));
  EXPECT_EQ(StoredLeaf().dns_names().back(), "web.example");
}

ASYNC_TEST_F(TlsCommandTest, TakesUpWhatAnInterruptedRunHasLeft) {
  server().Inject({.method = "POST", .path_contains = "/secrets", .status = 403});
  const RunResult interrupted = co_await Tls();
  EXPECT_EQ(interrupted.code, 1);
  const RunResult result = co_await Tls();
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("/web.shop replaced for "));
  EXPECT_EQ(result.out, "configmap/web-ca unchanged\nsecret/web-tls created\n");
}

ASYNC_TEST_F(TlsCommandTest, LeavesASecretOfAnotherProgramAlone) {
  server().Put(
      {{"apiVersion", "v1"},
       {"kind", "Secret"},
       {"type", "kubernetes.io/tls"},
       {"metadata",
        json::object{{"name", "web-tls"},
                     {"namespace", "shop"},
                     {"annotations", json::object{{"cert-manager.io/certificate-name", "web"}}}}}});
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--renew"}}) {
    const RunResult result = co_await Tls(more);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("Secret shop/web-tls is managed by cert-manager"));
  }
  EXPECT_EQ(server().Count("POST"), 0) << "nobody was asked";
}

ASYNC_TEST_F(TlsCommandTest, LeavesASecretOfAnotherKindAlone) {
  server().Put({{"apiVersion", "v1"},
                {"kind", "Secret"},
                {"type", "Opaque"},
                {"metadata", json::object{{"name", "web-tls"}, {"namespace", "shop"}}},
                {"data", json::object{{"a", "Yg=="}}}});
  const RunResult result = co_await Tls();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("Secret shop/web-tls is of type Opaque, not kubernetes.io/tls"));
  EXPECT_EQ(StoredSecret().Get("a"), "b");
  EXPECT_EQ(server().Count("POST"), 0);
}

ASYNC_TEST_F(TlsCommandTest, WritesFilesAndUsesTheirKeyAgain) {
  const RunResult result = co_await Tls({"-o", "files", "--directory", folder()});
  EXPECT_EQ(result.code, 0) << result.err;
  const std::string key = base::ReadFile(folder() + "/web-key.pem").value();
  struct stat info;
  EXPECT_EQ(stat((folder() + "/web-key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(base::ReadFile(folder() + "/ca.crt").value(), ca_.certificate_pem());
  const std::string certificate = base::ReadFile(folder() + "/web.crt").value();
  const RunResult renewed = co_await Tls({"-o", "files", "--directory", folder(), "--renew"});
  EXPECT_EQ(renewed.code, 0) << renewed.err;
  EXPECT_EQ(base::ReadFile(folder() + "/web-key.pem").value(), key);
  EXPECT_NE(base::ReadFile(folder() + "/web.crt").value(), certificate);
  EXPECT_EQ(server().Count("", "/secrets"), 0);
}

ASYNC_TEST_F(TlsCommandTest, ADeniedRequestOfItsOwnIsMadeAnew) {
  co_await Tls({"-o", "files", "--directory", folder()});
  auto csr = api::CertificateSigningRequest::Decode(
                 *server().Find(api::kCertificateSigningRequests, {"", "web.shop"}))
                 .value();
  csr.conditions = {{.type = "Denied", .status = "True"}};
  csr.certificate_pem.clear();
  server().Put(csr.Encode());
  const RunResult result = co_await Tls({"-o", "files", "--directory", folder(), "--renew"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("/web.shop replaced for "));
}

ASYNC_TEST_F(TlsCommandTest, DryRunPrintsObjectsWithoutAKey) {
  const RunResult result = co_await Tls({"--dry-run"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto objects = codec::ParseYamlDocuments(result.out);
  CO_ASSERT_OK(objects.status());
  EXPECT_EQ(objects->size(), 3u);
  EXPECT_EQ(result.out.find("PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(server().Count("POST"), 0);
}

// A signer of the cluster: approves what comes, with a certificate of `names`.
class ForeignSignerTest : public ClusterTest {
 protected:
  aio::Task<void> SignWhatComes(std::vector<std::string> names) {
    std::optional<json::object> object;
    while (!object.has_value()) {
      (void)co_await aio::Sleep(absl::Milliseconds(5));
      object = server().Find(api::kCertificateSigningRequests, {"", "web.default"});
    }
    auto csr = api::CertificateSigningRequest::Decode(*object).value();
    const auto request = pki::CertificateRequest::ParsePem(csr.request_pem).value();
    csr.conditions = {{.type = "Approved", .status = "True"}};
    csr.certificate_pem =
        ca_.Issue(request.public_key(), {.common_name = request.common_name(),
                                         .dns_names = std::move(names),
                                         .key_usages = {pki::KeyUsage::kDigitalSignature},
                                         .extended_key_usages = {std::string(pki::kOidServerAuth)},
                                         .not_before = absl::Now() - absl::Hours(1),
                                         .not_after = absl::Now() + absl::Hours(1)})
            .pem();
    server().Put(csr.Encode());
  }
  tls::Plan MakePlan() {
    return {.service = "web",
            .csr_name = "web.default",
            .signer_name = "example.com/serving",
            .usages = {"digital signature", "server auth"},
            .description_file = "--hostname",
            .ca_text = ca_.certificate_pem(),
            .ca = {ca_.certificate()},
            .timeout = absl::Seconds(20),
            .target = {.secret = true},
            .secret_name = "web-tls"};
  }

  pki::TestCa ca_{"test-ca", absl::Now()};
};

ASYNC_TEST_F(ForeignSignerTest, IsWaitedForWithoutAKeyOfTheCa) {
  aio::TaskGroup group(executor());
  group.Spawn(
      SignWhatComes({"web.default.svc.cluster.local", "web.default.svc", "web.default", "web"}));
  const tls::Plan plan = MakePlan();
  CO_ASSERT_OK(co_await tls::IssueForService(cluster(), plan));
  EXPECT_EQ(out(), "secret/web-tls created\n");
  EXPECT_THAT(err(), HasSubstr("waiting for the signer example.com/serving"));
  EXPECT_EQ(server().Count("PUT"), 0);
  co_await group.Stop();
}

ASYNC_TEST_F(ForeignSignerTest, WhatItGivesIsLookedAt) {
  aio::TaskGroup group(executor());
  group.Spawn(SignWhatComes({"web"}));
  const tls::Plan plan = MakePlan();
  const auto result = co_await tls::IssueForService(cluster(), plan);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("will not do: the certificate is not for web.default.svc.cluster.local"));
  EXPECT_EQ(server().Count("POST", "/secrets"), 0);
  co_await group.Stop();
}

ASYNC_TEST_F(TlsCommandTest, RefusesACertificateOfAForeignCa) {
  const pki::TestCa foreign("foreign-ca");
  const RunResult result =
      co_await Run(TlsCommands(),
                   {"tls", "web", "-n", "shop", "--ca", Write("ca.pem", foreign.certificate_pem()),
                    "--ca-key", Write("ca-key.pem", ca_.key_pem())});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("ca.pem with "));
  EXPECT_EQ(server().Count("POST"), 0);
}

}  // namespace
}  // namespace calico::calicert
