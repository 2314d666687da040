// Combinations of the facts that a release asks about.
#ifndef CALICO_OPERATOR_RENDER_TESTING_COMBINATIONS_H_
#define CALICO_OPERATOR_RENDER_TESTING_COMBINATIONS_H_

#include <functional>

#include "operator/render/facts.h"
#include "operator/render/release.h"

namespace calico::render {

// Calls `visit` for combinations of the values of the facts that make a difference: all of them
// where they are few. Where they are too many, for every value of every fact with the rest as in an
// empty Installation, and for a sample of all (always the same), in which nearly every two values
// come together.
void ForCombinations(const Release& release, const std::function<void(const Facts&)>& visit);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_TESTING_COMBINATIONS_H_
