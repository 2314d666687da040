// The program before an API server that it cannot reach.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/started_program.h"

namespace calico {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kProgram[] = "operator/cmd/operator/calico-operator";

class UnreachableTest : public testing::Test {
 protected:
  UnreachableTest() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::string pattern = testing::TempDir() + "/unreachableXXXXXX";
    folder_ = mkdtemp(pattern.data());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    server_ = fmt::format("https://127.0.0.1:{}", ntohs(address.sin_port));
    std::ofstream(folder_ + "/kubeconfig")
        << R"({"apiVersion": "v1", "kind": "Config", "current-context": "c",
               "clusters": [{"name": "c", "cluster": {"server": ")"
        << server_ << R"("}}],
               "users": [{"name": "u", "user": {"token": "t"}}],
               "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]})";
  }
  ~UnreachableTest() override {
    close(socket_);
    std::filesystem::remove_all(folder_);
  }

  // The first reason that the program gives, which must come within five seconds.
  std::string FirstReason() {
    const absl::Time start = absl::Now();
    base::StartedProgram program(kProgram, {"KUBECONFIG=" + folder_ + "/kubeconfig"});
    EXPECT_TRUE(program.WaitFor("next_step")) << program.output();
    EXPECT_LT(absl::Now() - start, absl::Seconds(5));
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 0) << program.output();
    const size_t line = program.output().find("cannot be reached");
    return line == std::string::npos ? program.output() : program.output().substr(line, 600);
  }

  const int socket_;
  std::string server_;
  std::string folder_;
};

TEST_F(UnreachableTest, AClosedPortIsToldAtOnce) {
  EXPECT_THAT(FirstReason(),
              AllOf(HasSubstr(server_), HasSubstr("connection refused"), HasSubstr("next_step")));
}

// Takes connections and never says a word.
TEST_F(UnreachableTest, ABlackHoleIsToldWithinFiveSeconds) {
  ASSERT_EQ(listen(socket_, 64), 0);
  EXPECT_THAT(FirstReason(),
              AllOf(HasSubstr(server_), HasSubstr("timed out after"), HasSubstr("firewalls")));
}

}  // namespace
}  // namespace calico
