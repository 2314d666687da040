// Whole commands, as a user types them, against a fake API server.
//
//   using CsrTest = ClusterProgramTest;
//   ASYNC_TEST_F(CsrTest, Lists) {
//     const RunResult result = co_await Run(CsrCommands(), {"csr", "list"});
//     EXPECT_EQ(result.code, 0) << result.err;
//   }
#ifndef CALICO_OPERATOR_CALICERT_CLUSTER_TESTING_CLUSTER_PROGRAM_H_
#define CALICO_OPERATOR_CALICERT_CLUSTER_TESTING_CLUSTER_PROGRAM_H_

#include <string>
#include <string_view>
#include <vector>

#include "operator/calicert/command/command.h"
#include "operator/calicert/command/testing/run.h"
#include "pkg/aio/task.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::calicert {

// It is base::FakeClock's hour, for the commands and for the server: nothing runs into a deadline.
class ClusterProgramTest : public kube::FakeApiServerTest {
 public:
  ClusterProgramTest();

  // The command runs on a thread of its own while the server answers it. KUBECONFIG leads there.
  aio::Task<RunResult> Run(std::vector<Command> table, std::vector<std::string> words,
                           std::string in = "");
  // A folder of this test's own.
  const std::string& folder() const { return folder_; }
  // Writes a file there and returns its path.
  std::string Write(const std::string& name, std::string_view content) const;

 private:
  std::string folder_;
};

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CLUSTER_TESTING_CLUSTER_PROGRAM_H_
