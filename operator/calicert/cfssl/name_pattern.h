// A regular expression over names, as a signing configuration's `name_whitelist` has it.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_NAME_PATTERN_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_NAME_PATTERN_H_

#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace calico::calicert::cfssl {

// A regular expression that is found in a name, not anchored. The engine is RE2, whose language is
// that of Go's regexp package: no pattern takes more than linear time.
class NamePattern {
 public:
  // Errors: InvalidArgument with RE2's words.
  static absl::StatusOr<NamePattern> Compile(const std::string& pattern);
  bool Matches(std::string_view name) const;
  // As it was given.
  const std::string& text() const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_NAME_PATTERN_H_
