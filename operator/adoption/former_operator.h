// What Tigera's operator leaves behind, and how to see that it still runs. Pure.
#ifndef CALICO_OPERATOR_ADOPTION_FORMER_OPERATOR_H_
#define CALICO_OPERATOR_ADOPTION_FORMER_OPERATOR_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/time/time.h>

#include "pkg/api/meta/object_key.h"
#include "pkg/codec/json.h"

namespace calico::adoption {

// As which it writes, always by updates.
inline constexpr std::string_view kFormerManager = "operator";

// Whether nobody but Calico's own operator takes this finalizer off: those of the Installation and
// the other kinds, and those by which it kept the CNI plugin's role until the pods had ended.
bool IsFormerFinalizer(std::string_view finalizer);
// metadata.finalizers of which IsFormerFinalizer.
std::vector<std::string> FormerFinalizersOf(const json::object& object);
// metadata.finalizers without them.
json::array OtherFinalizersOf(const json::object& object);

// Whether the object shows that Calico's operator, Tigera's or ours, has made it: by an owner of
// the group operator.tigera.io, or by our label. Not by the field manager: many a program is called
// `operator`.
bool IsOfAnOperator(const json::object& object);

// Whether this Deployment of the operator's name is ours; any other is another operator.
bool IsOurDeployment(const json::object& deployment);

// Why a Deployment of any name stands in the way: it runs Tigera's operator, or it has the name of
// the operator's and is not ours. Empty: it does not, also when it has no replicas.
std::string WhyInTheWay(const json::object& deployment, const api::ObjectKey& operator_key);

// Why the lease of the operator stands in the way: somebody else than this program holds it.
std::string WhyInTheWay(const json::object& lease, absl::Time now);

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_FORMER_OPERATOR_H_
