#include "operator/render/releases.h"

#include <set>
#include <utility>

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include "operator/render/manifests.h"
#include "operator/render/render.h"
#include "pkg/base/status_macros.h"

namespace calico::render {
namespace {

constexpr std::string_view kFolder = "manifests/";

// "manifests/v3.32/namespace.yaml" -> "v3.32"; empty for anything else.
std::string_view VersionOf(std::string_view file) {
  const size_t folder = file.find(kFolder);
  if (folder == std::string_view::npos) return {};
  const std::string_view rest = file.substr(folder + kFolder.size());
  const size_t slash = rest.find('/');
  return slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
}

// {3, 32} of "v3.32".
absl::StatusOr<std::vector<int>> NumberOf(std::string_view version) {
  std::vector<int> number;
  for (const auto& part : absl::StrSplit(std::string(version.substr(1)), '.')) {
    int value = 0;
    if (!version.starts_with('v') || !absl::SimpleAtoi(part, &value) || value < 0) {
      return absl::InvalidArgumentError(
          fmt::format("{}{}: the folder of a release is named like v3.32", kFolder, version));
    }
    number.push_back(value);
  }
  return number;
}

// An Installation that says as little as a valid one may.
api::Installation Least() {
  api::Installation installation;
  installation.certificate_management.emplace();
  installation.certificate_management->signer_name = "example.com/signer";
  return installation;
}

// One with everything that puts a value somewhere.
api::Installation Most() {
  api::Installation installation = Least();
  installation.image_pull_secrets = {"secret"};
  installation.image_pull_policy = "Always";
  installation.node_metrics_port = 9091;
  installation.typha_metrics_port = 9093;
  installation.calico_network.mtu = 1400;
  return installation;
}

absl::Status TryRendering(const Release& release) {
  CALICO_RETURN_IF_ERROR(Render(release, Least(), Inputs()));
  Inputs inputs;
  inputs.api_endpoint = ApiEndpoint{"192.0.2.1", "443"};
  inputs.node_dns.config.emplace();
  inputs.pull_secrets = {{"secret", "kubernetes.io/dockerconfigjson", {}}};
  inputs.has_admission_policies = true;
  CALICO_RETURN_IF_ERROR(Render(release, Most(), inputs));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Releases> Releases::Load(std::span<const base::EmbeddedFile> files) {
  std::set<std::string_view> versions;
  for (const base::EmbeddedFile& file : files) {
    const std::string_view version = VersionOf(file.name);
    if (!version.empty()) versions.insert(version);
  }
  Releases releases;
  for (const std::string_view version : versions) {
    CALICO_ASSIGN_OR_RETURN(std::vector<int> number, NumberOf(version));
    CALICO_ASSIGN_OR_RETURN(Release release, Release::Load(version, files));
    CALICO_RETURN_IF_ERROR(
        base::Annotate(TryRendering(release), fmt::format("release {}", version)));
    if (!releases.by_number_.emplace(std::move(number), std::move(release)).second) {
      return absl::InvalidArgumentError(
          fmt::format("{}{}: another folder has the same number", kFolder, version));
    }
  }
  if (releases.by_number_.empty()) return absl::InvalidArgumentError("there is no release");
  return releases;
}

const absl::StatusOr<Releases>& Releases::Embedded() {
  static const auto& releases = *new absl::StatusOr<Releases>(Load(Manifests()));
  return releases;
}

const Release* Releases::Find(std::string_view version) const {
  for (const auto& [number, release] : by_number_) {
    if (release.version() == version) return &release;
  }
  return nullptr;
}

std::vector<std::string> Releases::versions() const {
  std::vector<std::string> versions;
  versions.reserve(by_number_.size());
  for (const auto& [number, release] : by_number_) versions.push_back(release.version());
  return versions;
}

}  // namespace calico::render
