// Proves that tokens and keys are not left in memory on their way from a file or a plug-in to a
// request: the whole writable memory of this process is searched for them.
#include <string.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pkg/base/clock.h"
#include "pkg/base/file.h"
#include "pkg/base/log.h"
#include "pkg/base/testing/memory_search.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/auth/credentials.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::kube {
namespace {

using base::CountInMemory;
using base::IsOk;
using base::MaskedNeedle;

class CredentialWipeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!base::kCanSearchMemory) GTEST_SKIP() << "a sanitizer's shadow is terabytes to search";
  }

  static std::string Path(const std::string& name) {
    return fmt::format("{}/{}", std::getenv("TEST_TMPDIR"), name);
  }
  // Leaves no copy in a stream's buffer.
  static void Write(const std::string& name, std::string_view content) {
    std::ofstream file;
    file.rdbuf()->pubsetbuf(nullptr, 0);
    file.open(Path(name), std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    ASSERT_TRUE(file.good());
  }
  std::shared_ptr<Credentials> Make(CredentialSources sources) {
    return MakeCredentials(std::move(sources), base::ReadSecretFile, base::SystemClock(), logger_);
  }

  base::Logger logger_{base::LogLevel::kError, [](base::LogLevel, std::string_view) {}};
};

[[gnu::noinline]] MaskedNeedle WriteToken(const std::function<void(std::string_view)>& write,
                                          size_t size = 400) {
  const base::SecretString token = base::RandomSecret(size);
  write(token.view());
  return MaskedNeedle(token.view().data() + 100);
}

TEST_F(CredentialWipeTest, TokenFile) {
  const MaskedNeedle needle = WriteToken([](std::string_view token) { Write("token", token); });
  base::WipeStack();
  ASSERT_EQ(CountInMemory(needle), 0) << "the test itself leaves copies";
  [&]() __attribute__((noinline)) {
    const auto credentials = Make({.token_file = Path("token")});
    ASSERT_THAT(credentials->Authorization(), IsOk());
    EXPECT_GT(CountInMemory(needle), 0) << "the search does not work";
    EXPECT_FALSE(credentials->Invalidate());
  }();
  base::WipeStack();
  EXPECT_EQ(CountInMemory(needle), 0);
}

struct PluginCase {
  const char* name;
  const char* print;  // a shell command for the token in the file behind it
  size_t size;
};

class PluginWipeTest : public CredentialWipeTest, public testing::WithParamInterface<PluginCase> {};

INSTANTIATE_TEST_SUITE_P(
    Tokens, PluginWipeTest,
    testing::Values(PluginCase{"Plain", "cat", 400},
                    // A parser puts together what is longer than its buffer, or escaped.
                    PluginCase{"LongWithEscapes", R"(sed 's/.\{64\}/&\\\//g')", 10'000}),
    [](const auto& info) { return info.param.name; });

TEST_P(PluginWipeTest, LeavesNothing) {
  // The token is read by the program from a file: nothing of it is in its arguments.
  const MaskedNeedle needle =
      WriteToken([](std::string_view token) { Write("printed", token); }, GetParam().size);
  const std::string program = Path("plugin");
  Write("plugin",
        fmt::format("#!/bin/sh\nprintf '{{\"kind\":\"ExecCredential\",\"apiVersion\":"
                    "\"client.authentication.k8s.io/v1\",\"status\":{{\"token\":\"%s\"}}}}' "
                    "\"$({} '{}')\"\n",
                    GetParam().print, Path("printed")));
  ASSERT_EQ(chmod(program.c_str(), 0700), 0);
  base::WipeStack();
  ASSERT_EQ(CountInMemory(needle), 0) << "the test itself leaves copies";
  [&]() __attribute__((noinline)) {
    const auto credentials =
        Make({.exec = MakeExecRunner({.command = program,
                                      .api_version = "client.authentication.k8s.io/v1",
                                      .interactive = KubeconfigExec::Interactive::kNever},
                                     {}, "", base::ReadSecretFile)});
    ASSERT_THAT(credentials->Authorization(), IsOk());
    EXPECT_GT(CountInMemory(needle), 0) << "the search does not work";
  }();
  base::WipeStack();
  EXPECT_EQ(CountInMemory(needle), 0);
}

// The key's text; the test CA keeps a copy of its own, so another process's key is made up here.
[[gnu::noinline]] MaskedNeedle WriteKey(const std::function<void(std::string_view)>& write,
                                        std::string& certificate_pem) {
  const pki::TestCa ca("root");
  pki::TestLeaf leaf = ca.Leaf({.common_name = "me"});
  certificate_pem = leaf.chain_pem;
  write(leaf.key_pem);
  const MaskedNeedle needle(leaf.key_pem.data() + 40);
  explicit_bzero(leaf.key_pem.data(), leaf.key_pem.size());
  return needle;
}

TEST_F(CredentialWipeTest, ClientKey) {
  std::string certificate_pem;
  const MaskedNeedle needle =
      WriteKey([](std::string_view key) { Write("key", key); }, certificate_pem);
  Write("crt", certificate_pem);
  base::WipeStack();
  ASSERT_EQ(CountInMemory(needle), 0) << "the test itself leaves copies";
  [&]() __attribute__((noinline)) {
    const auto credentials =
        Make({.client_certificate_file = Path("crt"), .client_key_file = Path("key")});
    const auto tls = credentials->Tls();
    ASSERT_THAT(tls, IsOk());
    EXPECT_NE(tls->identity, nullptr);
    EXPECT_GT(CountInMemory(needle), 0) << "the search does not work";
  }();
  base::WipeStack();
  EXPECT_EQ(CountInMemory(needle), 0);
}

}  // namespace
}  // namespace calico::kube
