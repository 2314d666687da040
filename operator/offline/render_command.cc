#include "operator/offline/render_command.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/config/operator_flags.h"
#include "operator/offline/rendering.h"
#include "operator/offline/world.h"
#include "operator/render/releases.h"
#include "operator/validation/api_endpoint.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/base/version.h"
#include "pkg/codec/yaml_writer.h"

namespace calico::offline {
namespace {

constexpr std::string_view kProgram = "calico-operator render";
constexpr std::string_view kSummary =
    "Prints every object that an Installation would install, without a cluster. Nothing is\n"
    "written. Exit code 1: the Installation cannot be installed, stderr says all that is wrong;\n"
    "2: wrong flags or files.";
constexpr int kExitProblems = 1;
constexpr int kMaxNodes = 100'000;

struct Request {
  std::string release;
  std::string installation;
  std::vector<std::string> world;
  std::string output = "yaml";
  std::string api_server;
  std::string operator_namespace = "tigera-operator";
  std::string operator_name = "tigera-operator";
  std::string system_roots;
  int nodes = 3;
  bool completed = false;
  bool show_keys = false;
};

void AddFlags(config::Flags& flags, std::vector<std::string> versions, Request* request) {
  flags.Text({.name = "release",
              .value = "RELEASE",
              .help = "the Calico release",
              .choices = std::move(versions)},
             &request->release);
  flags.Text({.name = "installation",
              .value = "FILE",
              .help = "YAML or JSON with Installation default, and others of its kinds",
              .required = true},
             &request->installation);
  flags.List({.name = "world",
              .value = "FILE",
              .help = "further objects of the cluster: Secrets, ConfigMaps, Nodes, IPPools, the "
                      "operator's Deployment; may be given several times"},
             &request->world);
  flags.Text({.name = "output",
              .value = "FORMAT",
              .help = "how to print",
              .choices = {"yaml", "json"},
              .letter = 'o'},
             &request->output);
  flags.Text({.name = "api-server",
              .value = "HOST:PORT",
              .help = "KUBERNETES_SERVICE_HOST and _PORT of the operator's pod; absent: pods are "
                      "told no address"},
             &request->api_server);
  config::AddOperatorFlags(flags, &request->operator_namespace, &request->operator_name);
  flags.Text({.name = "system-roots",
              .value = "FILE",
              .help = "PEM file of public roots for the trusted bundle; absent: none"},
             &request->system_roots);
  flags.Number(
      {.name = "nodes", .value = "N", .help = "Linux nodes to assume when --world has no Node"}, 0,
      kMaxNodes, &request->nodes);
  flags.Switch({.name = "completed",
                .help = "print the Installation with all its defaults before the objects"},
               &request->completed);
  flags.Switch({.name = "show-keys",
                .help = "print private keys and passwords of Secrets instead of REDACTED"},
               &request->show_keys);
}

void AddExamples(config::Flags& flags) {
  flags.Example("What would be installed",
                "calico-operator render --installation installation.yaml");
  flags.Example("What a change of the Installation changes",
                "diff <(calico-operator render --installation old.yaml) "
                "<(calico-operator render --installation new.yaml)");
  flags.Example("With what the cluster has",
                "kubectl get nodes,secrets,configmaps -n tigera-operator -o yaml > world.yaml; "
                "calico-operator render --installation installation.yaml --world world.yaml");
}

config::Flags MakeFlags(const render::Releases& releases, Request* request) {
  config::Flags flags{std::string(kProgram), std::string(kSummary)};
  AddFlags(flags, releases.versions(), request);
  AddExamples(flags);
  flags.Version(fmt::format("{} {}", kProgram, base::Version()));
  return flags;
}

// HOST:PORT, with brackets around an IPv6 address.
std::optional<render::ApiEndpoint> ReadEndpoint(std::string_view text,
                                                std::vector<std::string>& problems) {
  if (text.empty()) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos;
  const validation::EndpointVerdict verdict = validation::ReadApiEndpoint(
      text.substr(0, colon), has_port ? text.substr(colon + 1) : std::string_view());
  for (const std::string& problem : verdict.problems) {
    problems.push_back(fmt::format("--api-server: {}", problem));
  }
  return render::ApiEndpoint{verdict.host, verdict.port};
}

absl::StatusOr<World> ReadWorld(const Request& request) {
  World world;
  std::vector<std::string> files = {request.installation};
  files.insert(files.end(), request.world.begin(), request.world.end());
  for (const std::string& file : files) {
    CALICO_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file, kMaxWorldBytes));
    CALICO_RETURN_IF_ERROR(world.Add(file, text));
  }
  return world;
}

