// The operator as the CA: an Installation without certificateManagement, and the way from and to
// one that has it.

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/installation/integration/operator_test_world.h"
#include "operator/render/testing/objects.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/verify.h"

namespace calico::installation {
namespace {

using base::IsOk;
using render::ObjectAt;
using render::TextAt;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int kAlways = 1'000'000;
const api::ObjectKey kCa = {"tigera-operator", "tigera-ca-private"};
const api::ObjectKey kNodeOriginal = {"tigera-operator", "node-certs"};
const api::ObjectKey kTyphaOriginal = {"tigera-operator", "typha-certs"};
const api::ObjectKey kNodeCopy = {"calico-system", "node-certs"};
const api::ObjectKey kTyphaCopy = {"calico-system", "typha-certs"};
const api::ObjectKey kBundle = {"calico-system", "tigera-ca-bundle"};

class CertificatesTest : public OperatorProgramTest {
 protected:
  static json::object Plain() {
    json::object object = Installation();
    ObjectAt(object, {"spec"}).erase("certificateManagement");
    return object;
  }
  aio::Task<void> StartAvailable() {
    PutInstallation(Plain());
    Start();
    co_await Until("the workloads", [&] {
      return Find(api::kDaemonSets, kNodeKey).has_value() &&
             Find(api::kDeployments, kControllersKey).has_value();
    });
    co_await Until("conditions", [&] { return HasConditions(); });
    MakeEverythingRun();
    co_await Until("available", [&] { return IsAvailable(); });
    co_await Settle();
  }
  std::string Degraded() {
    return Condition("Degraded") == "True" ? Condition("Degraded", "message") : "";
  }
  // Of a Secret; empty: it is not there, or has no such key.
  std::string Value(const api::ObjectKey& key, std::string_view field) {
    std::optional<json::object> secret = Find(api::kSecrets, key);
    if (!secret.has_value() || !secret->contains("data")) return "";
    const auto text = base::Base64Decode(TextAt(ObjectAt(*secret, {"data"}), field));
    return text.value_or("");
  }
  std::string Template(const api::Resource& resource, const api::ObjectKey& key) {
    json::object object = *Find(resource, key);
    return codec::Serialize(ObjectAt(object, {"spec", "template"}));
  }
  // As users make them: no owner, no labels.
  void PutPair(const api::ObjectKey& key, std::map<std::string, std::string> data) {
    json::object encoded;
    for (const auto& [name, text] : data) encoded[name] = base::Base64Encode(text);
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Secret"},
                  {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
                  {"type", "Opaque"},
                  {"data", std::move(encoded)}});
  }
  static std::map<std::string, std::string> Supplied(const pki::TestLeaf& leaf, const char* name) {
    return {{"cert.crt", leaf.chain_pem}, {"key.key", leaf.key_pem}, {"common-name", name}};
  }
  // The newest revision of each workload, with a pod of it, and none of another one.
  void RollOut() {
    const auto owner = [](const json::object& object) {
      return json::array{{{"apiVersion", "apps/v1"},
                          {"kind", object.at("kind")},
                          {"name", object.at("metadata").at("name")},
                          {"uid", object.at("metadata").at("uid")},
                          {"controller", true}}};
    };
    ++revision_;
    for (const api::ObjectKey& key : {kNodeKey, kCsiKey}) {
      const std::string hash = fmt::format("h{}", revision_);
      server().Put({{"apiVersion", "apps/v1"},
                    {"kind", "ControllerRevision"},
                    {"metadata",
                     {{"name", fmt::format("{}-{}", key.name, hash)},
                      {"namespace", key.ns},
                      {"labels", {{"controller-revision-hash", hash}}},
                      {"ownerReferences", owner(*Find(api::kDaemonSets, key))}}},
                    {"revision", revision_}});
    }
    for (const api::ObjectKey& key : {kTyphaKey, kControllersKey}) {
      const std::string hash = fmt::format("h{}", revision_);
      server().Put(
          {{"apiVersion", "apps/v1"},
           {"kind", "ReplicaSet"},
           {"metadata",
            {{"name", fmt::format("{}-{}", key.name, hash)},
             {"namespace", key.ns},
             {"labels", {{"pod-template-hash", hash}}},
             {"annotations", {{"deployment.kubernetes.io/revision", fmt::to_string(revision_)}}},
             {"ownerReferences", owner(*Find(api::kDeployments, key))}}}});
    }
    MakeEverythingRun(1000);
  }
  void PutNodePod(const char* name, std::string_view hash) {
    const json::object set = *Find(api::kDaemonSets, kNodeKey);
    server().Put({{"apiVersion", "v1"},
                  {"kind", "Pod"},
                  {"metadata",
                   {{"name", name},
                    {"namespace", "calico-system"},
                    {"labels", {{"k8s-app", "calico-node"}, {"controller-revision-hash", hash}}},
                    {"ownerReferences", json::array{{{"apiVersion", "apps/v1"},
                                                     {"kind", "DaemonSet"},
                                                     {"name", "calico-node"},
                                                     {"uid", set.at("metadata").at("uid")},
                                                     {"controller", true}}}}}},
                  {"spec", {{"nodeName", "a"}}},
                  {"status", {{"phase", "Running"}}}});
  }

