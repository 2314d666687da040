#include "pkg/kube/auth/rest_config.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

auto HoldsSecret(std::string_view text) {
  return base::IsOkAndHolds(testing::Property(&base::SharedSecret::view, text));
}

class RestConfigTest : public testing::Test {
 protected:
  RestConfigTest()
      : logger_(base::LogLevel::kDebug,
                [this](base::LogLevel, std::string_view line) { log_.emplace_back(line); }) {
    folder_ = std::string(std::getenv("TEST_TMPDIR")) + "/" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }

  std::string Write(const std::string& name, const std::string& content, int mode = 0600) {
    const std::string path = folder_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << content;
    chmod(path.c_str(), static_cast<mode_t>(mode));
    return path;
  }
  // A kubeconfig with one context of that name.
  std::string WriteConfig(const std::string& name, const std::string& cluster,
                          const std::string& user) {
    return Write(name, "current-context: " + name + "\ncontexts: [{name: " + name +
                           ", context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {" +
                           cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n");
  }
  absl::StatusOr<RestConfig> Load(LoadOptions options = {}) {
    return LoadRestConfig(options, Lookup(), clock_, logger_);
  }
  Environment Lookup() {
    return [this](const std::string& name) -> std::string {
      const auto found = environment_.find(name);
      return found == environment_.end() ? "" : found->second;
    };
  }

  std::string folder_;
  std::map<std::string, std::string> environment_;
  base::FakeClock clock_;
  std::vector<std::string> log_;
  base::Logger logger_;
};

TEST_F(RestConfigTest, ExplicitFile) {
  const std::string path = WriteConfig("a", "server: 'https://h:6443/x/'", "token: abc");
  environment_["KUBECONFIG"] = "/ignored";
  const auto config = Load({.kubeconfig = path});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->origin, "https://h:6443/x");
  EXPECT_EQ(config->ns, "default");
  EXPECT_THAT(config->headers, IsEmpty());
  EXPECT_THAT(config->credentials->Authorization(), HoldsSecret("Bearer abc"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(RestConfigTest, ExplicitFileMustBeThereAndHoldSomething) {
  EXPECT_THAT(Load({.kubeconfig = folder_ + "/none"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(folder_ + "/none")));
  EXPECT_THAT(Load({.kubeconfig = Write("empty", "")}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
  EXPECT_THAT(Load({.kubeconfig = folder_}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no regular file")));
}

TEST_F(RestConfigTest, ListOfFilesIsMerged) {
  const std::string one = Write("one", "current-context: b\n");
  const std::string two = WriteConfig("b", "server: 'https://two'", "token: two");
  const std::string three = WriteConfig("c", "server: 'https://three'", "token: three");
  environment_["KUBECONFIG"] = ":" + one + ":/no/such/file:" + two + ":" + two + ":" + three;
  EXPECT_EQ(Load()->origin, "https://two");
  EXPECT_EQ(Load({.context = "c"})->origin, "https://two") << "the first file defines cluster c";
  Write("broken", "{");
  environment_["KUBECONFIG"] += ":" + folder_ + "/broken";
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/broken")));
}

TEST_F(RestConfigTest, HomeIsTheLastFileAndNothingIsNotFound) {
  environment_["HOME"] = folder_;
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("KUBECONFIG")));
  WriteConfig(".kube/config", "server: 'https://home'", "");
  // The context's name holds a slash; any name will do.
  EXPECT_EQ(Load()->origin, "https://home");
  environment_["KUBECONFIG"] = "/no/such/file";
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("no file of KUBECONFIG exists")));
}

TEST_F(RestConfigTest, ImpersonationBecomesHeaders) {
  const std::string path =
      WriteConfig("a", "server: 'https://h'",
                  "as: jane, as-uid: '7', as-groups: [g1, g2], as-user-extra: {'a/b': [v1, v2]}");
  EXPECT_THAT(
      Load({.kubeconfig = path})->headers,
      ElementsAre(Pair("Impersonate-User", "jane"), Pair("Impersonate-Uid", "7"),
                  Pair("Impersonate-Group", "g1"), Pair("Impersonate-Group", "g2"),
                  Pair("Impersonate-Extra-a%2Fb", "v1"), Pair("Impersonate-Extra-a%2Fb", "v2")));
}

TEST_F(RestConfigTest, ProxiesOfFileAndEnvironment) {
  environment_["HTTPS_PROXY"] = "http://from-env:3128";
  environment_["NO_PROXY"] = "10.0.0.0/8,.internal";
  const std::string own = WriteConfig("own", "server: 'https://h', proxy-url: 'http://own:1'", "");
  const std::string plain = WriteConfig("plain", "server: 'https://h'", "");
  const std::string direct = WriteConfig("direct", "server: 'https://10.1.2.3'", "");
  EXPECT_EQ(Load({.kubeconfig = own})->proxy, "http://own:1");
  EXPECT_EQ(Load({.kubeconfig = plain})->proxy, "http://from-env:3128");
  EXPECT_EQ(Load({.kubeconfig = direct})->proxy, "");
}

TEST_F(RestConfigTest, CredentialsStayAtHomeWithoutTls) {
  const std::string path = WriteConfig("a", "server: 'http://h'", "token: abc");
  const auto config = Load({.kubeconfig = path});
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->credentials->Authorization(), HoldsSecret(""));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("without TLS")));
}

TEST_F(RestConfigTest, InsecureIsWarnedAbout) {
  const std::string path =
      WriteConfig("a", "server: 'https://h', insecure-skip-tls-verify: true", "token: abc");
  const auto config = Load({.kubeconfig = path});
  ASSERT_THAT(config, IsOk());
  EXPECT_TRUE(config->credentials->Tls()->insecure_skip_verify);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("not verified")));
}

