// Any Secrets and ConfigMaps that a user can put into the cluster give a plan, without harm, and a
// plan whose Secrets were written asks for no new keys.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "operator/certificates/plan.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"

namespace {

namespace certificates = calico::certificates;
namespace api = calico::api;
namespace codec = calico::codec;

// An array of objects as `kubectl get -o json` shows them.
certificates::Live ReadLive(const calico::json::object& list) {
  certificates::Live live;
  const calico::json::array* items = codec::FindArray(list, "items");
  if (items == nullptr) return live;
  for (const calico::json::value& item : *items) {
    if (!item.is_object()) continue;
    const calico::json::object& object = item.get_object();
    if (codec::TextAt(object, "kind") == "Secret") {
      auto secret = api::Secret::Decode(object);
      if (secret.ok()) live.secrets.push_back(*std::move(secret));
    } else if (auto config_map = api::ConfigMap::Decode(object); config_map.ok()) {
      const bool is_bundle = config_map->meta.name == certificates::kTrustedBundle;
      (is_bundle ? live.trusted_bundle : live.typha_ca) = *std::move(config_map);
    }
  }
  return live;
}

void WriteBack(const certificates::PlannedSecret& planned, certificates::Live& live) {
  std::erase_if(live.secrets, [&](const api::Secret& secret) {
    return secret.meta.ns == planned.ns && secret.meta.name == planned.name;
  });
  auto secret = api::Secret::Decode(ToObject(planned));
  CALICO_CHECK(secret.ok());
  live.secrets.push_back(*std::move(secret));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto list = codec::ParseJsonObject(
      std::string_view(reinterpret_cast<const char*>(data), size), {.max_bytes = 1 << 20});
  if (!list.ok()) return 0;
  certificates::Live live = ReadLive(*list);
  certificates::Demands demands{
      .release = "v3.33",
      .operator_namespace = "tigera-operator",
      .key_pairs = {certificates::NodeKeyPair(), certificates::TyphaKeyPair()}};
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto fast_key = [](calico::pki::KeyAlgorithm) {
    return calico::pki::PrivateKey::Generate(calico::pki::KeyAlgorithm::kEcdsaP256);
  };
  const auto plan = MakePlan(live, demands, now, fast_key);
  CALICO_CHECK(plan.ok());
  CALICO_CHECK(plan->is_complete || !plan->problems.empty());
  for (const certificates::PlannedSecret& secret : plan->originals) WriteBack(secret, live);
  for (const certificates::PlannedSecret& secret : plan->copies) WriteBack(secret, live);
  const auto again = MakePlan(live, demands, now, fast_key);
  CALICO_CHECK(again.ok() && !again->HasNewKeys());

  demands.ca_cert = "-----BEGIN CERTIFICATE-----\n";
  CALICO_CHECK(MakePlan(live, demands, now, fast_key).ok());
  return 0;
}
