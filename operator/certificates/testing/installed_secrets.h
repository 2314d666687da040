// What Calico's own operator has made in real clusters, and what users had put there before:
// testdata/pki/installed_secrets. Its private keys are left out (the word REDACTED).
//
// The test needs `data = ["//testdata/pki:installed_secrets"]`.
#ifndef CALICO_OPERATOR_CERTIFICATES_TESTING_INSTALLED_SECRETS_H_
#define CALICO_OPERATOR_CERTIFICATES_TESTING_INSTALLED_SECRETS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/api/core/config_map.h"
#include "pkg/api/core/secret.h"
#include "pkg/codec/json.h"

namespace calico::certificates {

class InstalledSecrets {
 public:
  // A file such as "v1.44-h-byo-made". Ends the test program when it cannot be read.
  explicit InstalledSecrets(std::string_view file);

  const std::vector<api::Secret>& secrets() const { return secrets_; }
  // Ends the test program when there is none.
  const api::Secret& Get(std::string_view ns, std::string_view name) const;
  bool Has(std::string_view ns, std::string_view name) const;
  // The ConfigMap of that name and its annotations.
  std::optional<api::ConfigMap> ConfigMap(std::string_view name) const;
  api::StringMap Annotations(std::string_view config_map) const;

 private:
  std::vector<api::Secret> secrets_;
  std::vector<json::object> config_maps_;
};

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_TESTING_INSTALLED_SECRETS_H_
