#include "operator/render/testing/combinations.h"

#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

namespace calico::render {

void ForEveryCombination(const Release& release, const std::function<void(const Facts&)>& visit) {
  const std::set<std::string_view> in_use = release.FactsInUse();
  std::vector<FactDefinition> all(FactDefinitions().begin(), FactDefinitions().end());
  for (FactDefinition& definition : all) {
    if (!in_use.contains(definition.name)) definition.values.resize(1);
  }
  std::vector<size_t> at(all.size(), 0);
  while (true) {
    Facts facts;
    for (size_t i = 0; i < all.size(); ++i) facts[all[i].name] = all[i].values[at[i]];
    visit(facts);
    size_t i = 0;
    while (i < all.size() && ++at[i] == all[i].values.size()) at[i++] = 0;
    if (i == all.size()) return;
  }
}

}  // namespace calico::render
