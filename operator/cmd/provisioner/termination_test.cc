// The program as a pod that is deleted sees it.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/started_program.h"

namespace calico {
namespace {

using ::testing::HasSubstr;

constexpr char kProgram[] = "operator/cmd/provisioner/key-cert-provisioner";

class TerminationTest : public testing::Test {
 protected:
  TerminationTest() {
    std::string pattern = testing::TempDir() + "/provisionerXXXXXX";
    folder_ = mkdtemp(pattern.data());
    server_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(server_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(server_, 1), 0);
    getsockname(server_, reinterpret_cast<sockaddr*>(&address), &size);
    std::ofstream(folder_ + "/kubeconfig")
        << R"({"apiVersion": "v1", "kind": "Config", "current-context": "c",
               "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:)"
        << ntohs(address.sin_port) << R"("}}],
               "users": [{"name": "u", "user": {"token": "t"}}],
               "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]})";
    std::filesystem::create_directory(folder_ + "/certs");
    std::ofstream(folder_ + "/certs/tls.key") << "old key";
    std::ofstream(folder_ + "/certs/tls.crt") << "old certificate";
  }
  ~TerminationTest() override {
    close(server_);
    std::filesystem::remove_all(folder_);
  }

  std::vector<std::string> Environment(const std::string& key_algorithm) const {
    return {"KUBECONFIG=" + folder_ + "/kubeconfig",
            "CERTIFICATE_PATH=" + folder_ + "/certs",
            "KEY_NAME=tls.key",
            "CERT_NAME=tls.crt",
            "SIGNER=example.com/signer",
            "COMMON_NAME=typha-client",
            "POD_NAME=pod",
            "POD_NAMESPACE=ns",
            "POD_UID=9a3a1042",
            "POD_IP=198.18.0.11",
            "APP_NAME=calico-system",
            "KEY_ALGORITHM=" + key_algorithm};
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ + "/certs/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void End(base::StartedProgram& program) {
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 143) << program.output();
    EXPECT_THAT(program.output(), HasSubstr("stopped by a signal"));
    EXPECT_EQ(Read("tls.key"), "old key");
    EXPECT_EQ(Read("tls.crt"), "old certificate");
  }

  int server_ = -1;  // takes connections and says nothing
  std::string folder_;
};

TEST_F(TerminationTest, EndsWhileItMakesAKey) {
  base::StartedProgram program(kProgram, Environment("RSAWithSize8192"));
  ASSERT_TRUE(program.WaitFor("making a key")) << program.output();
  End(program);
}

TEST_F(TerminationTest, EndsWhileItWaitsForTheServer) {
  base::StartedProgram program(kProgram, Environment("ECDSAWithCurve256"));
  const int connection = accept(server_, nullptr, nullptr);
  ASSERT_GE(connection, 0);
  End(program);
  close(connection);
}

}  // namespace
}  // namespace calico
