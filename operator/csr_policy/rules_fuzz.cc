// spec.request, as a stranger gives it, through parsing, every rule and the certificate's plan.
#include <cstddef>
#include <cstdint>
#include <string>

#include "operator/csr_policy/rules.h"
#include "pkg/base/check.h"

namespace calico::csr_policy {
namespace {

constexpr char kUid[] = "0a1b2c3d-1111-2222-3333-444455556666";

CsrPolicy Policy() {
  CsrPolicyEntry entry;
  entry.name = "entry";
  entry.namespaces = {"ns"};
  entry.service_accounts = {"sa"};
  entry.common_names = {"typha-client"};
  entry.dns_names = {"typha-client"};
  entry.usages = {"client auth"};
  entry.keys = {KnownKeys().begin(), KnownKeys().end()};
  return {{"example.com/signer"}, {entry}};
}

CsrFacts Facts(std::string request_pem) {
  api::CertificateSigningRequest csr;
  csr.meta.name = "ns:pod:0a1b2c";
  csr.signer_name = "example.com/signer";
  csr.usages = {"client auth"};
  csr.username = "system:serviceaccount:ns:sa";
  csr.extra = {{std::string(api::kExtraPodName), {"pod"}},
               {std::string(api::kExtraPodUid), {kUid}}};
  csr.request_pem = std::move(request_pem);
  CsrFacts facts = FactsOf(std::move(csr), absl::FromUnixSeconds(1'800'000'000));
  facts.pod_lookup = Lookup::kLive;
  facts.address_lookup = Lookup::kLive;
  facts.pod.uid = kUid;
  facts.pod.service_account = "sa";
  facts.pod.ips = {base::IpAddress::Parse("10.1.2.3").value()};
  return facts;
}

}  // namespace
}  // namespace calico::csr_policy

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::csr_policy::Decision;
  static const calico::csr_policy::CsrPolicy policy = calico::csr_policy::Policy();
  calico::csr_policy::CsrFacts facts =
      calico::csr_policy::Facts(std::string(reinterpret_cast<const char*>(data), size));
  const Decision decision = calico::csr_policy::Evaluate(facts, policy);
  CALICO_CHECK(decision.kind != Decision::Kind::kRetry);  // every look-up is live
  CALICO_CHECK(decision.Text().size() < 4096);
  if (decision.kind != Decision::Kind::kApprove) return 0;
  const auto plan = PlanCertificate(facts, *decision.entry, absl::Hours(1));
  CALICO_CHECK(plan.common_name == "typha-client" && plan.dns_names.size() <= 1);
  CALICO_CHECK(plan.ip_addresses.size() <= 1 && plan.emails.empty() && plan.uris.empty());
  CALICO_CHECK(!plan.is_ca && plan.subject.empty());
  return 0;
}
