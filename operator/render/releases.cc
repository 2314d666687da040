#include "operator/render/releases.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "operator/render/manifests.h"
#include "operator/render/render.h"
#include "pkg/base/check.h"
#include "pkg/base/release_order.h"
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

absl::StatusOr<base::ReleaseNumber> NumberOf(std::string_view version) {
  const std::optional<base::ReleaseNumber> number = base::ReleaseNumber::Parse(version);
  if (number.has_value() && version.find_first_of("-+") == std::string_view::npos) return *number;
  return absl::InvalidArgumentError(
      fmt::format("{}{}: the folder of a release is named like v3.32", kFolder, version));
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

absl::StatusOr<Releases> Releases::Open(std::span<const base::EmbeddedFile> files) {
  std::map<base::ReleaseNumber, std::string_view> by_number;
  for (const base::EmbeddedFile& file : files) {
    const std::string_view version = VersionOf(file.name);
    if (version.empty() || version == kShared) continue;
    CALICO_ASSIGN_OR_RETURN(const base::ReleaseNumber number, NumberOf(version));
    if (by_number.emplace(number, version).first->second != version) {
      return absl::InvalidArgumentError(
          fmt::format("{}{}: another folder has the same number", kFolder, version));
    }
  }
  if (by_number.empty()) return absl::InvalidArgumentError("there is no release");
  Releases releases;
  releases.files_ = files;
  for (const auto& [number, version] : by_number) releases.versions_.emplace_back(version);
  return releases;
}

Releases& Releases::Embedded() {
  static Releases& releases = *new Releases([] {
    absl::StatusOr<Releases> opened = Open(Manifests());
    CALICO_CHECK(opened.ok());
    return *std::move(opened);
  }());
  return releases;
}

absl::StatusOr<const Release*> Releases::Find(std::string_view version) {
  if (const auto found = read_.find(version); found != read_.end()) return &found->second;
  if (std::find(versions_.begin(), versions_.end(), version) == versions_.end()) {
    return absl::NotFoundError(fmt::format("there is no release {}", version));
  }
  CALICO_ASSIGN_OR_RETURN(Release release, Release::Load(version, files_));
  CALICO_RETURN_IF_ERROR(base::Annotate(TryRendering(release), fmt::format("release {}", version)));
  return &read_.emplace(std::string(version), std::move(release)).first->second;
}

absl::Status Releases::CheckAll() {
  std::set<std::string> files;
  for (const std::string& version : versions_) {
    CALICO_ASSIGN_OR_RETURN(const Release* const release, Find(version));
    files.insert(release->files().begin(), release->files().end());
  }
  return CheckSharedAreRead(files_, files);
}

}  // namespace calico::render
