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
constexpr std::string_view kShared = "shared";

// The folder: "manifests/v3.32/namespace.yaml" -> "v3.32"; empty for anything else.
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

// A complete spec that says as little as a valid one may.
constexpr std::string_view kLeast = R"({
  "variant": "Calico",
  "calicoNetwork": {
    "bgp": "Enabled", "hostPorts": "Enabled", "ipPools": [], "linuxDataplane": "Iptables",
    "linuxPolicySetupTimeoutSeconds": 0, "multiInterfaceMode": "None",
    "windowsDataplane": "Disabled"
  },
  "calicoLibHostPath": "/var/lib/calico",
  "calicoRunHostPath": "/var/run/calico",
  "certificateManagement": {"caCert": "", "signerName": "example.com/signer"},
  "cni": {
    "binDir": "/opt/cni/bin", "confDir": "/etc/cni/net.d", "installMode": "All",
    "ipam": {"type": "Calico"}, "specVersion": "Auto", "type": "Calico"
  },
  "controlPlaneReplicas": 2,
  "flexVolumePath": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
  "kubeletVolumePluginPath": "/var/lib/kubelet",
  "logging": {"cni": {"logFileMaxAgeDays": 30, "logFileMaxCount": 10, "logFileMaxSize": "100Mi",
                      "logSeverity": "Info"}},
  "nodeUpdateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
})";

// One with everything that puts a value somewhere.
constexpr std::string_view kMost = R"({
  "imagePullPolicy": "Always",
  "imagePullSecrets": [{"name": "secret"}],
  "nodeMetricsPort": 9091,
  "typhaMetricsPort": 9093,
  "mtu": 1400,
  "nodeAddressAutodetectionV4": {"firstFound": true},
  "nodeAddressAutodetectionV6": {"firstFound": true}
})";

absl::StatusOr<api::Installation> Example(bool has_most) {
  CALICO_ASSIGN_OR_RETURN(json::object spec, codec::ParseJsonObject(kLeast));
  if (has_most) {
    CALICO_ASSIGN_OR_RETURN(const json::object more, codec::ParseJsonObject(kMost));
    for (const auto& member : more) {
      const std::string_view key = codec::KeyOf(member);
      const bool is_network = key == "mtu" || key.starts_with("nodeAddress");
      (is_network ? spec["calicoNetwork"].as_object() : spec)[key] = member.value();
    }
  }
  return api::Installation::Decode(
      {{"metadata", {{"name", api::kInstallationName}}}, {"spec", std::move(spec)}});
}

absl::Status TryRendering(const Release& release) {
  CALICO_ASSIGN_OR_RETURN(const api::Installation least, Example(false));
  CALICO_RETURN_IF_ERROR(Render(release, least, Inputs()));
  Inputs inputs;
  inputs.api_endpoint = ApiEndpoint{"192.0.2.1", "443"};
  inputs.node_dns.config.emplace();
  inputs.pull_secrets = {{"secret", "kubernetes.io/dockerconfigjson", {}}};
  inputs.has_admission_policies = true;
  CALICO_ASSIGN_OR_RETURN(const api::Installation most, Example(true));
  CALICO_RETURN_IF_ERROR(Render(release, most, inputs));
  return absl::OkStatus();
}

// A file that nobody reads is a mistake.
absl::Status CheckSharedAreRead(std::span<const base::EmbeddedFile> files,
                                const std::set<std::string>& read) {
  for (const base::EmbeddedFile& file : files) {
    if (VersionOf(file.name) != kShared || read.contains(std::string(file.name))) continue;
    return absl::InvalidArgumentError(fmt::format("{}: no release lists it", file.name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Releases> Releases::Load(std::span<const base::EmbeddedFile> files) {
  std::set<std::string_view> versions;
  for (const base::EmbeddedFile& file : files) {
    const std::string_view version = VersionOf(file.name);
    if (!version.empty() && version != kShared) versions.insert(version);
  }
  Releases releases;
  std::set<std::string> read;
  for (const std::string_view version : versions) {
    CALICO_ASSIGN_OR_RETURN(std::vector<int> number, NumberOf(version));
    CALICO_ASSIGN_OR_RETURN(Release release, Release::Load(version, files));
    CALICO_RETURN_IF_ERROR(
        base::Annotate(TryRendering(release), fmt::format("release {}", version)));
    read.insert(release.files().begin(), release.files().end());
    if (!releases.by_number_.emplace(std::move(number), std::move(release)).second) {
      return absl::InvalidArgumentError(
          fmt::format("{}{}: another folder has the same number", kFolder, version));
    }
  }
  if (releases.by_number_.empty()) return absl::InvalidArgumentError("there is no release");
  CALICO_RETURN_IF_ERROR(CheckSharedAreRead(files, read));
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

const Release& Releases::Default() const {
  const Release* const pinned = Find(kDefaultRelease);
  return pinned != nullptr ? *pinned : by_number_.rbegin()->second;
}

std::vector<std::string> Releases::versions() const {
  std::vector<std::string> versions;
  versions.reserve(by_number_.size());
  for (const auto& [number, release] : by_number_) versions.push_back(release.version());
  return versions;
}

}  // namespace calico::render
