// DefinitionCheck: whether the definition of Installation in the cluster drops fields that this
// operator knows, and whether an Installation has lost some that way.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_DEFINITION_CHECK_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_DEFINITION_CHECK_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/time/time.h>

#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/options.h"
#include "operator/controllers/installation/pass.h"
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

  // Before anything is made of an Installation of which a part may have been dropped; asked once
  // for each spec. Sets pass.may_have_lost.
  aio::Task<void> Check(Pass& pass);
  // Stops the pass if what was dropped would replace pods. Requires: pass.may_have_lost.
  aio::Task<void> CheckLost(const api::Installation& installation, const render::Inputs& inputs,
                            Pass& pass);

 private:
  using SpecId = std::pair<std::string, std::size_t>;  // UID and hash

  void TellPruned(Pass& pass);
  bool WouldRoll(const std::vector<json::object>& objects) const;

  kube::Client& client_;
  ClusterView& view_;
  const InstallationControllerOptions& options_;
  const base::Clock& clock_;
  SpecId checked_spec_;  // of which the definition drops nothing
  // The last one that was seen under a definition that drops fields, and which. While it stays the
  // same it may lack them for good: a write of anything has stored it without them.
  SpecId pruned_spec_;
  std::vector<std::string> pruned_fields_;
  std::optional<absl::Time> wait_until_;
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_DEFINITION_CHECK_H_
