// Every combination of the facts that a release asks about.
#ifndef CALICO_OPERATOR_RENDER_TESTING_COMBINATIONS_H_
#define CALICO_OPERATOR_RENDER_TESTING_COMBINATIONS_H_

#include <functional>

#include "operator/render/facts.h"
#include "operator/render/release.h"

namespace calico::render {

// Calls `visit` for every combination of the values of the facts that make a difference.
void ForEveryCombination(const Release& release, const std::function<void(const Facts&)>& visit);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_TESTING_COMBINATIONS_H_