TEST_F(RestConfigTest, FilesAreFoundBesideTheKubeconfig) {
  Write("ca.crt", "CA");
  Write("token", "from-file\n");
  const std::string path =
      WriteConfig("a", "server: 'https://h', certificate-authority: ca.crt", "tokenFile: token");
  const auto config = Load({.kubeconfig = path});
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->credentials->Tls()->ca_pem, "CA");
  EXPECT_THAT(config->credentials->Authorization(), HoldsSecret("Bearer from-file"));
}

TEST_F(RestConfigTest, ExecPluginRuns) {
  Write("plugin", R"(#!/bin/sh
echo run >> "$LOG"
printf '%s' "$KUBERNETES_EXEC_INFO" > "$LOG.info"
cat <<END
{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"$1"}}
END
)",
        0755);
  const std::string exec =
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [from-plugin], "
      "interactiveMode: Never, provideClusterInfo: true, env: [{name: LOG, value: '" +
      folder_ + "/log'}]}";
  const auto config = Load({.kubeconfig = WriteConfig("a", "server: 'https://h'", exec)});
  ASSERT_THAT(config, IsOk());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/log")) << "it runs when it is needed";
  EXPECT_THAT(config->credentials->Authorization(), HoldsSecret("Bearer from-plugin"));
  EXPECT_THAT(config->credentials->Authorization(), IsOk());
  std::ifstream log(folder_ + "/log");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(log), {}), "run\n");
  std::ifstream info(folder_ + "/log.info");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(info), {}),
            R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
            R"("spec":{"interactive":false,"cluster":{"server":"https://h"}}})");
}

TEST_F(RestConfigTest, ExecPluginFailuresTellTheUserWhatToDo) {
  const auto load = [this](const std::string& exec) {
    const auto config = Load({.kubeconfig = WriteConfig("a", "server: 'https://h'",
                                                        "exec: {apiVersion: "
                                                        "client.authentication.k8s.io/v1beta1, " +
                                                            exec + "}")});
    EXPECT_THAT(config, IsOk());
    return config->credentials->Authorization().status();
  };
  const absl::StatusCode code = absl::StatusCode::kUnauthenticated;
  environment_["PATH"] = "/bin";
  EXPECT_THAT(load("command: no-such-plugin, installHint: 'Run: apt install it'"),
              StatusIs(code, AllOf(HasSubstr("exec: executable no-such-plugin not found"),
                                   HasSubstr("Run: apt install it"))));
  EXPECT_THAT(load("command: ./gone"), StatusIs(code, HasSubstr("not found")));
  EXPECT_THAT(load("command: sh, args: ['-c', 'exit 7']"),
              StatusIs(code, "exec: executable sh failed with exit code 7"));
  EXPECT_THAT(load("command: echo, args: ['nonsense']"),
              StatusIs(code, HasSubstr("exec: executable echo: ")));
}

