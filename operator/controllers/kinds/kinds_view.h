// KindsView: the kinds of operator.tigera.io beside Installation, kept current by watches:
// APIServer, ImageSet, Goldmane, Whisker, and the TigeraStatuses of all but `calico`.
//
// A kind that the API server does not serve has no objects: nobody misses it. What cannot be looked
// at is not known, which is another thing than not there.
#ifndef CALICO_OPERATOR_CONTROLLERS_KINDS_KINDS_VIEW_H_
#define CALICO_OPERATOR_CONTROLLERS_KINDS_KINDS_VIEW_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/controllers/installation/cache_health.h"
#include "operator/controllers/kinds/records.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/resource.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::kinds {

// Threading: event loop thread only. Lifetime: outlives its Run task.
class KindsView {
 public:
  // `calico_version`: of the release that is installed, "v3.33.1". All references outlive this.
  KindsView(kube::Client& client, std::string_view calico_version, const base::Clock& clock,
            const base::Logger& logger, aio::Executor executor);

  // What users write, told at once, or a TigeraStatus, which can wait. Requires: before Run.
  enum class Change { kUser, kStatus };
  void AddObserver(std::function<void(Change)> observer) {
    observers_.push_back(std::move(observer));
  }
  // Called when CacheStates has changed. Requires: before Run.
  void AddHealthObserver(std::function<void()> observer) {
    health_observers_.push_back(std::move(observer));
  }

  aio::Task<void> Run();
  // The caches; those of kinds that are not served are left out.
  std::vector<installation::CacheState> CacheStates() const;

  // OK when the kind is known: listed, or never served. Errors: why it is not.
  absl::Status KnowsApiServers() const;
  absl::Status KnowsImageSets() const;
  absl::Status KnowsGoldmanes() const;
  absl::Status KnowsWhiskers() const;
  bool KnowsStatuses() const;

  // The APIServer that counts; null: there is none. Errors: FailedPrecondition when there are two.
  absl::StatusOr<std::shared_ptr<const ApiServerRecord>> ApiServer() const;
  // The one of this name; null: there is none.
  std::shared_ptr<const ApiServerRecord> FindApiServer(std::string_view name) const;
  std::vector<std::shared_ptr<const ImageSetRecord>> ImageSets() const;
  std::shared_ptr<const KindRecord> Goldmane() const;
  std::shared_ptr<const KindRecord> Whisker() const;
  std::shared_ptr<const api::TigeraStatus> Status(std::string_view name) const;

 private:
  template <class T>
  kube::Informer<T> MakeInformer(const api::Resource& resource, std::string field_selector,
                                 typename kube::Informer<T>::Decoder decoder);
  template <class Visit>
  void VisitInformers(Visit visit);
  void Changed(Change change);

  kube::Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const aio::Executor executor_;
  const std::string image_set_name_;
  std::vector<std::function<void(Change)>> observers_;
  std::vector<std::function<void()>> health_observers_;
  kube::Informer<ApiServerRecord> api_servers_;
  kube::Informer<ImageSetRecord> image_sets_;
  kube::Informer<KindRecord> goldmanes_;
  kube::Informer<KindRecord> whiskers_;
  kube::Informer<api::TigeraStatus> statuses_;
};

}  // namespace calico::kinds

#endif  // CALICO_OPERATOR_CONTROLLERS_KINDS_KINDS_VIEW_H_
