#include "pkg/serving/serving.h"

#include <memory>
#include <optional>
#include <utility>

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/http/server.h"
#include "pkg/serving/address.h"

namespace calico::serving {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

http::Response Answer(int status, std::string_view content_type, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", std::string(content_type)},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(body)};
}

http::Response AnswerHealth(const std::function<absl::Status()>& check) {
  if (!check) return Answer(404, kText, "not served here\n");
  const absl::Status status = check();
  if (status.ok()) return Answer(200, kText, "ok\n");
  const auto message = status.message();
  return Answer(503, kText, fmt::format("{}\n", std::string_view(message.data(), message.size())));
}

http::Response AnswerGet(std::string_view path, const Endpoints& endpoints) {
  if (path == "/metrics" && endpoints.metrics != nullptr) {
    return Answer(200, metrics::kContentType, endpoints.metrics->Expose());
  }
  if (path == "/readyz") return AnswerHealth(endpoints.ready);
  if (path == "/livez" || path == "/healthz") return AnswerHealth(endpoints.live);
  return Answer(404, kText, "not served here\n");
}

aio::Task<std::optional<http::Response>> Handle(const Endpoints& endpoints, http::Request request) {
  co_return Respond(request, endpoints);
}

absl::StatusOr<std::unique_ptr<http::Server>> Listen(const aio::Executor& executor,
                                                     const std::string& text,
                                                     const Endpoints& endpoints) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
  if (!address.ok()) return address.status();
  http::Handler handler = [&endpoints](http::Request request, const http::Peer&,
                                       http::ResponseWriter&) {
    return Handle(endpoints, std::move(request));
  };
  http::ServerOptions options{.address = address->host, .port = address->port};
  options.max_body_bytes = 4096;
  options.max_connections = 64;
  // Connections that ask for nothing must not keep the kubelet's probes out for long.
  options.idle_timeout = absl::Seconds(10);
  absl::StatusOr<std::unique_ptr<http::Server>> server =
      http::Server::Listen(executor, options, handler);
  // Without IPv6 in the kernel there is no `::` to listen on.
  if (server.ok() || options.address != "::") return server;
  options.address = "0.0.0.0";
  return http::Server::Listen(executor, std::move(options), std::move(handler));
}

}  // namespace

http::Response Respond(const http::Request& request, const Endpoints& endpoints) {
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response response = Answer(405, kText, "only GET and HEAD\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const std::string_view target = request.target;
  http::Response response = AnswerGet(target.substr(0, target.find('?')), endpoints);
  if (request.method == "HEAD") response.body.clear();
  return response;
}

aio::Task<void> Serve(std::string name, std::string address, Endpoints endpoints,
                      const base::Logger& logger, std::function<void(uint16_t port)> listening) {
  const aio::Executor executor = co_await aio::CurrentExecutor();
  absl::StatusOr<std::unique_ptr<http::Server>> server = Listen(executor, address, endpoints);
  if (!server.ok()) {
    logger.Error("cannot serve", {{"server", name}, {"error", server.status()}});
    co_return;
  }
  logger.Info("serving", {{"server", name}, {"address", address}, {"port", (*server)->port()}});
  if (listening) listening((*server)->port());
  aio::TaskGroup running(executor);
  running.Spawn((*server)->Run());
  co_await running.Join();
  (*server)->Stop();
  co_await running.Stop();
}

}  // namespace calico::serving
