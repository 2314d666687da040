// What rendering one Installation costs: the limit is 2 ms.

#include <string>

#include <benchmark/benchmark.h>

#include "operator/render/releases.h"
#include "operator/render/render.h"
#include "operator/render/testing/cases.h"

namespace calico::render {
namespace {

void BM_Render(benchmark::State& state) {
  Releases& releases = Releases::Embedded();
  const std::string& version = releases.versions()[static_cast<size_t>(state.range(0))];
  const Release& release = **releases.Find(version);
  state.SetLabel(version);
  const ReferenceCase c = LoadReferenceCase("c-cm-ecdsa", version);
  for (auto _ : state) {
    const auto objects = Render(release, c.installation, c.inputs);
    if (!objects.ok()) state.SkipWithError(objects.status().ToString().c_str());
    benchmark::DoNotOptimize(objects);
  }
}
BENCHMARK(BM_Render)->Unit(benchmark::kMillisecond)->Apply([](benchmark::internal::Benchmark* it) {
  const auto count = static_cast<int64_t>(Releases::Embedded().versions().size());
  for (int64_t i = 0; i < count; ++i) it->Arg(i);
});

}  // namespace
}  // namespace calico::render
