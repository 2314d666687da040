// Gathering: what the cluster says besides the Installation, as rendering takes it.
//
// One member function for each topic, which calls a class of that topic's own folder; what stands
// in the way is told to the pass.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_GATHERING_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_GATHERING_H_

#include <optional>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/certificates/certificate_keeper.h"
#include "operator/controllers/cluster/cluster_signs.h"
#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/installation/configuration.h"
#include "operator/controllers/installation/options.h"
#include "operator/controllers/installation/pass.h"
#include "operator/controllers/kinds/api_server_part.h"
#include "operator/controllers/kinds/kinds_view.h"
#include "operator/defaults/cluster_facts.h"
#include "operator/render/inputs.h"
#include "operator/validation/typha_scale.h"
#include "pkg/aio/task.h"
#include "pkg/api/operator/installation.h"
#include "pkg/base/clock.h"
#include "pkg/base/ip_address.h"
#include "pkg/kube/client/client.h"

namespace calico::installation {

// Threading: event loop thread only. All references outlive it.
class Gathering {
 public:
  Gathering(aio::Executor executor, kube::Client& client, ClusterView& view,
            Configuration& configuration, certificates::CertificateKeeper& certificates,
            const kinds::KindsView& kinds, const InstallationControllerOptions& options,
            const base::Clock& clock)
      : executor_(executor),
        client_(client),
        view_(view),
        configuration_(configuration),
        certificates_(certificates),
        kinds_(kinds),
        options_(options),
        clock_(clock) {}

  // What is asked once, not watched; side by side, because every moment counts in the first pass.
  // What could not be read is asked for again by the next call.
  aio::Task<void> AskOperatorDns();
  aio::Task<void> AskCluster();

  // Stops the pass where it is not known whose cluster it is.
  void TellSigns(Pass& pass) const;
  // Requires: TellSigns has not stopped the pass, nor Configuration::TellUnknown.
  defaults::ClusterFacts ClusterFacts() const;
  // Of the hosts that will have a calico-node.
  std::vector<base::IpAddress> NodeAddresses() const;
  validation::NodeCount CountNodes() const;

  // Everything but the CA certificates of a valid Installation. Errors: what could not be read.
  aio::Task<absl::StatusOr<render::Inputs>> Gather(const api::Installation& installation,
                                                   const kinds::ApiServerPart& api_server,
                                                   Pass& pass);

 private:
  void GatherEndpoint(render::Inputs& inputs, Pass& pass) const;
  void GatherImageSet(render::Inputs& inputs, Pass& pass) const;
  // What of a ConfigMap of the user's calico-node has, while that one cannot be read.
  void KeepConfig(std::string_view name, Pass& pass) const;
  void GatherBgpLayout(render::Inputs& inputs, Pass& pass) const;
  void GatherBirdTemplates(render::Inputs& inputs, Pass& pass) const;
  aio::Task<absl::Status> GatherPullSecrets(const api::Installation& installation,
                                            render::Inputs& inputs, Pass& pass);
  aio::Task<absl::Status> GatherCertificates(const api::Installation& installation,
                                             bool has_api_server, render::Inputs& inputs,
                                             Pass& pass);
  absl::StatusOr<render::DnsSettings> OperatorDns(Pass& pass) const;
  int TyphaReplicas(Pass& pass);

  const aio::Executor executor_;
  kube::Client& client_;
  ClusterView& view_;
  Configuration& configuration_;
  certificates::CertificateKeeper& certificates_;
  const kinds::KindsView& kinds_;
  const InstallationControllerOptions& options_;
  const base::Clock& clock_;
  validation::TyphaScale typha_scale_;
  absl::StatusOr<cluster::ClusterSigns> signs_ = absl::UnavailableError("not asked");
  absl::Time signs_asked_at_ = absl::InfinitePast();  // steady clock
  absl::StatusOr<render::DnsSettings> operator_dns_ = absl::UnavailableError("not asked");
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_GATHERING_H_
