// What one request costs in CPU, without the network: parse, judge, sign.

#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "operator/config/signer_policy.h"
#include "operator/controllers/csr/pending_csr.h"
#include "operator/csr_policy/rules.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/base/base64.h"
#include "pkg/codec/json.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::csr {
namespace {

constexpr char kUid[] = "0a1b2c3d-1111-2222-3333-444455556666";

const pki::PrivateKey& Key(int index) {
  static const pki::PrivateKey keys[] = {
      pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value(),
      pki::PrivateKey::Generate(pki::KeyAlgorithm::kRsa2048).value()};
  return keys[index];
}

// As the API server sends it: managedFields and all.
std::string CsrText(const pki::PrivateKey& key) {
  const std::string pem = pki::CreateCertificateRequest(
                              key, {.common_name = "typha-client",
                                    .dns_names = {"typha-client"},
                                    .ip_addresses = {base::IpAddress::Parse("10.0.0.5").value()}})
                              .value();
  return R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{)"
         R"("name":"calico-system:node:0a1b2c","uid":"u","resourceVersion":"1","labels":)"
         R"({"k8s-app":"calico-system"},"managedFields":[{"manager":"m","operation":"Update",)"
         R"("apiVersion":"certificates.k8s.io/v1","time":"2026-11-22T19:42:02Z","fieldsType":)"
         R"("FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:k8s-app":{}}}}}]},"spec":{)"
         R"("request":")" +
         base::Base64Encode(pem) +
         R"(","signerName":"example.com/signer","usages":["server auth","client auth",)"
         R"("digital signature","key agreement","key encipherment"],"username":)"
         R"("system:serviceaccount:calico-system:calico-node","uid":"x","groups":)"
         R"(["system:serviceaccounts","system:authenticated"],"extra":{)"
         R"("authentication.kubernetes.io/pod-name":["node"],)"
         R"("authentication.kubernetes.io/pod-uid":[")" +
         std::string(kUid) + R"("]}},"status":{}})";
}

csr_policy::CsrPolicy Policy() {
  csr_policy::CsrPolicy policy =
      config::ParseSignerPolicy(config::BuiltinSignerPolicy("calico").value()).value();
  policy.signer_names = {"example.com/signer"};
  return policy;
}

csr_policy::CsrFacts Facts(const std::string& text) {
  csr_policy::CsrFacts facts = csr_policy::FactsOf(
      api::CertificateSigningRequest::Decode(codec::ParseJsonObject(text).value()).value(),
      pki::TestTime());
  csr_policy::ParseRequest(facts);
  facts.address_lookup = csr_policy::Lookup::kCached;
  facts.pod_lookup = csr_policy::Lookup::kCached;
  facts.pod.uid = kUid;
  facts.pod.service_account = "calico-node";
  facts.pod.ips = {base::IpAddress::Parse("10.0.0.5").value()};
  return facts;
}

// The watch event, as the informer takes it.
void BM_Keep(benchmark::State& state) {
  const std::string text = CsrText(Key(static_cast<int>(state.range(0))));
  const PendingCsrDecoder decoder(1 << 20);
  for (auto _ : state) {
    benchmark::DoNotOptimize(decoder(codec::ParseJsonObject(text).value()));
  }
}
BENCHMARK(BM_Keep)->ArgName("rsa")->Arg(0)->Arg(1);

void BM_Parse(benchmark::State& state) {
  const std::string text = CsrText(Key(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(Facts(text));
}
BENCHMARK(BM_Parse)->ArgName("rsa")->Arg(0)->Arg(1);

void BM_Judge(benchmark::State& state) {
  csr_policy::CsrFacts facts = Facts(CsrText(Key(static_cast<int>(state.range(0)))));
  const csr_policy::CsrPolicy policy = Policy();
  for (auto _ : state) {
    const csr_policy::Decision decision = csr_policy::Evaluate(facts, policy);
    if (decision.entry == nullptr) state.SkipWithError("not approved");
  }
}
BENCHMARK(BM_Judge)->ArgName("rsa")->Arg(0)->Arg(1);

void BM_Issue(benchmark::State& state) {
  const csr_policy::CsrFacts facts = Facts(CsrText(Key(static_cast<int>(state.range(0)))));
  const csr_policy::CsrPolicy policy = Policy();
  const pki::TestCa ca;  // P-256
  for (auto _ : state) {
    const auto leaf = ca.authority().Issue(
        facts.request->public_key(),
        csr_policy::PlanCertificate(facts, policy.entries[0], absl::Hours(24)), pki::TestTime());
    benchmark::DoNotOptimize(ca.authority().ChainPem(*leaf));
  }
}
BENCHMARK(BM_Issue)->ArgName("rsa")->Arg(0)->Arg(1);

}  // namespace
}  // namespace calico::csr
