#include "operator/certificates/demands.h"

#include <fmt/format.h>

#include "pkg/base/release_order.h"

namespace calico::certificates {
namespace {

constexpr std::string_view kCalicoNamespace = "calico-system";
constexpr std::string_view kApiServerService = "calico-api";

}  // namespace

KeyPairDemand NodeKeyPair() {
  return {.name = std::string(kNodeCerts),
          .ns = std::string(kCalicoNamespace),
          .dns_names = {"typha-client"},
          .usages = {pki::ExtendedKeyUsage::kClientAuth},
          .is_peer = true};
}

KeyPairDemand TyphaKeyPair() {
  return {.name = std::string(kTyphaCerts),
          .ns = std::string(kCalicoNamespace),
          .dns_names = {"typha-server"},
          .usages = {pki::ExtendedKeyUsage::kServerAuth},
          .is_peer = true};
}

std::string_view ApiServerNamespace(std::string_view release) {
  return base::IsLaterRelease("v3.32", release) ? "calico-apiserver" : kCalicoNamespace;
}

KeyPairDemand ApiServerKeyPair(std::string_view ns, std::string_view cluster_domain) {
  const std::string name = fmt::format("{}.{}", kApiServerService, ns);
  return {.name = std::string(kApiServerCerts),
          .ns = std::string(ns),
          .dns_names = {std::string(kApiServerService), name, name + ".svc",
                        fmt::format("{}.svc.{}", name, cluster_domain)},
          .usages = {pki::ExtendedKeyUsage::kServerAuth},
          .is_peer = false,
          .owner = "APIServer"};
}

}  // namespace calico::certificates
