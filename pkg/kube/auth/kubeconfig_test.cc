#include "pkg/kube/auth/kubeconfig.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kFull[] = R"(
apiVersion: v1
kind: Config
current-context: dev
preferences: {}
clusters:
- name: main
  cluster:
    server: https://api.example.com:6443/prefix/
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes
    proxy-url: socks5://proxy:1080
    disable-compression: true
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: "06e3fbd18de8"}
- name: spare
  cluster:
    server: https://[fd00::1]:6443
    certificate-authority-data: Q0E=
    insecure-skip-tls-verify: false
users:
- name: cert
  user:
    client-certificate: /abs/client.crt
    client-key: client.key
- name: everything
  user:
    token: abc
    tokenFile: token
    as: jane
    as-uid: "42"
    as-groups: [dev, ops]
    as-user-extra:
      scopes: [a, b]
- name: plugin
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: bin/login
      args: [--region, "1"]
      env:
      - {name: A, value: "1"}
      installHint: install it
      provideClusterInfo: true
      interactiveMode: Never
contexts:
- name: dev
  context: {cluster: main, user: cert, namespace: calico-system}
- name: plain
  context: {cluster: spare, user: everything}
)";

absl::StatusOr<base::SecretString> AnyFile(const std::string&) {
  return base::SecretString("content");
}
absl::StatusOr<base::SecretString> NoFile(const std::string& path) {
  return absl::NotFoundError("read " + path + ": No such file or directory");
}

TEST(KubeconfigTest, ReadsEveryField) {
  const absl::StatusOr<Kubeconfig> config = ParseKubeconfig(kFull, "/home/jane/.kube/config");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->current_context, "dev");
  const KubeconfigCluster& main = config->clusters.at("main");
  EXPECT_EQ(main.file, "/home/jane/.kube/config");
  EXPECT_EQ(main.server, "https://api.example.com:6443/prefix/");
  EXPECT_EQ(main.ca_file, "/home/jane/.kube/pki/ca.crt");
  EXPECT_EQ(main.tls_server_name, "kubernetes");
  EXPECT_EQ(main.proxy_url, "socks5://proxy:1080");
  EXPECT_EQ(codec::Serialize(main.exec_config), R"({"audience":"06e3fbd18de8"})");
  EXPECT_EQ(config->clusters.at("spare").ca_data, "CA");

  const KubeconfigUser& cert = config->users.at("cert");
  EXPECT_EQ(cert.client_certificate_file, "/abs/client.crt");
  EXPECT_EQ(cert.client_key_file, "/home/jane/.kube/client.key");
  const KubeconfigUser& everything = config->users.at("everything");
  EXPECT_EQ(everything.token.view(), "abc");
  EXPECT_EQ(everything.token_file, "/home/jane/.kube/token");
  EXPECT_EQ(everything.as, "jane");
  EXPECT_EQ(everything.as_uid, "42");
  EXPECT_THAT(everything.as_groups, ElementsAre("dev", "ops"));
  EXPECT_THAT(everything.as_user_extra, ElementsAre(Pair("scopes", ElementsAre("a", "b"))));

  const KubeconfigExec& exec = *config->users.at("plugin").exec;
  EXPECT_EQ(exec.command, "/home/jane/.kube/bin/login");
  EXPECT_THAT(exec.args, ElementsAre("--region", "1"));
  EXPECT_THAT(exec.env, ElementsAre(Pair("A", "1")));
  EXPECT_TRUE(exec.provide_cluster_info);
  EXPECT_EQ(exec.interactive, KubeconfigExec::Interactive::kNever);
  EXPECT_EQ(config->contexts.at("dev").ns, "calico-system");
}

TEST(KubeconfigTest, JsonIsFineToo) {
  const auto config =
      ParseKubeconfig(R"({"clusters":[{"name":"a","cluster":{"server":"https://h"}}]})", "f");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->clusters.at("a").server, "https://h");
}

TEST(KubeconfigTest, EmptyTextIsAnEmptyConfiguration) {
  for (const char* text :
       {"", "\n", "# nothing\n", "---\n", "{}", "apiVersion: v1\nkind: Config\n"}) {
    const auto config = ParseKubeconfig(text, "f");
    ASSERT_THAT(config, IsOk()) << text;
    EXPECT_TRUE(config->empty()) << text;
  }
}

TEST(KubeconfigTest, ReportsEveryWrongField) {
  const auto config = ParseKubeconfig(R"(
kind: Configuration
current-context: [a]
clusters:
- cluster: {server: x}
- {name: a, cluster: {server: 1, certificate-authority-data: "!secret!"}}
- {name: a, cluster: {}}
users:
- {name: u, user: {token: 12345, exec: {interactiveMode: Maybe}}}
)",
                                      "some/file");
  EXPECT_THAT(
      config,
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("read kubeconfig some/file: "), HasSubstr(".kind"),
                     HasSubstr(".current-context"), HasSubstr(".clusters[0].name"),
                     HasSubstr(".clusters[1].cluster.server"),
                     HasSubstr("certificate-authority-data"), HasSubstr("\"a\" is given twice"),
                     HasSubstr(".users[0].user.token"), HasSubstr("interactiveMode"))));
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(Not(HasSubstr("secret")), Not(HasSubstr("12345")))));
}

