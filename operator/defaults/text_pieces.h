// Pieces of a text between separators.
#ifndef CALICO_OPERATOR_DEFAULTS_TEXT_PIECES_H_
#define CALICO_OPERATOR_DEFAULTS_TEXT_PIECES_H_

#include <string_view>
#include <vector>

namespace calico::defaults {

// Without ASCII white space at both ends.
std::string_view Trimmed(std::string_view text);

// Trimmed pieces that are not empty. They view `text`.
std::vector<std::string_view> PiecesOf(std::string_view text, char separator);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_TEXT_PIECES_H_
