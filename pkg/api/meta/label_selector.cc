#include "pkg/api/meta/label_selector.h"

#include <fmt/format.h>

namespace calico::api {

LabelSelector LabelSelector::Matching(const codec::StringMap& labels) {
  LabelSelector selector;
  for (const auto& [key, value] : labels) selector.Equals(key, value);
  return selector;
}

LabelSelector& LabelSelector::Add(std::string_view requirement) {
  if (!text_.empty()) text_ += ',';
  text_ += requirement;
  return *this;
}

LabelSelector& LabelSelector::Equals(std::string_view key, std::string_view value) {
  return Add(fmt::format("{}={}", key, value));
}

LabelSelector& LabelSelector::NotEquals(std::string_view key, std::string_view value) {
  return Add(fmt::format("{}!={}", key, value));
}

LabelSelector& LabelSelector::In(std::string_view key, absl::Span<const std::string_view> values) {
  return Add(fmt::format("{} in ({})", key, fmt::join(values.begin(), values.end(), ",")));
}

LabelSelector& LabelSelector::NotIn(std::string_view key,
                                    absl::Span<const std::string_view> values) {
  return Add(fmt::format("{} notin ({})", key, fmt::join(values.begin(), values.end(), ",")));
}

LabelSelector& LabelSelector::Exists(std::string_view key) { return Add(key); }

LabelSelector& LabelSelector::NotExists(std::string_view key) {
  return Add(fmt::format("!{}", key));
}

}  // namespace calico::api
