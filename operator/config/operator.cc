#include "operator/config/operator.h"

#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crds/calico/definitions.h"
#include "crds/crds.h"
#include "operator/render/names.h"
#include "operator/render/releases.h"
#include "operator/validation/api_endpoint.h"
#include "pkg/base/version.h"

namespace calico::config {
namespace {

constexpr std::string_view kProgram = "calico-operator";
constexpr std::string_view kSummary =
    "Installs Calico as Installation `default` says and keeps it so; tells how it goes in\n"
    "TigeraStatus `calico`. Runs outside and inside of a cluster.";
constexpr std::string_view kDefaultNamespace = "tigera-operator";

void AddFlags(Flags& flags, const std::vector<std::string>& releases, std::string* release,
              OperatorConfig* config) {
  flags.Text({.name = "release",
              .value = "VERSION",
              .help = "the Calico release to install",
              .environment = "CALICO_RELEASE",
              .choices = releases},
             release);
  flags.Text({.name = "kubeconfig",
              .value = "FILE",
              .help = "absent: KUBECONFIG, ~/.kube/config, or the pod's service account"},
             &config->kubeconfig);
  flags.Switch({.name = "allow-downgrade",
                .help = "install a Calico release that is older than the one there is"},
               &config->allow_downgrade);
  flags.Switch({.name = "manage-crds",
                .help = "apply the CustomResourceDefinitions of this version at start"},
               &config->manage_crds);
  flags.Text({.name = "calico-crds",
              .value = "FILE",
              .help = "with --manage-crds: Calico's own definitions, the release's crds.yaml"},
             &config->calico_crds_file);
  flags.Switch({.name = "leader-elect", .help = "work only while holding the Lease operator-lock"},
               &config->leader_elect);
  flags.Text({.name = "metrics-addr",
              .value = "ADDR",
              .help = "serve /metrics on host:port; METRICS_ENABLED, _HOST, _PORT also"},
             &config->metrics_address);
  flags.Text(
      {.name = "health-addr", .value = "ADDR", .help = "serve /livez and /readyz on host:port"},
      &config->health_address);
  flags.LogLevel(&config->log_level);
}

// METRICS_ENABLED, METRICS_HOST and METRICS_PORT, as Tigera's operator knows them.
std::string MetricsAddress(const EnvironmentReader& environment) {
  if (environment("METRICS_ENABLED") != "true") return "";
  const auto or_default = [&](const char* name, std::string_view absent) {
    std::string value = environment(name);
    return value.empty() ? std::string(absent) : value;
  };
  const std::string host = or_default("METRICS_HOST", "0.0.0.0");
  const std::string port = or_default("METRICS_PORT", "9484");
  const bool is_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

void AddExamples(Flags& flags) {
  flags.Example("In a pod", "calico-operator --manage-crds --health-addr=127.0.0.1:9485");
  flags.Example("From outside, beside nothing else",
                "OPERATOR_NAMESPACE=tigera-operator calico-operator --kubeconfig admin.conf "
                "--leader-elect=false");
  flags.Example("Mirror the images of this version",
                "calico-operator --print-images | while read image; do mirror \"$image\"; done");
}

// The ConfigMap kubernetes-services-endpoint takes the place of what the kubelet sets, but of these
// two variables only: a wrong one need not keep the operator from saying so.
void ReadServiceAddress(const EnvironmentReader& environment, OperatorConfig* config,
                        std::vector<std::string>& problems) {
  validation::EndpointVerdict verdict = validation::ReadApiEndpoint(
      environment("KUBERNETES_SERVICE_HOST"), environment("KUBERNETES_SERVICE_PORT"));
  if (!verdict.ok()) {
    const std::string problem = fmt::format(
        "{} (if it comes from ConfigMap kubernetes-services-endpoint of the operator's "
        "namespace, correct it there)",
        fmt::join(verdict.problems, "; "));
    verdict = validation::ReadApiEndpoint(environment("KUBERNETES_PORT_443_TCP_ADDR"),
                                          environment("KUBERNETES_PORT_443_TCP_PORT"));
    if (!verdict.ok() || verdict.empty()) {
      problems.push_back(problem);
      return;
    }
    config->service_problem = problem;
  }
  config->service_host = verdict.host;
  config->service_port = verdict.port;
}

std::string Images(const render::Release& release) {
  std::string text;
  for (const std::string& image : release.images().References({})) {
    text += image + "\n";
  }
  return text;
}

std::string CrdManifests() {
  std::string text;
  for (const base::EmbeddedFile& file : crds::Crds()) {
    text += fmt::format("{}{}", text.empty() ? "" : "---\n", file.content);
  }
  return text;
}

ParsedFlags Failed(const absl::Status& status) {
  return {.exit_code = 1, .text = fmt::format("{}: {}\n", kProgram, std::string(status.message()))};
}

ParsedFlags CalicoCrdManifests(const render::Release& release) {
  absl::StatusOr<std::string> manifests = crds::CalicoManifests(release.version());
  if (!manifests.ok()) return Failed(manifests.status());
  return {.exit_code = 0, .text = *std::move(manifests)};
}

}  // namespace

ParsedFlags ParseOperatorConfig(int argc, const char* const* argv,
                                const EnvironmentReader& environment, OperatorConfig* config,
                                const std::vector<CommandSpec>& commands) {
  render::Releases& releases = render::Releases::Embedded();
  Flags flags{std::string(kProgram), std::string(kSummary)};
  bool print_images = false;
  bool print_crds = false;
  bool print_calico_crds = false;
  config->metrics_address = MetricsAddress(environment);
  std::string release = releases.newest();
  AddFlags(flags, releases.versions(), &release, config);
  for (const CommandSpec& command : commands) flags.Command(command);
  flags.Switch({.name = "print-images", .help = "print the images of this version, and end"},
               &print_images);
  flags.Switch({.name = "print-crds",
                .help = "print the CustomResourceDefinitions of this version, and end"},
               &print_crds);
  flags.Switch({.name = "print-calico-crds",
                .help = "print Calico's own CustomResourceDefinitions as this version has them"},
               &print_calico_crds);
  AddExamples(flags);
  flags.Version(fmt::format("{} {} (Calico {})", kProgram, base::Version(),
                            fmt::join(releases.versions(), ", ")));
  config->operator_namespace = environment("OPERATOR_NAMESPACE");
  flags.Check([&](std::vector<std::string>& problems) {
    if (config->operator_namespace == render::kCalicoNamespace) {
      problems.push_back(fmt::format(
          "OPERATOR_NAMESPACE: {} belongs to the Installation and goes with it, run elsewhere",
          render::kCalicoNamespace));
    }
    ReadServiceAddress(environment, config, problems);
    if (!config->calico_crds_file.empty() && !config->manage_crds) {
      problems.emplace_back("--calico-crds: without --manage-crds no definition is applied");
    }
  });
  ParsedFlags parsed = flags.Parse(argc, argv, environment);
  if (parsed.exit_code.has_value()) return parsed;
  const absl::StatusOr<const render::Release*> found = releases.Find(release);
  if (!found.ok()) return Failed(found.status());
  config->release = *found;
  if (print_images) return {.exit_code = 0, .text = Images(*config->release)};
  if (print_crds) return {.exit_code = 0, .text = CrdManifests()};
  if (print_calico_crds) return CalicoCrdManifests(*config->release);
  if (const std::string name = environment("OPERATOR_NAME"); !name.empty()) {
    config->operator_name = name;
  }
  return {};
}

EnvironmentReader CheckedEnvironment(const OperatorConfig& config, EnvironmentReader environment) {
  return [&config, environment = std::move(environment)](const std::string& name) {
    if (name == validation::kServiceHostKey) return config.service_host;
    if (name == validation::kServicePortKey) return config.service_port;
    return environment(name);
  };
}

std::string OperatorNamespace(const OperatorConfig& config, const std::string& pod_namespace) {
  if (!config.operator_namespace.empty()) return config.operator_namespace;
  return pod_namespace.empty() ? std::string(kDefaultNamespace) : pod_namespace;
}

}  // namespace calico::config
