#include "operator/validation/api_server_rules.h"

#include <string_view>

#include <fmt/format.h>

#include "operator/validation/spec_field.h"
#include "operator/validation/workload_overrides.h"

namespace calico::validation {
namespace {

constexpr std::string_view kContainers[] = {"calico-apiserver", "tigera-queryserver",
                                            "calico-l7-admission-controller"};
constexpr std::string_view kInitContainers[] = {"calico-apiserver-certs-key-cert-provisioner"};
constexpr std::string_view kWebhooks[] = {"calico-webhooks"};

// A port's name says whose it is.
struct PortRow {
  std::string_view port;
  std::string_view container;
};
constexpr PortRow kPorts[] = {{"apiserver", "calico-apiserver"},
                              {"queryserver", "tigera-queryserver"},
                              {"l7admctrl", "calico-l7-admission-controller"}};

void CheckPorts(const SpecField& container, Findings findings) {
  for (const SpecField& port : container["ports"].items()) {
    for (const PortRow& row : kPorts) {
      if (port["name"].text() != row.port || container["name"].text() == row.container) continue;
      findings.Add(
          port["name"].path(),
          fmt::format("{} is a port of the container {}: put it there", row.port, row.container));
    }
  }
}

}  // namespace

std::vector<Problem> CheckApiServerSpec(const json::object& spec) {
  static constexpr std::string_view kSeverities[] = {"Fatal", "Error", "Warn",
                                                     "Info",  "Debug", "Trace"};
  std::vector<Problem> problems;
  const Findings findings(problems);
  const SpecField root = SpecField::Root(spec);
  const SpecField server = root["apiServerDeployment"];
  CheckWorkloadOverrides(server, kContainers, kInitContainers, findings);
  CheckReadyInTime(server, kProgressDeadlineSeconds, findings);
  for (const SpecField& container : server["spec"]["template"]["spec"]["containers"].items()) {
    CheckPorts(container, findings);
  }
  CheckWorkloadOverrides(root["calicoWebhooksDeployment"], kWebhooks, {}, findings);
  CheckOneOf(root["logging"]["apiServer"]["logSeverity"], kSeverities, findings);
  CheckOneOf(root["logging"]["queryServer"]["logSeverity"], kSeverities, findings);
  return problems;
}

}  // namespace calico::validation
