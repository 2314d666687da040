// Whether the API server keeps what an Installation or an APIServer says. One with an older
// definition drops every field that it does not know, without a word: a key algorithm would become
// another one, and all pods would be rolled.
#ifndef CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_CHECK_H_
#define CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_CHECK_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"

namespace calico::definitions {

// The paths of what is rendered from an Installation and `definition` (the one of installations, as
// it is served) does not have. Empty: none, or no schema in a form that we know.
std::vector<std::string> PrunedFields(const json::object& definition);

// The topmost paths below spec that `ours` has and `definition`, of the same kind, does not.
std::vector<std::string> MissingFields(const json::object& ours, const json::object& definition);

// The definition of which ReadPrunedFields has last told that it drops nothing; empty: none.
struct WholeDefinition {
  std::string uid;
  std::string resource_version;

  friend bool operator==(const WholeDefinition&, const WholeDefinition&) = default;
};

// Of the definition that the API server has, by the one or the other of the above: kInstallations
// or kApiServers. Without a definition, none. While it is still `whole` (which is updated), only
// its metadata is read: the rest is a hundred kilobytes. Errors: as kube::Client. Cancellation:
// total. Lifetime: `whole` outlives the call.
aio::Task<absl::StatusOr<std::vector<std::string>>> ReadPrunedFields(kube::Client& client,
                                                                     const api::Resource& resource,
                                                                     WholeDefinition& whole);

// Those of `fields` that somebody has written into `object`, by its managedFields and by what
// kubectl notes, and that its spec does not have. nullopt: nothing tells.
std::optional<std::vector<std::string>> LostFields(const json::object& object,
                                                   const std::vector<std::string>& fields);

// What to do about fields that the definition drops, and about those that it has dropped from the
// object of that name.
std::string PrunedMessage(const api::Resource& resource, const std::vector<std::string>& fields);
std::string LostMessage(const api::Resource& resource, std::string_view name,
                        const std::vector<std::string>& fields);

}  // namespace calico::definitions

#endif  // CALICO_OPERATOR_CONTROLLERS_DEFINITIONS_CRD_CHECK_H_
