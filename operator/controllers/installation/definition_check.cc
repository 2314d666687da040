#include "operator/controllers/installation/definition_check.h"

#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "operator/controllers/definitions/crd_check.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/render/render.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/kube/schema/compare.h"

namespace calico::installation {
namespace {

// While the definition lacks something; it is not watched.
constexpr absl::Duration kCrdInterval = absl::Seconds(10);
constexpr absl::Duration kManagedCrdInterval = absl::Milliseconds(500);
constexpr absl::Duration kManagedCrdPatience = absl::Seconds(30);

}  // namespace

aio::Task<void> DefinitionCheck::Check(Pass& pass) {
  const SpecId spec = {pass.record->uid, pass.record->spec_hash};
  if (spec == checked_spec_) co_return;
  absl::StatusOr<std::vector<std::string>> pruned = co_await definitions::ReadPrunedFields(client_);
  if (absl::IsPermissionDenied(pruned.status())) {
    // Whether something is dropped stays unknown, which is no reason to do nothing.
    pass.gaps.push_back(fmt::format("{}: apply the operator.yaml of this version",
                                    std::string(pruned.status().message())));
    co_return;
  }
  if (!pruned.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(pruned.status().message()));
    pass.error = pruned.status();
    co_return;
  }
  if (pruned->empty()) {
    wait_until_.reset();
    pass.may_have_lost = spec == pruned_spec_;
    if (!pass.may_have_lost) checked_spec_ = spec;
    co_return;
  }
  pruned_spec_ = spec;
  pruned_fields_ = *std::move(pruned);
  TellPruned(pass);
}

// While the definition drops fields, any write of the Installation stores it without them.
void DefinitionCheck::TellPruned(Pass& pass) {
  pass.may_write_installation = false;
  if (!wait_until_.has_value()) wait_until_ = clock_.Now() + kManagedCrdPatience;
  if (options_.manages_crds && clock_.Now() < *wait_until_) {
    pass.waits.emplace_back("the CustomResourceDefinition of Installation is being updated");
    pass.Again(clock_.Now() + kManagedCrdInterval);
  } else {
    pass.Stop(api::kReasonResourceValidationError, definitions::PrunedMessage(pruned_fields_));
    pass.Again(clock_.Now() + kCrdInterval);
  }
}

// Whether the pods of a workload would be replaced.
bool DefinitionCheck::WouldRoll(const std::vector<json::object>& objects) const {
  if (!view_.KnowsWorkloads()) return true;
  const auto template_of = [](json::object object) {
    return json::object{
        {"apiVersion", object["apiVersion"]},
        {"kind", object["kind"]},
        {"spec", {{"template", render::EnsureObject(object, {"spec", "template"})}}}};
  };
  for (const json::object& object : objects) {
    const std::string_view kind = render::KindOf(object);
    if (kind != api::kDaemonSets.kind && kind != api::kDeployments.kind) continue;
    const api::Resource& resource =
        kind == api::kDaemonSets.kind ? api::kDaemonSets : api::kDeployments;
    const auto live = view_.owned().Get(
        resource, {std::string(render::kCalicoNamespace), std::string(render::NameOf(object))});
    if (live == nullptr) continue;
    if (kube::FirstDifference(kube::Schema::Kubernetes(), template_of(live->Parse()),
                              template_of(object))
            .has_value()) {
      return true;
    }
  }
  return false;
}

aio::Task<void> DefinitionCheck::CheckLost(const api::Installation& installation,
                                           const render::Inputs& inputs, Pass& pass) {
  const absl::StatusOr<std::vector<json::object>> objects =
      render::Render(*options_.release, installation, inputs);
  if (!objects.ok()) co_return;
  if (WouldRoll(*objects)) {
    const absl::StatusOr<json::object> live =
        co_await client_.Get(api::kInstallations, {"", std::string(api::kInstallationName)});
    const auto lost = live.ok() ? definitions::LostFields(*live, pruned_fields_) : std::nullopt;
    if (!lost.has_value() || !lost->empty()) {
      pass.Stop(api::kReasonResourceValidationError,
                definitions::LostMessage(lost.value_or(pruned_fields_)));
      pass.Again(clock_.Now() + kCrdInterval);
      co_return;
    }
  }
  checked_spec_ = std::exchange(pruned_spec_, {});
}

}  // namespace calico::installation
