// The objects of the fake API server and the verbs on them. No I/O: requests in, answers and watch
// events out. FakeApiServer (fake_api_server.h) puts it behind HTTP.
#ifndef CALICO_PKG_KUBE_TESTING_API_STATE_H_
#define CALICO_PKG_KUBE_TESTING_API_STATE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/kube/testing/api_request.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {

// Not thread-safe.
class ApiState {
 public:
  // Serves api::Resources(). `clock` gives timestamps and must outlive the state.
  explicit ApiState(const base::Clock& clock);
  ~ApiState();

  // Any request but a watch.
  ApiReply Handle(const ApiRequest& request);

  // A watch: the events after a resourceVersion, through selectors, as lines of JSON.
  class Watch {
   public:
    // The events that have happened since the last call.
    std::vector<std::string> Next();
    // A bookmark line for the newest resourceVersion; only meaningful right after Next.
    std::string Bookmark() const;
    // The resourceVersion asked for is compacted: the one line is the ERROR event, then end.
    bool expired() const { return expired_; }

   private:
    friend class ApiState;
    const ApiState* state_ = nullptr;
    const api::Resource* resource_ = nullptr;
    std::string ns_;
    Selectors selectors_;
    int64_t seen_ = 0;  // revision up to which events were handed out
    std::vector<std::string> initial_;
    bool expired_ = false;
  };
  // The failure when the request is not acceptable, else the watch in `watch`.
  std::optional<ApiReply> OpenWatch(const ApiRequest& request, Watch& watch) const;

  // Makes old resourceVersions and continue tokens unusable (410).
  void Compact();
  // Takes a resource out of service or back: its paths answer 404, discovery leaves it out.
  void SetServed(const api::Resource& resource, bool served);
  // Serves one more kind (a custom resource); with a status subresource and generation. Lifetime:
  // the views of `resource` must outlive the state.
  void AddResource(const api::Resource& resource);

  // A mutating admission webhook: changes what clients create, update or apply before it is stored.
  // Null: none.
  using Webhook = std::function<void(const api::Resource& resource, json::object& object)>;
  void SetWebhook(Webhook webhook) { webhook_ = std::move(webhook); }

  // Direct access for tests: no validation, no ownership; resourceVersion and events as ever.
  const json::object& Put(json::object object);
  std::optional<json::object> Find(const api::Resource& resource, const api::ObjectKey& key) const;
  std::vector<json::object> List(const api::Resource& resource) const;
  bool Remove(const api::Resource& resource, const api::ObjectKey& key);

  int64_t revision() const { return revision_; }
  // Called after each change.
  void OnChange(std::function<void()> callback) { on_change_ = std::move(callback); }

 private:
  using ObjectPtr = std::shared_ptr<const json::object>;
  struct Event {
    int64_t revision;
    ObjectPtr before;  // null: added
    ObjectPtr after;   // null: deleted
  };
  struct Collection {
    api::Resource resource;
    bool served = true;
    bool custom = false;  // list items carry apiVersion and kind
    std::map<api::ObjectKey, ObjectPtr> objects;
    std::deque<Event> events;
  };

  const Collection* Find(const ApiRequest& request) const;
  const Collection* Find(const api::Resource& resource) const;
  Collection* Find(const api::Resource& resource);
  ApiReply Discover(const ApiRequest& request) const;
  ApiReply Get(const Collection& collection, const ApiRequest& request) const;
  ApiReply ListPage(const Collection& collection, const ApiRequest& request) const;
  ApiReply Create(Collection& collection, const ApiRequest& request, json::object object);
  ApiReply Update(Collection& collection, const ApiRequest& request);
  ApiReply Apply(Collection& collection, const ApiRequest& request);
  ApiReply Delete(Collection& collection, const ApiRequest& request);
  std::optional<ApiReply> PrepareCreate(const Collection& collection, const ApiRequest& request,
                                        json::object& object);
  std::optional<ApiReply> PrepareUpdate(const Collection& collection, const ApiRequest& request,
                                        const json::object& live, json::object& next) const;
  ApiReply Store(Collection& collection, const ApiRequest& request, const ObjectPtr& live,
                 json::object next);
  ObjectPtr Commit(Collection& collection, const api::ObjectKey& key, ObjectPtr before,
                   std::optional<json::object> after);
  void CollectEvents(const Watch& watch, std::vector<std::string>& lines) const;
  std::string NextUid();
  std::string Now() const;

  const base::Clock& clock_;
  std::map<std::string, Collection> collections_;  // by `group/version/plural`
  int64_t revision_ = 1;
  int64_t compacted_ = 0;
  int64_t uids_ = 0;
  int64_t generated_names_ = 0;
  std::function<void()> on_change_;
  Webhook webhook_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_API_STATE_H_
