// Facts: what a release's fragments may ask about an Installation and its cluster, by name.
//
//   when: {dataplane: BPF, provider: [EKS, AKS]}
//
// A fact always has one of the values that it can have, so that every combination can be tried.
#ifndef CALICO_OPERATOR_RENDER_FACTS_H_
#define CALICO_OPERATOR_RENDER_FACTS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/render/inputs.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

struct FactDefinition {
  std::string_view name;
  std::vector<std::string_view> values;  // the first is what an empty Installation has
};
// Sorted by name. Lifetime: static.
std::span<const FactDefinition> FactDefinitions();

// The value of every fact, by name.
using Facts = std::map<std::string_view, std::string_view>;

// Reads installation.spec, which is complete (operator/defaults).
// Values that no definition has (a provider of a later version) count as the first one.
Facts FactsOf(const api::Installation& installation, const Inputs& inputs);

// A condition over facts: each fact that it names has one of the values it lists.
class When {
 public:
  // From `when:` of a fragment.
  // Errors: InvalidArgument for a fact or a value that does not exist, and for no fact at all.
  static absl::StatusOr<When> Parse(const json::object& object);

  bool Holds(const Facts& facts) const;

  using Values = std::map<std::string_view, std::vector<std::string_view>>;
  const Values& values() const { return values_; }

 private:
  Values values_;
};

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_FACTS_H_
