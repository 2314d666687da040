#include "operator/controllers/definitions/calico_crds.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "operator/render/names.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/backoff.h"
#include "pkg/base/status_macros.h"

namespace calico::definitions {
namespace {

constexpr absl::Duration kServeTimeout = absl::Seconds(10);
constexpr absl::Duration kServePoll = absl::Milliseconds(100);
constexpr absl::Duration kLook = absl::Minutes(1);
constexpr int kLooksOfAPass = 10;

// The place where the API server lists the kind of a definition, and its name there.
struct Kind {
  std::string path;
  std::string plural;
  friend auto operator<=>(const Kind&, const Kind&) = default;
};

Kind KindOf(const WantedCrd& crd) {
  const json::object& spec = crd.object.at("spec").as_object();
  const json::object& version = spec.at("versions").as_array().at(0).as_object();
  return {fmt::format("/apis/{}/{}", codec::TextAt(spec, "group"), codec::TextAt(version, "name")),
          crd.name.substr(0, crd.name.find('.'))};
}

// Those of `wanted` that the API server serves: one request for each group.
aio::Task<absl::StatusOr<std::set<Kind>>> Served(kube::Client& client,
                                                 const std::vector<WantedCrd>& wanted) {
  std::set<std::string> paths;
  for (const WantedCrd& crd : wanted) paths.insert(KindOf(crd).path);
  std::set<Kind> served;
  for (const std::string& path : paths) {
    const absl::StatusOr<json::object> list = co_await client.GetPath(path);
    if (absl::IsNotFound(list.status())) continue;
    if (!list.ok()) co_return list.status();
    const json::array* const resources = codec::FindArray(*list, "resources");
    if (resources == nullptr) continue;
    for (const json::value& resource : *resources) {
      if (resource.is_object()) {
        served.insert({path, std::string(codec::TextAt(resource.get_object(), "name"))});
      }
    }
  }
  co_return served;
}

aio::Task<absl::Status> Apply(kube::Client& client, const WantedCrd& crd, bool is_forced,
                              const base::Logger& logger) {
  const absl::StatusOr<json::object> applied = co_await client.Apply(
      api::kCustomResourceDefinitions, crd.object,
      {.field_manager = std::string(render::kFieldManager), .force = is_forced});
  if (!applied.ok()) co_return applied.status();
  logger.Info("applied", {{"kind", "CustomResourceDefinition"}, {"name", crd.name}});
  co_return absl::OkStatus();
}

// Makes or changes one, or leaves it. Returns the problem with it.
aio::Task<absl::StatusOr<std::string>> Settle(kube::Client& client, const WantedCrd& crd,
                                              const base::Logger& logger) {
  const absl::StatusOr<json::object> live =
      co_await client.Get(api::kCustomResourceDefinitions, {"", crd.name});
  if (absl::IsNotFound(live.status())) {
    // Without force: what somebody makes at this moment is his.
    CALICO_CO_RETURN_IF_ERROR(co_await Apply(client, crd, /*is_forced=*/false, logger));
    co_return "";
  }
  if (!live.ok()) co_return live.status();
  CrdDecision decision = Decide(crd, *live);
  if (decision.is_applied) {
    CALICO_CO_RETURN_IF_ERROR(co_await Apply(client, crd, /*is_forced=*/true, logger));
  }
  co_return std::move(decision.problem);
}

aio::Task<absl::Status> WaitUntilServed(kube::Client& client, const std::vector<WantedCrd>& wanted,
                                        const std::set<Kind>& made) {
  for (absl::Duration waited; waited < kServeTimeout; waited += kServePoll) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::set<Kind> served, co_await Served(client, wanted));
    if (std::includes(served.begin(), served.end(), made.begin(), made.end())) {
      co_return absl::OkStatus();
    }
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(kServePoll));
  }
  co_return absl::UnavailableError("Calico's CustomResourceDefinitions: not all are served");
}

// Returns when it is time for another pass, or when cancelled.
aio::Task<absl::Status> WaitForPass(kube::Client& client, const std::vector<WantedCrd>& wanted) {
  for (int look = 0; look < kLooksOfAPass; ++look) {
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(kLook));
    const absl::StatusOr<std::set<Kind>> served = co_await Served(client, wanted);
    if (!served.ok()) continue;
    for (const WantedCrd& crd : wanted) {
      if (!served->contains(KindOf(crd))) co_return absl::OkStatus();
    }
  }
  co_return absl::OkStatus();
}

}  // namespace

aio::Task<absl::StatusOr<std::vector<std::string>>> ApplyCalicoCrds(
    kube::Client& client, const std::vector<WantedCrd>& wanted, const base::Logger& logger) {
  CALICO_CO_ASSIGN_OR_RETURN(const std::set<Kind> served, co_await Served(client, wanted));
  std::vector<std::string> problems;
  std::set<Kind> made;
  for (const WantedCrd& crd : wanted) {
    absl::StatusOr<std::string> problem = std::string();
    if (served.contains(KindOf(crd))) {
      problem = co_await Settle(client, crd, logger);
    } else {
      const absl::Status applied = co_await Apply(client, crd, /*is_forced=*/false, logger);
      if (applied.ok()) {
        made.insert(KindOf(crd));
      } else if (absl::IsAborted(applied)) {
        // It is there and serves nothing yet, or another version.
        problem = co_await Settle(client, crd, logger);
      } else {
        problem = applied;
      }
    }
    if (!problem.ok()) co_return problem.status();
    if (!problem->empty()) problems.push_back(*std::move(problem));
  }
  if (!made.empty()) CALICO_CO_RETURN_IF_ERROR(co_await WaitUntilServed(client, wanted, made));
  co_return problems;
}

aio::Task<void> ManageCalicoCrds(
    kube::Client& client, std::vector<WantedCrd> wanted, const base::Logger& logger,
    std::function<void(absl::StatusOr<std::vector<std::string>>)> tell) {
  base::Backoff backoff;
  std::vector<std::string> told;
  while (true) {
    absl::StatusOr<std::vector<std::string>> problems =
        co_await ApplyCalicoCrds(client, wanted, logger);
    if (absl::IsCancelled(problems.status())) co_return;
    if (!problems.ok()) {
      logger.Error("cannot apply Calico's CustomResourceDefinitions",
                   {{"error", problems.status()}});
      tell(problems.status());
      if (!(co_await aio::Sleep(backoff.Next(base::RandomUnit()))).ok()) co_return;
      continue;
    }
    backoff.Reset();
    if (*problems != told) {
      for (const std::string& problem : *problems) logger.Error(problem, {});
      told = *problems;
    }
    tell(*std::move(problems));
    if (!(co_await WaitForPass(client, wanted)).ok()) co_return;
  }
}

}  // namespace calico::definitions
