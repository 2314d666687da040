#include "operator/controllers/cluster/mtu_file.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::cluster {
namespace {

using base::IsOkAndHolds;
using base::StatusIs;

std::string FileWith(const std::string& text) {
  const char* const folder = std::getenv("TEST_TMPDIR");
  const std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/mtu";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(MtuFileTest, ReadsTheNumber) {
  EXPECT_THAT(ReadMtuFile(FileWith("1450\n")), IsOkAndHolds(1450));
  EXPECT_THAT(ReadMtuFile("/nowhere/mtu"), IsOkAndHolds(0));
}

TEST(MtuFileTest, SaysWhatIsNoMtu) {
  for (const char* const text : {"", "abc", "-1", "99999999999", "1450 1460"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ReadMtuFile(FileWith(text)), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace calico::cluster
