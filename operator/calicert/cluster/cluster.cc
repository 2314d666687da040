#include "operator/calicert/cluster/cluster.h"

#include <utility>

#include <fmt/format.h>

#include "operator/calicert/command/exit_codes.h"
#include "pkg/aio/event_loop.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/errors.h"

namespace calico::calicert {
namespace {

constexpr int kMostConflicts = 10;

// What the client logs is for people here: the message and the fields that say more.
void TellLog(Terminal& terminal, std::string_view line) {
  const absl::StatusOr<json::object> fields = codec::ParseJsonObject(line);
  if (!fields.ok()) return;
  std::string text(codec::TextAt(*fields, "message"));
  for (const char* const key : {"server", "error", "next_step"}) {
    const std::string_view value = codec::TextAt(*fields, key);
    if (!value.empty()) text += fmt::format("; {}: {}", key, value);
  }
  Note(terminal, text);
}

aio::Task<int> RunWork(kube::Client& client, const ClusterFlags& flags, Terminal& terminal,
                       const ClusterWork& work, absl::StatusOr<int>& result) {
  Cluster cluster{client, terminal, client.config().ns, flags.request_timeout};
  result = co_await work(cluster);
  co_return kExitOk;
}

}  // namespace

absl::StatusOr<int> WithCluster(const ClusterFlags& flags, Terminal& terminal,
                                const ClusterWork& work) {
  const base::Logger logger(base::LogLevel::kWarning, [&](base::LogLevel, std::string_view line) {
    TellLog(terminal, line);
  });
  absl::StatusOr<kube::RestConfig> api = kube::LoadRestConfig(
      flags.load, flags.overrides, terminal.environment, terminal.clock, logger);
  if (!api.ok()) return api.status();
  aio::EventLoop loop;
  kube::Client client(loop.executor(), *std::move(api), logger, {.user_agent = "calicert"});
  absl::StatusOr<int> result = absl::UnknownError("not run");
  loop.Run(RunWork(client, flags, terminal, work, result));
  return result;
}

int RunInCluster(const ClusterFlags& flags, Terminal& terminal, const ClusterWork& work) {
  const absl::StatusOr<int> code = WithCluster(flags, terminal, work);
  return code.ok() ? *code : Fail(terminal, ErrorText(code.status()));
}

std::string ErrorText(const absl::Status& status) {
  const std::optional<kube::ApiError> error = kube::FindApiError(status);
  std::string text(status.message());
  if (!error.has_value() || error->reason.empty()) return text;
  return fmt::format("Error from server ({}): {}", error->reason, text);
}

aio::Task<absl::StatusOr<json::object>> ChangeObject(Cluster& cluster,
                                                     const api::Resource& resource,
                                                     api::ObjectKey key, std::string subresource,
                                                     ObjectChange change) {
  absl::Status conflict;
  for (int attempt = 0; attempt < kMostConflicts; ++attempt) {
    absl::StatusOr<json::object> object =
        co_await cluster.client.Get(resource, key, cluster.timeout);
    if (!object.ok()) co_return object;
    const absl::StatusOr<bool> changed = change(*object);
    if (!changed.ok()) co_return changed.status();
    if (!*changed) co_return object;
    absl::StatusOr<json::object> written =
        co_await cluster.client.Update(resource, *std::move(object), subresource, cluster.timeout);
    if (!absl::IsAborted(written.status())) co_return written;
    conflict = written.status();
  }
  co_return conflict;
}

}  // namespace calico::calicert
