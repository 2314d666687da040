// A cluster's Secrets in memory, for tests of plans.
//
//   CertificateWorld world;
//   Plan plan = world.MakePlan();
//   world.Apply(plan);              // as the controller does it
//   plan = world.MakePlan();
//
// Keys are P-256, whatever is asked for, so that they are made at once.
#ifndef CALICO_OPERATOR_CERTIFICATES_TESTING_CERTIFICATE_WORLD_H_
#define CALICO_OPERATOR_CERTIFICATES_TESTING_CERTIFICATE_WORLD_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/certificates/plan.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::certificates {

inline constexpr std::string_view kOperatorNamespace = "tigera-operator";
inline constexpr std::string_view kPodNamespace = "calico-system";

using Texts = std::map<std::string, std::string>;

// A user's pair, as a Secret's data.
Texts SuppliedPair(const pki::TestLeaf& leaf, std::string_view common_name);

struct CertificateWorld {
  CertificateWorld();

  absl::Time now = pki::TestTime();
  Demands demands;
  Live live;
  int keys_made = 0;

  // Replaces a Secret of that name. `is_owned`: by the Installation.
  api::Secret& Put(std::string_view ns, std::string_view name, const Texts& data,
                   bool is_owned = false);
  api::Secret* Find(std::string_view ns, std::string_view name);
  void Erase(std::string_view ns, std::string_view name);
  void PutTyphaCa(std::string_view text);

  // Ends the test program when it fails.
  Plan MakePlan();
  absl::StatusOr<Plan> TryMakePlan();
  // What the plan says, as the API server would hold it afterwards.
  void Apply(const Plan& plan);
};

// Of the originals or copies; null when there is none.
const PlannedSecret* FindPlanned(const std::vector<PlannedSecret>& secrets, std::string_view name);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_TESTING_CERTIFICATE_WORLD_H_
