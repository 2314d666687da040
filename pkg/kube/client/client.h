// The verbs of the Kubernetes API over one http::Client.
//
// Objects travel as json::object; the typed projections of pkg/api decode them. Every call has a
// deadline. Reads are retried on connection errors, 429 and 5xx with backoff within the deadline;
// writes are retried only where the server says that it did not act (429, 503 with Retry-After,
// connection refused) or where repeating is harmless (apply, delete with preconditions).
//
// Errors (style table): 404 kNotFound; 409 AlreadyExists kAlreadyExists; 409 Conflict kAborted; 410
// or Expired kOutOfRange; 400/413/422, or a request that cannot be sent, kInvalidArgument; 401, or
// TLS that cannot be agreed on, kUnauthenticated; 403 kPermissionDenied; 429, or an answer that is
// larger than we take (without an ApiError), kResourceExhausted; 5xx, reset, refused, closed
// kUnavailable; an answer that cannot be read kDataLoss; kDeadlineExceeded; kCancelled. Messages
// read `verb Kind ns/name: cause`.
//
// When the server cannot be reached, the first attempt that fails is logged, within 5 s as a rule,
// with its cause and the next step; calls go on trying as above.
#ifndef CALICO_PKG_KUBE_CLIENT_CLIENT_H_
#define CALICO_PKG_KUBE_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <boost/json/object.hpp>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/log.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/options.h"

namespace calico::kube {

// Threading: event loop thread only. Lifetime: outlives its calls; `logger` outlives the client.
// `resource` arguments must have static storage (pkg/api/meta/resources.h). Cancellation of every
// call: total.
class Client {
 public:
  Client(aio::Executor executor, RestConfig config, const base::Logger& logger,
         ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  static constexpr absl::Duration kDefaultTimeout = absl::Seconds(30);

  // A client of the same server with the same credentials and connections of its own: its calls
  // wait for none of this one's. Lifetime: independent of this one's.
  std::unique_ptr<Client> WithOwnConnections(int max_connections) const;

  aio::Task<absl::StatusOr<boost::json::object>> Get(const api::Resource& resource,
                                                     api::ObjectKey key,
                                                     absl::Duration timeout = kDefaultTimeout);

  // The metadata of an object, as a PartialObjectMetadata: for objects that are large.
  aio::Task<absl::StatusOr<boost::json::object>> GetMetadata(
      const api::Resource& resource, api::ObjectKey key, absl::Duration timeout = kDefaultTimeout);

  // Hands every object to `sink` while the pages arrive, one object in memory at a time, and
  // returns the list's resourceVersion. An expired continue token, or a response that broke off,
  // restarts the list from the first page after `restart` was called; without `restart` it is
  // kOutOfRange or kUnavailable. Objects carry apiVersion and kind. Errors also: what `sink`
  // returned.
  aio::Task<absl::StatusOr<std::string>> List(const api::Resource& resource, ListOptions options,
                                              ObjectSink sink,
                                              std::function<void()> restart = nullptr);

  // Hands every event to `sink`, bookmarks included. Ends OK when the server ends the watch in
  // order; kOutOfRange for 410 or an ERROR event Expired (list again); kUnavailable when the
  // connection broke or was idle too long (watch again from the last resourceVersion).
  aio::Task<absl::Status> Watch(const api::Resource& resource, WatchOptions options,
                                EventSink sink);

  // POST. `object` carries apiVersion, kind and metadata.
  aio::Task<absl::StatusOr<boost::json::object>> Create(const api::Resource& resource,
                                                        boost::json::object object,
                                                        absl::Duration timeout = kDefaultTimeout);

  // PUT of the object, or of a subresource (`status`, `approval`; empty = the object itself).
  aio::Task<absl::StatusOr<boost::json::object>> Update(const api::Resource& resource,
                                                        boost::json::object object,
                                                        std::string_view subresource = "",
                                                        absl::Duration timeout = kDefaultTimeout);

  // What the API server would make of an update of the object itself; nothing is written.
  aio::Task<absl::StatusOr<boost::json::object>> DryRunUpdate(
      const api::Resource& resource, boost::json::object object,
      absl::Duration timeout = kDefaultTimeout);

  // JSON merge patch (RFC 7386).
  aio::Task<absl::StatusOr<boost::json::object>> Patch(const api::Resource& resource,
                                                       api::ObjectKey key,
                                                       boost::json::object patch,
                                                       std::string_view subresource = "",
                                                       absl::Duration timeout = kDefaultTimeout);

  // Server-side apply. Conflict without force: kAborted with the conflicting fields in the message.
  aio::Task<absl::StatusOr<boost::json::object>> Apply(const api::Resource& resource,
                                                       boost::json::object object,
                                                       ApplyOptions options = {},
                                                       std::string_view subresource = "",
                                                       absl::Duration timeout = kDefaultTimeout);

  // Background propagation. kNotFound when it is gone already; kAborted when a precondition fails.
  aio::Task<absl::Status> Delete(const api::Resource& resource, api::ObjectKey key,
                                 Preconditions preconditions = {},
                                 absl::Duration timeout = kDefaultTimeout);

  // GET of a path outside the resource verbs (`/version`, `/apis/GROUP/VERSION`).
  aio::Task<absl::StatusOr<boost::json::object>> GetPath(std::string path,
                                                         absl::Duration timeout = kDefaultTimeout);

  // True if the server serves `resource` (discovery). What is served is asked again after ten
  // minutes, or once a list says that it is gone. Errors: as a read.
  aio::Task<absl::StatusOr<bool>> Serves(const api::Resource& resource);

  const RestConfig& config() const;
  uint64_t bytes_received() const;

 private:
  struct Impl;
  explicit Client(std::shared_ptr<Impl> impl);

  std::shared_ptr<Impl> impl_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_CLIENT_H_
