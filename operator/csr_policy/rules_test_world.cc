#include "operator/csr_policy/rules_test_world.h"

#include <fstream>
#include <iterator>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::csr_policy {

using ::testing::HasSubstr;
using ::testing::Not;

base::IpAddress Ip(std::string_view text) { return base::IpAddress::Parse(text).value(); }

const pki::PrivateKey& Key() {
  static const pki::PrivateKey key =
      pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  return key;
}

pki::CertificateRequestTemplate GoodTemplate() {
  return {.common_name = "typha-client",
          .dns_names = {"typha-client"},
          .ip_addresses = {Ip("10.0.0.5"), Ip("fd00::5")}};
}

void SetRequestPem(CsrFacts& facts, std::string pem) {
  facts.csr.request_pem = std::move(pem);
  facts.request_parsed = false;
  ParseRequest(facts);
}

void SetRequest(CsrFacts& facts, const pki::CertificateRequestTemplate& request,
                const pki::PrivateKey& key) {
  SetRequestPem(facts, pki::CreateCertificateRequest(key, request).value());
}

void SetRequestFile(CsrFacts& facts, const std::string& name) {
  std::ifstream in("testdata/corpus/csr/" + name);
  ASSERT_TRUE(in.good()) << name;
  SetRequestPem(facts, {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
}

CsrPolicy GoodPolicy() {
  CsrPolicyEntry node;
  node.name = "calico-node";
  node.namespaces = {"calico-system"};
  node.service_accounts = {"calico-node"};
  node.common_names = {"typha-client"};
  node.dns_names = {"typha-client"};
  for (const Usage& usage : KnownUsages()) node.usages.emplace_back(usage.name);
  node.required_usages = {"client auth"};
  node.keys = {KnownKeys().begin(), KnownKeys().end()};
  CsrPolicyEntry typha = node;
  typha.name = "calico-typha";
  typha.service_accounts = {"calico-typha"};
  typha.common_names = {"typha-server"};
  typha.dns_names = {"typha-server"};
  typha.required_usages = {"server auth"};
  return {{"example.com/signer"}, {node, typha}};
}

CsrFacts GoodFacts() {
  api::CertificateSigningRequest csr;
  csr.meta.name = "calico-system:calico-node-x7:0a1b2c";
  csr.signer_name = "example.com/signer";
  csr.usages = {"server auth", "client auth", "digital signature", "key agreement",
                "key encipherment"};
  csr.username = "system:serviceaccount:calico-system:calico-node";
  csr.extra = {{std::string(api::kExtraPodName), {"calico-node-x7"}},
               {std::string(api::kExtraPodUid), {kUid}}};
  csr.request_pem = pki::CreateCertificateRequest(Key(), GoodTemplate()).value();
  CsrFacts facts = FactsOf(std::move(csr), kNow);
  ParseRequest(facts);
  facts.pod_lookup = Lookup::kCached;
  facts.address_lookup = Lookup::kCached;
  facts.pod.uid = kUid;
  facts.pod.service_account = "calico-node";
  facts.pod.node_name = "node-1";
  facts.pod.ips = {Ip("10.0.0.5"), Ip("fd00::5")};
  facts.pod.host_ips = {Ip("192.0.2.1")};
  return facts;
}

void Check(const Case& c) {
  SCOPED_TRACE(c.name);
  World world;
  c.change(world);
  const Decision decision = Evaluate(world.facts, world.policy);
  EXPECT_EQ(decision.kind, c.want) << decision.Text();
  EXPECT_EQ(decision.rule, c.rule) << decision.Text();
  EXPECT_EQ(decision.need, c.need);
  EXPECT_THAT(decision.message, HasSubstr(c.message));
  EXPECT_THAT(decision.message, Not(HasSubstr("\n")));
  EXPECT_EQ(decision.entry != nullptr, c.want == Kind::kApprove);
}

Change Template(std::function<void(pki::CertificateRequestTemplate&)> change) {
  return [change = std::move(change)](World& world) {
    pki::CertificateRequestTemplate request = GoodTemplate();
    change(request);
    SetRequest(world.facts, request);
  };
}

Change PodNamed(std::string name) {
  return [name = std::move(name)](World& world) {
    world.facts.csr.extra[std::string(api::kExtraPodName)] = {name};
    world.facts.requester = RequesterOf(world.facts.csr);
  };
}

Change File(const char* name) {
  return [name](World& world) { SetRequestFile(world.facts, name); };
}

}  // namespace calico::csr_policy
