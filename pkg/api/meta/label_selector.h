// Label selectors in the text form that list and watch requests take.
//
//   LabelSelector().Equals("k8s-app", "calico-node").Exists("team").ToString()
//   // "k8s-app=calico-node,team"
#ifndef CALICO_PKG_API_META_LABEL_SELECTOR_H_
#define CALICO_PKG_API_META_LABEL_SELECTOR_H_

#include <string>
#include <string_view>

#include <absl/types/span.h>

#include "pkg/codec/object_reader.h"

namespace calico::api {

// Requirements joined by "and". Keys and values must be valid label keys and values; they are not
// checked here, the API server does it.
class LabelSelector {
 public:
  LabelSelector() = default;
  // Every label of `labels` must be there.
  static LabelSelector Matching(const codec::StringMap& labels);

  LabelSelector& Equals(std::string_view key, std::string_view value);
  LabelSelector& NotEquals(std::string_view key, std::string_view value);
  LabelSelector& In(std::string_view key, absl::Span<const std::string_view> values);
  LabelSelector& NotIn(std::string_view key, absl::Span<const std::string_view> values);
  LabelSelector& Exists(std::string_view key);
  LabelSelector& NotExists(std::string_view key);

  // Empty selects everything.
  const std::string& ToString() const { return text_; }

 private:
  LabelSelector& Add(std::string_view requirement);

  std::string text_;
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_LABEL_SELECTOR_H_
