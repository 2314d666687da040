// Reads the certificates of a CA out of what people really have: caCert of an Installation, or the
// signer's ca.crt. What is something else is told with the command that makes it right.
#ifndef CALICO_OPERATOR_VALIDATION_CA_PEM_H_
#define CALICO_OPERATOR_VALIDATION_CA_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "pkg/pki/certificate.h"

namespace calico::validation {

// Where the text stands: in a field that holds base64 of it, or in a file of its own. Commands in
// messages make what belongs there.
enum class CaPlace { kField, kFile };

struct CaPem {
  std::vector<pki::Certificate> certificates;  // each once, in their order
  std::vector<std::string> problems;           // phrases that follow the name of the place
};

// `text` is the file, or the field after base64 decoding. A byte order mark, CRLF and text around
// the certificates are taken; there are never fewer certificates than the text has without a
// problem that says so. No message quotes what may be part of a key.
CaPem ReadCaPem(std::string_view text, CaPlace place);

}  // namespace calico::validation

#endif  // CALICO_OPERATOR_VALIDATION_CA_PEM_H_
