// Derived values: what markers name as ${inputs.NAME}, made from an Installation and the inputs.
// Manifests say where a value goes, this table what it is.
#ifndef CALICO_OPERATOR_RENDER_DERIVED_VALUES_H_
#define CALICO_OPERATOR_RENDER_DERIVED_VALUES_H_

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/render/facts.h"
#include "operator/render/inputs.h"
#include "operator/render/markers.h"
#include "pkg/api/operator/installation.h"
#include "pkg/codec/json.h"

namespace calico::render {

class Release;
class RenderValues;

struct DerivedValue {
  std::string_view name;
  std::string_view sample;  // JSON; what load-time checks put in the place
  // nullopt: there is none, and a marker needs a text or a condition.
  absl::StatusOr<std::optional<json::value>> (*compute)(RenderValues& values);
};
// Sorted by name. Lifetime: static.
std::span<const DerivedValue> DerivedValues();

// The values of one rendering. Each derived one is computed once, when it is first asked for.
class RenderValues {
 public:
  // Lifetime: the arguments outlive this.
  RenderValues(const Release& release, const api::Installation& installation, const Inputs& inputs,
               const Facts& facts);
  RenderValues(const RenderValues&) = delete;
  RenderValues& operator=(const RenderValues&) = delete;

  const Release& release() const { return release_; }
  const api::Installation& installation() const { return installation_; }
  const Inputs& inputs() const { return inputs_; }
  const Facts& facts() const { return facts_; }

  // As MarkerValues. An empty text and null count as no value, as they do in an Installation.
  absl::StatusOr<const json::value*> Find(std::string_view path);
  // A field of the completed spec, without `spec.`; null if it says nothing.
  const json::value* FindInSpec(std::string_view path) const;
  // A text of the completed spec, or empty.
  std::string_view SpecText(std::string_view path) const;
  MarkerValues AsMarkerValues();

 private:
  struct Computed {
    bool is_done = false;
    std::optional<json::value> value;
  };

  const Release& release_;
  const api::Installation& installation_;
  const Inputs& inputs_;
  const Facts& facts_;
  std::vector<Computed> computed_;  // as DerivedValues()
};

// A value of the right type for every path that there is, to check manifests with.
MarkerValues SampleValues();

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_DERIVED_VALUES_H_