TEST_F(RestConfigTest, ClusterCaThatIsGoneIsNoNotFoundOfThePlugin) {
  const std::string ca = Write("ca", "CA");
  const auto config = Load(
      {.kubeconfig = WriteConfig("a", "server: 'https://h', certificate-authority: '" + ca + "'",
                                 "exec: {apiVersion: client.authentication.k8s.io/v1, command: "
                                 "sh, interactiveMode: Never, provideClusterInfo: true}")});
  ASSERT_THAT(config, IsOk());
  std::filesystem::remove(ca);
  EXPECT_THAT(
      config->credentials->Authorization(),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("exec: cluster CA: read " + ca)));
}

TEST_F(RestConfigTest, InCluster) {
  const std::string base = "var/run/secrets/kubernetes.io/serviceaccount/";
  environment_ = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_THAT(InClusterConfig(Lookup(), clock_, logger_, folder_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("token")));
  Write(base + "token", "bound\n");
  Write(base + "ca.crt", "CA");
  auto config = InClusterConfig(Lookup(), clock_, logger_, folder_);
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->origin, "https://10.96.0.1:443");
  EXPECT_EQ(config->ns, "default");
  EXPECT_THAT(config->credentials->Authorization(), HoldsSecret("Bearer bound"));
  EXPECT_EQ(config->credentials->Tls()->ca_pem, "CA");
  Write(base + "namespace", "calico-system\n");
  EXPECT_EQ(InClusterConfig(Lookup(), clock_, logger_, folder_)->ns, "calico-system");
  environment_["POD_NAMESPACE"] = "other";
  EXPECT_EQ(InClusterConfig(Lookup(), clock_, logger_, folder_)->ns, "other");

  Write(base + "token", "rotated");
  Write(base + "ca.crt", "CA2");
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(config->credentials->Authorization(), HoldsSecret("Bearer rotated"));
  EXPECT_EQ(config->credentials->Tls()->ca_pem, "CA2");
}

TEST_F(RestConfigTest, InClusterOverIpv6AndOutsideOfAPod) {
  Write("var/run/secrets/kubernetes.io/serviceaccount/token", "t");
  environment_ = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "6443"}};
  EXPECT_EQ(InClusterConfig(Lookup(), clock_, logger_, folder_)->origin, "https://[fd00::1]:6443");
  environment_.erase("KUBERNETES_SERVICE_PORT");
  EXPECT_THAT(InClusterConfig(Lookup(), clock_, logger_, folder_),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(RestConfigTest, InClusterHostsAndPortsThatAreNoneAreRefusedByName) {
  Write("var/run/secrets/kubernetes.io/serviceaccount/token", "t");
  const auto load = [this](const std::string& host, const std::string& port) {
    environment_ = {{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", port}};
    return InClusterConfig(Lookup(), clock_, logger_, folder_);
  };
  EXPECT_EQ(load("[fd00::1]", "6443")->origin, "https://[fd00::1]:6443");
  EXPECT_EQ(load("10.96.0.1\n", " 443")->origin, "https://10.96.0.1:443");
  EXPECT_EQ(load("api.example.com", "443")->origin, "https://api.example.com:443");
  for (const char* host : {"https://10.96.0.1", "10.96.0.1:6443", "10.96.0.1/path", "[fd00::1",
                           "fd00::1]", "a b", "user@host", "[api.example.com]"}) {
    EXPECT_THAT(load(host, "443"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("KUBERNETES_SERVICE_HOST")))
        << host;
  }
  for (const char* port : {"https", "0", "65536", "443/x", "-1"}) {
    EXPECT_THAT(load("10.96.0.1", port),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("KUBERNETES_SERVICE_PORT")))
        << port;
  }
}

TEST_F(RestConfigTest, AProxyOfTheEnvironmentThatIsNoUrlIsRefusedByName) {
  Write("var/run/secrets/kubernetes.io/serviceaccount/token", "t");
  environment_ = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                  {"KUBERNETES_SERVICE_PORT", "6443"},
                  {"HTTPS_PROXY", "http://me:pw@"}};
  EXPECT_THAT(InClusterConfig(Lookup(), clock_, logger_, folder_),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::AllOf(HasSubstr("HTTPS_PROXY"), testing::Not(HasSubstr("pw")))));
}

TEST(ProcessEnvironmentTest, ReadsTheProcess) {
  setenv("REST_CONFIG_TEST", "here", 1);
  EXPECT_EQ(ProcessEnvironment()("REST_CONFIG_TEST"), "here");
  EXPECT_EQ(ProcessEnvironment()("REST_CONFIG_TEST_NONE"), "");
}

}  // namespace
}  // namespace calico::kube
