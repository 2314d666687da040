#include "operator/standin/mutual_tls.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/standin/handshake.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::standin {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

class MutualTlsTest : public testing::Test {
 protected:
  MutualTlsTest() : ca_("root", absl::Now()) {
    std::signal(SIGPIPE, SIG_IGN);  // as both programs do: a refused peer hangs up first
    std::string pattern = testing::TempDir() + "/tlsXXXXXX";
    folder_ = mkdtemp(pattern.data());
    Write("ca", ca_.certificate_pem());
  }
  ~MutualTlsTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_ + "/" + name) << content;
  }
  MutualTlsFiles Pair(const pki::TestCa& ca, const std::string& common_name) {
    const pki::TestLeaf leaf = ca.Leaf({.common_name = common_name});
    Write(common_name + ".key", leaf.key_pem);
    Write(common_name + ".crt", leaf.chain_pem);
    return {.certificate = folder_ + "/" + common_name + ".crt",
            .key = folder_ + "/" + common_name + ".key",
            .ca = folder_ + "/ca"};
  }
  // Handshakes once; returns what the server and the client say.
  std::pair<absl::Status, absl::Status> Talk(const MutualTlsFiles& server_files,
                                             const MutualTlsFiles& client_files) {
    auto server = MutualTls::Load(TlsSide::kServer, server_files, {.common_name = "typha-client"});
    auto client = MutualTls::Load(TlsSide::kClient, client_files, {.common_name = "typha-server"});
    EXPECT_THAT(server.status(), IsOk());
    EXPECT_THAT(client.status(), IsOk());
    const HandshakeEnds ends = Handshake(**server, **client);
    return {ends.server, ends.client};
  }

  pki::TestCa ca_;
  std::string folder_;
};

TEST_F(MutualTlsTest, PeersOfTheCaWithTheRightNamesTalk) {
  const auto [server, client] = Talk(Pair(ca_, "typha-server"), Pair(ca_, "typha-client"));
  EXPECT_THAT(server, IsOk());
  EXPECT_THAT(client, IsOk());
}

TEST_F(MutualTlsTest, AClientOfAnotherNameIsRefused) {
  const auto [server, client] = Talk(Pair(ca_, "typha-server"), Pair(ca_, "somebody"));
  EXPECT_THAT(server, StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("required CN")));
  EXPECT_FALSE(client.ok());
}

TEST_F(MutualTlsTest, AServerOfAnotherNameIsRefused) {
  const auto [server, client] = Talk(Pair(ca_, "imposter"), Pair(ca_, "typha-client"));
  EXPECT_THAT(client, StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("'imposter'")));
}

TEST_F(MutualTlsTest, AClientOfAnotherCaIsRefused) {
  const pki::TestCa other("root", absl::Now());
  const auto [server, client] = Talk(Pair(ca_, "typha-server"), Pair(other, "typha-client"));
  EXPECT_THAT(server, StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("handshake")));
}

TEST_F(MutualTlsTest, MissingFilesAndSettingsAreErrors) {
  MutualTlsFiles files = Pair(ca_, "typha-server");
  EXPECT_THAT(MutualTls::Load(TlsSide::kServer, files, {}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  files.key = folder_ + "/absent";
  EXPECT_THAT(MutualTls::Load(TlsSide::kServer, files, {.common_name = "x"}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/absent")));
}

}  // namespace
}  // namespace calico::standin
