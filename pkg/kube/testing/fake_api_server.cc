#include "pkg/kube/testing/fake_api_server.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "pkg/base/base64.h"

namespace calico::kube {
namespace {

constexpr absl::Duration kDefaultWatch = absl::Minutes(30);

// What Config hands out: a token that never changes.
class FixedCredentials final : public Credentials {
 public:
  FixedCredentials(std::string ca_pem, std::string token)
      : ca_pem_(std::move(ca_pem)), token_(std::move(token)) {}
  absl::StatusOr<net::TlsOptions> Tls() override { return net::TlsOptions{.ca_pem = ca_pem_}; }
  absl::StatusOr<base::SharedSecret> Authorization() override {
    if (token_.empty()) return base::SharedSecret();
    return base::SharedSecret(base::JoinSecrets({"Bearer ", token_}));
  }
  bool Invalidate() override { return false; }

 private:
  const std::string ca_pem_;
  const std::string token_;
};

std::string HeaderText(const http::Headers& headers, std::string_view name) {
  return std::string(http::FindHeader(headers, name).value_or(""));
}

absl::Duration WatchDuration(const ApiRequest& request) {
  const std::string text = request.Query("timeoutSeconds");
  int seconds = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return result.ec == std::errc() && seconds > 0 ? absl::Seconds(seconds) : kDefaultWatch;
}

std::string PathAndQuery(const ApiRequest& request) {
  std::string text = request.path;
  for (const auto& [key, value] : request.query) {
    text += fmt::format("{}{}={}", text == request.path ? "?" : "&", key, value);
  }
  return text;
}

}  // namespace

json::object RecordedRequest::Json() const {
  absl::StatusOr<json::object> object = codec::ParseJsonObject(body);
  return object.ok() ? *std::move(object) : json::object();
}

std::string RecordedRequest::Query(std::string_view key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string() : found->second;
}

FakeApiServer::FakeApiServer(aio::Executor executor, FakeApiServerOptions options)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      state_(*options_.clock),
      port_(options_.port) {
  state_.OnChange([this] {
    for (const auto& watch : watches_) watch->wake.Notify();
  });
}

FakeApiServer::~FakeApiServer() = default;

absl::Status FakeApiServer::Start() {
  if (server_ != nullptr) return absl::OkStatus();
  http::ServerOptions options{.address = options_.address, .port = port_, .tls = options_.tls};
  auto server = http::Server::Listen(
      executor_, std::move(options),
      [this](http::Request request, http::Peer peer, http::ResponseWriter& writer) {
        return Serve(std::move(request), std::move(peer), writer);
      });
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  port_ = server_->port();
  tasks_ = std::make_unique<aio::TaskGroup>(executor_);
  tasks_->Spawn(server_->Run());
  return absl::OkStatus();
}

aio::Task<void> FakeApiServer::Stop() {
  if (server_ == nullptr) co_return;
  server_->Stop();
  co_await tasks_->Join();
  tasks_.reset();
  server_.reset();
}

std::string FakeApiServer::origin() const {
  return fmt::format("{}://{}:{}", options_.tls ? "https" : "http", options_.address, port_);
}

RestConfig FakeApiServer::Config(const std::string& token) const {
  return {.origin = origin(),
          .ns = "default",
          .credentials = std::make_shared<FixedCredentials>(options_.ca_pem, token)};
}

std::string FakeApiServer::Kubeconfig(const std::string& token) const {
  json::object cluster{{"server", origin()}};
  if (!options_.ca_pem.empty()) {
    cluster["certificate-authority-data"] = base::Base64Encode(options_.ca_pem);
  }
  json::object user;
  if (!token.empty()) user["token"] = token;
  return codec::Serialize(json::object{
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"current-context", "fake"},
      {"clusters", json::array{{{"name", "fake"}, {"cluster", std::move(cluster)}}}},
      {"users", json::array{{{"name", "fake"}, {"user", std::move(user)}}}},
      {"contexts",
       json::array{{{"name", "fake"}, {"context", {{"cluster", "fake"}, {"user", "fake"}}}}}}});
}

