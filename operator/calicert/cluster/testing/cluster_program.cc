#include "operator/calicert/cluster/testing/cluster_program.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "pkg/aio/timer.h"
#include "pkg/base/check.h"
#include "pkg/base/testing/fake_clock.h"

namespace calico::calicert {
namespace {

const base::Clock& StandingClock() {
  static const base::FakeClock clock;
  return clock;
}

}  // namespace

ClusterProgramTest::ClusterProgramTest()
    : FakeApiServerTest({.clock = &StandingClock()}),
      folder_(std::string(std::getenv("TEST_TMPDIR")) + "/" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
  std::filesystem::create_directories(folder_);
}

aio::Task<RunResult> ClusterProgramTest::Run(std::vector<Command> table,
                                             std::vector<std::string> words, std::string in) {
  const std::string kubeconfig = Write("kubeconfig", server().Kubeconfig());
  RunOptions options{.in = std::move(in), .environment = {{"KUBECONFIG", kubeconfig}}};
  RunResult result;
  aio::Notifier done(executor());
  std::thread thread([&] {
    result = RunWords(table, words, options);
    done.NotifyFromThread();
  });
  const absl::Status waited = co_await done.Wait(absl::Seconds(60));
  thread.join();
  CALICO_CHECK(waited.ok());
  co_return result;
}

std::string ClusterProgramTest::Write(const std::string& name, std::string_view content) const {
  std::string path = folder_ + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace calico::calicert
