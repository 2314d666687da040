#include "operator/config/signer.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ParsedFlags Parse(std::vector<const char*> arguments, SignerConfig* config,
                  const std::map<std::string, std::string>& environment = {}) {
  arguments.insert(arguments.begin(), "csr-signer");
  return ParseSignerConfig(
      static_cast<int>(arguments.size()), arguments.data(),
      [&](const std::string& name) {
        const auto found = environment.find(name);
        return found == environment.end() ? std::string() : found->second;
      },
      config);
}

TEST(SignerConfigTest, Defaults) {
  SignerConfig config;
  const ParsedFlags parsed =
      Parse({"--signer-name=example.com/signer", "--ca-cert=c", "--ca-key=k"}, &config);
  ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.text;
  EXPECT_THAT(config.signer_names, ElementsAre("example.com/signer"));
  EXPECT_EQ(config.policy_file, "");
  EXPECT_EQ(config.duration, absl::Hours(8760));
  EXPECT_FALSE(config.leader_elect);
  EXPECT_FALSE(config.sign_approved_only);
  EXPECT_EQ(config.log_level, base::LogLevel::kInfo);
}

TEST(SignerConfigTest, EnvironmentAndFlags) {
  SignerConfig config;
  const ParsedFlags parsed =
      Parse({"--log-level", "debug", "--concurrency=4", "--sign-approved-only"}, &config,
            {{"SIGNER_NAME", "a.b/c,d.e/f"},
             {"CA_CERT_FILE", "c"},
             {"CA_KEY_FILE", "k"},
             {"POD_NAMESPACE", "csr-signer"}});
  ASSERT_FALSE(parsed.exit_code.has_value()) << parsed.text;
  EXPECT_THAT(config.signer_names, ElementsAre("a.b/c", "d.e/f"));
  EXPECT_EQ(config.lease_namespace, "csr-signer");
  EXPECT_EQ(config.log_level, base::LogLevel::kDebug);
  EXPECT_EQ(config.concurrency, 4);
  EXPECT_TRUE(config.sign_approved_only);
}

TEST(SignerConfigTest, RefusesSignerNamesThatCannotServe) {
  for (const char* name : {"signer", "example/signer", "example.com/", "Example.com/x", "a.b/c/d",
                           ".b/c", "kubernetes.io/kubelet-serving", "a.b/c,a.b/c", ","}) {
    SCOPED_TRACE(name);
    SignerConfig config;
    const ParsedFlags parsed = Parse({"--signer-name", name, "--ca-cert=c", "--ca-key=k"}, &config);
    EXPECT_EQ(parsed.exit_code, kExitUsage);
    EXPECT_THAT(parsed.text, HasSubstr("--signer-name"));
  }
}

TEST(SignerConfigTest, TheAddressOfTheApiServerIsTrimmedAndChecked) {
  const auto parse = [](SignerConfig* config, const std::string& host, const std::string& port,
                        std::vector<const char*> more = {}) {
    std::vector<const char*> arguments = {"--signer-name=a.b/c", "--ca-cert=c", "--ca-key=k"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Parse(arguments, config,
                 {{"KUBERNETES_SERVICE_HOST", host},
                  {"KUBERNETES_SERVICE_PORT", port},
                  {"POD_NAMESPACE", "csr-signer"}});
  };
  SignerConfig config;
  const ParsedFlags good = parse(&config, "[fd00::10]\n", " 6443\n");
  ASSERT_FALSE(good.exit_code.has_value()) << good.text;
  const EnvironmentReader checked =
      CheckedEnvironment(config, [](const std::string& name) { return "raw " + name; });
  EXPECT_EQ(checked("KUBERNETES_SERVICE_HOST"), "fd00::10");
  EXPECT_EQ(checked("KUBERNETES_SERVICE_PORT"), "6443");
  EXPECT_EQ(checked("HOME"), "raw HOME");
  const struct {
    const char* host;
    const char* port;
    const char* variable;
  } cases[] = {{"https://10.0.0.10:6443", "6443", "KUBERNETES_SERVICE_HOST"},
               {"10.0.0.10:6443", "6443", "KUBERNETES_SERVICE_HOST"},
               {"", "6443", "KUBERNETES_SERVICE_HOST"},
               {"10.0.0.10", "https", "KUBERNETES_SERVICE_PORT"},
               {"10.0.0.10", "", "KUBERNETES_SERVICE_PORT"}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.host);
    SignerConfig bad;
    const ParsedFlags parsed = parse(&bad, c.host, c.port);
    EXPECT_EQ(parsed.exit_code, kExitUsage);
    EXPECT_THAT(parsed.text, AllOf(HasSubstr(c.variable),
                                   HasSubstr("ConfigMap csr-signer/kubernetes-services-endpoint")));
    EXPECT_FALSE(parse(&bad, c.host, c.port, {"--kubeconfig=f"}).exit_code.has_value())
        << "the kubeconfig says where it is";
  }
}

TEST(SignerConfigTest, RefusesShortDurations) {
  SignerConfig config;
  EXPECT_THAT(
      Parse({"--signer-name=a.b/c", "--ca-cert=c", "--ca-key=k", "--duration=9m"}, &config).text,
      HasSubstr("--duration: less than 10m"));
}

TEST(SignerConfigTest, PrintsPolicyHelpAndVersion) {
  SignerConfig config;
  const ParsedFlags policy = Parse({"--print-policy", "calico"}, &config);
  EXPECT_EQ(policy.exit_code, 0);
  EXPECT_THAT(policy.text, AllOf(HasSubstr("version: 1"), HasSubstr("commonNames: [typha-client]"),
                                 HasSubstr("commonNames: [typha-server]")));
  EXPECT_THAT(Parse({"--help"}, &config).text,
              AllOf(HasSubstr("--ca-key FILE"), HasSubstr("Examples:"), HasSubstr("required")));
  EXPECT_THAT(Parse({"--print-policy=tigera-operator"}, &config).text,
              HasSubstr("secretNames: [calico-apiserver-certs]"));
  EXPECT_THAT(Parse({"--version"}, &config).text, HasSubstr("csr-signer "));
  EXPECT_EQ(Parse({}, &config).text,
            "csr-signer: --signer-name: required (or SIGNER_NAME)\n"
            "csr-signer: --ca-cert: required (or CA_CERT_FILE)\n"
            "csr-signer: --ca-key: required (or CA_KEY_FILE)\n"
            "Try 'csr-signer --help'.\n");
}

TEST(SignerConfigTest, AnUnknownPolicyIsToldAlone) {
  SignerConfig config;
  const ParsedFlags parsed = Parse({"--print-policy", "foo"}, &config);
  EXPECT_EQ(parsed.exit_code, kExitUsage);
  EXPECT_EQ(parsed.text,
            "csr-signer: --print-policy: \"foo\" is not one of calico, tigera-operator\n"
            "Try 'csr-signer --help'.\n");
}

TEST(SignerConfigTest, HelpSuggestsNoShortLifetime) {
  SignerConfig config;
  const std::string help = Parse({"--help"}, &config).text;
  EXPECT_THAT(help, HasSubstr("nothing renews a certificate yet while its pod runs"));
  EXPECT_THAT(help, HasSubstr("default 8760h"));
  for (const char* shorter : {"2160h", "720h", "24h", "90 days", "may ask for less"}) {
    EXPECT_THAT(help, Not(HasSubstr(shorter)));
  }
}

}  // namespace
}  // namespace calico::config
