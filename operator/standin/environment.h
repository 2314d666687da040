// Environment variables of the real programs, read the way they read them.
#ifndef CALICO_OPERATOR_STANDIN_ENVIRONMENT_H_
#define CALICO_OPERATOR_STANDIN_ENVIRONMENT_H_

#include <cstdlib>
#include <string>

namespace calico::standin {

inline std::string Variable(const char* name, const char* fallback = "") {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? fallback : value;
}

}  // namespace calico::standin

#endif  // CALICO_OPERATOR_STANDIN_ENVIRONMENT_H_