CommandResult Failed(int exit_code, std::string_view problem) {
  return {.exit_code = exit_code, .err = fmt::format("{}: {}\n", kProgram, problem)};
}

std::string Print(const std::vector<json::object>& objects, std::string_view format) {
  std::vector<json::value> documents(objects.begin(), objects.end());
  if (format == "yaml") return codec::ToYaml(documents);
  return codec::Serialize(
             json::object{{"apiVersion", "v1"},
                          {"kind", "List"},
                          {"items", json::array(documents.begin(), documents.end())}}) +
         "\n";
}

CommandResult Answer(Rendering rendering, const Request& request) {
  CommandResult result;
  for (const std::string& warning : rendering.warnings) {
    result.err += fmt::format("{}: warning: {}\n", kProgram, warning);
  }
  for (const std::string& problem : rendering.problems) {
    result.err += fmt::format("{}: {}\n", kProgram, problem);
  }
  if (!rendering.problems.empty()) {
    result.exit_code = kExitProblems;
    return result;
  }
  if (!request.show_keys) {
    for (json::object& object : rendering.objects) Redact(object);
  }
  if (request.completed) {
    rendering.objects.insert(rendering.objects.begin(), std::move(rendering.completed));
  }
  result.out = Print(rendering.objects, request.output);
  return result;
}

}  // namespace

CommandResult RunRenderCommand(int argc, const char* const* argv,
                               const config::EnvironmentReader& environment, absl::Time now) {
  render::Releases& releases = render::Releases::Embedded();
  Request request{.release = releases.newest()};
  Surroundings surroundings{.now = now};
  config::Flags flags = MakeFlags(releases, &request);
  flags.Check([&](std::vector<std::string>& problems) {
    surroundings.api_endpoint = ReadEndpoint(request.api_server, problems);
  });
  const config::ParsedFlags parsed = flags.Parse(argc, argv, environment);
  if (parsed.exit_code.has_value()) {
    const bool ok = *parsed.exit_code == 0;
    return {
        .exit_code = *parsed.exit_code, .out = ok ? parsed.text : "", .err = ok ? "" : parsed.text};
  }
  const absl::StatusOr<const render::Release*> release = releases.Find(request.release);
  if (!release.ok()) return Failed(kExitProblems, std::string(release.status().message()));
  surroundings.release = *release;
  surroundings.operator_namespace = request.operator_namespace;
  surroundings.operator_name = request.operator_name;
  surroundings.nodes = request.nodes;
  if (!request.system_roots.empty()) {
    absl::StatusOr<std::string> roots = base::ReadFile(request.system_roots);
    if (!roots.ok()) return Failed(config::kExitUsage, std::string(roots.status().message()));
    surroundings.system_roots = std::make_shared<const std::string>(*std::move(roots));
  }
  const absl::StatusOr<World> world = ReadWorld(request);
  if (!world.ok()) return Failed(config::kExitUsage, std::string(world.status().message()));
  absl::StatusOr<Rendering> rendering = RenderOffline(*world, surroundings);
  if (!rendering.ok()) {
    return Failed(absl::IsNotFound(rendering.status()) ? config::kExitUsage : kExitProblems,
                  std::string(rendering.status().message()));
  }
  return Answer(*std::move(rendering), request);
}

std::string RenderCommandCompletion(std::string_view shell) {
  const render::Releases& releases = render::Releases::Embedded();
  Request request{.release = releases.newest()};
  return MakeFlags(releases, &request).Completion(shell);
}

}  // namespace calico::offline
