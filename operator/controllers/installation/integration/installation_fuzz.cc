// Whatever the API server holds as Installation: decode, validate, and render what is valid.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/defaults/complete_spec.h"
#include "operator/render/releases.h"
#include "operator/render/render.h"
#include "operator/validation/installation.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/plan.h"
#include "pkg/kube/schema/compare.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace json = calico::json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<json::object> object = calico::codec::ParseJsonObject(text);
  if (!object.ok()) return 0;
  const auto installation = calico::api::Installation::Decode(*object);
  if (!installation.ok()) return 0;
  // A moment at which the certificates of the corpus are valid.
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  calico::render::Releases& releases = calico::render::Releases::Embedded();
  const calico::render::Release& release = **releases.Find(releases.newest());
  const auto completed = calico::api::Installation::Decode(
      {{"metadata", {{"name", "default"}}},
       {"spec",
        calico::defaults::CompleteSpec(installation->spec, {.release = release.version()})}});
  if (!completed.ok()) return 0;
  auto verdict = calico::validation::ValidateCompleted(
      *completed, {.spec = {.release = release.version()}, .now = now});
  CALICO_CHECK(verdict.recheck_at > now);
  if (!verdict.ok()) return 0;
  const absl::StatusOr<std::vector<json::object>> objects =
      calico::render::Render(release, *completed,
                             {.owner_uid = "uid",
                              .operator_namespace = "tigera-operator",
                              .ca_certificates = std::move(verdict.ca_certificates),
                              .has_admission_policies = true});
  CALICO_CHECK(objects.ok());
  const calico::kube::Schema& schema = calico::kube::Schema::Kubernetes();
  for (const json::object& rendered : *objects) {
    CALICO_CHECK(calico::kube::MakeDesired(rendered, "applied").ok());
    CALICO_CHECK(!FirstDifference(schema, rendered, rendered).has_value());
  }
  return 0;
}
