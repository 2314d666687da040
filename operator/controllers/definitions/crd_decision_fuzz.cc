// The file of --calico-crds, and a definition of the cluster: whatever they hold, one is taken or
// told about.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "operator/controllers/definitions/crd_decision.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace definitions = calico::definitions;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto* const ours =
      new absl::StatusOr<std::vector<definitions::WantedCrd>>(definitions::WantedCrds("v3.33", ""));
  CALICO_CHECK(ours->ok() && !(*ours)->empty());
  const auto given = definitions::WantedCrds("v3.33", text);
  if (given.ok()) CALICO_CHECK(given->size() == (*ours)->size() || text.empty());
  const auto live = calico::codec::ParseYaml(text, {.max_bytes = 256 << 10});
  if (!live.ok() || !live->is_object()) return 0;
  for (const auto* const wanted : {ours, &given}) {
    if (!wanted->ok()) continue;
    for (const definitions::WantedCrd& crd : **wanted) {
      const definitions::CrdDecision decision = Decide(crd, live->get_object());
      CALICO_CHECK(decision.problem.size() < 4096);
      CALICO_CHECK(definitions::LostFields(crd.object, live->get_object()).size() <= 16);
    }
  }
  return 0;
}
