// LiveObjects: what the API server holds of the objects that we may have made, found by a label,
// as compact text.
//
// One watch per kind. Objects that lost the label are as good as absent: applying gives it back.
#ifndef CALICO_PKG_KUBE_APPLY_LIVE_OBJECTS_H_
#define CALICO_PKG_KUBE_APPLY_LIVE_OBJECTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::kube {

struct LiveObject {
  api::ObjectKey key;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::string controller_uid;  // of the owner with `controller: true`; may be empty
  bool deleting = false;
  bool applied_by_us = false;  // our field manager has applied it
  // metadata.managedFields of all others, those of the status left out, as JSON. Empty for most
  // objects, and when it is too large to be kept.
  std::string others_fields;
  std::string text;  // JSON without managedFields

  // Errors: kInvalidArgument when the object has no metadata.
  static absl::StatusOr<LiveObject> Decode(const json::object& object,
                                           std::string_view field_manager);
  // The object again.
  json::object Parse() const;
};

// Where live objects are looked up; tests give their own.
class LiveSource {
 public:
  virtual ~LiveSource() = default;
  // Null if there is none.
  virtual std::shared_ptr<const LiveObject> Get(const api::Resource& resource,
                                                const api::ObjectKey& key) const = 0;
  // Calls `visit` for all objects of all complete kinds, in no order.
  virtual void ForEach(
      const std::function<void(const api::Resource&, const LiveObject&)>& visit) const = 0;
};

// Objects that something else watches, because they must not lie in memory as text: Secrets with
// private keys. They are applied like others and never deleted for being no longer wanted.
class CoveredObjects {
 public:
  virtual ~CoveredObjects() = default;
  // Also of objects that are not there, or not known yet.
  virtual bool Covers(const api::Resource& resource, const api::ObjectKey& key) const = 0;
  // Null if there is none. Whoever asks lets it go soon.
  virtual std::shared_ptr<const LiveObject> Get(const api::Resource& resource,
                                                const api::ObjectKey& key) const = 0;
};

struct LiveKind {
  enum class When {
    kAlways,
    // Only while the API server serves it, which is asked now and then, and all others of its API
    // group version that are of this sort: objects of one refer to those of another.
    kIfServed,
    kLater,             // from StartLater on: reading it takes rights that are given on the way
    kInNamespace,       // from StartNamespace of its namespace on: most clusters have nothing there
    kLaterInNamespace,  // from both on
  };
  const api::Resource* resource;  // static
  std::string ns;                 // empty: cluster-scoped, or all; one kind may have several
  When when = When::kAlways;
  std::string field_selector;  // beside the label
};

// Threading: event loop thread only. Lifetime: outlives its Run task.
class LiveObjects : public LiveSource {
 public:
  // How often it is asked whether a kind is served: clusters are upgraded while we run. What is
  // served costs a request in ten minutes at most (Client::Serves).
  static constexpr absl::Duration kDiscoveryInterval = absl::Minutes(5);

  // All references outlive this.
  LiveObjects(Client& client, std::vector<LiveKind> kinds, std::string label_selector,
              std::string field_manager, const base::Clock& clock, const base::Logger& logger,
              aio::Executor executor, absl::Duration discovery_interval = kDiscoveryInterval);
  ~LiveObjects() override;

  // The key is empty when the whole kind has come or gone.
  using Observer = std::function<void(const api::Resource& resource, const api::ObjectKey& key)>;
  // Requires: before Run.
  void AddObserver(Observer observer) { observers_.push_back(std::move(observer)); }
  // `covered` answers for its objects from now on, and outlives this. Requires: before Run.
  void SetCovered(const CoveredObjects* covered) { covered_ = covered; }
  // One of the covered objects has changed.
  void CoveredChanged(const api::Resource& resource, const api::ObjectKey& key) {
    for (const Observer& observer : observers_) observer(resource, key);
  }
  // Called when Troubles or HasSynced has changed for a kind, or one is served now. Requires:
  // before Run.
  void SetHealthObserver(std::function<void()> observer) { health_observer_ = std::move(observer); }

  // Runs until cancelled.
  aio::Task<void> Run();
  // OK once every kind but the late ones is complete. Errors: kDeadlineExceeded, kCancelled.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout);
  // Starts the kinds that wait for it; does nothing the second time. Requires: Run is running.
  void StartLater();
  // Starts the kinds of this namespace that wait for it. Waits until those kInNamespace are
  // complete. Errors: as WaitForSync. Requires: Run is running.
  aio::Task<absl::Status> StartNamespace(std::string ns, absl::Duration timeout);
  // As WaitForSync, for one kind, of its first namespace.
  aio::Task<absl::Status> WaitForKind(const api::Resource& resource, absl::Duration timeout);

  // False while the API server does not serve this kind (see kIfServed), or that is not known; one
  // that came later is served once it is complete. What is not served is not visited by ForEach:
  // ask again for each plan.
  bool IsServed(const api::Resource& resource) const;
  // What is known of this kind is complete.
  bool HasSynced(const api::Resource& resource) const;
  // Complete, and the API server has not refused to go on: changes will be shown.
  bool IsCurrent(const api::Resource& resource) const;
  // The kinds that cannot be listed, watched or discovered for the moment.
  std::vector<CacheTrouble> Troubles() const;
  // Calls `visit` for each kind that is neither complete nor known not to be served, those left out
  // that wait for StartLater. `since`: of the first attempt (steady clock).
  void ForEachUnsynced(absl::FunctionRef<void(const api::Resource&, absl::Time since)> visit) const;
  std::shared_ptr<const LiveObject> Get(const api::Resource& resource,
                                        const api::ObjectKey& key) const override;
  void ForEach(
      const std::function<void(const api::Resource&, const LiveObject&)>& visit) const override;

 private:
  struct Entry;
  struct Version;

  void NotifyHealth() {
    if (health_observer_) health_observer_();
  }
  bool IsCovered(const api::Resource& resource, const api::ObjectKey& key) const {
    return covered_ != nullptr && covered_->Covers(resource, key);
  }
  Entry* Find(const api::Resource& resource) const;
  Entry* Find(const api::Resource& resource, std::string_view ns) const;
  bool IsDue(const Entry& entry) const;
  void StartDue();
  Version& VersionOf(const api::Resource& resource);
  aio::Task<void> RunVersion(Version& version);
  aio::Task<void> RunInformers(Version& version);
  aio::Task<absl::StatusOr<bool>> Serves(const Version& version);
  aio::Task<std::optional<bool>> Discover(Version& version);
  aio::Task<absl::Status> WaitForLists(const Version& version, absl::Duration timeout);
  aio::Task<void> WhileServed(Version& version);
  void SetServed(Version& version, bool served);

  Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const aio::Executor executor_;
  const absl::Duration discovery_interval_;
  std::vector<Observer> observers_;
  std::function<void()> health_observer_;
  const CoveredObjects* covered_ = nullptr;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<std::unique_ptr<Version>> versions_;
  aio::TaskGroup group_;
  aio::Notifier forever_;  // never set: Run waits on it until it is cancelled
  bool later_started_ = false;
  std::set<std::string, std::less<>> started_namespaces_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_LIVE_OBJECTS_H_
