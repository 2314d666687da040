// Any bytes as a kubeconfig: read or refused, and what is read resolves or is refused.

#include <cstdint>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/kube/auth/kubeconfig.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ::calico::kube::Kubeconfig;
  namespace base = ::calico::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<Kubeconfig> config = ::calico::kube::ParseKubeconfig(text, "dir/file");
  if (!config.ok()) {
    CALICO_CHECK(absl::IsInvalidArgument(config.status()));
    return 0;
  }
  const auto read_file = [](const std::string& path) -> absl::StatusOr<base::SecretString> {
    CALICO_CHECK(!path.empty());
    if (path.size() % 2 == 0) return base::SecretString("content");
    return absl::NotFoundError("no such file");
  };
  Kubeconfig merged = *config;
  ::calico::kube::MergeKubeconfig(merged, *config);
  CALICO_CHECK(merged.clusters.size() == config->clusters.size());
  for (const auto& [name, context] : config->contexts) {
    const auto resolved = ::calico::kube::ResolveKubeconfig(*config, name, read_file);
    CALICO_CHECK(resolved.ok() ? !resolved->cluster.server.empty()
                               : absl::IsInvalidArgument(resolved.status()));
  }
  return 0;
}
