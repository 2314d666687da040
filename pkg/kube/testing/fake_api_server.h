// FakeApiServer: the Kubernetes API in the test's own process, on port zero, with faults on demand.
//
//   aio::EventLoop loop;
//   FakeApiServer server(loop.executor());
//   loop.Run(Test(server));
//
//   aio::Task<void> Test(FakeApiServer& server) {
//     EXPECT_THAT(server.Start(), IsOk());
//     Client client(loop.executor(), server.Config(), logger);
//     server.Inject({.method = "GET", .status = 429, .retry_after = 1});
//     ...
//     co_await server.Stop();
//   }
//
// It serves get, list, watch, create, update, merge patch, server-side apply, delete, `/status` and
// `/approval` of every kind of api::Resources(), discovery and `/version`.
//
// What it gets wrong (the real server is the judge: //pkg/kube/client:real_server_test):
// - no schema: unknown fields are kept, nothing is defaulted, only CertificateSigningRequests,
//   names, what excludes each other in pod templates and a few metadata rules are validated;
// - no authorisation and no admission; namespaces need not exist; no quota;
// - no controllers: no garbage collection, no cascading deletes, no grace periods; DELETE removes
// at
//   once unless there are finalizers; no deletecollection;
// - pages of a list show the state of their own time, not of the first page's;
// - server-side apply knows the lists that merge by key from a short table; list sets are only
//   finalizers; `.` of maps is not tracked; an update does not replace the field manager's history;
// - a watch from a resourceVersion of the future waits instead of failing; one resourceVersion
//   counts for all kinds (as in etcd, but without gaps);
// - no strategic merge or JSON patch, no protobuf, no tables, no gzip, no aggregated discovery.
#ifndef CALICO_PKG_KUBE_TESTING_FAKE_API_SERVER_H_
#define CALICO_PKG_KUBE_TESTING_FAKE_API_SERVER_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/http/message.h"
#include "pkg/http/server.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/testing/api_request.h"
#include "pkg/kube/testing/api_state.h"
#include "pkg/kube/testing/faults.h"

namespace calico::kube {

struct FakeApiServerOptions {
  const base::Clock* clock = &base::SystemClock();  // of timestamps; outlives the server
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0 = any free one
  // HTTPS with this certificate; `ca_pem` is what clients shall trust. Unset: plain HTTP.
  std::optional<net::TlsServerOptions> tls;
  std::string ca_pem;
  // Refuse requests without a token of AddToken (401). Otherwise they come from kubernetes-admin.
  bool require_token = false;
  // Between the bookmarks of a watch; by default they come on SendBookmarks and at its end only.
  absl::Duration bookmark_interval = absl::InfiniteDuration();
};

// A request as it arrived.
struct RecordedRequest {
  std::string method;
  std::string path;  // decoded
  codec::StringMap query;
  std::string body;
  std::string content_type;
  std::string user_agent;
  std::string username;
  http::Headers headers;
  std::string client_certificate_pem;  // the verified one, if any

  // The body as JSON; empty when it is none.
  json::object Json() const;
  // One parameter of the query, or empty.
  std::string Query(std::string_view key) const;
};

// Threading: event loop thread only. Stop before destruction.
class FakeApiServer {
 public:
  explicit FakeApiServer(aio::Executor executor, FakeApiServerOptions options = {});
  ~FakeApiServer();
  FakeApiServer(const FakeApiServer&) = delete;
  FakeApiServer& operator=(const FakeApiServer&) = delete;

  // Listens; the port stays the same through Stop and Start, objects and tokens as well.
  // Errors: kUnavailable.
  absl::Status Start();
  // Refuses connections and cuts those that are open, until Start.
  aio::Task<void> Stop();

  uint16_t port() const { return port_; }
  std::string origin() const;
  // For a client that presents `token` (empty = none). Requires: Start was called.
  RestConfig Config(const std::string& token = "") const;
  // The same as the text of a kubeconfig file, for whole programs. Tokens need TLS there.
  std::string Kubeconfig(const std::string& token = "") const;

  // A bearer token for `identity`, until RevokeToken.
  std::string AddToken(Identity identity);
  void RevokeToken(const std::string& token) { tokens_.erase(token); }

  // Objects, compaction, served kinds: see ApiState.
  ApiState& state() { return state_; }
  const json::object& Put(json::object object) { return state_.Put(std::move(object)); }
  std::optional<json::object> Find(const api::Resource& resource, const api::ObjectKey& key) const {
    return state_.Find(resource, key);
  }

  // Faults.
  void Inject(Fault fault) { faults_.Add(std::move(fault)); }
  void ClearFaults() { faults_.Clear(); }
  int pending_faults() const { return faults_.pending(); }
  // Cuts the connections of all watches.
  void DropWatches() { EndWatches(WatchEnd::kCut); }
  // Ends all watches in order, as their timeout would.
  void CloseWatches() { EndWatches(WatchEnd::kOrderly); }
  void SendBookmarks();
  size_t watches() const { return watches_.size(); }
  // Every answer carries this as `Warning: 299 - "text"`; empty = none.
  void SetWarning(std::string text) { warning_ = std::move(text); }

  // What arrived, in order.
  const std::vector<RecordedRequest>& requests() const { return requests_; }
  void ClearRequests() { requests_.clear(); }
  // Client addresses seen so far: one for each connection that carried a request.
  int connections() const { return static_cast<int>(peers_.size()); }
  // Requests of a method (empty = any) whose path contains `path`.
  int Count(std::string_view method, std::string_view path = "") const;

 private:
  enum class WatchEnd { kNone, kCut, kOrderly };
  struct OpenWatch {
    explicit OpenWatch(const aio::Executor& executor) : wake(executor) {}
    aio::Notifier wake;
    WatchEnd end = WatchEnd::kNone;
    bool bookmark = false;
  };

  aio::Task<std::optional<http::Response>> Serve(http::Request request, http::Peer peer,
                                                 http::ResponseWriter& writer);
  aio::Task<std::optional<http::Response>> Misbehave(Fault fault, ApiRequest request,
                                                     http::ResponseWriter& writer);
  aio::Task<std::optional<http::Response>> ServeWatch(ApiRequest request,
                                                      http::ResponseWriter& writer,
                                                      size_t cut_after);
  aio::Task<void> WriteWatch(ApiState::Watch& watch, OpenWatch& open, const ApiRequest& request,
                             http::ResponseWriter& writer, size_t cut_after);
  // The identity of a request; nullopt: 401.
  std::optional<Identity> Authenticate(const http::Request& request) const;
  void Record(const ApiRequest& request, http::Headers headers, std::string certificate_pem);
  http::Response Encode(const ApiReply& reply) const;
  http::Headers HeadersOf() const;
  void EndWatches(WatchEnd end);

  aio::Executor executor_;
  FakeApiServerOptions options_;
  ApiState state_;
  FaultPlan faults_;
  std::map<std::string, Identity> tokens_;
  std::vector<RecordedRequest> requests_;
  std::list<std::shared_ptr<OpenWatch>> watches_;
  std::set<std::string> peers_;
  std::string warning_;
  int next_token_ = 0;
  uint16_t port_ = 0;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<aio::TaskGroup> tasks_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_FAKE_API_SERVER_H_
