// Images by digest or by tag: which ImageSet counts for the release that is installed.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_IMAGE_CHOICE_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_IMAGE_CHOICE_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <absl/status/status.h>

#include "operator/controllers/kinds/records.h"
#include "operator/controllers/status/conditions.h"
#include "pkg/api/operator/image_set.h"

namespace calico::kinds {

struct ImageChoice {
  std::optional<api::ImageSet> set;  // absent: images by tag
  // Nothing is rendered then: what runs keeps its images.
  std::optional<status::Obstacle> obstacle;
};

// What is known of the ImageSets.
struct ImageSetFacts {
  // OK: these are all there are. Else why that cannot be seen.
  absl::Status known;
  std::vector<std::shared_ptr<const ImageSetRecord>> sets;
  // Installation.status.imageSet: the one that was in use last. Empty: none was.
  std::string_view in_use;
};

// Other images replace every pod. So a set that cannot be seen is an obstacle where one was in use,
// and none where images came by tag anyway.
ImageChoice ChooseImages(const ImageSetFacts& facts, std::string_view calico_version);

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_IMAGE_CHOICE_H_
