// The built-in policy tigera-operator, against requests shaped as Calico's own init container makes
// them: its names, its labels do not matter, its subject, its extensions in Go's encoding.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/config/signer_policy.h"
#include "operator/csr_policy/facts.h"
#include "operator/csr_policy/rules.h"

namespace calico::config {
namespace {

using csr_policy::Decision;
using csr_policy::Lookup;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kUid[] = "0a1b2c3d-1111-2222-3333-444455556666";

struct Asked {
  const char* name;  // metadata.name
  const char* file;  // spec.request, in testdata/corpus/csr
  const char* ns = "calico-system";
  const char* account = "calico-node";
  const char* pod = "calico-node-5ckvq";
  std::vector<std::string> usages = {"server auth", "client auth", "digital signature",
                                     "key agreement", "key encipherment"};
};

csr_policy::CsrFacts FactsOf(const Asked& asked) {
  api::CertificateSigningRequest csr;
  csr.meta.name = asked.name;
  csr.signer_name = "example.com/signer";
  csr.usages = asked.usages;
  csr.username = std::string("system:serviceaccount:") + asked.ns + ":" + asked.account;
  csr.extra = {{std::string(api::kExtraPodName), {asked.pod}},
               {std::string(api::kExtraPodUid), {kUid}}};
  std::ifstream in(std::string("testdata/corpus/csr/") + asked.file);
  csr.request_pem = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  csr_policy::CsrFacts facts =
      csr_policy::FactsOf(std::move(csr), absl::FromUnixSeconds(1'800'000'000));
  facts.pod_lookup = Lookup::kLive;
  facts.pod.uid = kUid;
  facts.pod.service_account = asked.account;
  return facts;  // without any address of the pod
}

csr_policy::CsrPolicy Policy(std::string_view name) {
  csr_policy::CsrPolicy policy = ParseSignerPolicy(BuiltinSignerPolicy(name).value()).value();
  policy.signer_names = {"example.com/signer"};
  return policy;
}

TEST(TigeraOperatorPolicyTest, ApprovesWhatCalicosInitContainerAsks) {
  const csr_policy::CsrPolicy policy = Policy("tigera-operator");
  const Asked node{"node-certs:calico-node-5ckvq", "calico-node.pem"};
  const Asked old_node{
      .name = "calico-system:calico-node-5ckvq",
      .file = "calico-node-v3.27.pem",
      .usages = {"server auth", "client auth", "digital signature", "key agreement"}};
  const Asked cases[] = {
      node,
      {"node-certs:calico-node-5ckvq", "calico-node-email.pem"},
      old_node,
      {"typha-certs:calico-typha-75c6d-x2x4z", "calico-typha.pem", "calico-system", "calico-typha",
       "calico-typha-75c6d-x2x4z"},
      {"calico-apiserver-certs:calico-apiserver-6f-abcde", "calico-apiserver.pem",
       "calico-apiserver", "calico-apiserver", "calico-apiserver-6f-abcde"},
      {"calico-apiserver-certs:calico-apiserver-6f-abcde", "calico-apiserver-in-calico-system.pem",
       "calico-system", "calico-apiserver", "calico-apiserver-6f-abcde"},
  };
  for (const Asked& asked : cases) {
    SCOPED_TRACE(asked.file);
    csr_policy::CsrFacts facts = FactsOf(asked);
    const Decision decision = csr_policy::Evaluate(facts, policy);
    ASSERT_EQ(decision.kind, Decision::Kind::kApprove) << decision.Text();
    const auto plan = csr_policy::PlanCertificate(facts, *decision.entry, absl::Hours(8760));
    EXPECT_EQ(plan.common_name, facts.request->common_name());
    EXPECT_EQ(plan.dns_names, facts.request->dns_names());
    EXPECT_THAT(plan.subject, IsEmpty());
    EXPECT_THAT(plan.ip_addresses, IsEmpty());
    EXPECT_THAT(plan.extended_key_usages, ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  }
}

TEST(TigeraOperatorPolicyTest, DeniesWhatOnePodAsksForAnother) {
  const csr_policy::CsrPolicy policy = Policy("tigera-operator");
  struct Case {
    Asked asked;
    const char* rule;
  };
  const Case cases[] = {
      {{"node-certs:calico-node-zzzzz", "calico-node.pem"}, "csr-name"},
      {{"typha-certs:calico-node-5ckvq", "calico-node.pem"}, "csr-name"},
      {{"node-certs:calico-node-5ckvq", "calico-typha.pem"}, "common-name"},
      {{"node-certs:calico-node-5ckvq", "calico-apiserver.pem"}, "common-name"},
      {{"node-certs:calico-node-5ckvq", "organization.pem", "default"}, "requester"},
      {{"node-certs:calico-node-5ckvq", "unknown-subject-attribute.pem"}, "subject"},
  };
  for (const Case& c : cases) {
    csr_policy::CsrFacts facts = FactsOf(c.asked);
    const Decision decision = csr_policy::Evaluate(facts, policy);
    EXPECT_EQ(decision.kind, Decision::Kind::kDeny);
    EXPECT_EQ(decision.rule, c.rule) << decision.Text();
  }
}

// Pods of a cluster that was taken over have Calico's own init container until they are replaced.
TEST(TigeraOperatorPolicyTest, ThePolicyOfOurOwnOperatorTakesThemForTheRequestersOwnPod) {
  const csr_policy::CsrPolicy policy = Policy("calico");
  const char* const own[] = {"node-certs:calico-node-5ckvq", "calico-system:calico-node-5ckvq",
                             "calico-system:calico-node-5ckvq:0a1b2c"};
  for (const char* const name : own) {
    csr_policy::CsrFacts facts = FactsOf({name, "calico-node.pem"});
    ParseRequest(facts);
    facts.pod.ips = facts.request->ip_addresses();
    facts.address_lookup = Lookup::kLive;
    const Decision decision = csr_policy::Evaluate(facts, policy);
    ASSERT_EQ(decision.kind, Decision::Kind::kApprove) << name << ": " << decision.Text();
    const auto plan = csr_policy::PlanCertificate(facts, *decision.entry, absl::Hours(8760));
    EXPECT_THAT(plan.subject, IsEmpty());
  }
  const char* const foreign[] = {"node-certs:calico-node-zzzzz", "typha-certs:calico-node-5ckvq",
                                 "default:calico-node-5ckvq", "node-certs:calico-node-5ckvq:0a1b2c",
                                 "calico-system:calico-node-zzzzz"};
  for (const char* const name : foreign) {
    csr_policy::CsrFacts facts = FactsOf({name, "calico-node.pem"});
    EXPECT_EQ(csr_policy::Evaluate(facts, policy).rule, "csr-name") << name;
  }
}

// The address is judged as ever: only Calico's own request names are new.
TEST(TigeraOperatorPolicyTest, ThePolicyOfOurOwnOperatorStillJudgesAddresses) {
  csr_policy::CsrFacts facts = FactsOf({"node-certs:calico-node-5ckvq", "calico-node.pem"});
  facts.address_lookup = Lookup::kLive;
  EXPECT_EQ(csr_policy::Evaluate(facts, Policy("calico")).rule, "ip-addresses");
}

}  // namespace
}  // namespace calico::config