  int revision_ = 0;
};

ASYNC_TEST_F(CertificatesTest, MakesACaPairsAndCopiesOnce) {
  co_await StartAvailable();
  const auto roots = pki::Certificate::ParsePemBundle(Value(kCa, "tls.crt"));
  CO_ASSERT_OK(roots.status());
  EXPECT_EQ(roots->front().common_name(), "tigera-operator-signer");
  for (const auto& [original, copy, name] :
       {std::tuple(kNodeOriginal, kNodeCopy, "typha-client"),
        std::tuple(kTyphaOriginal, kTyphaCopy, "typha-server")}) {
    const auto chain = pki::Certificate::ParsePemBundle(Value(copy, "tls.crt"));
    CO_ASSERT_OK(chain.status());
    EXPECT_THAT(chain->front().dns_names(), testing::ElementsAre(name));
    EXPECT_THAT(
        pki::VerifyChain(chain->front(), {}, *roots, pki::ExtendedKeyUsage::kAny, absl::Now()),
        IsOk());
    EXPECT_THAT(Value(copy, "tls.key"), StartsWith("-----BEGIN RSA PRIVATE KEY-----"));
    EXPECT_EQ(Value(original, "tls.key"), Value(copy, "tls.key"));
    json::object secret = *Find(api::kSecrets, copy);
    EXPECT_EQ(secret.at("metadata").at("ownerReferences").at(0).at("kind"), "Installation");
    EXPECT_EQ(
        TextAt(ObjectAt(secret, {"metadata", "labels"}), "certificates.operator.tigera.io/signer"),
        "tigera-operator-signer");
  }
  EXPECT_EQ(Find(api::kSecrets, kCa)->at("metadata").at("ownerReferences").at(0).at("uid"),
            Find(api::kInstallations, kDefault)->at("metadata").at("uid"));
  EXPECT_THAT(Template(api::kDaemonSets, kNodeKey), HasSubstr(R"("secretName":"node-certs")"));
  EXPECT_EQ(server().Count("POST", "/secrets"), 3);
  EXPECT_EQ(Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation"), 1);
  // No key is ever in a log.
  for (const std::string& line : log()) EXPECT_EQ(line.find("PRIVATE"), std::string::npos);

  // Nothing is written while nothing changes, by a new operator neither.
  server().ClearRequests();
  server().DropWatches();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
  Start();
  co_await Until("watches", [&] { return server().watches() > 20; });
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  EXPECT_TRUE(IsAvailable());
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, WhatIsDoneByHandIsPutRightWithTheSameCa) {
  co_await StartAvailable();
  const std::string ca = Value(kCa, "tls.crt");
  const std::string typha = Value(kTyphaOriginal, "tls.crt");
  const std::string bundle = codec::Serialize(Find(api::kConfigMaps, kBundle)->at("data"));
  const std::string node_template = Template(api::kDaemonSets, kNodeKey);
  server().ClearRequests();
  server().state().Remove(api::kSecrets, kTyphaCopy);
  server().state().Remove(api::kConfigMaps, kBundle);
  PutPair(kNodeCopy, {{"tls.crt", "other"}, {"tls.key", "other"}});
  co_await Until("put right", [&] {
    return Value(kTyphaCopy, "tls.crt") == typha && Find(api::kConfigMaps, kBundle).has_value() &&
           Value(kNodeCopy, "tls.crt") == Value(kNodeOriginal, "tls.crt");
  });
  // An original that is gone is made from its copy.
  server().state().Remove(api::kSecrets, kTyphaOriginal);
  co_await Until("the original", [&] { return Value(kTyphaOriginal, "tls.crt") == typha; });
  json::object stripped = *Find(api::kSecrets, kCa);
  ObjectAt(stripped, {"metadata"}).erase("labels");
  server().Put(std::move(stripped));
  co_await Until("labels", [&] {
    return Find(api::kSecrets, kCa)->at("metadata").as_object().contains("labels");
  });
  co_await Settle();
  EXPECT_EQ(Value(kCa, "tls.crt"), ca);
  EXPECT_EQ(codec::Serialize(Find(api::kConfigMaps, kBundle)->at("data")), bundle);
  EXPECT_EQ(Template(api::kDaemonSets, kNodeKey), node_template);
  EXPECT_EQ(server().Count("POST", "/secrets"), 1);
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, TwoReplicasMakeOneCa) {
  PutInstallation(Plain());
  Start();
  const auto first = std::move(operator_);
  Start();
  co_await Until("the workloads", [&] { return Find(api::kDeployments, kTyphaKey).has_value(); });
  co_await Until("conditions", [&] { return HasConditions(); });
  co_await Settle();
  first->stop.Notify();
  co_await first->group.Join();
  co_await first->group.Stop();
  co_await Settle();
  const auto roots = pki::Certificate::ParsePemBundle(Value(kCa, "tls.crt"));
  CO_ASSERT_OK(roots.status());
  for (const api::ObjectKey& key : {kNodeOriginal, kTyphaOriginal, kNodeCopy, kTyphaCopy}) {
    const auto chain = pki::Certificate::ParsePemBundle(Value(key, "tls.crt"));
    CO_ASSERT_OK(chain.status());
    EXPECT_TRUE(pki::IsIssuedBy(chain->front(), roots->front())) << key.ToString();
  }
  json::object bundle = *Find(api::kConfigMaps, kBundle);
  EXPECT_THAT(TextAt(ObjectAt(bundle, {"data"}), "ca.crt"), HasSubstr(roots->front().pem()));
  EXPECT_EQ(Find(api::kDaemonSets, kNodeKey)->at("metadata").at("generation"), 1);
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, SecretsThatCannotBeListedAreNotMadeAnew) {
  co_await StartAvailable();
  const std::string ca = Value(kCa, "tls.crt");
  co_await Stop();
  for (const char* path : {"/tigera-operator/secrets", "metadata.name=typha-certs"}) {
    SCOPED_TRACE(path);
    server().Inject({.method = "GET",
                     .path_contains = path,
                     .times = kAlways,
                     .status = 403,
                     .reason = "Forbidden"});
    server().ClearRequests();
    Start();
    co_await Until("told", [&] { return Degraded().find("list Secret in ") != std::string::npos; });
    EXPECT_THAT(Degraded(), HasSubstr("apply the operator.yaml of this version"));
    EXPECT_THAT(Degraded(), HasSubstr("what runs is left as it is and nothing is made"));
    EXPECT_THAT(Degraded(), testing::Not(HasSubstr("everything else")));
    co_await Settle();
    EXPECT_EQ(server().Count("POST", "/secrets"), 0);
    EXPECT_EQ(server().Count("DELETE"), 0);
    server().ClearFaults();
    co_await Until("available again", [&] { return IsAvailable(); });
    co_await Stop();
  }
  EXPECT_EQ(Value(kCa, "tls.crt"), ca);
}

ASYNC_TEST_F(CertificatesTest, ABadInstallationOrNoneTakesNoKeyAway) {
  co_await StartAvailable();
  const std::string ca = Value(kCa, "tls.key");
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 99999; });
  co_await Until("degraded", [&] { return !Degraded().empty(); });
  co_await Settle();
  server().ClearRequests();
  server().state().Remove(api::kInstallations, kDefault);
  co_await Until("no status", [&] { return !Find(api::kTigeraStatuses, kCalico).has_value(); });
  co_await Settle();
  // What belongs to the Installation is the garbage collector's.
  EXPECT_EQ(server().Count("DELETE", "/secrets"), 0);
  EXPECT_EQ(Value(kCa, "tls.key"), ca);
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, SuppliedPairsWinAndAreLeftAlone) {
  const pki::TestCa ca("my-ca", absl::Now());
  const auto node = ca.Leaf({.common_name = "my-felix", .dns_names = {"my-felix"}});
  const auto typha = ca.Leaf({.common_name = "my-typha", .dns_names = {"my-typha"}});
  PutPair(kNodeOriginal, Supplied(node, "my-felix"));
  PutPair(kTyphaOriginal, Supplied(typha, "my-typha"));
  const json::object before = *Find(api::kSecrets, kTyphaOriginal);
  co_await StartAvailable();
  EXPECT_EQ(*Find(api::kSecrets, kTyphaOriginal), before);
  EXPECT_EQ(Value(kTyphaCopy, "tls.crt"), typha.chain_pem);
  EXPECT_EQ(Value(kTyphaCopy, "tls.key"), typha.key_pem);
  EXPECT_THAT(Template(api::kDaemonSets, kNodeKey), HasSubstr("my-typha"));
  json::object bundle = *Find(api::kConfigMaps, kBundle);
  EXPECT_THAT(TextAt(ObjectAt(bundle, {"data"}), "ca.crt"), HasSubstr(node.chain_pem));
  EXPECT_EQ(server().Count("POST", "/secrets"), 1);  // the CA

  // Bad ones are told, and pods keep what they have.
  const std::string typha_template = Template(api::kDeployments, kTyphaKey);
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const std::pair<const char*, std::map<std::string, std::string>> cases[] = {
      {"half", {{"cert.crt", typha.chain_pem}, {"common-name", "my-typha"}}},
      {"encrypted",
       {{"cert.crt", typha.chain_pem}, {"key.key", encrypted}, {"common-name", "my-typha"}}},
      {"another's key",
       {{"cert.crt", typha.chain_pem}, {"key.key", node.key_pem}, {"common-name", "my-typha"}}},
  };
  for (const auto& [name, data] : cases) {
    SCOPED_TRACE(name);
    PutPair(kTyphaOriginal, data);
    co_await Until("told", [&] {
      return Degraded().find("Secret tigera-operator/typha-certs") != std::string::npos;
    });
    EXPECT_EQ(Condition("Degraded", "reason"), "CertificateError");
    co_await Settle();
    EXPECT_EQ(Value(kTyphaCopy, "tls.key"), typha.key_pem);
    EXPECT_EQ(Template(api::kDeployments, kTyphaKey), typha_template);
    PutPair(kTyphaOriginal, Supplied(typha, "my-typha"));
    co_await Until("available again", [&] { return IsAvailable(); });
  }
  // Line ends of Windows are no trouble.
  std::map<std::string, std::string> windows = Supplied(typha, "my-typha");
  for (const char* key : {"cert.crt", "key.key"}) {
    std::string& text = windows[key];
    for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
      text.insert(at, 1, '\r');
    }
  }
  PutPair(kTyphaOriginal, windows);
  co_await Until("the copy", [&] { return Value(kTyphaCopy, "tls.key") == windows["key.key"]; });
  EXPECT_EQ(Degraded(), "");
  co_await Stop();
}

