// One release more beside the embedded ones: v3.99, which is the manifests of v3.32 with three
// fragments more (testing/manifests/v3.99).
#ifndef CALICO_OPERATOR_RENDER_TESTING_RELEASES_H_
#define CALICO_OPERATOR_RENDER_TESTING_RELEASES_H_

#include <string_view>
#include <vector>

#include "pkg/base/embedded_file.h"

namespace calico::render {

inline constexpr std::string_view kSecondRelease = "v3.99";

// The files of all releases. Lifetime of the views: static.
std::vector<base::EmbeddedFile> FilesOfTwoReleases();

// The same with the content of one file replaced, or with that file added or (empty) removed.
// Lifetime of `content`: as long as the result.
std::vector<base::EmbeddedFile> WithFile(std::string_view name, std::string_view content);

// Of a file of the second release: "calico-node.yaml".
std::string_view ContentOf(std::string_view name);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_TESTING_RELEASES_H_
