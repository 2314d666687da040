// ApiServerAddresses: where the Service `kubernetes` and the API servers behind it are, for nodes
// whose eBPF programs must reach them before anything else does.
#ifndef CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_API_SERVER_ADDRESSES_H_
#define CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_API_SERVER_ADDRESSES_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/controllers/calico_config/served_kind.h"
#include "pkg/aio/task.h"
#include "pkg/aio/timer.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/codec/json.h"
#include "pkg/kube/cache/informer.h"
#include "pkg/kube/client/client.h"

namespace calico::calico_config {

// Watched only while somebody uses them.
// Threading: event loop thread only. All references outlive it; it outlives its Run task.
class ApiServerAddresses {
 public:
  ApiServerAddresses(kube::Client& client, const base::Clock& clock, const base::Logger& logger,
                     aio::Executor executor);

  // Called when something has changed. Requires: before Run.
  void SetObserver(std::function<void()> observer) { observer_ = std::move(observer); }

  aio::Task<void> Run();
  void Use(bool is_used);

  // Both are listed.
  bool IsKnown() const { return services_.HasSynced() && slices_.HasSynced(); }
  // "10.96.0.1:443", sorted, without doubles. Requires: IsKnown.
  std::vector<std::string> ServiceAddresses() const { return AddressesIn(services_); }
  std::vector<std::string> Endpoints() const { return AddressesIn(slices_); }
  // Nothing while they are not used.
  std::vector<KindState> States() const;

 private:
  // What is kept of an object: its addresses with ports.
  using Addresses = std::vector<std::string>;
  using AddressInformer = kube::Informer<Addresses>;

  static absl::StatusOr<std::optional<Addresses>> OfService(const json::object& service);
  static absl::StatusOr<std::optional<Addresses>> OfSlice(const json::object& slice);
  static std::vector<std::string> AddressesIn(const AddressInformer& informer);
  void Changed() {
    if (observer_) observer_();
  }

  const aio::Executor executor_;
  AddressInformer services_;
  AddressInformer slices_;
  bool is_used_ = false;
  aio::Notifier use_changed_;
  std::function<void()> observer_;
};

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CONTROLLERS_CALICO_CONFIG_API_SERVER_ADDRESSES_H_
