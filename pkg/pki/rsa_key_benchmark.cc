// Key generation, ours beside the library's, in one run:
//   bazel run -c opt //pkg/pki:rsa_key_benchmark -- --benchmark_filter=2048
// Times are CPU times of the thread. Generation is a lottery: the spread is about as large as the
// mean, so look at many iterations.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "pkg/pki/key.h"

namespace calico::pki {
namespace {

void Ours(benchmark::State& state, KeyAlgorithm algorithm) {
  for (auto _ : state) {
    absl::StatusOr<PrivateKey> key = PrivateKey::Generate(algorithm);
    if (!key.ok()) return state.SkipWithError("key generation failed");
    benchmark::DoNotOptimize(key);
  }
}

void Library(benchmark::State& state, unsigned int bits) {
  for (auto _ : state) {
    EVP_PKEY* key = EVP_RSA_gen(bits);
    if (key == nullptr) return state.SkipWithError("key generation failed");
    EVP_PKEY_free(key);
  }
}

BENCHMARK_CAPTURE(Ours, RSA_2048, KeyAlgorithm::kRsa2048)
    ->Iterations(100)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Library, RSA_2048, 2048)->Iterations(40)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Ours, RSA_4096, KeyAlgorithm::kRsa4096)
    ->Iterations(20)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Library, RSA_4096, 4096)->Iterations(8)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Ours, RSA_8192, KeyAlgorithm::kRsa8192)
    ->Iterations(6)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Library, RSA_8192, 8192)->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Ours, ECDSA_P256, KeyAlgorithm::kEcdsaP256)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace calico::pki
