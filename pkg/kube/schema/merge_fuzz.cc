// An object and a patch of any shape: merging ends, and merging the same patch again changes
// nothing more.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/kube/schema/merge.h"
#include "pkg/kube/schema/shape.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const calico::kube::Schema& schema = calico::kube::Schema::Kubernetes();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t half = text.find('\n');
  if (half == std::string_view::npos) return 0;
  const auto base = calico::codec::ParseJsonObject(text.substr(0, half));
  const auto patch = calico::codec::ParseJsonObject(text.substr(half + 1));
  if (!base.ok() || !patch.ok()) return 0;
  const bool is_well_formed = CheckShape(schema, *base).ok();
  const auto merged = Merge(schema, *base, *patch);
  if (!merged.ok()) return 0;
  // What came out of a good object and a good patch is a good object.
  if (is_well_formed) CALICO_CHECK(CheckShape(schema, *merged).ok());
  const auto again = Merge(schema, *merged, *patch);
  // A second `$patch: delete` of an element finds it gone.
  if (again.ok()) CALICO_CHECK(*again == *merged);
  return 0;
}