std::string FakeApiServer::AddToken(Identity identity) {
  std::string token = fmt::format("fake-token-{}", ++next_token_);
  tokens_[token] = std::move(identity);
  return token;
}

std::optional<Identity> FakeApiServer::Authenticate(const http::Request& request) const {
  std::string_view value = http::FindHeader(request.headers, "Authorization").value_or("");
  if (value.empty()) {
    return options_.require_token ? std::nullopt : std::make_optional(Identity());
  }
  constexpr std::string_view kBearer = "Bearer ";
  if (!value.starts_with(kBearer)) return std::nullopt;
  const auto found = tokens_.find(std::string(value.substr(kBearer.size())));
  return found == tokens_.end() ? std::nullopt : std::make_optional(found->second);
}

void FakeApiServer::Record(const ApiRequest& request, http::Headers headers,
                           std::string certificate_pem) {
  requests_.push_back({.method = request.method,
                       .path = request.path,
                       .query = request.query,
                       .body = request.body,
                       .content_type = request.content_type,
                       .user_agent = request.user_agent,
                       .username = request.identity.username,
                       .headers = std::move(headers),
                       .client_certificate_pem = std::move(certificate_pem)});
}

int FakeApiServer::Count(std::string_view method, std::string_view path) const {
  return static_cast<int>(
      std::count_if(requests_.begin(), requests_.end(), [&](const RecordedRequest& request) {
        return (method.empty() || request.method == method) &&
               request.path.find(path) != std::string::npos;
      }));
}

http::Headers FakeApiServer::HeadersOf() const {
  http::Headers headers = {{"Content-Type", "application/json"}};
  if (!warning_.empty()) headers.emplace_back("Warning", fmt::format("299 - \"{}\"", warning_));
  return headers;
}

http::Response FakeApiServer::Encode(const ApiReply& reply) const {
  return {
      .status = reply.code, .headers = HeadersOf(), .body = codec::Serialize(reply.body) + "\n"};
}

aio::Task<std::optional<http::Response>> FakeApiServer::Serve(http::Request request,
                                                              http::Peer peer,
                                                              http::ResponseWriter& writer) {
  peers_.insert(std::move(peer.address));
  ApiRequest api{.method = request.method,
                 .content_type = HeaderText(request.headers, "Content-Type"),
                 .body = request.body,
                 .user_agent = HeaderText(request.headers, "User-Agent"),
                 .accept = HeaderText(request.headers, "Accept")};
  if (!ParseTarget(request.target, api)) {
    co_return Encode(Failure(400, "BadRequest", "malformed request target"));
  }
  const std::optional<Identity> identity = Authenticate(request);
  api.identity = identity.value_or(Identity{.username = "", .groups = {}});
  Record(api, std::move(request.headers), std::move(peer.certificate_pem));
  std::optional<Fault> fault = faults_.Take(api.method, PathAndQuery(api));
  if (fault) co_return co_await Misbehave(*std::move(fault), std::move(api), writer);
  if (!identity) co_return Encode(Failure(401, "Unauthorized", "Unauthorized"));
  if (api.is_watch() && !api.plural.empty()) {
    co_return co_await ServeWatch(std::move(api), writer, std::string::npos);
  }
  co_return Encode(state_.Handle(api));
}

