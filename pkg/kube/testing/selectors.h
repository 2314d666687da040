// Label and field selectors as the API server evaluates them. Pure.
#ifndef CALICO_PKG_KUBE_TESTING_SELECTORS_H_
#define CALICO_PKG_KUBE_TESTING_SELECTORS_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::kube {

// Both selectors of one list or watch request.
class Selectors {
 public:
  // Labels: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`. Fields: `=`, `==`,
  // `!=` on metadata.name and metadata.namespace, on spec.signerName of certificatesigningrequests,
  // and on spec.nodeName and status.phase of pods. Errors: kInvalidArgument with the API server's
  // text.
  static absl::StatusOr<Selectors> Parse(std::string_view labels, std::string_view fields,
                                         std::string_view plural);

  bool Match(const json::object& object) const;
  bool empty() const { return labels_.empty() && fields_.empty(); }

 private:
  struct Requirement {
    std::string key;
    bool negated = false;
    bool any_value = false;  // only whether the label is there
    std::vector<std::string> values;
  };
  static absl::StatusOr<Requirement> ParseLabel(std::string_view text);
  static absl::StatusOr<Requirement> ParseField(std::string_view text, std::string_view plural);

  std::vector<Requirement> labels_;
  std::vector<Requirement> fields_;
};

// The string at a path of keys such as {"metadata", "name"}; empty when there is none.
std::string_view TextAt(const json::object& object, std::initializer_list<std::string_view> path);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_SELECTORS_H_
