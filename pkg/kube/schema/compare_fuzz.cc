// Two objects of any shape: comparing ends, and an object holds itself.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/kube/schema/compare.h"
#include "pkg/kube/schema/quantity.h"
#include "pkg/kube/schema/shape.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::kube::FirstDifference;
  const calico::kube::Schema& schema = calico::kube::Schema::Kubernetes();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t half = text.find('\n');
  const std::string_view first = text.substr(0, half);
  const std::string_view second =
      half == std::string_view::npos ? std::string_view("{}") : text.substr(half + 1);
  CALICO_CHECK(calico::kube::SameQuantity(first, second) ==
               calico::kube::SameQuantity(second, first));
  const auto live = calico::codec::ParseJsonObject(first);
  const auto desired = calico::codec::ParseJsonObject(second);
  if (!live.ok() || !desired.ok()) return 0;
  if (CheckShape(schema, *live).ok())
    CALICO_CHECK(!FirstDifference(schema, *live, *live).has_value());
  (void)FirstDifference(schema, *live, *desired);
  (void)ImmutableDifference(schema, *live, *desired);
  return 0;
}