TEST(KubeconfigTest, RefusesMalformedTexts) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& text :
       {std::string("a: &x [1]\nb: *x\n"), std::string("a: b: c"), std::string("- a\n"),
        std::string("{}\n---\n{a: 1}\n---\n{b: 1}\n"), deep, std::string("\"text\""),
        std::string(2 << 20, '#')}) {
    EXPECT_THAT(ParseKubeconfig(text, "f"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("read kubeconfig f: ")))
        << text.substr(0, 40);
  }
}

TEST(KubeconfigTest, FirstFileWinsTheWholeEntry) {
  Kubeconfig merged = *ParseKubeconfig(
      "{clusters: [{name: a, cluster: {server: 'https://one'}}], users: [{name: u, user: {}}]}",
      "one");
  MergeKubeconfig(merged,
                  *ParseKubeconfig("{current-context: c, clusters: [{name: a, cluster: "
                                   "{server: 'https://two', tls-server-name: host}}, {name: b, "
                                   "cluster: {server: 'https://three'}}]}",
                                   "two"));
  MergeKubeconfig(merged, *ParseKubeconfig("current-context: d", "three"));
  EXPECT_EQ(merged.clusters.at("a").server, "https://one");
  EXPECT_EQ(merged.clusters.at("a").tls_server_name, "");
  EXPECT_EQ(merged.clusters.at("b").server, "https://three");
  EXPECT_EQ(merged.current_context, "c");
}

TEST(KubeconfigTest, ResolvesContexts) {
  const Kubeconfig config = *ParseKubeconfig(kFull, "/k/config");
  const auto current = ResolveKubeconfig(config, "", AnyFile);
  ASSERT_THAT(current, IsOk());
  EXPECT_EQ(current->ns, "calico-system");
  EXPECT_EQ(current->cluster.server, "https://api.example.com:6443/prefix/");
  const auto chosen = ResolveKubeconfig(config, "plain", AnyFile);
  ASSERT_THAT(chosen, IsOk());
  EXPECT_EQ(chosen->ns, "default");
  EXPECT_EQ(chosen->user.token.view(), "abc");
}

// One context with a cluster and a user of these fields.
absl::Status Resolve(const std::string& cluster, const std::string& user,
                     const base::FileReader& files = AnyFile, const std::string& context = "") {
  const auto config = ParseKubeconfig(
      fmt::format(
          "{{current-context: x, clusters: [{{name: c, cluster: {{{}}}}}], users: [{{name: "
          "u, user: {{{}}}}}], contexts: [{{name: x, context: {{cluster: c, user: u{}}}}}]}}",
          cluster, user, context),
      "f");
  if (!config.ok()) return config.status();
  return ResolveKubeconfig(*config, "", files).status();
}

