// DefinitionCheck: whether the definition of Installation in the cluster drops fields that this
// operator knows, and whether `default` or `overlay` has lost some that way; and the same of an
// APIServer. (An ImageSet has had the same fields ever since, and all of them are needed.)
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_DEFINITION_CHECK_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_DEFINITION_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/definitions/crd_check.h"
#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/options.h"
#include "operator/controllers/installation/pass.h"
#include "operator/controllers/status/conditions.h"
#include "operator/render/inputs.h"
#include "pkg/aio/task.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"

namespace calico::installation {

// Threading: event loop thread only. All references outlive it.
class DefinitionCheck {
 public:
  DefinitionCheck(kube::Client& client, ClusterView& view,
                  const InstallationControllerOptions& options, const base::Clock& clock)
      : client_(client), view_(view), options_(options), clock_(clock) {}

  // Before anything is made of Installations of which a part may have been dropped; asked once for
  // each spec. Sets pass.may_have_lost.
  aio::Task<void> Check(Pass& pass);
  // Stops the pass if what was dropped would replace pods. Requires: pass.may_have_lost.
  aio::Task<void> CheckLost(const api::Installation& installation, const render::Inputs& inputs,
                            Pass& pass);

  // Why an APIServer is not to be acted on for now; neither: it is.
  struct Finding {
    std::string wait;  // for what ends by itself
    std::optional<status::Obstacle> obstacle;
    absl::Time again_at = absl::InfiniteFuture();
  };
  // Asked once for each generation. Cancellation: total.
  aio::Task<Finding> CheckApiServer(std::string name, std::string uid, std::int64_t generation);

 private:
  using SpecId = std::pair<std::string, std::size_t>;  // UID and hash (or generation); empty: none
  struct Known {
    SpecId checked;  // of which the definition drops nothing
    // The last one that was seen under a definition that drops fields. While it stays the same it
    // may lack them for good: a write of anything has stored it without them.
    SpecId pruned;
    std::vector<std::string> fields;  // which
  };
  struct Wait {
    std::optional<absl::Time> until;
  };

  SpecId OverlayId() const;
  bool IsManaged(Wait& wait) const;
  aio::Task<bool> HasLost(std::string_view name, Known& known, Pass& pass);
  aio::Task<std::vector<std::string>> ApiServersLost(const std::string& name) const;
  void TellPruned(const std::vector<std::string>& fields, Pass& pass);
  bool WouldRoll(const std::vector<json::object>& objects) const;

  kube::Client& client_;
  ClusterView& view_;
  const InstallationControllerOptions& options_;
  const base::Clock& clock_;
  Known default_;
  Known overlay_;
  Known api_server_;
  definitions::WholeDefinition whole_installations_;
  definitions::WholeDefinition whole_api_servers_;
  Wait installation_wait_;
  Wait api_server_wait_;
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_DEFINITION_CHECK_H_
