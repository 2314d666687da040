// Informer<T>: a Store<T> kept equal to the API server's state, and observers told of each change.
//
//   Informer<api::Pod> pods(client, api::kPods, {.ns = "calico-system"}, &DecodePod, clock, logger,
//                           executor);
//   pods.AddObserver([&](const api::ObjectKey& key) { queue.Add(key); });
//   group.Spawn(pods.Run());
//   co_await pods.WaitForSync(...);
#ifndef CALICO_PKG_KUBE_CACHE_INFORMER_H_
#define CALICO_PKG_KUBE_CACHE_INFORMER_H_

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/kube/cache/reflector.h"
#include "pkg/kube/cache/store.h"
#include "pkg/kube/client/errors.h"

namespace calico::kube {

// A resource that cannot be listed or watched for the moment.
struct CacheTrouble {
  const api::Resource* resource = nullptr;  // static
  absl::Status error;                       // what was said last
  absl::Time since;                         // steady clock
  // Of the refusals (IsRefusal) that `error` is the last of, in a row; InfiniteFuture: it is none.
  absl::Time refused_since = absl::InfiniteFuture();
};

// `before` when `error` has followed at `now`.
inline CacheTrouble NextTrouble(const std::optional<CacheTrouble>& before,
                                const api::Resource& resource, absl::Status error, absl::Time now) {
  CacheTrouble trouble{&resource, std::move(error), before.has_value() ? before->since : now};
  if (!IsRefusal(trouble.error)) return trouble;
  const bool was_refused = before.has_value() && before->refused_since != absl::InfiniteFuture();
  trouble.refused_since = was_refused ? before->refused_since : now;
  return trouble;
}

// Threading: event loop thread only. Lifetime: outlives its Run task.
template <class T>
class Informer {
 public:
  // Decodes what is worth keeping; nullopt = not of interest (removed if it was there before).
  using Decoder = std::function<absl::StatusOr<std::optional<T>>(const boost::json::object&)>;
  using Observer = std::function<void(const api::ObjectKey& key)>;

  Informer(Client& client, const api::Resource& resource, ReflectorOptions options, Decoder decoder,
           const base::Clock& clock, const base::Logger& logger, aio::Executor executor)
      : client_(client),
        resource_(resource),
        options_(std::move(options)),
        decoder_(std::move(decoder)),
        clock_(clock),
        logger_(logger),
        synced_(executor) {}

  // Called after the store has changed for `key`, deletions included. Where T can be compared, an
  // object of which nothing that is kept has changed is no change. Requires: before Run.
  void AddObserver(Observer observer) { observers_.push_back(std::move(observer)); }
  // Called when the first list is complete, when trouble() begins, changes or ends. Requires:
  // before Run.
  void AddHealthObserver(std::function<void()> observer) {
    health_observers_.push_back(std::move(observer));
  }

  const api::Resource& resource() const { return resource_; }
  Store<T>& store() { return store_; }
  const Store<T>& store() const { return store_; }

  // True once the first list (since Reset) is complete.
  bool HasSynced() const { return has_synced_; }
  // Why the store may be incomplete or old; nullopt while the resource can be watched, and before
  // the first attempt has failed. The reflector goes on trying.
  const std::optional<CacheTrouble>& trouble() const { return trouble_; }
  // When Run began (steady clock); InfiniteFuture: it has not.
  absl::Time started_at() const { return started_at_; }
  // The store holds every change that was made before this time (steady clock). Bookmarks come
  // about once a minute, so where nothing happens this is a minute behind; after a broken or ended
  // watch it stands still until the next bookmark or list (see ReflectorHandlers::current).
  absl::Time current_at() const { return current_at_; }
  // OK once HasSynced. Errors: kDeadlineExceeded, kCancelled.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout) {
    while (!has_synced_) {
      const absl::Time start = clock_.SteadyNow();
      absl::Status status = co_await synced_.Wait(timeout);
      if (!status.ok()) co_return status;
      timeout = std::max(absl::ZeroDuration(), timeout - (clock_.SteadyNow() - start));
    }
    synced_.Notify();  // level-triggered: the next waiter sees it too
    co_return absl::OkStatus();
  }

  // Runs until cancelled.
  aio::Task<void> Run() {
    started_at_ = clock_.SteadyNow();
    ReflectorHandlers handlers;
    handlers.list_started = [this] { store_.BeginSweep(); };
    handlers.set = [this](boost::json::object object) { return Set(object); };
    handlers.deleted = [this](const boost::json::object& object) {
      Remove(api::ObjectMetaOf(object).Key());
    };
    handlers.synced = [this] { FinishList(); };
    handlers.current = [this](absl::Time at) { current_at_ = at; };
    handlers.health = [this](const absl::Status& status) { SetHealth(status); };
    return RunReflector(client_, resource_, options_, std::move(handlers), clock_, logger_);
  }

  // All is as before the first Run; observers are told of each object that is forgotten. For a
  // resource that the API server serves no more: what it knew says nothing about what is there when
  // it comes back. Requires: Run is not running.
  void Reset();

 private:
  absl::Status Set(const boost::json::object& object) {
    const api::ObjectKey key = api::ObjectMetaOf(object).Key();
    absl::StatusOr<std::optional<T>> decoded = decoder_(object);
    if (!decoded.ok()) {
      store_.Keep(key);  // the last good state
      return decoded.status();
    }
    if (!decoded->has_value()) {
      Remove(key);
      return absl::OkStatus();
    }
    if constexpr (std::equality_comparable<T>) {
      const auto before = store_.Get(key);
      if (before != nullptr && *before == **decoded) {
        store_.Keep(key);
        return absl::OkStatus();
      }
    }
    store_.Set(key, **std::move(decoded));
    Notify(key);
    return absl::OkStatus();
  }
  void Remove(const api::ObjectKey& key) {
    if (store_.Remove(key) != nullptr) Notify(key);
  }
  void FinishList();
  void SetHealth(const absl::Status& status);
  void Notify(const api::ObjectKey& key) {
    for (const Observer& observer : observers_) observer(key);
  }
  void NotifyHealth() {
    for (const std::function<void()>& observer : health_observers_) observer();
  }

  Client& client_;
  const api::Resource& resource_;
  ReflectorOptions options_;
  Decoder decoder_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  aio::Notifier synced_;
  std::vector<Observer> observers_;
  std::vector<std::function<void()>> health_observers_;
  Store<T> store_;
  bool has_synced_ = false;
  std::optional<CacheTrouble> trouble_;
  absl::Time started_at_ = absl::InfiniteFuture();
  absl::Time current_at_ = absl::InfinitePast();
};

template <class T>
void Informer<T>::FinishList() {
  for (const api::ObjectKey& key : store_.NotSeen()) Remove(key);
  const bool is_first = !std::exchange(has_synced_, true);
  synced_.Notify();
  if (is_first) NotifyHealth();
}

template <class T>
void Informer<T>::Reset() {
  has_synced_ = false;
  trouble_.reset();
  current_at_ = absl::InfinitePast();
  for (const api::ObjectKey& key : store_.Keys()) Remove(key);
  NotifyHealth();
}

template <class T>
void Informer<T>::SetHealth(const absl::Status& status) {
  if (status.ok()) {
    if (!trouble_.has_value()) return;
    trouble_.reset();
  } else {
    if (trouble_.has_value() && trouble_->error == status) return;
    trouble_ = NextTrouble(trouble_, resource_, status, clock_.SteadyNow());
  }
  NotifyHealth();
}

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CACHE_INFORMER_H_
