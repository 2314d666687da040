#include "operator/calicert/cfssl/name_pattern.h"

#include <re2/re2.h>

namespace calico::calicert::cfssl {

struct NamePattern::Compiled {
  explicit Compiled(const std::string& pattern) : regexp(pattern, Options()) {}

  static RE2::Options Options() {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(4 << 20);
    return options;
  }

  RE2 regexp;
};

absl::StatusOr<NamePattern> NamePattern::Compile(const std::string& pattern) {
  auto compiled = std::make_shared<const Compiled>(pattern);
  if (!compiled->regexp.ok()) return absl::InvalidArgumentError(compiled->regexp.error());
  NamePattern result;
  result.compiled_ = std::move(compiled);
  return result;
}

const std::string& NamePattern::text() const { return compiled_->regexp.pattern(); }

bool NamePattern::Matches(std::string_view name) const {
  return RE2::PartialMatch({name.data(), name.size()}, compiled_->regexp);
}

}  // namespace calico::calicert::cfssl
