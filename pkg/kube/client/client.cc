#include "pkg/kube/client/client.h"

#include <map>
#include <memory>
#include <set>
#include <utility>

#include <absl/strings/match.h>

#include "pkg/base/clock.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/client/list_call.h"
#include "pkg/kube/client/reachability.h"
#include "pkg/kube/client/request.h"
#include "pkg/kube/client/transport.h"
#include "pkg/kube/client/watch_decoder.h"

namespace calico::kube {
namespace {

// An answer of discovery is asked for again after this; what is not served, at once.
constexpr absl::Duration kDiscoveryAge = absl::Minutes(10);

struct Discovery {
  absl::Time until;
  std::set<std::string, std::less<>> plurals;
};

// The plurals of an APIResourceList, subresources (`pods/log`) left out.
std::set<std::string, std::less<>> PluralsOf(const json::object& list) {
  std::set<std::string, std::less<>> plurals;
  const json::value* resources = list.if_contains("resources");
  if (resources == nullptr || !resources->is_array()) return plurals;
  for (const json::value& resource : resources->get_array()) {
    const json::object* fields = resource.if_object();
    const json::value* name = fields == nullptr ? nullptr : fields->if_contains("name");
    if (name == nullptr || !name->is_string()) continue;
    const std::string_view text = codec::View(name->get_string());
    if (text.find('/') == std::string_view::npos) plurals.emplace(text);
  }
  return plurals;
}

// What a stream's Read returns when the server fell silent is a broken watch, not a missed deadline
// of the caller's.
absl::Status AsBrokenWatch(const absl::Status& status) {
  if (!absl::IsDeadlineExceeded(status)) return status;
  return absl::UnavailableError("no event and no bookmark within the idle limit");
}

}  // namespace

struct Client::Impl {
  Impl(aio::Executor e, RestConfig config, const base::Logger& l, ClientOptions o,
       std::shared_ptr<Reachability> r)
      : executor(std::move(e)),
        logger(l),
        options(std::move(o)),
        reachability(std::move(r)),
        transport(executor, std::move(config), logger, options, reachability) {}

  aio::Task<absl::StatusOr<json::object>> Object(std::string what,
                                                 absl::StatusOr<http::Request> request,
                                                 Repeat repeat, absl::Duration timeout);
  aio::Task<absl::StatusOr<std::string>> List(const api::Resource& resource, ListOptions list,
                                              ObjectSink sink, std::function<void()> restart);
  aio::Task<absl::Status> Watch(std::string what, absl::StatusOr<http::Request> request,
                                WatchOptions watch, EventSink sink);
  aio::Task<absl::Status> ReadEvents(http::ResponseStream& stream, const WatchOptions& watch,
                                     const EventSink& sink);
  aio::Task<absl::StatusOr<bool>> Serves(const api::Resource& resource);

