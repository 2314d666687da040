// Who an object belongs to, and how it becomes ours: in its metadata alone, so that no pod notices.
// Pure.
#ifndef CALICO_OPERATOR_ADOPTION_OWNERSHIP_H_
#define CALICO_OPERATOR_ADOPTION_OWNERSHIP_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pkg/codec/json.h"
#include "pkg/kube/schema/changes.h"

namespace calico::adoption {

// UIDs of the objects `default` that own others, by kind: Installation, APIServer.
using OwnerUids = std::map<std::string, std::string, std::less<>>;

// Gives the owners of a rendered object, which name their kind, the UIDs of the cluster. An owner
// that the cluster does not have is left out.
void SetOwnerUids(json::object& object, const OwnerUids& uids);

// What to do to `live`, an object that the operator will go on with.
struct Takeover {
  // A JSON merge patch of metadata, with UID and resourceVersion as preconditions: the labels by
  // which the operator finds it, owner references of `desired` in place of those to another
  // Installation, no finalizer that nobody takes off any more, and what Tigera's operator has set
  // as what this one has applied.
  json::object patch;
  std::vector<kube::FieldChange> changes;  // the same for people
};

// nullopt: it is ours already. Errors in `live`, such as no metadata, are nothing to take over.
std::optional<Takeover> PlanTakeover(const json::object& live, const json::object& desired);

// The same of Calico's own configuration, which the operator shares with users: it stays as it is,
// and what Tigera's operator has set counts as what this one has. nullopt: there is nothing of it,
// or it is not of an operator (an IPPool without its label, any object but `default` of the
// others).
std::optional<Takeover> PlanSharedTakeover(const json::object& live);

// The same of an object that is only released from finalizers of Tigera's operator: the
// Installation, and what this operator does not make.
std::optional<Takeover> PlanRelease(const json::object& live);

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_OWNERSHIP_H_
