#include "operator/standin/command.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::standin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Every command that a release's containers have, and the entry points of their images.
TEST(FindCommandTest, KnowsWhatContainersRun) {
  const struct {
    std::vector<std::string> line;
    Program want;
  } cases[] = {
      {{"/bin/calico-node"}, &RunNode},
      {{"/bin/calico-node", "-bird-ready", "-felix-ready"}, &RunNode},
      {{"/usr/bin/calico", "component", "node", "health", "--felix-ready"}, &RunNode},
      {{"/usr/bin/calico", "component", "node", "init", "--best-effort"}, &Succeed},
      {{"/usr/bin/calico", "component", "node", "shutdown"}, &Succeed},
      {{"/usr/bin/calico-typha"}, &RunTypha},
      {{"/usr/bin/calico", "component", "typha"}, &RunTypha},
      {{"/opt/cni/bin/install"}, &InstallCni},
      {{"/usr/bin/calico", "component", "cni", "install"}, &InstallCni},
      {{"/usr/local/bin/flexvol"}, &InstallFlexvol},
      {{"/usr/bin/third-party-cni-plugins"}, &Succeed},
      {{"/usr/bin/kube-controllers"}, &RunKubeControllers},
      {{"/usr/bin/check-status", "-r"}, &CheckKubeControllers},
      {{"/usr/bin/calico", "component", "kube-controllers"}, &RunKubeControllers},
      {{"/usr/bin/calico", "health", "--port=9440", "--type=liveness"}, &CheckHealth},
      {{"/usr/bin/csi-driver"}, &RunCsi},
      {{"/usr/bin/calico", "component", "csi"}, &RunCsi},
      {{"/usr/bin/csi-node-driver-registrar"}, &RunCsiRegistrar},
      {{"/code/apiserver"}, &RunApiServer},
      {{"/code/filecheck"}, &CheckApiServer},
      {{"/usr/bin/calico", "component", "apiserver"}, &RunApiServer},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line.front() + " " + c.line.back());
    const auto command = FindCommand(c.line);
    ASSERT_THAT(command, base::IsOk());
    EXPECT_EQ(command->program, c.want);
  }
}

TEST(FindCommandTest, GivesWhatFollows) {
  const auto flexvol = FindCommand(
      {"/usr/bin/calico", "component", "flexvol", "install", "--target", "/host/driver/uds"});
  ASSERT_THAT(flexvol, base::IsOk());
  EXPECT_EQ(flexvol->program, &InstallFlexvol);
  EXPECT_THAT(flexvol->arguments, ElementsAre("--target", "/host/driver/uds"));
  const auto typha = FindCommand({"calico", "component", "typha"});
  ASSERT_THAT(typha, base::IsOk());
  EXPECT_THAT(typha->arguments, IsEmpty());
}

TEST(FindCommandTest, RefusesWhatNoImageRuns) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{}, {"sh"}, {"calico"}, {"calico", "component", "goldmane"}}) {
    EXPECT_THAT(FindCommand(line), base::StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(FlagTest, TakesBothForms) {
  EXPECT_EQ(Flag({"--v=5", "--port=9440"}, "port"), "9440");
  EXPECT_EQ(Flag({"--target", "/host"}, "target"), "/host");
  EXPECT_EQ(Flag({"--target"}, "target", "x"), "x");
  EXPECT_EQ(Flag({"--portal=1"}, "port", "2"), "2");
}

}  // namespace
}  // namespace calico::standin
