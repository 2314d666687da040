#include "operator/controllers/kinds/image_choice.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "pkg/api/operator/tigera_status.h"

namespace calico::kinds {
namespace {

status::Obstacle Obstacle(std::string_view reason, std::string message) {
  return {std::string(reason), std::move(message)};
}

}  // namespace

ImageChoice ChooseImages(const ImageSetFacts& facts, std::string_view calico_version) {
  ImageChoice choice;
  if (!facts.known.ok()) {
    if (facts.in_use.empty()) return choice;
    choice.obstacle = Obstacle(
        api::kReasonResourceReadError,
        fmt::format("whether ImageSet {} is still wanted cannot be seen ({}); what runs keeps its "
                    "images until it can",
                    facts.in_use, std::string(facts.known.message())));
    return choice;
  }
  std::vector<api::ImageSet> named;
  for (const auto& record : facts.sets) named.push_back({.meta = {.name = record->name}});
  const absl::StatusOr<const api::ImageSet*> found = api::FindImageSet(named, calico_version);
  if (!found.ok()) {
    choice.obstacle =
        Obstacle(api::kReasonResourceReadError, std::string(found.status().message()));
    return choice;
  }
  if (*found == nullptr) return choice;
  const auto record = std::find_if(facts.sets.begin(), facts.sets.end(), [&](const auto& one) {
    return one->name == (*found)->meta.name;
  });
  const absl::StatusOr<api::ImageSet>& set = (*record)->set;
  if (set.ok()) {
    choice.set = *set;
  } else {
    choice.obstacle = Obstacle(api::kReasonResourceValidationError,
                               fmt::format("Invalid ImageSet {} provided: {}", (*record)->name,
                                           std::string(set.status().message())));
  }
  return choice;
}

}  // namespace calico::kinds
