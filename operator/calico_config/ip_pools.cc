#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calico_config/ip_pool.h"
#include "operator/calico_config/planning.h"

namespace calico::calico_config {
namespace {

struct LivePool {
  IpPool pool;
  const json::object* object;
  bool is_ours;           // the operator made it
  bool is_going = false;  // deleted by this plan
};

bool GivesAddresses(const IpPool& pool) {
  return !pool.is_disabled && std::find(pool.allowed_uses.begin(), pool.allowed_uses.end(),
                                        "Workload") != pool.allowed_uses.end();
}

// Those that Calico could not read either are left out.
std::vector<LivePool> ReadLive(const std::vector<json::object>& objects) {
  std::vector<LivePool> pools;
  for (const json::object& object : objects) {
    absl::StatusOr<IpPool> pool = IpPool::OfLive(object);
    if (pool.ok()) pools.push_back({*std::move(pool), &object, IsOperators(object)});
  }
  return pools;
}

std::string Described(const IpPool& pool) {
  return fmt::format("IPPool {} ({})", pool.name, pool.cidr.ToString());
}

class Planner {
 public:
  Planner(std::vector<LivePool> live, Plan& plan) : live_(std::move(live)), plan_(plan) {}

  void ReadAsked(const json::array& pools);
  void CreateOrUpdate();
  void DeleteOthers(bool is_calico_api_served);
  // After the writes.
  PoolState State() const;
  bool asks_for_any() const { return !asked_.empty(); }

 private:
  void Update(const IpPool& pool, const LivePool& live);
  void Create(const IpPool& pool, size_t index);
  void Patch(const LivePool& live, std::string_view field, json::object value);
  void Report(std::string_view reason, std::string message) {
    plan_.pool_problems.push_back({reason, std::move(message)});
  }
  const LivePool* FindLive(const IpPool& pool) const;