TEST(KubeconfigTest, ProblemsOfClusterAndUser) {
  constexpr char kServer[] = "server: 'https://h:1'";
  constexpr char kExec[] = "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never";
  const struct {
    std::string cluster;
    std::string user;
    const char* want;
  } kCases[] = {
      {"", "", "no server"},
      {"server: 'ftp://h'", "", "server: "},
      {"server: 'h:6443'", "", "server: "},
      {"server: 'https://'", "", "server: "},
      {"server: 'https://h/?q'", "", "server: "},
      {"server: 'https://me:pw@h'", "", "server with a user name in it"},
      {std::string(kServer) + ", certificate-authority: a, certificate-authority-data: QQ==", "",
       "certificate-authority and certificate-authority-data are both set"},
      {std::string(kServer) + ", insecure-skip-tls-verify: true, certificate-authority: a", "",
       "insecure-skip-tls-verify together with a certificate authority"},
      {std::string(kServer) + ", proxy-url: 'ftp://p'", "", "proxy-url: "},
      {std::string(kServer) + ", proxy-url: 'p:3128'", "", "proxy-url: "},
      {std::string(kServer) + ", proxy-url: 'socks5://" + std::string(256, 'u') + "@p'", "",
       "proxy-url: user or password is longer"},
      {std::string(kServer) + ", tls-server-name: " + std::string(256, 'a'), "",
       "cluster \"c\" in f: tls-server-name: expected a DNS name or an IP address"},
      {std::string(kServer) + R"(, tls-server-name: "a\0b")", "", "tls-server-name: "},
      {std::string(kServer) + ", tls-server-name: 'https://h'", "", "tls-server-name: "},
      {std::string(kServer) + ", tls-server-name: '*.example.com'", "", "tls-server-name: "},
      {std::string(kServer) + R"(, certificate-authority: "a\0b")", "",
       "certificate-authority: it holds a NUL"},
      {kServer, R"(tokenFile: "a\0b")", "tokenFile: it holds a NUL"},
      {kServer, R"(exec: {command: "c\0d", )" + std::string(kExec) + "}",
       "exec command: it holds a NUL"},
      {kServer, R"(exec: {command: c, args: ["a\0b"], )" + std::string(kExec) + "}",
       "exec args: it holds a NUL"},
      {kServer,
       R"(exec: {command: c, env: [{name: a, value: "a\0b"}], )" + std::string(kExec) + "}",
       "exec env: it holds a NUL"},
      {kServer, "client-certificate: a, client-certificate-data: QQ==, client-key: k",
       "client-certificate and client-certificate-data are both set"},
      {kServer, "client-certificate: a, client-key: k, client-key-data: QQ==",
       "client-key and client-key-data are both set"},
      {kServer, "client-certificate: a", "a client certificate without client-key"},
      {kServer, "token: t, username: me", "token together with username"},
      {kServer, "tokenFile: t, password: pw", "token together with username"},
      {kServer, "auth-provider: {name: gcp}", "auth-provider \"gcp\" is not supported, use exec"},
      {kServer, std::string("auth-provider: {name: gcp}, exec: {command: c, ") + kExec + "}",
       "exec together with auth-provider"},
      {kServer, std::string("exec: {") + kExec + "}", "exec without command"},
      {kServer, "exec: {command: c}", "exec without apiVersion"},
      {kServer, "exec: {command: c, apiVersion: client.authentication.k8s.io/v1alpha1}",
       "exec apiVersion must be"},
      {kServer, "exec: {command: c, apiVersion: client.authentication.k8s.io/v1}",
       "exec without interactiveMode"},
      {kServer, std::string("exec: {command: c, env: [{value: x}], ") + kExec + "}",
       "exec env entry without a proper name"},
      {kServer, "as-groups: [g]", "without as"},
      {kServer, "as-uid: '1'", "without as"},
      {kServer, "as-user-extra: {k: [v]}", "without as"},
      {kServer, "as: \"jane\\nX-Admin: 1\"", "printable ASCII"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Resolve(c.cluster, c.user),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("invalid configuration: "), HasSubstr(c.want),
                               Not(HasSubstr("pw")))))
        << c.cluster << " / " << c.user;
  }
}

TEST(KubeconfigTest, GoodClustersAndUsers) {
  const std::pair<const char*, const char*> kCases[] = {
      {"server: 'https://h:1'", ""},
      {"server: 'http://127.0.0.1:8080'", ""},
      {"server: 'https://[::1]:6443', insecure-skip-tls-verify: true", "token: t"},
      {"server: 'https://h', proxy-url: 'http://me:pw@proxy:3128'", "username: a, password: b"},
      {"server: 'https://h'", "client-certificate: a, client-key-data: QQ=="},
      {"server: 'https://h'", "client-key: unused"},
      {"server: 'https://10.0.0.1', tls-server-name: kubernetes.default.svc", ""},
      {"server: 'https://10.0.0.1', tls-server-name: '::1'", ""},
      {"server: 'https://10.0.0.1', tls-server-name: ''", ""},
      {"server: 'https://h'", "token: t, tokenFile: f"},
      {"server: 'https://h'",
       "exec: {command: c, apiVersion: client.authentication.k8s.io/v1beta1}"},
      {"server: 'https://h'", "as: jane, as-groups: [a b]"},
  };
  for (const auto& [cluster, user] : kCases) {
    EXPECT_THAT(Resolve(cluster, user), IsOk()) << cluster << " / " << user;
  }
}

TEST(KubeconfigTest, AllProblemsAreReportedTogether) {
  EXPECT_THAT(
      Resolve("server: 'https://h', certificate-authority: ca.crt",
              "client-certificate: c.crt, client-key: c.key, tokenFile: t", NoFile,
              ", namespace: Bad_Name"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("namespace is no DNS label"), HasSubstr("./ca.crt"),
                     HasSubstr("./c.crt"), HasSubstr("./c.key"), HasSubstr("tokenFile: "))));
}

TEST(KubeconfigTest, MissingEntriesNameWhatThereIs) {
  const Kubeconfig config = *ParseKubeconfig(R"(
contexts:
- {name: lost, context: {cluster: gone}}
- {name: other, context: {cluster: a, user: b}}
clusters:
- {name: a, cluster: {server: "https://h"}}
)",
                                             "f");
  const absl::StatusCode bad = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(ResolveKubeconfig(config, "", AnyFile),
              StatusIs(bad, HasSubstr("current-context is not set (contexts: lost, other)")));
  EXPECT_THAT(ResolveKubeconfig(config, "nope", AnyFile),
              StatusIs(bad, HasSubstr("context was not found for specified context: nope")));
  EXPECT_THAT(ResolveKubeconfig(config, "lost", AnyFile),
              StatusIs(bad, AllOf(HasSubstr("cluster \"gone\" was not found (clusters: a)"),
                                  HasSubstr("user was not specified"))));
  EXPECT_THAT(ResolveKubeconfig(config, "other", AnyFile),
              StatusIs(bad, HasSubstr("user \"b\" was not found (users: none)")));
}

}  // namespace
}  // namespace calico::kube
