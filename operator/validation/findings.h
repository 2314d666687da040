// Problems of an Installation, collected one after the other.
#ifndef CALICO_OPERATOR_VALIDATION_FINDINGS_H_
#define CALICO_OPERATOR_VALIDATION_FINDINGS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace calico::validation {

struct Problem {
  std::string path;  // "spec.certificateManagement.caCert"
  std::string text;  // what is wrong and what to do
  friend bool operator==(const Problem&, const Problem&) = default;
};

// Cheap to copy. Lifetime: `problems` must outlive it.
class Findings {
 public:
  explicit Findings(std::vector<Problem>& problems) : problems_(&problems) {}
  void Add(std::string_view path, std::string text) const {
    problems_->push_back({std::string(path), std::move(text)});
  }

 private:
  std::vector<Problem>* problems_;
};

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_FINDINGS_H_
