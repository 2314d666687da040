// Where the policy comes from: a built-in one, or a file that is read again when it changes.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_POLICY_SOURCE_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_POLICY_SOURCE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "operator/csr_policy/policy.h"
#include "pkg/base/log.h"
#include "pkg/base/watched_files.h"

namespace calico::csr {

// Threading: event loop thread only.
class PolicySource {
 public:
  // `file` empty: the built-in policy `calico`. `logger` outlives the source.
  // Errors: of the file, with its path.
  static absl::StatusOr<std::unique_ptr<PolicySource>> Open(std::string file,
                                                            std::vector<std::string> signer_names,
                                                            const base::Logger& logger);

  // Never null. A verdict holds on to the policy that it began with.
  std::shared_ptr<const csr_policy::CsrPolicy> Current() const { return current_; }

  // Reads a changed file. A bad one is logged, and the old policy stays. Returns true when the
  // policy is a new one. Blocking: a small file.
  bool Refresh();

 private:
  PolicySource(std::string file, std::vector<std::string> signer_names, const base::Logger& logger);
  // Makes a policy of a file's text.
  absl::StatusOr<std::shared_ptr<const csr_policy::CsrPolicy>> Load(std::string_view text) const;
  base::WatchedFiles::News Look();

  std::string file_;
  std::vector<std::string> signer_names_;
  const base::Logger& logger_;
  base::WatchedFiles watched_;
  std::shared_ptr<const csr_policy::CsrPolicy> current_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_POLICY_SOURCE_H_
