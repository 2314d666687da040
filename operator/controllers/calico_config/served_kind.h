// ServedKind: the objects of one kind that the API server may not serve, or not yet.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_SERVED_KIND_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_SERVED_KIND_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resource.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::calico_config {

// How far one kind can be looked at.
struct KindState {
  const api::Resource* resource = nullptr;  // static
  bool is_known = false;                    // complete, or known not to be served
  std::optional<kube::CacheTrouble> trouble;
  absl::Time started = absl::InfiniteFuture();  // of the first attempt; steady clock
};

// Asks whether the kind is served, and watches it while it is.
// Threading: event loop thread only. All references outlive it; it outlives its Run task.
class ServedKind {
 public:
  // `changed` is called after each change of what is told here.
  ServedKind(kube::Client& client, const api::Resource& resource, const base::Clock& clock,
             const base::Logger& logger, aio::Executor executor, std::function<void()> changed);

  aio::Task<void> Run();
  // The definition may be there by now: asks at once.
  void LookAgain() { look_.Notify(); }

  // Whether Objects says anything: the list is complete, or the API server has said that it does
  // not serve the kind.
  bool IsKnown() const;
  // It is not served, but was: what there is when it comes back is another matter.
  bool IsLost() const { return was_served_ && is_served_ == false; }
  // Sorted by name; nullopt while they are not known, or not served.
  std::optional<std::vector<json::object>> Objects() const;
  KindState State() const;

 private:
  aio::Task<void> WatchUntilGone();
  bool HasGone() const;
  void SetServed(bool is_served);
  void SetRefusal(const absl::Status& status);

  kube::Client& client_;
  const base::Clock& clock_;
  const aio::Executor executor_;
  const std::function<void()> changed_;
  kube::Informer<json::object> informer_;
  std::optional<bool> is_served_;  // nullopt: not known yet
  bool was_served_ = false;
  std::optional<kube::CacheTrouble> trouble_;  // of asking whether it is served
  absl::Time started_ = absl::InfiniteFuture();
  aio::Notifier look_;
  aio::Notifier health_changed_;
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_SERVED_KIND_H_
