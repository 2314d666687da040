// Foreign text in status messages.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_

#include <string>
#include <string_view>

namespace calico::status {

// `text` in one line without blanks at its ends, cut after about `most_bytes` at a character's end.
std::string OneLine(std::string_view text, size_t most_bytes = 400);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_
