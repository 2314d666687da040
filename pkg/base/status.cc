#include <string>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"

namespace calico::base {

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  const std::string_view message(status.message().data(), status.message().size());
  absl::Status annotated(status.code(), fmt::format("{}: {}", context, message));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace calico::base
