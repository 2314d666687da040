#include "pkg/api/operator/api_server.h"

#include <algorithm>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/object_reader.h"

namespace calico::api {
namespace {

using codec::ObjectReader;

constexpr std::string_view kSeverities[] = {"Fatal", "Error", "Warn", "Info", "Debug", "Trace"};

// The query server is a part of other products, and without webhooks there are none to override.
std::vector<std::string> IgnoredFields(const ObjectReader& spec) {
  std::vector<std::string> ignored;
  for (const auto& member : spec.object()) {
    const std::string_view key = codec::KeyOf(member);
    if (key == "apiServerDeployment" || key == "logging" || member.value().is_null()) continue;
    if (member.value().is_object() && member.value().get_object().empty()) continue;
    ignored.push_back(fmt::format("spec.{}", key));
  }
  // Written by API servers as a default beside the one that was set.
  const ObjectReader query_server = spec.Object("logging").Object("queryServer");
  const std::string_view severity = query_server.Enum("logSeverity", kSeverities);
  if (!severity.empty() && severity != "Info") ignored.emplace_back("spec.logging.queryServer");
  std::sort(ignored.begin(), ignored.end());
  return ignored;
}

const ApiServer* FindNamed(absl::Span<const ApiServer> api_servers, std::string_view name) {
  const auto found =
      std::find_if(api_servers.begin(), api_servers.end(),
                   [name](const ApiServer& server) { return server.meta.name == name; });
  return found == api_servers.end() ? nullptr : &*found;
}

}  // namespace

absl::StatusOr<ApiServer> ApiServer::Decode(const json::object& object) {
  codec::Decoder decoder("APIServer");
  const ObjectReader root = decoder.Read(object);
  ApiServer server{.meta = ReadObjectMeta(root, {}),
                   .conditions = ReadConditions(root.Object("status"))};
  if (const ObjectReader spec = root.Object("spec"); spec.exists()) {
    server.log_severity =
        spec.Object("logging").Object("apiServer").Enum("logSeverity", kSeverities);
    spec.Object("apiServerDeployment");
    server.ignored_fields = IgnoredFields(spec);
    server.spec = spec.object();
  }
  CALICO_RETURN_IF_ERROR(decoder.status());
  return server;
}

absl::StatusOr<const ApiServer*> FindApiServer(absl::Span<const ApiServer> api_servers) {
  const ApiServer* const current = FindNamed(api_servers, kApiServerName);
  const ApiServer* const legacy = FindNamed(api_servers, kLegacyApiServerName);
  if (current != nullptr && legacy != nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("there are two APIServers, {} and {}: keep what you need of {} in {}, then run "
                    "`kubectl delete apiserver {}`",
                    kApiServerName, kLegacyApiServerName, kLegacyApiServerName, kApiServerName,
                    kLegacyApiServerName));
  }
  return current != nullptr ? current : legacy;
}

}  // namespace calico::api