  const aio::Executor executor;
  const base::Logger& logger;
  const ClientOptions options;
  const std::shared_ptr<Reachability> reachability;
  Transport transport;
  std::map<std::string, Discovery> discovery;
};

Client::Client(aio::Executor executor, RestConfig config, const base::Logger& logger,
               ClientOptions options)
    : Client([&] {
        auto reachability =
            std::make_shared<Reachability>(config.origin, logger, base::SystemClock());
        return std::make_shared<Impl>(std::move(executor), std::move(config), logger,
                                      std::move(options), std::move(reachability));
      }()) {}

Client::Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Client::~Client() = default;

std::unique_ptr<Client> Client::WithOwnConnections(int max_connections) const {
  ClientOptions options = impl_->options;
  options.max_connections = max_connections;
  return std::unique_ptr<Client>(new Client(std::make_shared<Impl>(
      impl_->executor, config(), impl_->logger, std::move(options), impl_->reachability)));
}

const RestConfig& Client::config() const { return impl_->transport.config(); }

uint64_t Client::bytes_received() const { return impl_->transport.bytes_received(); }

// The requests are built before the task starts, so that no view argument outlives its call. The
// other parameters are values as in every coroutine: callers need not know that these are none.
// NOLINTBEGIN(performance-unnecessary-value-param)

aio::Task<absl::StatusOr<json::object>> Client::Get(const api::Resource& resource,
                                                    api::ObjectKey key, absl::Duration timeout) {
  return impl_->Object(DescribeCall("get", resource, key), GetRequest(resource, key), Repeat::kSafe,
                       timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::GetMetadata(const api::Resource& resource,
                                                            api::ObjectKey key,
                                                            absl::Duration timeout) {
  return impl_->Object(DescribeCall("get", resource, key), GetMetadataRequest(resource, key),
                       Repeat::kSafe, timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::GetPath(std::string path, absl::Duration timeout) {
  std::string what = "get " + path;
  http::Request request{.target = std::move(path), .headers = {{"Accept", "application/json"}}};
  return impl_->Object(std::move(what), std::move(request), Repeat::kSafe, timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::Create(const api::Resource& resource,
                                                       json::object object,
                                                       absl::Duration timeout) {
  return impl_->Object(DescribeCall("create", resource, KeyOf(object)),
                       CreateRequest(resource, object), Repeat::kUnsafe, timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::Update(const api::Resource& resource,
                                                       json::object object,
                                                       std::string_view subresource,
                                                       absl::Duration timeout) {
  return impl_->Object(DescribeCall("update", resource, KeyOf(object), subresource),
                       UpdateRequest(resource, object, subresource), Repeat::kUnsafe, timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::DryRunUpdate(const api::Resource& resource,
                                                             json::object object,
                                                             absl::Duration timeout) {
  return impl_->Object(DescribeCall("try to update", resource, KeyOf(object), ""),
                       UpdateRequest(resource, object, "", true), Repeat::kUnsafe, timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::Patch(const api::Resource& resource,
                                                      api::ObjectKey key, json::object patch,
                                                      std::string_view subresource,
                                                      absl::Duration timeout) {
  return impl_->Object(DescribeCall("patch", resource, key, subresource),
                       PatchRequest(resource, key, patch, subresource), Repeat::kUnsafe, timeout);
}

aio::Task<absl::StatusOr<json::object>> Client::Apply(const api::Resource& resource,
                                                      json::object object, ApplyOptions options,
                                                      std::string_view subresource,
                                                      absl::Duration timeout) {
  std::string what = DescribeCall("apply", resource, KeyOf(object), subresource);
  return impl_->Object(std::move(what),
                       ApplyRequest(resource, std::move(object), options, subresource),
                       Repeat::kSafe, timeout);
}

aio::Task<absl::Status> Client::Delete(const api::Resource& resource, api::ObjectKey key,
                                       Preconditions preconditions, absl::Duration timeout) {
  // Without preconditions a second DELETE might hit a new object of the same name.
  const bool bound = !preconditions.uid.empty() || !preconditions.resource_version.empty();
  const auto discard = [](aio::Task<absl::StatusOr<json::object>> task) -> aio::Task<absl::Status> {
    co_return (co_await std::move(task)).status();
  };
  return discard(impl_->Object(DescribeCall("delete", resource, key),
                               DeleteRequest(resource, key, preconditions),
                               bound ? Repeat::kSafe : Repeat::kUnsafe, timeout));
}

aio::Task<absl::StatusOr<std::string>> Client::List(const api::Resource& resource,
                                                    ListOptions options, ObjectSink sink,
                                                    std::function<void()> restart) {
  return impl_->List(resource, std::move(options), std::move(sink), std::move(restart));
}

aio::Task<absl::Status> Client::Watch(const api::Resource& resource, WatchOptions options,
                                      EventSink sink) {
  return impl_->Watch(DescribeCall("watch", resource, {options.ns, ""}),
                      WatchRequest(resource, options), options, std::move(sink));
}

aio::Task<absl::StatusOr<bool>> Client::Serves(const api::Resource& resource) {
  return impl_->Serves(resource);
}

// NOLINTEND(performance-unnecessary-value-param)

aio::Task<absl::StatusOr<json::object>> Client::Impl::Object(std::string what,
                                                             absl::StatusOr<http::Request> request,
                                                             Repeat repeat,
                                                             absl::Duration timeout) {
  if (!request.ok()) co_return base::Annotate(request.status(), what);
  absl::StatusOr<http::Response> response =
      co_await transport.Do({.request = *std::move(request), .repeat = repeat, .timeout = timeout});
  if (!response.ok()) co_return base::Annotate(response.status(), what);
  absl::StatusOr<json::object> object =
      codec::ParseJsonObject(response->body, {.max_bytes = options.max_object_bytes});
  if (!object.ok()) co_return Undecodable(object.status(), what + ": decode response");
  co_return object;
}

aio::Task<absl::StatusOr<std::string>> Client::Impl::List(const api::Resource& resource,
                                                          ListOptions list, ObjectSink sink,
                                                          std::function<void()> restart) {
  const std::string what = DescribeCall("list", resource, {list.ns, ""});
  ListCall call(transport, resource, std::move(list), options.max_object_bytes, std::move(sink),
                std::move(restart));
  absl::StatusOr<std::string> version = co_await call.Run();
  if (absl::IsNotFound(version.status())) discovery.erase(GroupVersionPath(resource));
  if (!version.ok()) co_return base::Annotate(version.status(), what);
  co_return version;
}

aio::Task<absl::Status> Client::Impl::Watch(std::string what, absl::StatusOr<http::Request> request,
                                            WatchOptions watch, EventSink sink) {
  if (!request.ok()) co_return base::Annotate(request.status(), what);
  CALICO_CO_RETURN_IF_ERROR(co_await transport.WaitUntilQuiet());
  const Transport::WatchSlot slot(transport);
  absl::StatusOr<std::unique_ptr<http::ResponseStream>> stream = co_await transport.Open(
      {.request = *std::move(request), .repeat = Repeat::kNever, .timeout = watch.open_timeout});
  if (!stream.ok()) co_return base::Annotate(stream.status(), what);
  if (watch.opened) watch.opened();
  absl::Status status = co_await ReadEvents(**stream, watch, sink);
  co_return base::Annotate(status, what);
}

aio::Task<absl::Status> Client::Impl::ReadEvents(http::ResponseStream& stream,
                                                 const WatchOptions& watch, const EventSink& sink) {
  WatchDecoder decoder(options.max_object_bytes);
  for (;;) {
    absl::StatusOr<std::string> piece = co_await stream.Read(watch.idle_limit);
    if (!piece.ok()) co_return AsBrokenWatch(piece.status());
    if (piece->empty()) co_return decoder.Finish();
    CALICO_CO_RETURN_IF_ERROR(decoder.Feed(*piece, sink));
  }
}

aio::Task<absl::StatusOr<bool>> Client::Impl::Serves(const api::Resource& resource) {
  const std::string path = GroupVersionPath(resource);
  const auto known = discovery.find(path);
  if (known != discovery.end() && base::SystemClock().SteadyNow() < known->second.until &&
      known->second.plurals.contains(resource.plural)) {
    co_return true;
  }
  http::Request request{.target = path, .headers = {{"Accept", "application/json"}}};
  absl::StatusOr<json::object> list =
      co_await Object("get " + path, std::move(request), Repeat::kSafe, kDefaultTimeout);
  if (absl::IsNotFound(list.status())) co_return false;
  if (!list.ok()) co_return list.status();
  Discovery& entry = discovery[path];
  entry = {base::SystemClock().SteadyNow() + kDiscoveryAge, PluralsOf(*list)};
  co_return entry.plurals.contains(resource.plural);
}

}  // namespace calico::kube
