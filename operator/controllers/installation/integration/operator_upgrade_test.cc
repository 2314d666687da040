// Another release of Calico over the one that there is, and the way back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/installation/integration/operator_test_world.h"
#include "operator/render/releases.h"
#include "operator/render/testing/objects.h"
#include "pkg/api/meta/resources.h"

namespace calico::installation {
namespace {

using render::ObjectAt;
using render::TextAt;
using testing::HasSubstr;
using testing::Not;

class UpgradeTest : public OperatorProgramTest {
 protected:
  // Calico `release` until everything runs; then the operator ends.
  aio::Task<void> Install(std::string_view release) {
    PutInstallation(Installation());
    SetRelease(release);
    Start();
    co_await Until("conditions", [&] { return HasConditions(); });
    MakeEverythingRun(1);
    co_await Until("available", [&] { return IsAvailable(); });
    co_await Settle();
    co_await Stop();
  }
  void SetRelease(std::string_view release) {
    release_ = *render::Releases::Embedded().Find(release);
  }
  std::string Degraded() {
    return Condition("Degraded") == "True" ? Condition("Degraded", "message") : "";
  }
  bool IsTold(std::string_view text) { return Degraded().find(text) != std::string::npos; }
  std::string NodeImage() {
    json::object node = *Find(api::kDaemonSets, kNodeKey);
    return std::string(TextAt(render::Container(node, "calico-node"), "image"));
  }
  std::string CalicoVersion() {
    json::object installation = *Find(api::kInstallations, kDefault);
    return std::string(TextAt(ObjectAt(installation, {"status"}), "calicoVersion"));
  }
};

ASYNC_TEST_F(UpgradeTest, TheStatusNamesTheOldReleaseUntilTheNewOneRuns) {
  co_await Install("v3.32");
  EXPECT_EQ(CalicoVersion(), "v3.32.1");
  SetRelease("v3.33");
  Start();
  co_await Until("changed", [&] { return NodeImage() == "quay.io/calico/node:v3.33.1"; });
  co_await Until("told", [&] {
    return Condition("Progressing", "message").find("Calico from v3.32.1 to v3.33.1\n") !=
           std::string::npos;
  });
  EXPECT_EQ(CalicoVersion(), "v3.32.1");
  MakeEverythingRun();
  co_await Until("available", [&] { return IsAvailable(); });
  co_await Until("complete", [&] { return CalicoVersion() == "v3.33.1"; });
  EXPECT_THAT(Condition("Available", "message"), HasSubstr("Calico v3.33.1"));
  EXPECT_THAT(Condition("Available", "message"), Not(HasSubstr("v3.32.1")));
  co_await Settle();
  server().ClearRequests();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

ASYNC_TEST_F(UpgradeTest, AnOlderReleaseIsRefusedUntilItIsAskedFor) {
  co_await Install("v3.33");
  const auto before = Made();
  SetRelease("v3.32");
  Start();
  co_await Until("refused", [&] { return IsTold("--allow-downgrade"); });
  EXPECT_EQ(Made(), before);
  EXPECT_EQ(CalicoVersion(), "v3.33.1");
  co_await Stop();
  allow_downgrade_ = true;
  Start();
  co_await Until("changed", [&] { return NodeImage() == "quay.io/calico/node:v3.32.1"; });
  co_await Stop();
}

// The Installation was restored from a backup, which has no status.
ASYNC_TEST_F(UpgradeTest, WithoutAStatusTheImagesTellWhatIsInstalled) {
  co_await Install("v3.33");
  json::object installation = *Find(api::kInstallations, kDefault);
  installation.erase("status");
  server().Put(std::move(installation));
  SetRelease("v3.27");
  Start();
  co_await Until("refused", [&] { return IsTold("Calico v3.33.1 is installed"); });
  EXPECT_EQ(NodeImage(), "quay.io/calico/node:v3.33.1");
  co_await Stop();
}

// One image of a later release is a change by hand like any other.
ASYNC_TEST_F(UpgradeTest, AnImageThatWasChangedByHandIsPutRight) {
  co_await Install("v3.32");
  json::object node = *Find(api::kDaemonSets, kNodeKey);
  render::Container(node, "calico-node")["image"] = "quay.io/calico/node:v3.99.0";
  server().Put(std::move(node));
  Start();
  co_await Until("put right", [&] { return NodeImage() == "quay.io/calico/node:v3.32.1"; });
  co_await Stop();
}

// An operator of another build has another version to tell, and nothing else.
ASYNC_TEST_F(UpgradeTest, TheSameReleaseAgainWritesNoObject) {
  co_await Install("v3.32");
  const auto before = Made();
  server().ClearRequests();
  Start();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  EXPECT_EQ(Made(), before);
  co_await Stop();
}

}  // namespace
}  // namespace calico::installation
