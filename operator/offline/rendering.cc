#include "operator/offline/rendering.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/defaults/complete_spec.h"
#include "operator/defaults/conflicts.h"
#include "operator/defaults/overlay.h"
#include "operator/offline/certificate_plan.h"
#include "operator/offline/configuration.h"
#include "operator/offline/gathering.h"
#include "operator/offline/schema_problems.h"
#include "operator/render/finish.h"
#include "operator/render/render.h"
#include "operator/validation/api_server_rules.h"
#include "operator/validation/installation.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/base64.h"
#include "pkg/base/status_macros.h"

namespace calico::offline {
namespace {

constexpr std::string_view kCertificate = "-----BEGIN CERTIFICATE-----";

// Certificates are public, names of peers too.
bool IsPublic(std::string_view key, std::string_view text) {
  if (key == "common-name" || key == "uri-san") return true;
  return text.starts_with(kCertificate) && text.find("PRIVATE KEY") == std::string_view::npos;
}

// Either of validation's or of the defaults' problems.
template <class Problems>
void Add(const Problems& problems, std::vector<std::string>& texts) {
  for (const auto& problem : problems) {
    texts.push_back(fmt::format("{}: {}", problem.path, problem.text));
  }
}

json::object SpecOf(const json::object& installation) {
  const json::object* const spec = codec::FindObject(installation, "spec");
  return spec == nullptr ? json::object() : *spec;
}

void AddApiServerProblems(const World& world, std::vector<std::string>& problems) {
  const json::object* const api_server =
      world.Find("APIServer", {"", std::string(api::kInstallationName)});
  if (api_server == nullptr) return;
  for (const validation::Problem& problem : validation::CheckApiServerSpec(SpecOf(*api_server))) {
    problems.push_back(fmt::format("APIServer default: {}: {}", problem.path, problem.text));
  }
}

// `given` with its defaults, what the overlay says, and the defaults of that.
json::object Complete(const json::object& given, const World& world,
                      const defaults::ClusterFacts& facts) {
  json::object spec = defaults::CompleteSpec(SpecOf(given), facts);
  if (const json::object* const overlay = world.Find("Installation", {"", "overlay"})) {
    spec = defaults::CompleteSpec(defaults::MergeOverlay(std::move(spec), SpecOf(*overlay)), facts);
  }
  json::object completed = given;
  completed["spec"] = std::move(spec);
  return completed;
}

render::Owner OwnerOf(const certificates::PlannedSecret& secret) {
  if (secret.owner == api::kApiServers.kind) return {.resource = &api::kApiServers, .uid = ""};
  return {};
}

// While it is wrong, what it leads to says nothing true.
bool IsManagementWrong(const std::vector<validation::Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(), [](const validation::Problem& problem) {
    return problem.path.starts_with("spec.certificateManagement");
  });
}

// The bundle is rendered; Secrets are written beside what is.
void AddSecrets(const certificates::Plan& plan, std::vector<json::object>& objects) {
  for (const auto* secrets : {&plan.originals, &plan.copies}) {
    for (const certificates::PlannedSecret& secret : *secrets) {
      json::object object = certificates::ToObject(secret);
      render::SetCommonLabels(object, OwnerOf(secret));
      render::SetOwner(object, OwnerOf(secret));
      objects.push_back(std::move(object));
    }
  }
}

}  // namespace

absl::StatusOr<Rendering> RenderOffline(const World& world, const Surroundings& surroundings) {
  const json::object* const given =
      world.Find("Installation", {"", std::string(api::kInstallationName)});
  if (given == nullptr) {
    return absl::NotFoundError("no Installation with the name default among the objects");
  }
  const defaults::ClusterFacts facts = GatherClusterFacts(world, surroundings);
  Rendering result{.completed = Complete(*given, world, facts), .problems = SchemaProblems(world)};
  if (!result.problems.empty()) return result;
  const absl::StatusOr<api::Installation> installation =
      api::Installation::Decode(result.completed);
  if (!installation.ok()) {
    result.problems.emplace_back(installation.status().message());
    return result;
  }
  const json::object* const endpoint = FindEndpoint(world, surroundings);
  validation::InstallationVerdict verdict = validation::ValidateCompleted(
      *installation, {.spec = {.release = surroundings.release->version(),
                               .has_api_endpoint = endpoint != nullptr},
                      .now = surroundings.now});
  Add(verdict.problems, result.problems);
  AddApiServerProblems(world, result.problems);
  Add(defaults::ConflictsWithCluster(SpecOf(*given), facts), result.problems);
  result.warnings = std::move(verdict.warnings);
  render::Inputs inputs = Gather(world, *installation, surroundings, result.problems);
  std::vector<std::string> of_certificates;
  CALICO_ASSIGN_OR_RETURN(certificates::Plan plan,
                          PlanCertificates(world, *installation, surroundings, of_certificates));
  if (!IsManagementWrong(verdict.problems)) {
    result.problems.insert(result.problems.end(), of_certificates.begin(), of_certificates.end());
  }
  inputs.certificates = std::make_shared<const certificates::Plan>(std::move(plan));
  if (!result.problems.empty()) return result;
  inputs.ca_certificates = std::move(verdict.ca_certificates);
  CALICO_ASSIGN_OR_RETURN(result.objects,
                          render::Render(*surroundings.release, *installation, inputs));
  AddSecrets(*inputs.certificates, result.objects);
  for (json::object& object : Configuration(world, surroundings.release->version(), SpecOf(*given),
                                            SpecOf(result.completed), result.warnings)) {
    result.objects.push_back(std::move(object));
  }
  return result;
}

void Redact(json::object& object) {
  if (codec::TextAt(object, "kind") != "Secret") return;
  for (const std::string_view field : {"data", "stringData"}) {
    json::value* const data = object.if_contains(field);
    if (data == nullptr || !data->is_object()) continue;
    for (json::key_value_pair& member : data->get_object()) {
      const json::string* const text = member.value().if_string();
      const absl::StatusOr<std::string> decoded = text == nullptr || field == "stringData"
                                                      ? absl::StatusOr<std::string>("")
                                                      : base::Base64Decode(codec::View(*text));
      if (!decoded.ok() || !IsPublic(codec::KeyOf(member), *decoded)) member.value() = kWithheld;
    }
  }
}

}  // namespace calico::offline
