// Kubernetes quantities: "100m", "1Gi", "1.5", "2e3".
#ifndef CALICO_OPERATOR_VALIDATION_QUANTITY_H_
#define CALICO_OPERATOR_VALIDATION_QUANTITY_H_

#include <optional>
#include <string_view>

#include "operator/validation/spec_field.h"

namespace calico::validation {

struct Quantity {
  // In units; exact enough to compare two of them with IsLess.
  long double value = 0;
  // Written with Ki, Mi and so on.
  bool has_binary_suffix = false;
};

// nullopt for what is no quantity.
std::optional<Quantity> ParseQuantity(std::string_view text);
// Of a field: a text, or a whole number.
std::optional<Quantity> ParseQuantity(const SpecField& field);

// `a` is less than `b` by more than what parsing may lose.
bool IsLess(const Quantity& a, const Quantity& b);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_QUANTITY_H_
