// What the offline commands make, written into a cluster.
#include "operator/calicert/tls/apply.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/calico/typha/typha_commands.h"
#include "operator/calicert/cluster/testing/cluster_program.h"
#include "operator/calicert/etcd/commands.h"
#include "pkg/api/core/secret.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/file.h"
#include "pkg/codec/json.h"

namespace calico::calicert {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ApplyTest : public ClusterProgramTest {
 protected:
  aio::Task<RunResult> Etcd(std::vector<std::string> words) {
    words.insert(words.begin(), "etcd");
    return Run(EtcdCommands(ApplyToCluster()), std::move(words));
  }
  aio::Task<RunResult> Typha() {
    return Run(TyphaCommands(ApplyToCluster()),
               {"calico", "typha-tls", folder() + "/typha", "--apply"});
  }
  api::Secret StoredSecret(const std::string& name) {
    const auto object = server().Find(api::kSecrets, {"kube-system", name});
    return object.has_value() ? api::Secret::Decode(*object).value() : api::Secret();
  }
};

ASYNC_TEST_F(ApplyTest, SecretsOfAnEtcdUserAreWrittenAndNoKeyIsPrinted) {
  const std::string file = Write("etcd.yaml", R"(directory: certs
members: [{name: m1, clientURLs: [https://10.0.0.1:2379], peerURLs: [https://10.0.0.1:2380]}]
users: [{name: calico}]
secrets: [{name: calico-etcd-secrets, namespace: kube-system, user: calico}]
)");
  const RunResult made = co_await Etcd({"generate", file});
  EXPECT_EQ(made.code, 0) << made.err;
  const RunResult result = co_await Etcd({"secrets", file, "--apply"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "secret/calico-etcd-secrets created\n");
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("PRIVATE KEY")));
  const api::Secret secret = StoredSecret("calico-etcd-secrets");
  EXPECT_EQ(secret.Get("etcd-ca"), base::ReadFile(folder() + "/certs/ca.pem").value());
  EXPECT_EQ(secret.Get("etcd-cert"), base::ReadFile(folder() + "/certs/user-calico.pem").value());
  EXPECT_EQ(secret.Get("etcd-key"),
            base::ReadFile(folder() + "/certs/user-calico-key.pem").value());
  EXPECT_EQ((co_await Etcd({"secrets", file, "--apply"})).out,
            "secret/calico-etcd-secrets unchanged\n");
  EXPECT_EQ((co_await Etcd({"generate", file, "--force"})).code, 0);
  EXPECT_EQ((co_await Etcd({"secrets", file, "--apply"})).out,
            "secret/calico-etcd-secrets configured\n");
}

ASYNC_TEST_F(ApplyTest, TyphasObjectsInOneStep) {
  const RunResult result = co_await Typha();
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out,
            "configmap/calico-typha-ca created\nsecret/calico-typha-certs created\n"
            "secret/calico-node-certs created\n");
  EXPECT_EQ(StoredSecret("calico-node-certs").Get("calico-node.crt"),
            base::ReadFile(folder() + "/typha/calico-node.crt").value());
  EXPECT_EQ((co_await Typha()).out,
            "configmap/calico-typha-ca unchanged\nsecret/calico-typha-certs unchanged\n"
            "secret/calico-node-certs unchanged\n");
}

ASYNC_TEST_F(ApplyTest, WhatAnotherProgramManagesIsLeftAlone) {
  server().Put(
      {{"apiVersion", "v1"},
       {"kind", "Secret"},
       {"type", "Opaque"},
       {"metadata",
        json::object{{"name", "calico-typha-certs"},
                     {"namespace", "kube-system"},
                     {"labels", json::object{{"app.kubernetes.io/managed-by", "Helm"}}}}}});
  const RunResult result = co_await Typha();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("Secret kube-system/calico-typha-certs is managed by Helm"));
  EXPECT_EQ(StoredSecret("calico-node-certs").Get("calico-node.crt"), "") << "nothing after it";
}

TEST(ApplyFlagTest, IsNotThereWithoutACluster) {
  const RunResult result = RunWords(EtcdCommands(), {"etcd", "secrets", "--apply"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--apply"));
}

}  // namespace
}  // namespace calico::calicert
