#include "operator/controllers/certificates/certificate_keeper.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/demands.h"
#include "operator/controllers/certificates/secret_view.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/metrics/registry.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::certificates {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const api::ObjectKey kCaKey = {"tigera-operator", "tigera-ca-private"};
const api::ObjectKey kNodeKey = {"tigera-operator", "node-certs"};

class CertificateKeeperTest : public kube::FakeApiServerTest {
 protected:
  // Runs the watches until the test ends.
  struct Running {
    Running(CertificateKeeperTest& test)
        : view(test.client(), "tigera-operator", "v3.32", "calico-operator", base::SystemClock(),
               test.logger(), test.executor()),
          keeper(test.client(), view, registry,
                 {.field_manager = "calico-operator", .hash_annotation = "applied"},
                 base::SystemClock(), test.logger()),
          group(test.executor()) {
      group.Spawn(view.Run());
    }

    SecretView view;
    metrics::Registry registry;
    CertificateKeeper keeper;
    aio::TaskGroup group;
  };

  static Demands Wanted() {
    return {.release = "v3.32",
            .operator_namespace = "tigera-operator",
            .key_pairs = {NodeKeyPair(), TyphaKeyPair()}};
  }
  json::object Secret(const api::ObjectKey& key, json::object data,
                      std::string_view type = "Opaque") {
    return {{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
            {"type", type},
            {"data", std::move(data)}};
  }
  static json::object Pair(std::string_view certificate, std::string_view key) {
    return {{"tls.crt", base::Base64Encode(certificate)}, {"tls.key", base::Base64Encode(key)}};
  }
  std::string Certificate(const api::ObjectKey& key) {
    const std::optional<json::object> secret = server().Find(api::kSecrets, key);
    return secret.has_value() ? std::string(secret->at("data").at("tls.crt").as_string()) : "";
  }
};

ASYNC_TEST_F(CertificateKeeperTest, APlanIsMadeAnewOnlyWhenItsInputsChange) {
  Running running(*this);
  CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Prepare(Wanted()));
  EXPECT_TRUE(plan->HasNewKeys());
  EXPECT_EQ(server().Count("POST"), 0);
  CO_ASSERT_OK_AND_ASSIGN(const auto same, co_await running.keeper.Prepare(Wanted()));
  EXPECT_EQ(same, plan);
  CO_ASSERT_OK_AND_ASSIGN(const auto written, co_await running.keeper.Write({"uid", ""}));
  EXPECT_EQ(written, plan);
  EXPECT_FALSE(written->HasNewKeys());
  EXPECT_EQ(server().Count("POST", "/tigera-operator/secrets"), 3);
  // What is read now is what was written.
  CO_ASSERT_OK_AND_ASSIGN(const auto read, co_await running.keeper.Prepare(Wanted()));
  EXPECT_NE(read, plan);
  EXPECT_FALSE(read->HasNewKeys());
  EXPECT_EQ(read->Find(kNodeCerts)->certificate_pem, plan->Find(kNodeCerts)->certificate_pem);
  // Secrets of other names change nothing, lists neither.
  server().Put(Secret({"tigera-operator", "other"}, {}));
  server().DropWatches();
  CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(500)));
  CO_ASSERT_OK_AND_ASSIGN(const auto still, co_await running.keeper.Prepare(Wanted()));
  EXPECT_EQ(still, read);
  // Others are asked for.
  Demands more = Wanted();
  more.key_pairs.push_back(ApiServerKeyPair("calico-system", "cluster.local"));
  CO_ASSERT_OK_AND_ASSIGN(const auto another, co_await running.keeper.Prepare(std::move(more)));
  EXPECT_TRUE(another->HasNewKeys());
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, ACaThatSomebodyElseHasMadeMeanwhileIsTaken) {
  Running running(*this);
  CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
  const pki::TestCa other("tigera-operator-signer", absl::Now());
  server().Put(Secret(kCaKey, Pair(other.certificate_pem(), other.key_pem())));
  CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Write({"uid", ""}));
  EXPECT_EQ(Certificate(kCaKey), base::Base64Encode(other.certificate_pem()));
  EXPECT_THAT(plan->bundle.text, HasSubstr(other.certificate_pem()));
  const auto chain = pki::Certificate::ParsePemBundle(plan->Find(kNodeCerts)->certificate_pem);
  CO_ASSERT_OK(chain.status());
  EXPECT_TRUE(pki::IsIssuedBy(chain->front(), other.certificate()));
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, AKeyIsReplacedOnlyInTheVersionThatWasRead) {
  const pki::TestCa ca("tigera-operator-signer", absl::Now());
  const pki::TestCa old("tigera-operator-signer", absl::Now());
  server().Put(Secret(kCaKey, Pair(ca.certificate_pem(), ca.key_pem())));
  const auto foreign = old.Leaf({.common_name = "typha-client", .dns_names = {"typha-client"}});
  server().Put(Secret(kNodeKey, Pair(foreign.certificate_pem, foreign.key_pem)));
  Running running(*this);
  CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Prepare(Wanted()));
  EXPECT_THAT(plan->notes, ::testing::Contains(HasSubstr("another CA")));
  // The user puts his own there at the last moment.
  const auto users = pki::TestCa("my-ca", absl::Now())
                         .Leaf({.common_name = "my-felix", .dns_names = {"my-felix"}});
  json::object supplied = Pair(users.chain_pem, users.key_pem);
  supplied["common-name"] = base::Base64Encode("my-felix");
  server().Put(Secret(kNodeKey, std::move(supplied)));
  CO_ASSERT_OK_AND_ASSIGN(const auto written, co_await running.keeper.Write({"uid", ""}));
  EXPECT_EQ(Certificate(kNodeKey), base::Base64Encode(users.chain_pem));
  EXPECT_EQ(written->Find(kNodeCerts)->source, Source::kUserSupplied);
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, ASecretThatIsReplacedHasLabelsAndOwner) {
  const pki::TestCa ca("tigera-operator-signer", absl::Now());
  server().Put(Secret(kCaKey, Pair(ca.certificate_pem(), ca.key_pem())));
  const auto foreign = pki::TestCa("tigera-operator-signer", absl::Now())
                           .Leaf({.common_name = "typha-client", .dns_names = {"typha-client"}});
  server().Put(Secret(kNodeKey, Pair(foreign.certificate_pem, foreign.key_pem)));
  Running running(*this);
  CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
  CO_ASSERT_OK(co_await running.keeper.Write({"uid", ""}));
  const json::object secret = *server().Find(api::kSecrets, kNodeKey);
  EXPECT_EQ(secret.at("metadata").at("ownerReferences").at(0).at("uid"), "uid");
  EXPECT_TRUE(secret.at("metadata").at("annotations").as_object().contains("applied"));
  EXPECT_NE(Certificate(kNodeKey), base::Base64Encode(foreign.certificate_pem));
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, NothingIsPlannedBeforeEverythingIsListed) {
  server().Inject({.method = "GET",
                   .path_contains = "metadata.name=typha-ca",
                   .times = 1000,
                   .status = 403,
                   .reason = "Forbidden"});
  Running running(*this);
  EXPECT_THAT(co_await running.keeper.Prepare(Wanted()),
              base::StatusIs(absl::StatusCode::kPermissionDenied));
  server().ClearFaults();
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, WhatIsDeletedIsTheSecretThatWasSeen) {
  const pki::TestCa ca("tigera-operator-signer", absl::Now());
  server().Put(Secret(kCaKey, Pair(ca.certificate_pem(), ca.key_pem())));
  Running running(*this);
  Demands asked = Wanted();
  asked.ca_cert = pki::TestCa("my-ca", absl::Now()).certificate_pem();
  CO_ASSERT_OK_AND_ASSIGN(auto plan, co_await running.keeper.Prepare(asked));
  EXPECT_TRUE(plan->deletions.empty());
  EXPECT_TRUE(running.keeper.SetRolledOut());
  EXPECT_FALSE(running.keeper.SetRolledOut());
  CO_ASSERT_OK_AND_ASSIGN(plan, co_await running.keeper.Prepare(asked));
  CO_ASSERT_TRUE(plan->deletions.size() == 1);
  // Another one of that name is not the one that was seen.
  server().state().Remove(api::kSecrets, kCaKey);
  server().Put(Secret(kCaKey, Pair(ca.certificate_pem(), ca.key_pem())));
  CO_ASSERT_OK(co_await running.keeper.Delete(plan));
  EXPECT_TRUE(server().Find(api::kSecrets, kCaKey).has_value());
  CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(200)));
  CO_ASSERT_OK_AND_ASSIGN(plan, co_await running.keeper.Prepare(asked));
  CO_ASSERT_OK(co_await running.keeper.Delete(plan));
  EXPECT_FALSE(server().Find(api::kSecrets, kCaKey).has_value());
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, TheMetricHasTheEndOfEachCertificate) {
  Running running(*this);
  EXPECT_THAT(running.registry.Expose(), Not(HasSubstr("seconds{")));
  CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Prepare(Wanted()));
  const std::string text = running.registry.Expose();
  for (
      const char* labels :
      {R"({name="node-certs",namespace="calico-system",issuer="tigera-operator-signer"} )",
       R"({name="node-certs",namespace="tigera-operator",issuer="tigera-operator-signer"} )",
       R"({name="tigera-ca-private",namespace="tigera-operator",issuer="tigera-operator-signer"} )"}) {
    EXPECT_THAT(
        text, HasSubstr(std::string("\ntigera_operator_tls_certificate_expiry_timestamp_seconds") +
                        labels));
  }
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, WhatTheUserHasMadeOfAnUnneededSecretIsNotDeleted) {
  const pki::TestCa ca("tigera-operator-signer", absl::Now());
  const pki::TestCa users("my-ca", absl::Now());
  server().Put(Secret(kCaKey, Pair(ca.certificate_pem(), ca.key_pem())));
  Running running(*this);
  Demands asked = Wanted();
  asked.ca_cert = users.certificate_pem();
  CO_ASSERT_OK(co_await running.keeper.Prepare(asked));
  EXPECT_TRUE(running.keeper.SetRolledOut());
  CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Prepare(asked));
  CO_ASSERT_TRUE(plan->deletions.size() == 1);
  server().Put(Secret(kCaKey, Pair(users.certificate_pem(), users.key_pem())));  // the same UID
  CO_ASSERT_OK(co_await running.keeper.Delete(plan));
  EXPECT_EQ(Certificate(kCaKey), base::Base64Encode(users.certificate_pem()));
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, ANewSecretIsWholeAtOnce) {
  Running running(*this);
  CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
  CO_ASSERT_OK(co_await running.keeper.Write({"uid", ""}));
  const json::object secret = *server().Find(api::kSecrets, kNodeKey);
  EXPECT_EQ(secret.at("metadata").at("ownerReferences").at(0).at("uid"), "uid");
  EXPECT_TRUE(secret.at("metadata").at("annotations").as_object().contains("applied"));
  EXPECT_TRUE(secret.at("metadata").as_object().contains("labels"));
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, WhatIsRefusedIsTriedAgainAfterAPause) {
  server().Inject({.method = "POST", .times = 1000, .status = 403, .reason = "Forbidden"});
  Running running(*this);
  CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Prepare(Wanted()));
  const absl::Status first = (co_await running.keeper.Write({"uid", ""})).status();
  EXPECT_THAT(first, base::StatusIs(absl::StatusCode::kPermissionDenied));
  for (int i = 0; i < 20; ++i) {
    CO_ASSERT_OK_AND_ASSIGN(const auto same, co_await running.keeper.Prepare(Wanted()));
    EXPECT_EQ(same, plan);  // no new keys for nothing
    EXPECT_EQ((co_await running.keeper.Write({"uid", ""})).status(), first);
  }
  EXPECT_EQ(server().Count("POST"), 1);
  server().ClearFaults();
  CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(700)));
  CO_ASSERT_OK(co_await running.keeper.Write({"uid", ""}));
  EXPECT_EQ(server().Count("POST"), 4);
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, WhatSomebodyDeletesAgainAndAgainIsMadeEverMoreRarely) {
  Running running(*this);
  CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
  CO_ASSERT_OK_AND_ASSIGN(auto plan, co_await running.keeper.Write({"uid", ""}));
  // As the applier does.
  server().Put(Secret({"calico-system", "node-certs"},
                      server().Find(api::kSecrets, kNodeKey)->at("data").as_object()));
  const auto delete_and_write = [&]() -> aio::Task<void> {
    server().state().Remove(api::kSecrets, kNodeKey);
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(200)));
    CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
    auto written = co_await running.keeper.Write({"uid", ""});
    CO_ASSERT_OK(written.status());
    plan = *std::move(written);
  };
  for (int i = 0; i < 3; ++i) {
    co_await delete_and_write();
    EXPECT_TRUE(server().Find(api::kSecrets, kNodeKey).has_value());
    EXPECT_THAT(plan->problems, testing::IsEmpty());
  }
  const int before = server().Count("POST");
  co_await delete_and_write();
  EXPECT_EQ(server().Count("POST"), before);
  EXPECT_THAT(plan->problems, testing::ElementsAre(
                                  HasSubstr("Secret tigera-operator/node-certs is deleted again")));
  EXPECT_LT(plan->recheck_at, absl::Now() + absl::Minutes(1));
  EXPECT_NE(plan->Find(kNodeCerts), nullptr);
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, ACaThatIsDeletedAgainAndAgainIsNotMadeWithoutEnd) {
  Running running(*this);
  CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
  CO_ASSERT_OK(co_await running.keeper.Write({"uid", ""}));
  absl::Status written;
  for (int i = 0; i < 4; ++i) {
    CO_ASSERT_OK(written);
    server().state().Remove(api::kSecrets, kCaKey);
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(200)));
    CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
    written = (co_await running.keeper.Write({"uid", ""})).status();
  }
  EXPECT_THAT(written, base::StatusIs(absl::StatusCode::kUnavailable,
                                      HasSubstr("tigera-ca-private is deleted again and again")));
  EXPECT_FALSE(server().Find(api::kSecrets, kCaKey).has_value());
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, WhatGoesWithTheInstallationIsTakenByNobody) {
  Running running(*this);
  for (int i = 0; i < 6; ++i) {
    CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
    CO_ASSERT_OK(co_await running.keeper.Write({fmt::format("uid-{}", i), ""}));
    server().state().Remove(api::kSecrets, kCaKey);
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(200)));
  }
  co_await running.group.Stop();
}

