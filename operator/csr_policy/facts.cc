#include "operator/csr_policy/facts.h"

#include <utility>

namespace calico::csr_policy {
namespace {

constexpr std::string_view kServiceAccountPrefix = "system:serviceaccount:";

void AddAddresses(const std::vector<std::string>& texts, std::vector<base::IpAddress>& addresses) {
  for (const std::string& text : texts) {
    const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(text);
    if (address.ok()) addresses.push_back(*address);
  }
}

}  // namespace

Requester RequesterOf(const api::CertificateSigningRequest& csr) {
  Requester requester;
  std::string_view rest = csr.username;
  if (rest.starts_with(kServiceAccountPrefix)) {
    rest.remove_prefix(kServiceAccountPrefix.size());
    const size_t colon = rest.find(':');
    // Neither part can hold a colon, so a second one is no service account.
    if (colon != std::string_view::npos && colon > 0 && colon + 1 < rest.size() &&
        rest.find(':', colon + 1) == std::string_view::npos) {
      requester.ns = rest.substr(0, colon);
      requester.service_account = rest.substr(colon + 1);
    }
  }
  const std::string_view pod_name = csr.SingleExtra(api::kExtraPodName);
  const std::string_view pod_uid = csr.SingleExtra(api::kExtraPodUid);
  if (!pod_name.empty() && !pod_uid.empty()) {
    requester.pod_name = pod_name;
    requester.pod_uid = pod_uid;
  }
  return requester;
}

PodFacts PodFactsOf(const api::Pod& pod) {
  PodFacts facts;
  facts.uid = pod.meta.uid;
  facts.service_account = pod.service_account_name;
  facts.node_name = pod.node_name;
  facts.host_network = pod.host_network;
  facts.terminating = pod.deleting();
  facts.finished = pod.finished();
  AddAddresses(pod.pod_ips, facts.ips);
  AddAddresses(pod.host_ips, facts.host_ips);
  return facts;
}

std::vector<base::IpAddress> AddressesOf(const api::Node& node) {
  std::vector<base::IpAddress> addresses;
  AddAddresses(node.internal_ips, addresses);
  AddAddresses(node.external_ips, addresses);
  return addresses;
}

CsrFacts FactsOf(api::CertificateSigningRequest csr, absl::Time now) {
  CsrFacts facts;
  facts.requester = RequesterOf(csr);
  facts.csr = std::move(csr);
  facts.now = now;
  return facts;
}

void ParseRequest(CsrFacts& facts) {
  if (facts.request_parsed) return;
  facts.request = pki::CertificateRequest::ParsePem(facts.csr.request_pem);
  facts.request_parsed = true;
}

}  // namespace calico::csr_policy
