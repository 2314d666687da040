// Foreign text in status messages.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_

#include <string>
#include <string_view>

namespace calico::status {

// `text` in one line without blanks at its ends, cut after about `most_bytes` at a character's end.
std::string OneLine(std::string_view text, size_t most_bytes = 400);

// `text`, cut to at most `most_bytes` at a character's end, with "..." as the last of them. Text
// that is no UTF-8 is cut all the same. Requires: most_bytes >= 3.
std::string CutText(std::string text, size_t most_bytes);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_
