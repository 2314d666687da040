#include "operator/calicert/tls/apply.h"

#include <memory>
#include <string>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>

#include "operator/calicert/cluster/cluster.h"
#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/command/exit_codes.h"
#include "operator/calicert/tls/publishing.h"
#include "pkg/api/meta/object_meta.h"

namespace calico::calicert {
namespace {

aio::Task<absl::StatusOr<int>> Apply(Cluster& cluster, const std::vector<json::value>& objects) {
  for (const json::value& value : objects) {
    json::object object = value.as_object();
    const api::ObjectMeta meta = api::ObjectMetaOf(object);
    if (meta.ns.empty()) object["metadata"].as_object()["namespace"] = cluster.ns;
    const std::string kind(codec::TextAt(object, "kind"));
    const absl::StatusOr<tls::Published> how = co_await tls::PutObject(cluster, std::move(object));
    if (!how.ok()) co_return how.status();
    cluster.terminal.out << fmt::format("{}/{} {}\n", absl::AsciiStrToLower(kind), meta.name,
                                        ToString(*how));
  }
  co_return kExitOk;
}

}  // namespace

DeclareWriter ApplyToCluster() {
  return [](config::Flags& flags) -> ClusterWriter {
    auto cluster = std::make_shared<ClusterFlags>();
    AddClusterFlags(flags, cluster.get(), UserFlag::kLeaveOut);
    return [cluster](const std::vector<json::value>& objects, Terminal& terminal) {
      return RunInCluster(*cluster, terminal,
                          [&](Cluster& opened) { return Apply(opened, objects); });
    };
  };
}

}  // namespace calico::calicert
