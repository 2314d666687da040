#include "operator/calicert/tls/service_names.h"

#include <fmt/format.h>

namespace calico::calicert::tls {
namespace {

constexpr size_t kLongestCommonName = 64;

void AddIp(const json::value& value, std::vector<std::string>& ips) {
  if (!value.is_string()) return;
  const std::string_view text = codec::View(value.get_string());
  if (!text.empty() && text != "None") ips.emplace_back(text);
}

}  // namespace

std::vector<std::string> DnsNamesOf(const std::string& service, const std::string& ns,
                                    const std::string& cluster_domain) {
  return {fmt::format("{}.{}.svc.{}", service, ns, cluster_domain),
          fmt::format("{}.{}.svc", service, ns), fmt::format("{}.{}", service, ns), service};
}

std::string CommonNameOf(const std::string& service, const std::string& ns) {
  std::string name = fmt::format("{}.{}.svc", service, ns);
  return name.size() <= kLongestCommonName ? name : std::string();
}

std::vector<std::string> ClusterIpsOf(const json::object& service) {
  std::vector<std::string> ips;
  const json::object* const spec = codec::FindObject(service, "spec");
  if (spec == nullptr) return ips;
  if (const json::array* const list = codec::FindArray(*spec, "clusterIPs")) {
    for (const json::value& value : *list) AddIp(value, ips);
  }
  if (const json::value* const one = spec->if_contains("clusterIP");
      one != nullptr && ips.empty()) {
    AddIp(*one, ips);
  }
  return ips;
}

}  // namespace calico::calicert::tls
