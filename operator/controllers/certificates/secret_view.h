// SecretView: the Secrets and ConfigMaps that a plan of certificates is made from, kept current by
// watches, and what can be a pull secret beside them.
//
// Values lie in memory that is wiped (base::SharedSecret), and only those that somebody needs: of
// other Secrets of the operator's namespace nothing but the type is kept. What belongs to pods is
// watched by name, so that the operator needs no right to any other Secret there.
#ifndef CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_SECRET_VIEW_H_
#define CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_SECRET_VIEW_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/certificates/plan.h"
#include "pkg/aio/task.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/core/config_map.h"
#include "pkg/api/core/secret.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/live_objects.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::certificates {

// An image pull secret of the operator's namespace. Never logged.
struct PullSecretRecord {
  std::string type;
  json::object data;  // empty unless it is for images

  // Whether the kubelet takes it.
  bool is_for_images() const;
};

// Of a Secret: what is needed of it. Never logged.
struct SecretRecord {
  PullSecretRecord pull;
  // Of one with a name that a plan needs, without its data.
  std::optional<kube::LiveObject> live;
  absl::StatusOr<api::Secret> secret = absl::NotFoundError("not needed");

  friend bool operator==(const SecretRecord& a, const SecretRecord& b);
};

struct ConfigMapRecord {
  api::ConfigMap config_map;

  friend bool operator==(const ConfigMapRecord& a, const ConfigMapRecord& b);
};

// Threading: event loop thread only. All references outlive it. Lifetime: outlives its Run task.
class SecretView : public kube::CoveredObjects {
 public:
  // `release`: where the API server's pods are depends on it.
  SecretView(kube::Client& client, std::string operator_namespace, std::string_view release,
             std::string field_manager, const base::Clock& clock, const base::Logger& logger,
             aio::Executor executor);
  ~SecretView() override;

  // Called for each change of what is kept. Requires: before Run.
  void SetObserver(std::function<void(const api::Resource&, const api::ObjectKey&)> observer) {
    observer_ = std::move(observer);
  }
  // As kube::Informer::AddHealthObserver, of any of the watches. Requires: before Run.
  void SetHealthObserver(std::function<void()> observer) { health_observer_ = std::move(observer); }
  // Runs until cancelled.
  aio::Task<void> Run();

  // Everything has been listed once. Before that nothing is known of what is not there.
  bool HasSynced() const;
  // OK once HasSynced. Errors: what the API server says when it refuses; kDeadlineExceeded,
  // kCancelled.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout);
  // Calls `visit` with each informer.
  template <class Visit>
  void VisitInformers(Visit visit) const {
    visit(originals_);
    for (const auto& copy : copies_) visit(*copy);
    visit(typha_ca_);
    visit(bundle_);
  }

  // Another number whenever what a plan is made from has changed.
  std::uint64_t version() const { return version_; }
  // Requires: HasSynced. Errors: InvalidArgument naming the Secret that cannot be read.
  absl::StatusOr<Live> ReadLive() const;
  // The resourceVersion of a Secret that a plan needs; empty: not there.
  std::string VersionOf(const api::ObjectKey& key) const;
  // Waits until another version of the Secret than that one is seen. Errors: kDeadlineExceeded,
  // kCancelled.
  aio::Task<absl::Status> WaitForChange(api::ObjectKey key, std::string version,
                                        absl::Duration timeout);
  // Of the operator's namespace; null: not there.
  std::shared_ptr<const PullSecretRecord> PullSecret(const std::string& name) const;

  // The Secrets that a plan may name, wherever they are.
  bool Covers(const api::Resource& resource, const api::ObjectKey& key) const override;
  std::shared_ptr<const kube::LiveObject> Get(const api::Resource& resource,
                                              const api::ObjectKey& key) const override;

 private:
  using Secrets = kube::Informer<SecretRecord>;
  using ConfigMaps = kube::Informer<ConfigMapRecord>;

  std::shared_ptr<const SecretRecord> Find(const api::ObjectKey& key) const;
  void HealthChanged();
  void SecretChanged(const api::ObjectKey& key);
  void ConfigMapChanged(const api::ObjectKey& key);

  const std::string operator_namespace_;
  const std::vector<api::ObjectKey> copy_keys_;
  const base::Clock& clock_;
  const aio::Executor executor_;
  std::function<void(const api::Resource&, const api::ObjectKey&)> observer_;
  std::function<void()> health_observer_;
  Secrets originals_;  // all of the operator's namespace
  std::vector<std::unique_ptr<Secrets>> copies_;
  ConfigMaps typha_ca_;
  ConfigMaps bundle_;
  std::uint64_t version_ = 0;
  aio::Notifier changed_;
};

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CONTROLLERS_CERTIFICATES_SECRET_VIEW_H_
