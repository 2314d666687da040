// Foreign text in status messages.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace calico::status {

// `text` in one line without blanks at its ends, cut as CutText cuts it.
std::string OneLine(std::string_view text, size_t most_bytes = 400);

// `text`, cut to at most `most_bytes` between characters, with "..." in the middle: what it is
// about stands at the start, and the cause at the end. Text that is no UTF-8 is cut all the same.
// Requires: most_bytes >= 3.
std::string CutText(std::string text, size_t most_bytes);

// "a, b, c and 4 more": the first three in their order, the rest counted.
std::string FirstNames(std::vector<std::string> names);

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_TEXT_H_
