// JSON as Go's json.MarshalIndent writes it, two spaces a level: what people compare by eye.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_GO_JSON_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_GO_JSON_H_

#include <string>

#include "pkg/codec/json.h"

namespace calico::calicert::cfssl {

// Without a newline at the end.
std::string GoJson(const json::value& value);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_COMMANDS_GO_JSON_H_
