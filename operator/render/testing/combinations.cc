#include "operator/render/testing/combinations.h"

#include <cstddef>
#include <random>
#include <set>
#include <string_view>
#include <vector>

namespace calico::render {
namespace {

constexpr size_t kFew = 512;
constexpr int kSampleSize = 256;

using Definitions = std::vector<FactDefinition>;
using Choice = std::vector<size_t>;  // of a value, for each definition

Facts FactsAt(const Definitions& all, const Choice& at) {
  Facts facts;
  for (size_t i = 0; i < all.size(); ++i) facts[all[i].name] = all[i].values[at[i]];
  return facts;
}

void VisitAll(const Definitions& all, const std::function<void(const Facts&)>& visit) {
  Choice at(all.size(), 0);
  while (true) {
    visit(FactsAt(all, at));
    size_t i = 0;
    while (i < all.size() && ++at[i] == all[i].values.size()) at[i++] = 0;
    if (i == all.size()) return;
  }
}

void VisitEachValue(const Definitions& all, const std::function<void(const Facts&)>& visit) {
  for (size_t a = 0; a < all.size(); ++a) {
    Choice at(all.size(), 0);
    for (at[a] = 0; at[a] < all[a].values.size(); ++at[a]) visit(FactsAt(all, at));
  }
}

void VisitSample(const Definitions& all, const std::function<void(const Facts&)>& visit) {
  std::minstd_rand random(1);
  for (int i = 0; i < kSampleSize; ++i) {
    Choice at;
    for (const FactDefinition& definition : all) at.push_back(random() % definition.values.size());
    visit(FactsAt(all, at));
  }
}

}  // namespace

void ForCombinations(const Release& release, const std::function<void(const Facts&)>& visit) {
  const std::set<std::string_view> in_use = release.FactsInUse();
  Definitions all(FactDefinitions().begin(), FactDefinitions().end());
  size_t count = 1;
  for (FactDefinition& definition : all) {
    if (!in_use.contains(definition.name)) definition.values.resize(1);
    if (count <= kFew) count *= definition.values.size();
  }
  if (count <= kFew) return VisitAll(all, visit);
  std::erase_if(all,
                [](const FactDefinition& definition) { return definition.values.size() == 1; });
  const auto with_others = [&](const Facts& facts) {
    Facts whole = facts;
    for (const FactDefinition& definition : FactDefinitions()) {
      whole.emplace(definition.name, definition.values.front());
    }
    visit(whole);
  };
  VisitEachValue(all, with_others);
  VisitSample(all, with_others);
}

}  // namespace calico::render
