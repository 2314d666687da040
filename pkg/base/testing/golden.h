// Golden files: expected texts kept below testdata/golden, compared whole.
//
//   EXPECT_THAT(text, MatchesGolden("render/calico-node.yaml"));
//
// The test needs `data = ["//testdata/golden:render"]`. To write the files anew:
//   UPDATE_GOLDEN=1 bazel run //operator/render:render_test
#ifndef CALICO_PKG_BASE_TESTING_GOLDEN_H_
#define CALICO_PKG_BASE_TESTING_GOLDEN_H_

#include <string>
#include <string_view>

#include <gmock/gmock.h>

namespace calico::base {

// Empty when `text` equals the golden file, else what differs and how to accept it. With
// UPDATE_GOLDEN=1 the file is written instead, in the workspace that `bazel run` names.
std::string CompareWithGolden(std::string_view text, const std::string& path);

MATCHER_P(MatchesGolden, path, "equals testdata/golden/" + std::string(path)) {
  const std::string difference = CompareWithGolden(arg, path);
  *result_listener << difference;
  return difference.empty();
}

}  // namespace calico::base

#endif  // CALICO_PKG_BASE_TESTING_GOLDEN_H_
