// The requests for one signer name, as ClusterView keeps them. Private to it.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CLUSTER_VIEW_REQUESTS_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CLUSTER_VIEW_REQUESTS_H_

#include <string>
#include <utility>

#include <absl/time/time.h>
#include <fmt/format.h>

#include "operator/controllers/installation/cluster_view.h"
#include "operator/controllers/status/request_facts.h"
#include "operator/render/names.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/kube/cache/informer.h"

namespace calico::installation {

struct ClusterView::Requests {
  Requests(std::string name, kube::Client& client, const base::Clock& clock,
           const base::Logger& logger, const aio::Executor& executor)
      : signer_name(std::move(name)),
        informer(
            client, api::kCertificateSigningRequests,
            {.field_selector = fmt::format("spec.signerName={}", signer_name)},
            [](const json::object& object) {
              return status::RequestFacts::Decode(
                  object, {render::kCalicoNamespace, render::kApiServerNamespace});
            },
            clock, logger, executor),
        group(executor),
        since(clock.SteadyNow()) {}

  const std::string signer_name;
  kube::Informer<status::RequestFacts> informer;
  aio::TaskGroup group;
  const absl::Time since;  // steady clock
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_CLUSTER_VIEW_REQUESTS_H_