aio::Task<std::optional<http::Response>> FakeApiServer::Misbehave(Fault fault, ApiRequest request,
                                                                  http::ResponseWriter& writer) {
  if (fault.delay > absl::ZeroDuration()) (void)co_await aio::Sleep(fault.delay);
  if (fault.status != 0 || fault.raw_body) {
    http::Response response = Encode(Failure(fault.status, fault.reason, "injected fault"));
    if (fault.status == 0) response.status = 200;
    if (fault.raw_body) response.body = *fault.raw_body;
    if (fault.retry_after) {
      response.headers.emplace_back("Retry-After", fmt::to_string(*fault.retry_after));
    }
    co_return response;
  }
  if (fault.close) {
    writer.Abort();
    co_return std::nullopt;
  }
  if (request.is_watch()) {
    co_return co_await ServeWatch(std::move(request), writer, fault.cut_after);
  }
  http::Response response = Encode(state_.Handle(request));
  if (fault.act_then_close) {
    writer.Abort();
    co_return std::nullopt;
  }
  if (fault.act_then_answer) response.body = *std::move(fault.act_then_answer);
  if (fault.cut_after == std::numeric_limits<size_t>::max()) co_return response;
  (void)co_await writer.Start(response.status, response.headers);
  (void)co_await writer.Write(response.body.substr(0, fault.cut_after));
  writer.Abort();
  co_return std::nullopt;
}

aio::Task<std::optional<http::Response>> FakeApiServer::ServeWatch(ApiRequest request,
                                                                   http::ResponseWriter& writer,
                                                                   size_t cut_after) {
  ApiState::Watch watch;
  if (std::optional<ApiReply> failure = state_.OpenWatch(request, watch)) {
    co_return Encode(*failure);
  }
  // Unlinks the watch also when the coroutine is destroyed.
  struct Link {
    Link(std::list<std::shared_ptr<OpenWatch>>& l, std::shared_ptr<OpenWatch> open) : list(l) {
      position = list.insert(list.end(), std::move(open));
    }
    ~Link() { list.erase(position); }
    std::list<std::shared_ptr<OpenWatch>>& list;
    std::list<std::shared_ptr<OpenWatch>>::iterator position;
  };
  auto open = std::make_shared<OpenWatch>(executor_);
  const Link link(watches_, open);
  const absl::Status started = co_await writer.Start(200, HeadersOf());
  if (started.ok()) co_await WriteWatch(watch, *open, request, writer, cut_after);
  co_return std::nullopt;
}

aio::Task<void> FakeApiServer::WriteWatch(ApiState::Watch& watch, OpenWatch& open,
                                          const ApiRequest& request, http::ResponseWriter& writer,
                                          size_t cut_after) {
  const bool bookmarks = request.Query("allowWatchBookmarks") == "true";
  const absl::Time end = absl::Now() + WatchDuration(request);
  absl::Time next_bookmark = absl::Now() + options_.bookmark_interval;
  for (;;) {
    std::string out;
    for (const std::string& line : watch.Next()) out += line;
    const absl::Time now = absl::Now();
    const bool ending = now >= end || open.end == WatchEnd::kOrderly;
    if (bookmarks && !watch.expired() && (ending || open.bookmark || now >= next_bookmark)) {
      out += watch.Bookmark();
      open.bookmark = false;
      next_bookmark = now + options_.bookmark_interval;
    }
    const bool cut = open.end == WatchEnd::kCut || out.size() >= cut_after;
    const size_t length = std::min(out.size(), cut_after);
    cut_after -= length;
    if (length > 0 && !(co_await writer.Write(out.substr(0, length))).ok()) co_return;
    if (cut) writer.Abort();
    if (cut || ending || watch.expired()) co_return;
    const absl::Duration wait = std::min(end, next_bookmark) - absl::Now();
    const absl::Status woken = co_await open.wake.Wait(std::max(wait, absl::ZeroDuration()));
    if (absl::IsCancelled(woken)) co_return;
  }
}

void FakeApiServer::EndWatches(WatchEnd end) {
  for (const auto& watch : watches_) {
    watch->end = end;
    watch->wake.Notify();
  }
}

void FakeApiServer::SendBookmarks() {
  for (const auto& watch : watches_) {
    watch->bookmark = true;
    watch->wake.Notify();
  }
}

}  // namespace calico::kube