// The user's Secret comes between what was read and what is written for it.
ASYNC_TEST_F(CertificatesTest, ASecretThatTheUserPutsThereAtTheLastMomentIsNotOverwritten) {
  co_await StartAvailable();
  const auto node = pki::TestCa("my-ca", absl::Now())
                        .Leaf({.common_name = "my-felix", .dns_names = {"my-felix"}});
  // The bundle is applied before Secrets are.
  bool is_users = false;
  server().state().SetWebhook([&](const api::Resource& resource, json::object& object) {
    if (is_users || resource != api::kConfigMaps || TextAt(object, "kind") != "ConfigMap") return;
    is_users = true;
    PutPair(kNodeOriginal, Supplied(node, "my-felix"));
  });
  json::object stripped = *Find(api::kSecrets, kNodeOriginal);
  ObjectAt(stripped, {"metadata"}).erase("labels");
  server().ClearRequests();
  server().Put(std::move(stripped));
  server().state().Remove(api::kConfigMaps, kBundle);
  co_await Until("the copy", [&] { return Value(kNodeCopy, "tls.crt") == node.chain_pem; });
  co_await Settle();
  EXPECT_TRUE(is_users);
  EXPECT_EQ(Value(kNodeOriginal, "cert.crt"), node.chain_pem);
  EXPECT_EQ(Value(kNodeOriginal, "tls.crt"), "");
  EXPECT_EQ(Degraded(), "");
  for (const auto& request : server().requests()) {
    EXPECT_EQ(request.body.find("somebody else"), std::string::npos) << request.body;
  }
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, AnOriginalThatIsDeletedAFewTimesComesBackWithoutAWord) {
  co_await StartAvailable();
  server().ClearRequests();
  for (int i = 0; i < 3; ++i) {
    server().state().Remove(api::kSecrets, kNodeOriginal);
    co_await Until("it is back", [&] { return Find(api::kSecrets, kNodeOriginal).has_value(); });
    co_await Settle();
  }
  EXPECT_TRUE(IsAvailable());
  EXPECT_EQ(Writes(), 3);
  // Then it is told for what it is, and pods go on with what they have.
  server().state().Remove(api::kSecrets, kNodeOriginal);
  co_await Until("told", [&] { return !Degraded().empty(); });
  EXPECT_EQ(Condition("Degraded", "reason"), "CertificateError");
  EXPECT_THAT(Degraded(),
              HasSubstr("Secret tigera-operator/node-certs is deleted again and again"));
  EXPECT_EQ(Degraded().find("label"), std::string::npos);
  ChangeSpec([](json::object& spec) { spec["nodeMetricsPort"] = 9091; });
  co_await Until("the rest goes on", [&] {
    return Template(api::kDaemonSets, kNodeKey).find("9091") != std::string::npos;
  });
  co_await Until("it is back", [&] { return Find(api::kSecrets, kNodeOriginal).has_value(); });
  MakeEverythingRun();
  co_await Until("available again", [&] { return IsAvailable(); });
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, PodsThatAskTakeThePairsAwayOnceNoneIsLeftThatMountsThem) {
  co_await StartAvailable();
  RollOut();
  PutNodePod("old", "h1");
  co_await Settle();
  const std::string ca = Value(kCa, "tls.crt");
  PutInstallation(Installation());
  co_await Until("pods ask", [&] {
    return Template(api::kDaemonSets, kNodeKey).find("key-cert-provisioner") != std::string::npos;
  });
  RollOut();  // but one pod is of before
  co_await Settle();
  EXPECT_EQ(Value(kCa, "tls.crt"), ca);
  EXPECT_TRUE(Find(api::kSecrets, kNodeCopy).has_value());
  EXPECT_EQ(server().Count("DELETE", "/secrets"), 0);

  server().state().Remove(api::kPods, {"calico-system", "old"});
  PutNodePod("new", "h2");
  co_await Until("deleted", [&] { return !Find(api::kSecrets, kCa).has_value(); });
  co_await Until("all of them", [&] {
    return !Find(api::kSecrets, kNodeCopy).has_value() &&
           !Find(api::kSecrets, kTyphaCopy).has_value() &&
           !Find(api::kSecrets, kNodeOriginal).has_value() &&
           !Find(api::kSecrets, kTyphaOriginal).has_value();
  });
  co_await Settle();
  server().ClearRequests();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);

  PutInstallation(Plain());
  co_await Until("a new CA", [&] { return Find(api::kSecrets, kTyphaCopy).has_value(); });
  co_await Until("mounted", [&] {
    return Template(api::kDaemonSets, kNodeKey).find("key-cert-provisioner") == std::string::npos;
  });
  EXPECT_NE(Value(kCa, "tls.crt"), ca);
  co_await Stop();
}

ASYNC_TEST_F(CertificatesTest, AWriteThatIsRefusedIsToldAndNothingElseIsMade) {
  server().Inject({.method = "POST",
                   .path_contains = "/tigera-operator/secrets",
                   .times = kAlways,
                   .status = 403,
                   .reason = "Forbidden"});
  PutInstallation(Plain());
  Start();
  co_await Until("told", [&] { return !Degraded().empty(); });
  EXPECT_EQ(Condition("Degraded", "reason"), "CertificateError");
  EXPECT_THAT(Degraded(), HasSubstr("apply the operator.yaml of this version"));
  EXPECT_FALSE(Find(api::kDaemonSets, kNodeKey).has_value());
  server().ClearFaults();
  co_await Until("the workloads", [&] { return Find(api::kDaemonSets, kNodeKey).has_value(); });
  co_await Stop();
}

}  // namespace
}  // namespace calico::installation
