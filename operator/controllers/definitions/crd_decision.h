// What to do about one CustomResourceDefinition of Calico: ours, the cluster's, or the one of a
// file that the user gave.
//
// Pure. Never is one replaced by an older one, nor one that somebody else looks after by ours.
#ifndef CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_DECISION_H_
#define CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_DECISION_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/codec/json.h"

namespace calico::definitions {

// Where a definition that this operator applied comes from: a release ("v3.33"), or kFromFile.
inline constexpr std::string_view kSourceAnnotation = "operator.tigera.io/calico-definition";
inline constexpr std::string_view kFromFile = "file";

// A definition as it shall be; its annotation says where it comes from.
struct WantedCrd {
  std::string name;  // "ippools.crd.projectcalico.org"
  json::object object;
  bool is_from_file = false;
};

// The definitions of `release`, each replaced by the one of that name in `file` (YAML, the
// release's own crds.yaml), where there is one; empty: no file. What else is in the file is left
// out. Errors: InvalidArgument when the file cannot be read or has none of them.
absl::StatusOr<std::vector<WantedCrd>> WantedCrds(std::string_view release, std::string_view file);

struct CrdDecision {
  bool is_applied = false;
  std::string problem;  // for the status; empty: none
};

// `live`: the definition of that name in the cluster.
// - One that this operator applied, and that nobody has changed since, is brought up to date,
//   unless a newer release or a file brought it.
// - Any other stays untouched. It is a problem when it does not serve the version, or drops a field
//   on which something depends.
// - One of a file replaces any that keeps no more than it.
// - None is replaced while objects are stored in a version that the new one does not have.
CrdDecision Decide(const WantedCrd& wanted, const json::object& live);

// The fields ("spec.nftablesMode") that objects keep with schema `from` and lose with schema `to`.
// At most 16.
std::vector<std::string> LostFields(const json::object& from, const json::object& to);

}  // namespace calico::definitions

#endif  // CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_DECISION_H_