ASYNC_TEST_F(CertificateKeeperTest, WhatTheKeeperDeletesItselfIsTakenByNobody) {
  Running running(*this);
  Demands asked = Wanted();
  asked.ca_cert = pki::TestCa("my-ca", absl::Now()).certificate_pem();
  for (int i = 0; i < 6; ++i) {
    CO_ASSERT_OK(co_await running.keeper.Prepare(Wanted()));
    CO_ASSERT_OK(co_await running.keeper.Write({"uid", ""}));
    CO_ASSERT_OK(co_await running.keeper.Prepare(asked));
    EXPECT_TRUE(running.keeper.SetRolledOut());
    CO_ASSERT_OK_AND_ASSIGN(const auto plan, co_await running.keeper.Prepare(asked));
    CO_ASSERT_OK(co_await running.keeper.Delete(plan));
    EXPECT_FALSE(server().Find(api::kSecrets, kNodeKey).has_value());
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(200)));
  }
  co_await running.group.Stop();
}

using SecretViewTest = CertificateKeeperTest;

ASYNC_TEST_F(SecretViewTest, OfOtherSecretsNothingButTheTypeIsKept) {
  server().Put(Secret({"tigera-operator", "other"}, {{"password", "c2VjcmV0"}}));
  server().Put(Secret({"tigera-operator", "my-pull"}, {{".dockerconfigjson", "e30="}},
                      "kubernetes.io/dockerconfigjson"));
  server().Put(Secret({"calico-system", "other"}, {{"password", "c2VjcmV0"}}));
  Running running(*this);
  CO_ASSERT_OK(co_await running.view.WaitForSync(absl::Seconds(5)));
  const auto other = running.view.PullSecret("other");
  CO_ASSERT_TRUE(other != nullptr);
  EXPECT_EQ(other->type, "Opaque");
  EXPECT_TRUE(other->data.empty());
  EXPECT_EQ(running.view.PullSecret("my-pull")->data.at(".dockerconfigjson"), "e30=");
  EXPECT_TRUE(running.view.ReadLive()->secrets.empty());
  EXPECT_EQ(running.view.version(), 0U);
  EXPECT_FALSE(running.view.Covers(api::kSecrets, {"calico-system", "other"}));
  EXPECT_FALSE(running.view.Covers(api::kSecrets, {"other", "node-certs"}));
  EXPECT_EQ(running.view.Get(api::kSecrets, {"tigera-operator", "other"}), nullptr);
  // Only three names are asked for where pods are.
  for (const auto& request : server().requests()) {
    if (request.path == "/api/v1/namespaces/calico-system/secrets") {
      EXPECT_THAT(request.Query("fieldSelector"), HasSubstr("metadata.name="));
    }
  }
  co_await running.group.Stop();
}

ASYNC_TEST_F(SecretViewTest, TheWholeSecretIsThereToBeCompared) {
  server().Put(Secret(kNodeKey, {{"tls.key", "c2VjcmV0"}}));
  Running running(*this);
  CO_ASSERT_OK(co_await running.view.WaitForSync(absl::Seconds(5)));
  const auto live = running.view.Get(api::kSecrets, kNodeKey);
  CO_ASSERT_TRUE(live != nullptr);
  const json::object object = live->Parse();
  EXPECT_EQ(object.at("data").at("tls.key"), "c2VjcmV0");
  EXPECT_EQ(object.at("kind"), "Secret");
  EXPECT_EQ(object.at("metadata").at("name"), "node-certs");
  co_await running.group.Stop();
}

}  // namespace
}  // namespace calico::certificates
