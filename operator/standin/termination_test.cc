#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/started_program.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::standin {
namespace {

using base::StartedProgram;

class TerminationTest : public testing::Test {
 protected:
  TerminationTest() {
    std::string pattern = testing::TempDir() + "/termination_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const pki::TestCa ca("root", absl::Now());
    const pki::TestLeaf leaf = ca.Leaf({.common_name = "typha-server"});
    std::ofstream(folder_ + "/key") << leaf.key_pem;
    std::ofstream(folder_ + "/crt") << leaf.chain_pem;
    std::ofstream(folder_ + "/ca") << ca.certificate_pem();
  }
  // The binary under the name of one of its programs.
  std::string Program(const std::string& name) const {
    std::filesystem::create_symlink(std::filesystem::absolute("operator/standin/calico"),
                                    folder_ + "/" + name);
    return folder_ + "/" + name;
  }
  ~TerminationTest() override { std::filesystem::remove_all(folder_); }

  // An orderly exit code is proof of a handler, which works for the first process of a container
  // as for any other; the default action would show as a signal.
  static void ExpectEndsWithZero(StartedProgram& program, const char* when) {
    ASSERT_TRUE(program.WaitFor(when)) << program.output();
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(), 0) << program.output();
  }

  std::string folder_;
};

TEST_F(TerminationTest, TyphaEndsWhenTold) {
  StartedProgram typha(
      Program("calico-typha"),
      {"TYPHA_SERVERCERTFILE=" + folder_ + "/crt", "TYPHA_SERVERKEYFILE=" + folder_ + "/key",
       "TYPHA_CAFILE=" + folder_ + "/ca", "TYPHA_CLIENTCN=typha-client", "TYPHA_SERVERPORT=0"});
  ExpectEndsWithZero(typha, "serving");
}

TEST_F(TerminationTest, NodeEndsWhenTold) {
  StartedProgram node(
      Program("calico-node"),
      {"FELIX_TYPHACERTFILE=" + folder_ + "/crt", "FELIX_TYPHAKEYFILE=" + folder_ + "/key",
       "FELIX_TYPHACAFILE=" + folder_ + "/ca", "FELIX_HEALTHPORT=0"});
  ExpectEndsWithZero(node, "typha: ");  // it says why it is not connected, and tries again
}

}  // namespace
}  // namespace calico::standin