  std::vector<LivePool> live_;
  std::vector<IpPool> asked_;
  std::vector<IpPool> created_;
  bool has_unreadable_ = false;
  Plan& plan_;
};

void Planner::ReadAsked(const json::array& pools) {
  for (size_t i = 0; i < pools.size(); ++i) {
    const json::object empty;
    const json::object* const object = pools[i].if_object();
    absl::StatusOr<IpPool> pool = IpPool::OfInstallation(object == nullptr ? empty : *object);
    if (pool.ok()) {
      asked_.push_back(*std::move(pool));
      continue;
    }
    has_unreadable_ = true;
    Report(kInvalidConfigurationError,
           fmt::format("error validating IP pool configuration: spec.calicoNetwork.ipPools[{}]: {}",
                       i, std::string(pool.status().message())));
  }
}

const LivePool* Planner::FindLive(const IpPool& pool) const {
  const auto found = std::find_if(live_.begin(), live_.end(), [&](const LivePool& live) {
    return live.pool.cidr == pool.cidr;
  });
  return found == live_.end() ? nullptr : &*found;
}

void Planner::Patch(const LivePool& live, std::string_view field, json::object value) {
  json::object patch = Identity(kApiVersion, kIpPool, live.pool.name);
  const json::object& metadata = live.object->at("metadata").get_object();
  patch["metadata"].as_object()["resourceVersion"] = codec::TextAt(metadata, "resourceVersion");
  if (field == "labels") {
    patch["metadata"].as_object()[field] = std::move(value);
  } else {
    patch[field] = std::move(value);
  }
  plan_.writes.push_back({Write::Verb::kPatch, std::move(patch)});
}

void Planner::Update(const IpPool& pool, const LivePool& live) {
  if (!live.is_ours) {
    // One that calico-node or somebody made just as it is asked for is ours from now on.
    if (pool == live.pool) return Patch(live, "labels", OperatorsLabels());
    return Report(
        kResourceValidationError,
        fmt::format("Cannot update an IP pool not owned by the operator: {} is not as "
                    "spec.calicoNetwork.ipPools says; make both equal, or take it out there",
                    Described(live.pool)));
  }
  if (pool.block_size != live.pool.block_size) {
    return Report(kResourceValidationError,
                  fmt::format("{} has blockSize {}, which cannot be changed to {}: add a pool with "
                              "another CIDR, and take this one out when no pod needs it",
                              Described(live.pool), live.pool.block_size, pool.block_size));
  }
  json::object changes = pool.Changes(live.pool);
  if (!changes.empty()) Patch(live, "spec", std::move(changes));
}

void Planner::Create(const IpPool& pool, size_t index) {
  for (const LivePool& live : live_) {
    if (live.pool.name == pool.name) {
      return Report(kResourceValidationError,
                    fmt::format("{} cannot get another CIDR ({}): give the new pool a name of its "
                                "own in spec.calicoNetwork.ipPools",
                                Described(live.pool), pool.cidr.ToString()));
    }
    if (live.pool.cidr.Overlaps(pool.cidr)) {
      return Report(kResourceValidationError, fmt::format("{} is not created: it overlaps {}",
                                                          Described(pool), Described(live.pool)));
    }
  }
  for (size_t i = 0; i < index; ++i) {
    if (!asked_[i].cidr.Overlaps(pool.cidr) && asked_[i].name != pool.name) continue;
    return Report(kResourceValidationError, fmt::format("{} is not created: it overlaps {}",
                                                        Described(pool), Described(asked_[i])));
  }
  json::object object = Identity(kApiVersion, kIpPool, pool.name);
  object["metadata"].as_object()["labels"] = OperatorsLabels();
  object["spec"] = pool.Spec();
  plan_.writes.push_back({Write::Verb::kCreate, std::move(object)});
  created_.push_back(pool);
}

void Planner::CreateOrUpdate() {
  for (size_t i = 0; i < asked_.size(); ++i) {
    const LivePool* const live = FindLive(asked_[i]);
    if (live == nullptr) {
      Create(asked_[i], i);
    } else {
      Update(asked_[i], *live);
    }
  }
}

void Planner::DeleteOthers(bool is_calico_api_served) {
  if (has_unreadable_) return;  // one of those may be the one
  for (LivePool& live : live_) {
    const bool is_asked = std::any_of(asked_.begin(), asked_.end(), [&](const IpPool& pool) {
      return pool.cidr == live.pool.cidr;
    });
    if (!live.is_ours || is_asked) continue;
    if (!is_calico_api_served) {
      Report(kResourceNotReady,
             fmt::format("Unable to delete IP pools while Calico API server is unavailable: {} is "
                         "no longer in spec.calicoNetwork.ipPools; put it back there, create an "
                         "APIServer, or delete the pool with calicoctl, which releases its "
                         "addresses",
                         Described(live.pool)));
      continue;
    }
    live.is_going = true;
    plan_.writes.push_back(
        {Write::Verb::kDelete, Identity(kServedApiVersion, kIpPool, live.pool.name)});
  }
}

PoolState Planner::State() const {
  for (const LivePool& live : live_) {
    if (!live.is_going && GivesAddresses(live.pool)) return PoolState::kReady;
  }
  const bool will_be =
      std::any_of(created_.begin(), created_.end(), GivesAddresses) ||
      std::any_of(live_.begin(), live_.end(), [this](const LivePool& live) {
        return live.is_ours && std::any_of(asked_.begin(), asked_.end(), [&](const IpPool& pool) {
                 return pool.cidr == live.pool.cidr && GivesAddresses(pool);
               });
      });
  return will_be ? PoolState::kAskedFor : PoolState::kNone;
}

Problem NoPool(bool asks_for_any) {
  return {kResourceNotFound,
          fmt::format("waiting for enabled IP pools to be created: pods get no address, since no "
                      "IPPool is enabled for them and spec.calicoNetwork.ipPools {}: add one "
                      "there, or create an IPPool",
                      asks_for_any ? "brings none" : "asks for none")};
}

}  // namespace

void PlanIpPools(const Request& request, const Asked& asked, const Live& live, Plan& plan) {
  const json::array none;
  const json::array& pools = asked.ip_pools == nullptr ? none : *asked.ip_pools;
  const bool is_needed = asked.cni == "Calico" || asked.ipam == "Calico" || !pools.empty();
  if (!live.ip_pools.has_value()) {
    if (!is_needed) return;
    plan.pools = pools.empty() ? PoolState::kNone : PoolState::kAskedFor;
    plan.pool_problems.push_back(NotServed("ippools"));
    plan.problems.push_back(NotServed("ippools"));
    return;
  }
  Planner planner(ReadLive(*live.ip_pools), plan);
  if (RulesOf(request.release).makes_ip_pools) {
    planner.ReadAsked(pools);
    planner.CreateOrUpdate();
    if (request.has_ip_pools) planner.DeleteOthers(live.is_calico_api_served);
  }
  if (!is_needed) return;
  plan.pools = planner.State();
  if (plan.pools != PoolState::kNone) return;
  if (!RulesOf(request.release).makes_ip_pools && !pools.empty()) {
    plan.pools = PoolState::kAskedFor;
    return;
  }
  plan.problems.push_back(NoPool(planner.asks_for_any()));
}

}  // namespace calico::calico_config
