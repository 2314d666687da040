#include "operator/calicert/tls/pair.h"

#include <algorithm>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::tls {
namespace {

absl::StatusOr<std::vector<pki::Certificate>> ChainOf(const Pair& pair) {
  return pki::Certificate::ParsePemBundle(pair.certificate_pem, pki::SurroundingText::kAllow);
}

absl::Status Missing(std::string_view name) {
  return absl::FailedPreconditionError(fmt::format("the certificate is not for {}", name));
}

template <class T>
bool Holds(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

absl::Status CheckNames(const pki::Certificate& leaf, const pki::CertificateRequest& request) {
  if (leaf.common_name() != request.common_name()) {
    return absl::FailedPreconditionError(
        fmt::format("the certificate's common name is {:?}, not {:?}", leaf.common_name(),
                    request.common_name()));
  }
  for (const std::string& name : request.dns_names()) {
    if (!name.empty() && !Holds(leaf.dns_names(), name)) return Missing(name);
  }
  for (const base::IpAddress& address : request.ip_addresses()) {
    if (!Holds(leaf.ip_addresses(), address)) return Missing(address.ToString());
  }
  for (const std::string& name : request.emails()) {
    if (!Holds(leaf.emails(), name)) return Missing(name);
  }
  for (const std::string& name : request.uris()) {
    if (!Holds(leaf.uris(), name)) return Missing(name);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPair(const Pair& pair, const Demands& demands, absl::Time now) {
  CALICO_ASSIGN_OR_RETURN(const std::vector<pki::Certificate> chain, ChainOf(pair));
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key,
                          pki::PrivateKey::ParsePem(pair.key_pem.view()));
  CALICO_RETURN_IF_ERROR(pki::KeyMatches(chain.front(), key));
  const std::vector<pki::Certificate> others(chain.begin() + 1, chain.end());
  CALICO_RETURN_IF_ERROR(pki::VerifyChain(
      chain.front(), others, demands.ca,
      demands.any_purpose ? pki::ExtendedKeyUsage::kAny : pki::ExtendedKeyUsage::kServerAuth, now));
  if (demands.request == nullptr) return absl::OkStatus();
  return CheckNames(chain.front(), *demands.request);
}

absl::Status CheckStillGood(const Pair& pair, const Demands& demands, absl::Time now) {
  CALICO_RETURN_IF_ERROR(CheckPair(pair, demands, now));
  CALICO_ASSIGN_OR_RETURN(const std::vector<pki::Certificate> chain, ChainOf(pair));
  const pki::Certificate& leaf = chain.front();
  const absl::Duration life = leaf.not_after() - leaf.not_before();
  if (leaf.not_after() - now >= life / 3) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the certificate ends on {}, in the last third of its life",
                  codec::EncodeTime(leaf.not_after())));
}

}  // namespace calico::calicert::tls
