#include "operator/calicert/cluster/cluster.h"

#include <utility>

#include <fmt/format.h>

#include "operator/calicert/command/exit_codes.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/errors.h"

namespace calico::calicert {
namespace {

constexpr int kMostConflicts = 10;

// "UNAVAILABLE: connection refused [payload]" -> "connection refused".
std::string_view MessageOf(std::string_view status_text) {
  status_text = status_text.substr(0, status_text.find(" [calico/"));
  const size_t colon = status_text.find(": ");
  const std::string_view code = status_text.substr(0, colon);
  const bool has_code = colon != status_text.npos &&
                        code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == code.npos;
  return has_code ? status_text.substr(colon + 2) : status_text;
}

// One run of a command's work, which hears what the client logs.
class Running {
 public:
  explicit Running(Terminal& terminal) : terminal_(terminal) {}

  // What the client logs is for people here: the message and the fields that say more.
  void Hear(std::string_view line) {
    const absl::StatusOr<json::object> fields = codec::ParseJsonObject(line);
    if (!fields.ok()) return;
    std::string text(codec::TextAt(*fields, "message"));
    if (const auto server = codec::TextAt(*fields, "server"); !server.empty()) {
      text += fmt::format(" ({})", server);
    }
    if (const auto error = codec::TextAt(*fields, "error"); !error.empty()) {
      text += fmt::format(": {}", MessageOf(error));
    }
    const std::string_view next_step = codec::TextAt(*fields, "next_step");
    if (!next_step.empty()) text += fmt::format("; {}", next_step);
    // Only what has gone wrong for now comes with a next step.
    if (!next_step.empty() && cluster_ != nullptr && !cluster_->is_patient) {
      given_up_ = absl::UnavailableError(text);
      lost_->Notify();
      return;
    }
    Note(terminal_, text);
  }

  aio::Task<int> Run(kube::Client& client, const ClusterFlags& flags, const ClusterWork& work) {
    Cluster cluster{client, terminal_, client.config().ns, flags.request_timeout};
    aio::Notifier lost(co_await aio::CurrentExecutor());
    lost_ = &lost;
    cluster_ = &cluster;
    co_await aio::Race(Work(cluster, work), Lost(lost));
    cluster_ = nullptr;
    co_return kExitOk;
  }

  absl::StatusOr<int> Take() {
    if (!given_up_.ok()) return given_up_;
    return std::move(result_);
  }

 private:
  aio::Task<void> Work(Cluster& cluster, const ClusterWork& work) {
    result_ = co_await work(cluster);
  }
  aio::Task<void> Lost(aio::Notifier& lost) { (void)co_await lost.Wait(); }

  Terminal& terminal_;
  Cluster* cluster_ = nullptr;     // while it runs
  aio::Notifier* lost_ = nullptr;  // likewise
  absl::Status given_up_;
  absl::StatusOr<int> result_ = absl::UnknownError("not run");
};

}  // namespace

absl::StatusOr<int> WithCluster(const ClusterFlags& flags, Terminal& terminal,
                                const ClusterWork& work) {
  Running running(terminal);
  const base::Logger logger(base::LogLevel::kWarning,
                            [&](base::LogLevel, std::string_view line) { running.Hear(line); });
  absl::StatusOr<kube::RestConfig> api = kube::LoadRestConfig(
      flags.load, flags.overrides, terminal.environment, terminal.clock, logger);
  if (!api.ok()) return api.status();
  aio::EventLoop loop;
  kube::Client client(loop.executor(), *std::move(api), logger, {.user_agent = "calicert"});
  loop.Run(running.Run(client, flags, work));
  return running.Take();
}

int RunInCluster(const ClusterFlags& flags, Terminal& terminal, const ClusterWork& work) {
  const absl::StatusOr<int> code = WithCluster(flags, terminal, work);
  return code.ok() ? *code : Fail(terminal, ErrorText(code.status()));
}

bool IsUnknownKind(const absl::Status& status) {
  // Only the path itself is unknown when there is no Status object in the answer.
  const std::optional<kube::ApiError> error = kube::FindApiError(status);
  return absl::IsNotFound(status) && error.has_value() && error->reason.empty();
}

std::string ErrorText(const absl::Status& status) {
  const std::optional<kube::ApiError> error = kube::FindApiError(status);
  std::string text(status.message());
  if (IsUnknownKind(status)) {
    return text +
           "; this cluster does not know the kind: its CustomResourceDefinition is not there";
  }
  if (!error.has_value() || error->reason.empty()) return text;
  return fmt::format("Error from server ({}): {}", error->reason, text);
}

bool IsNoAnswer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

std::string FieldSelector(std::string_view field, std::string_view value) {
  std::string text = fmt::format("{}=", field);
  for (const char c : value) {
    if (c == '\\' || c == ',' || c == '=') text += '\\';
    text += c;
  }
  return text;
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
