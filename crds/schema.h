// Checks objects against the structural schema of a CustomResourceDefinition, as far as our schemas
// use it: type, format, enum, required, limits, pattern, items, additionalProperties,
// x-kubernetes-int-or-string and x-kubernetes-preserve-unknown-fields. Not the CEL rules: those
// need an API server.
#ifndef CALICO_CRDS_SCHEMA_H_
#define CALICO_CRDS_SCHEMA_H_

#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::crds {

// The openAPIV3Schema of the only version of `crd`, or nullptr. Lifetime: that of `crd`.
const json::object* SchemaOf(const json::value& crd);

// Every violation as `path: problem`. A field that the API server would prune is one, too.
std::vector<std::string> Violations(const json::object& schema, const json::value& value,
                                    const std::string& path);

// The schema at a path such as "spec.calicoNetwork.ipPools[].cidr", or nullptr.
const json::object* FindSchema(const json::object& schema, std::string_view path);

// The paths of everything that the schema names below `path`, parents included, in the same form.
std::vector<std::string> Paths(const json::object& schema, const std::string& path);

}  // namespace calico::crds

#endif  // CALICO_CRDS_SCHEMA_H_
