#include "operator/standin/tls_server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/standin/mutual_tls.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::standin {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;

class TlsServerTest : public testing::Test {
 protected:
  TlsServerTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string pattern = testing::TempDir() + "/tls_serverXXXXXX";
    folder_ = mkdtemp(pattern.data());
    const pki::TestCa ca("root", absl::Now());
    const pki::TestLeaf leaf = ca.Leaf({.common_name = "calico-api"});
    std::ofstream(folder_ + "/tls.key") << leaf.key_pem;
    std::ofstream(folder_ + "/tls.crt") << leaf.chain_pem;
    std::ofstream(folder_ + "/ca.crt") << ca.certificate_pem();
  }
  ~TlsServerTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

TEST_F(TlsServerTest, AnswersOneRequestWithItsCertificate) {
  const auto server = TlsServer::Load(File("tls.crt"), File("tls.key"));
  ASSERT_THAT(server, IsOk());
  const absl::StatusOr<Socket> listener = Listen("127.0.0.1", 0);
  ASSERT_THAT(listener, IsOk());
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(listener->fd(), reinterpret_cast<sockaddr*>(&address), &size);
  std::thread serving([&] {
    (*server)->Answer(*Accept(*listener),
                      [](std::string_view line) { return "heard " + std::string(line); });
  });
  const auto client = MutualTls::Load(
      TlsSide::kClient,
      {.certificate = File("tls.crt"), .key = File("tls.key"), .ca = File("ca.crt")},
      {.common_name = "calico-api"});
  ASSERT_THAT(client, IsOk());
  const auto connection = (*client)->Establish(*Connect("127.0.0.1", ntohs(address.sin_port)));
  ASSERT_THAT(connection, IsOk());
  EXPECT_THAT((*connection)->Write("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), IsOk());
  EXPECT_EQ(*(*connection)->Read(), "heard GET /readyz HTTP/1.1");
  serving.join();
}

TEST_F(TlsServerTest, NamesTheFileThatIsMissing) {
  EXPECT_THAT(TlsServer::Load(File("other"), File("tls.key")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/other")));
  EXPECT_THAT(TlsServer::Load(File("tls.crt"), File("other")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("/other")));
}

}  // namespace
}  // namespace calico::standin
