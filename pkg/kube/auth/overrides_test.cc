#include "pkg/kube/auth/overrides.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kTwoClusters[] = R"(
current-context: work
contexts:
- {name: work, context: {cluster: c, user: u, namespace: shop}}
- {name: spare, context: {cluster: d, user: v}}
clusters:
- {name: c, cluster: {server: "https://c:6443", tls-server-name: other, insecure-skip-tls-verify: true}}
- {name: d, cluster: {server: "https://d:6443"}}
users:
- {name: u, user: {token: first, as: boss, as-groups: [all]}}
- {name: v, user: {username: v, password: x}}
)";

class OverridesTest : public testing::Test {
 protected:
  absl::StatusOr<RestConfig> Load(const KubeconfigOverrides& overrides,
                                  const std::string& context = "") {
    const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/config";
    std::ofstream(path) << text_;
    return LoadRestConfig(
        {.kubeconfig = text_.empty() ? "" : path, .context = context}, overrides,
        [this](const std::string& name) { return environment_[name]; }, clock_, logger_);
  }
  static std::string TokenOf(const RestConfig& config) {
    return std::string(config.credentials->Authorization().value().view());
  }

  std::string text_ = kTwoClusters;
  std::map<std::string, std::string> environment_;
  base::FakeClock clock_;
  base::Logger logger_{base::LogLevel::kError};
};

TEST_F(OverridesTest, NothingChangesNothing) {
  const auto config = Load({});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->origin, "https://c:6443");
  EXPECT_EQ(config->ns, "shop");
  EXPECT_EQ(TokenOf(*config), "Bearer first");
}

TEST_F(OverridesTest, ClusterUserAndNamespaceByName) {
  const auto config = Load({.cluster = "d", .user = "v", .ns = "other"});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->origin, "https://d:6443");
  EXPECT_EQ(config->ns, "other");
  EXPECT_THAT(TokenOf(*config), HasSubstr("Basic "));
  EXPECT_THAT(Load({.cluster = "none"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"none\" was not found")));
}

TEST_F(OverridesTest, TokenTakesThePlaceOfEverythingElse) {
  const auto config = Load({.token = base::SharedSecret("second")}, "spare");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(TokenOf(*config), "Bearer second");
}

TEST_F(OverridesTest, AnotherServerForgetsTheNameOfTheFirst) {
  Kubeconfig config = ParseKubeconfig(kTwoClusters, "file").value();
  ApplyOverrides({.server = "https://e:6443"}, "", config);
  EXPECT_EQ(config.clusters["c"].server, "https://e:6443");
  EXPECT_EQ(config.clusters["c"].tls_server_name, "");
  EXPECT_TRUE(config.clusters["c"].insecure_skip_tls_verify);
  ApplyOverrides({.tls_server_name = "name", .ca_file = "/ca.crt"}, "", config);
  EXPECT_EQ(config.clusters["c"].tls_server_name, "name");
  EXPECT_EQ(config.clusters["c"].ca_file, "/ca.crt");
  EXPECT_FALSE(config.clusters["c"].insecure_skip_tls_verify);
}

TEST_F(OverridesTest, ActsAsSomebodyElseAlone) {
  const auto config = Load({.as = "jane", .as_groups = {"dev", "ops"}});
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->headers,
              ElementsAre(Pair("Impersonate-User", "jane"), Pair("Impersonate-Group", "dev"),
                          Pair("Impersonate-Group", "ops")));
  EXPECT_THAT(Load({.as_groups = {"dev"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("without a user")));
}

TEST_F(OverridesTest, ServerWithoutAnyKubeconfig) {
  text_.clear();
  const auto config = Load({.server = "https://e:6443", .token = base::SharedSecret("t")});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->origin, "https://e:6443");
  EXPECT_EQ(config->ns, "default");
  EXPECT_EQ(TokenOf(*config), "Bearer t");
  EXPECT_THAT(Load({.ns = "x"}), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace calico::kube
