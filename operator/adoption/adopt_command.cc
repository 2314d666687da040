#include "operator/adoption/adopt_command.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "operator/adoption/adoption.h"
#include "operator/adoption/report_text.h"
#include "operator/config/operator_flags.h"
#include "operator/render/releases.h"
#include "operator/validation/api_endpoint.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/base/version.h"
#include "pkg/codec/yaml_writer.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"

namespace calico::adoption {
namespace {

constexpr std::string_view kProgram = "calico-operator adopt";
constexpr std::string_view kSummary =
    "Takes over a cluster whose Calico Tigera's operator has installed: owners, labels, "
    "finalizers\n"
    "and field managers become this operator's. Specs, Secrets and pods stay as they are.\n"
    "--check says what would change, by this command and by the operator when it runs, and writes\n"
    "nothing. Exit code 0: done, or nothing would restart; 1: something is in the way, stderr "
    "says\n"
    "what; 2: wrong flags; 3: with --check, pods would restart.";
constexpr int kExitFailed = 1;
constexpr char kClusterRelease[] = "the cluster's";

struct Request {
  bool check = false;
  std::string kubeconfig;
  std::string release = kClusterRelease;
  std::string output = "text";
  std::string api_server;
  std::string operator_namespace = "tigera-operator";
  std::string operator_name = "tigera-operator";
};

std::vector<std::string> ReleaseNames() { return render::Releases::Embedded().versions(); }

config::Flags MakeFlags(Request* request) {
  config::Flags flags{std::string(kProgram), std::string(kSummary)};
  flags.Switch({.name = "check", .help = "say what would change, and write nothing"},
               &request->check);
  flags.Text({.name = "kubeconfig",
              .value = "FILE",
              .help = "absent: KUBECONFIG, ~/.kube/config, or the pod's service account"},
             &request->kubeconfig);
  flags.Text({.name = "release",
              .value = "RELEASE",
              .help = "the Calico release that the operator will be started with",
              .environment = "CALICO_RELEASE",
              .choices = ReleaseNames()},
             &request->release);
  flags.Text({.name = "output",
              .value = "FORMAT",
              .help = "how to print what changes",
              .choices = {"text", "json", "yaml"},
              .letter = 'o'},
             &request->output);
  flags.Text({.name = "api-server",
              .value = "HOST:PORT",
              .help = "KUBERNETES_SERVICE_HOST and _PORT of the operator's pod; absent: as the "
                      "Service kubernetes says"},
             &request->api_server);
  config::AddOperatorFlags(flags, &request->operator_namespace, &request->operator_name);
  flags.Example("What would change, while Tigera's operator runs or after it was stopped",
                "calico-operator adopt --check");
  flags.Example("Take over, then start this operator",
                "kubectl -n tigera-operator delete deployment tigera-operator && calico-operator "
                "adopt && kubectl apply --server-side --force-conflicts -f crds.yaml -f "
                "operator.yaml");
  flags.Version(fmt::format("{} {}", kProgram, base::Version()));
  return flags;
}

// HOST:PORT, with brackets around an IPv6 address.
std::optional<render::ApiEndpoint> ReadEndpoint(std::string_view text,
                                                std::vector<std::string>& problems) {
  if (text.empty()) return std::nullopt;
  const size_t colon = text.rfind(':');
  const validation::EndpointVerdict verdict = validation::ReadApiEndpoint(
      text.substr(0, colon),
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  for (const std::string& problem : verdict.problems) {
    problems.push_back(fmt::format("--api-server: {}", problem));
  }
  return render::ApiEndpoint{verdict.host, verdict.port};
}

std::string Print(const Report& report, std::string_view format) {
  if (format == "json") return codec::Serialize(ToJson(report)) + "\n";
  if (format == "yaml") return codec::ToYaml(json::value(ToJson(report)));
  return ToText(report);
}

void Tell(const CommandOutput& output, std::string_view line) {
  output.err(fmt::format("{}: {}\n", kProgram, line));
}

void TellNextStep(const Report& report, int written, const CommandOutput& output) {
  const std::string release =
      report.release == render::Releases::Embedded().newest()
          ? std::string()
          : fmt::format(" with `--release={}` among its arguments", report.release);
  Tell(output, fmt::format("{}; now apply this operator's crds.yaml and operator.yaml{}",
                           written == 0 ? std::string("everything was taken over already")
                                        : fmt::format("{} objects taken over", written),
                           release));
}

aio::Task<int> Run(kube::Client& client, const Request& request, AdoptionOptions options,
                   const CommandOutput& output) {
  Adoption adoption(client, std::move(options));
  const absl::StatusOr<Report> report = co_await adoption.Check();
  if (!report.ok()) {
    Tell(output, std::string(report.status().message()));
    co_return kExitFailed;
  }
  for (const std::string& warning : report->warnings) Tell(output, "warning: " + warning);
  for (const std::string& problem : report->problems) Tell(output, problem);
  if (request.check) {
    output.out(Print(*report, request.output));
    if (!report->problems.empty()) co_return kExitFailed;
    co_return report->RestartsPods() ? kExitRestarts : 0;
  }
  if (!report->problems.empty()) co_return kExitFailed;
  const absl::StatusOr<int> written = co_await adoption.TakeOver(
      *report, [&](const std::string& object) { output.out(fmt::format("{}\n", object)); });
  if (!written.ok()) {
    Tell(output, fmt::format("{}; what was taken over stays so, run this again",
                             std::string(written.status().message())));
    co_return kExitFailed;
  }
  if (report->RestartsPods()) Tell(output, "pods restart when the operator runs, see --check");
  TellNextStep(*report, *written, output);
  co_return 0;
}

}  // namespace

int RunAdoptCommand(int argc, const char* const* argv, const config::EnvironmentReader& environment,
                    const base::Clock& clock, const CommandOutput& output) {
  Request request;
  AdoptionOptions options{.now = clock.Now()};
  config::Flags flags = MakeFlags(&request);
  flags.Check([&](std::vector<std::string>& problems) {
    options.api_endpoint = ReadEndpoint(request.api_server, problems);
  });
  const config::ParsedFlags parsed = flags.Parse(argc, argv, environment);
  if (parsed.exit_code.has_value()) {
    (*parsed.exit_code == 0 ? output.out : output.err)(parsed.text);
    return *parsed.exit_code;
  }
  if (request.release != kClusterRelease) {
    const absl::StatusOr<const render::Release*> found =
        render::Releases::Embedded().Find(request.release);
    if (!found.ok()) {
      Tell(output, std::string(found.status().message()));
      return kExitFailed;
    }
    options.release = *found;
  }
  options.operator_key = {request.operator_namespace, request.operator_name};
  const base::Logger logger(base::LogLevel::kWarning);
  absl::StatusOr<kube::RestConfig> api =
      kube::LoadRestConfig({.kubeconfig = request.kubeconfig}, environment, clock, logger);
  if (!api.ok()) {
    Tell(output, std::string(api.status().message()));
    return config::kExitUsage;
  }
  aio::EventLoop loop;
  kube::Client client(loop.executor(), *std::move(api), logger);
  return loop.Run(Run(client, request, std::move(options), output));
}

std::string AdoptCommandCompletion(std::string_view shell) {
  Request request;
  return MakeFlags(&request).Completion(shell);
}

}  // namespace calico::adoption
