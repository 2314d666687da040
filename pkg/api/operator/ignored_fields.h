// Which parts of an Installation's spec have no effect. For installation.cc only.
#ifndef CALICO_PKG_API_OPERATOR_IGNORED_FIELDS_H_
#define CALICO_PKG_API_OPERATOR_IGNORED_FIELDS_H_

#include <string>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::api {

// See Installation::ignored_fields.
std::vector<std::string> IgnoredFields(const json::object& spec);

}  // namespace calico::api

#endif  // CALICO_PKG_API_OPERATOR_IGNORED_FIELDS_H_
