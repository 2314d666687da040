#include "operator/controllers/installation/definition_check.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
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

DefinitionCheck::SpecId DefinitionCheck::OverlayId() const {
  const std::shared_ptr<const OtherInstallation> overlay = view_.Overlay();
  if (overlay == nullptr) return {};
  return {overlay->uid, std::hash<std::string>()(codec::Serialize(overlay->spec))};
}

aio::Task<void> DefinitionCheck::Check(Pass& pass) {
  const std::pair<SpecId, Known*> specs[] = {
      {{pass.record->uid, pass.record->spec_hash}, &default_}, {OverlayId(), &overlay_}};
  if (std::all_of(std::begin(specs), std::end(specs),
                  [](const auto& spec) { return spec.first == spec.second->checked; })) {
    co_return;
  }
  absl::StatusOr<std::vector<std::string>> pruned =
      co_await definitions::ReadPrunedFields(client_, api::kInstallations, whole_installations_);
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
    installation_wait_.until.reset();
    for (const auto& [spec, known] : specs) {
      if (!spec.first.empty() && spec == known->pruned) {
        pass.may_have_lost = true;
      } else {
        known->checked = spec;
      }
    }
    co_return;
  }
  for (const auto& [spec, known] : specs) {
    if (spec == known->checked) continue;
    known->pruned = spec;
    known->fields = *pruned;
  }
  TellPruned(*pruned, pass);
}

// This process updates the definition, or has no longer reason to hope for that.
bool DefinitionCheck::IsManaged(Wait& wait) const {
  if (!wait.until.has_value()) wait.until = clock_.Now() + kManagedCrdPatience;
  return options_.manages_crds && clock_.Now() < *wait.until;
}

// While the definition drops fields, any write of the Installation stores it without them.
void DefinitionCheck::TellPruned(const std::vector<std::string>& fields, Pass& pass) {
  pass.may_write_installation = false;
  if (IsManaged(installation_wait_)) {
    pass.waits.emplace_back("the CustomResourceDefinition of Installation is being updated");
    pass.Again(clock_.Now() + kManagedCrdInterval);
  } else {
    pass.Stop(api::kReasonResourceValidationError,
              definitions::PrunedMessage(api::kInstallations, fields));
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

// Stops the pass; what nothing tells of counts as lost.
aio::Task<bool> DefinitionCheck::HasLost(std::string_view name, Known& known, Pass& pass) {
  const absl::StatusOr<json::object> live =
      co_await client_.Get(api::kInstallations, {"", std::string(name)});
  const auto lost = live.ok() ? definitions::LostFields(*live, known.fields) : std::nullopt;
  if (lost.has_value() && lost->empty()) co_return false;
  pass.Stop(api::kReasonResourceValidationError,
            definitions::LostMessage(api::kInstallations, name, lost.value_or(known.fields)));
  pass.Again(clock_.Now() + kCrdInterval);
  co_return true;
}

aio::Task<void> DefinitionCheck::CheckLost(const api::Installation& installation,
                                           const render::Inputs& inputs, Pass& pass) {
  const absl::StatusOr<std::vector<json::object>> objects =
      render::Render(*options_.release, installation, inputs);
  if (!objects.ok()) co_return;
  const bool would_roll = WouldRoll(*objects);
  for (const auto& [name, known] :
       {std::pair(api::kInstallationName, &default_), std::pair(api::kOverlayName, &overlay_)}) {
    if (known->pruned.first.empty()) continue;
    const bool is_there = name == api::kInstallationName || known->pruned == OverlayId();
    if (is_there && would_roll && co_await HasLost(name, *known, pass)) co_return;
    known->checked = std::exchange(known->pruned, {});
  }
}

aio::Task<std::vector<std::string>> DefinitionCheck::ApiServersLost(const std::string& name) const {
  const absl::StatusOr<json::object> live = co_await client_.Get(api::kApiServers, {"", name});
  if (!live.ok()) co_return api_server_.fields;
  co_return definitions::LostFields(*live, api_server_.fields).value_or(std::vector<std::string>());
}

aio::Task<DefinitionCheck::Finding> DefinitionCheck::CheckApiServer(std::string name,
                                                                    std::string uid,
                                                                    std::int64_t generation) {
  const SpecId spec = {std::move(uid), static_cast<std::size_t>(generation)};
  if (spec == api_server_.checked) co_return Finding();
  const absl::StatusOr<std::vector<std::string>> pruned =
      co_await definitions::ReadPrunedFields(client_, api::kApiServers, whole_api_servers_);
  if (absl::IsPermissionDenied(pruned.status())) {
    // As for an Installation, which tells that the right is missing.
    api_server_.checked = spec;
    co_return Finding();
  }
  Finding finding{.again_at = clock_.Now() + kCrdInterval};
  const auto stop = [&](std::string_view reason, std::string message) {
    finding.obstacle = status::Obstacle{std::string(reason), std::move(message)};
  };
  if (!pruned.ok()) {
    stop(api::kReasonResourceReadError, std::string(pruned.status().message()));
    finding.again_at = clock_.Now() + kManagedCrdInterval;
    co_return finding;
  }
  if (!pruned->empty()) {
    api_server_ = {.checked = {}, .pruned = spec, .fields = *pruned};
    if (IsManaged(api_server_wait_)) {
      finding.wait = "the CustomResourceDefinition of APIServer is being updated";
      finding.again_at = clock_.Now() + kManagedCrdInterval;
    } else {
      stop(api::kReasonResourceValidationError,
           definitions::PrunedMessage(api::kApiServers, *pruned));
    }
    co_return finding;
  }
  api_server_wait_.until.reset();
  if (spec == api_server_.pruned) {
    const std::vector<std::string> lost = co_await ApiServersLost(name);
    if (!lost.empty()) {
      stop(api::kReasonResourceValidationError,
           definitions::LostMessage(api::kApiServers, name, lost));
      co_return finding;
    }
  }
  api_server_ = {.checked = spec, .pruned = {}, .fields = {}};
  co_return Finding();
}

}  // namespace calico::installation
