// What a signer pays for one request, step by step:
//   bazel run -c opt //pkg/pki/integration:issue_benchmark

#include <benchmark/benchmark.h>

#include "pkg/pki/certificate_request.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

struct Fixture {
  explicit Fixture(KeyAlgorithm algorithm)
      : key(*PrivateKey::Generate(algorithm)),
        pem(*CreateCertificateRequest(key, {.common_name = "typha-server"})),
        request(*CertificateRequest::ParsePem(pem)) {
    wanted.common_name = "typha-server";
    wanted.not_before = TestTime();
    wanted.not_after = TestTime() + absl::Hours(1);
  }

  TestCa ca;
  PrivateKey key;
  std::string pem;
  CertificateRequest request;
  CertificateTemplate wanted;
};

void Parse(benchmark::State& state, KeyAlgorithm algorithm) {
  const Fixture f(algorithm);
  for (auto _ : state) benchmark::DoNotOptimize(CertificateRequest::ParsePem(f.pem));
}

void VerifySignature(benchmark::State& state, KeyAlgorithm algorithm) {
  const Fixture f(algorithm);
  for (auto _ : state) benchmark::DoNotOptimize(f.request.VerifySignature());
}

void CheckStrength(benchmark::State& state, KeyAlgorithm algorithm) {
  const Fixture f(algorithm);
  for (auto _ : state) benchmark::DoNotOptimize(f.request.public_key().CheckStrength());
}

void Issue(benchmark::State& state, KeyAlgorithm algorithm) {
  const Fixture f(algorithm);
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.ca.authority().Issue(f.request.public_key(), f.wanted, TestTime()));
  }
}

void Verify(benchmark::State& state, KeyAlgorithm algorithm) {
  const Fixture f(algorithm);
  const Certificate leaf = f.ca.Issue(f.request.public_key(), f.wanted);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        VerifyChain(leaf, {}, {f.ca.certificate()}, ExtendedKeyUsage::kServerAuth, TestTime()));
  }
}

#define CALICO_PKI_BENCHMARK(function)                                                          \
  BENCHMARK_CAPTURE(function, RSA_2048, KeyAlgorithm::kRsa2048)->Unit(benchmark::kMicrosecond); \
  BENCHMARK_CAPTURE(function, ECDSA_P256, KeyAlgorithm::kEcdsaP256)->Unit(benchmark::kMicrosecond)

CALICO_PKI_BENCHMARK(Parse);
CALICO_PKI_BENCHMARK(VerifySignature);
CALICO_PKI_BENCHMARK(CheckStrength);
CALICO_PKI_BENCHMARK(Issue);
CALICO_PKI_BENCHMARK(Verify);

}  // namespace
}  // namespace calico::pki
