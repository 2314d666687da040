// A world of files, as `calico-operator render` gets it: an Installation and its overlay, ImageSet,
// APIServer, Calico's own objects, kubeadm's ConfigMap, nodes, Secrets. Whatever they say, there
// are objects or problems, and no other end.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "operator/offline/rendering.h"
#include "operator/offline/world.h"
#include "operator/render/releases.h"
#include "pkg/base/check.h"
#include "pkg/codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace offline = calico::offline;
  offline::World world;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.size() > (256 << 10) || !world.Add("input", text).ok()) return 0;
  if (world.Find("Installation", {"", "default"}) == nullptr) {
    CALICO_CHECK(
        world.Add("least", {{"kind", "Installation"}, {"metadata", {{"name", "default"}}}}).ok());
  }
  for (const char* version : {"v3.33", "v3.27"}) {
    const auto release = calico::render::Releases::Embedded().Find(version);
    CALICO_CHECK(release.ok());
    auto rendering = RenderOffline(world, {.release = *release,
                                           .operator_namespace = "tigera-operator",
                                           .operator_name = "tigera-operator",
                                           .now = absl::FromUnixSeconds(1'800'000'000)});
    CALICO_CHECK(rendering.ok());
    CALICO_CHECK(rendering->problems.empty() != rendering->objects.empty());
    for (calico::json::object& object : rendering->objects) {
      CALICO_CHECK(!calico::codec::TextAt(object, "kind").empty());
      if (calico::codec::TextAt(object, "kind") != "Secret") continue;
      offline::Redact(object);
      CALICO_CHECK(calico::codec::Serialize(object).find("PRIVATE KEY") == std::string::npos);
    }
  }
  return 0;
}
