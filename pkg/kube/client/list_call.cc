#include "pkg/kube/client/list_call.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/http/client.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/client/request.h"

namespace calico::kube {
namespace {

// A continue token lives five minutes or more; a list that expires this often never ends.
constexpr int kMaxRestarts = 3;

}  // namespace

ListCall::ListCall(Transport& transport, const api::Resource& resource, ListOptions options,
                   size_t max_object_bytes, ObjectSink sink, std::function<void()> restart)
    : transport_(transport),
      resource_(resource),
      options_(std::move(options)),
      max_object_bytes_(max_object_bytes),
      sink_(std::move(sink)),
      restart_(std::move(restart)) {}

aio::Task<absl::StatusOr<std::string>> ListCall::Run() {
  const Transport::CallSlot slot(transport_);
  for (;;) {
    absl::StatusOr<std::string> version = co_await ReadPages();
    if (version.ok() || !MayRestart(version.status())) co_return version;
    ++restarts_;
    if (delivered_) restart_();
    delivered_ = false;
  }
}

// The transport has already retried what it could. What is left: pages that no longer fit together
// (410), and responses that broke off.
bool ListCall::MayRestart(const absl::Status& status) const {
  if (sink_failed_ || restarts_ >= kMaxRestarts) return false;
  if (delivered_ && restart_ == nullptr) return false;
  return status.code() == absl::StatusCode::kOutOfRange ||
         (delivered_ && absl::IsUnavailable(status));
}

aio::Task<absl::StatusOr<std::string>> ListCall::ReadPages() {
  std::string continue_token;
  for (;;) {
    absl::StatusOr<codec::ListHeader> header = co_await ReadPage(continue_token);
    if (!header.ok()) co_return header.status();
    if (header->continue_token.empty()) co_return std::move(header->resource_version);
    continue_token = std::move(header->continue_token);
  }
}

aio::Task<absl::StatusOr<codec::ListHeader>> ListCall::ReadPage(std::string continue_token) {
  absl::StatusOr<http::Request> request = ListRequest(resource_, options_, continue_token);
  if (!request.ok()) co_return request.status();
  const absl::Time deadline = base::SystemClock().SteadyNow() + options_.timeout;
  absl::StatusOr<std::unique_ptr<http::ResponseStream>> stream = co_await transport_.Open(
      {.request = *std::move(request), .repeat = Repeat::kSafe, .timeout = options_.timeout});
  if (!stream.ok()) co_return stream.status();

  codec::ListSplitter splitter({.max_item_bytes = max_object_bytes_});
  const auto deliver = [this](std::string_view item) { return Deliver(item); };
  for (;;) {
    const absl::Duration left = deadline - base::SystemClock().SteadyNow();
    absl::StatusOr<std::string> piece =
        co_await (*stream)->Read(std::max(left, absl::ZeroDuration()));
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) break;
    const absl::Status fed = splitter.Feed(*piece, deliver);
    if (!fed.ok()) co_return sink_failed_ ? fed : Undecodable(fed, "decode list");
  }
  absl::StatusOr<codec::ListHeader> header = splitter.Finish();
  if (!header.ok()) co_return Undecodable(header.status(), "decode list");
  if (!std::string_view(header->kind).ends_with("List")) {
    co_return absl::DataLossError(
        fmt::format("decode list: expected a list, got {:?}", header->kind.substr(0, 64)));
  }
  co_return header;
}

absl::Status ListCall::Deliver(std::string_view item) {
  absl::StatusOr<json::object> object =
      codec::ParseJsonObject(item, {.max_bytes = max_object_bytes_});
  if (!object.ok()) return Undecodable(object.status(), "item");
  // The server leaves these out of the items of built-in kinds.
  if (!object->contains("kind")) {
    object->emplace("apiVersion", resource_.ApiVersion());
    object->emplace("kind", resource_.kind);
  }
  delivered_ = true;
  absl::Status status = sink_(*std::move(object));
  sink_failed_ = !status.ok();
  return status;
}

}  // namespace calico::kube
