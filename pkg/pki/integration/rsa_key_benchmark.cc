// What a key costs beyond the library's own generation of it, in one run:
//   bazel run -c opt //pkg/pki/integration:rsa_key_benchmark -- --benchmark_filter=2048
// Library is EVP_RSA_gen alone, Ours is PrivateKey::Generate with the PEM text, Beyond is what Ours
// adds, on a key that is there. Times are CPU times of the thread. Generation is a lottery whose
// spread is about as large as its mean: the difference of the first two says little, Beyond says
// it.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/key.h"

namespace calico::pki {
namespace {

void Ours(benchmark::State& state, KeyAlgorithm algorithm) {
  for (auto _ : state) {
    absl::StatusOr<PrivateKey> key = PrivateKey::Generate(algorithm);
    if (!key.ok()) return state.SkipWithError("key generation failed");
    benchmark::DoNotOptimize(key->ToPem());
  }
}

void Library(benchmark::State& state, unsigned int bits) {
  for (auto _ : state) {
    EVP_PKEY* key = EVP_RSA_gen(bits);
    if (key == nullptr) return state.SkipWithError("key generation failed");
    EVP_PKEY_free(key);
  }
}

void Beyond(benchmark::State& state, KeyAlgorithm algorithm) {
  const absl::StatusOr<PrivateKey> key = PrivateKey::Generate(algorithm);
  if (!key.ok()) return state.SkipWithError("key generation failed");
  for (auto _ : state) {
    benchmark::DoNotOptimize(internal::KeyAccess::FromEvp(internal::KeyAccess::Handle(*key)));
    benchmark::DoNotOptimize(key->ToPem());
  }
}

BENCHMARK_CAPTURE(Library, RSA_2048, 2048)->Iterations(60)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Ours, RSA_2048, KeyAlgorithm::kRsa2048)
    ->Iterations(60)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Beyond, RSA_2048, KeyAlgorithm::kRsa2048)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Library, RSA_4096, 4096)->Iterations(12)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Ours, RSA_4096, KeyAlgorithm::kRsa4096)
    ->Iterations(12)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Beyond, RSA_4096, KeyAlgorithm::kRsa4096)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Ours, ECDSA_P256, KeyAlgorithm::kEcdsaP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Beyond, ECDSA_P256, KeyAlgorithm::kEcdsaP256)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace calico::pki
