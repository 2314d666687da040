// A configuration file of the environment changes nothing, whatever a program does first.

#include "pkg/openssl/init.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/started_program.h"

namespace calico::openssl {
namespace {

using ::testing::HasSubstr;

constexpr char kProbe[] = "pkg/openssl/testing/probe";

// Takes all algorithms away (no default provider) and wants TLS 1.0 at most.
constexpr char kHostile[] = R"(
openssl_conf = init
[init]
providers = providers
ssl_conf = ssl
[providers]
base = base
[base]
activate = 1
[ssl]
system_default = tls
[tls]
MaxProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
)";
// Looks for a module of this name as a shared library, and stops who does not find it.
constexpr char kBroken[] = R"(
config_diagnostics = 1
openssl_conf = init
[init]
no_such_module = x
)";
constexpr char kGarbage[] = "openssl_conf = nowhere\n[[[\n";

std::string WriteConfig(const std::string& name, const std::string& text) {
  const std::string path = fmt::format("{}/{}.cnf", ::testing::TempDir(), name);
  std::ofstream(path) << text;
  return path;
}

TEST(InitializeTest, ConfigurationFileChangesNothing) {
  const std::pair<const char*, std::string> kConfigs[] = {
      {"hostile", WriteConfig("hostile", kHostile)},
      {"broken", WriteConfig("broken", kBroken)},
      {"garbage", WriteConfig("garbage", kGarbage)},
      {"missing", "/nonexistent/openssl.cnf"},
  };
  for (const auto& [name, path] : kConfigs) {
    for (const char* first : {"global", "digest", "key", "tls", "library"}) {
      SCOPED_TRACE(fmt::format("{} configuration, first use: {}", name, first));
      base::StartedProgram program(kProbe,
                                   {"OPENSSL_CONF=" + path, fmt::format("PROBE_FIRST={}", first)});
      EXPECT_EQ(program.Wait(), 0) << program.output();
      EXPECT_THAT(program.output(), HasSubstr("all works"));
    }
  }
}

// Otherwise the test above proves nothing.
TEST(InitializeTest, TheConfigurationsAreHarmfulToOthers) {
  for (const auto& [name, text] : {std::pair("hostile", kHostile), std::pair("broken", kBroken)}) {
    const std::string path = WriteConfig(fmt::format("harmful-{}", name), text);
    EXPECT_NE(std::system(fmt::format("OPENSSL_CONF={} openssl dgst -sha256 /dev/null "
                                      ">/dev/null 2>&1",
                                      path)
                              .c_str()),
              0)
        << name;
  }
}

TEST(InitializeTest, MayBeRepeated) {
  Initialize();
  Initialize();
}

}  // namespace
}  // namespace calico::openssl
