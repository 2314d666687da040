#include "operator/offline/configuration.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "operator/calico_config/calico_config.h"

namespace calico::offline {
namespace {

using calico_config::Write;

// Behind Calico's API server the same objects look different.
std::vector<json::object> Stored(const World& world, std::string_view kind) {
  std::vector<json::object> objects;
  for (const json::object* object : world.OfKind(kind)) {
    if (codec::TextAt(*object, "apiVersion") == calico_config::kApiVersion) {
      objects.push_back(*object);
    }
  }
  return objects;
}

// RFC 7386.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the patch.
void MergePatch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = json::object();
  json::object& object = target.get_object();
  for (const json::key_value_pair& member : patch.get_object()) {
    if (member.value().is_null()) {
      object.erase(member.key());
    } else {
      MergePatch(object[member.key()], member.value());
    }
  }
}

std::string_view NameOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  return metadata == nullptr ? std::string_view() : codec::TextAt(*metadata, "name");
}

bool HasPools(const json::object& spec) {
  const json::object* const network = codec::FindObject(spec, "calicoNetwork");
  return network != nullptr && codec::FindArray(*network, "ipPools") != nullptr;
}

}  // namespace

std::vector<json::object> Configuration(const World& world, std::string_view release,
                                        const json::object& given, const json::object& completed,
                                        std::vector<std::string>& warnings) {
  const calico_config::Plan plan = calico_config::MakePlan(
      {.release = release, .spec = completed, .has_ip_pools = HasPools(given)},
      {.ip_pools = Stored(world, "IPPool"),
       .felix_configurations = Stored(world, "FelixConfiguration"),
       .bgp_configurations = Stored(world, "BGPConfiguration")});
  for (const auto* problems : {&plan.pool_problems, &plan.problems}) {
    for (const calico_config::Problem& problem : *problems) warnings.push_back(problem.message);
  }
  std::vector<json::object> objects;
  for (const Write& write : plan.writes) {
    const std::string_view kind = codec::TextAt(write.object, "kind");
    const std::string_view name = NameOf(write.object);
    if (write.verb == Write::Verb::kDelete) {
      warnings.push_back(fmt::format("{} {} would be deleted", kind, name));
      continue;
    }
    const json::object* const live =
        write.verb == Write::Verb::kPatch ? world.Find(kind, {"", std::string(name)}) : nullptr;
    json::value object = live == nullptr ? json::value(json::object()) : json::value(*live);
    MergePatch(object, write.object);
    objects.push_back(std::move(object.get_object()));
  }
  return objects;
}

}  // namespace calico::offline
