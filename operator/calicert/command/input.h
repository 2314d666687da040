// What commands read: files, standard input, passphrases. All bounded.
#ifndef CALICO_OPERATOR_CALICERT_COMMAND_INPUT_H_
#define CALICO_OPERATOR_CALICERT_COMMAND_INPUT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "operator/calicert/command/terminal.h"
#include "pkg/base/secret_string.h"

namespace calico::calicert {

// A bundle of all public roots has a quarter of a megabyte.
inline constexpr size_t kMaxInputBytes = 4 << 20;

// The content of the file `name`, of standard input for "-". A pipe is read to its end.
// Errors, all with the name: NotFound, PermissionDenied, InvalidArgument for a folder or more than
// `limit_bytes`, Unavailable.
absl::StatusOr<std::string> ReadInput(Terminal& terminal, const std::string& name,
                                      size_t limit_bytes = kMaxInputBytes);
// The same for what may hold a key: no copy is left elsewhere in memory.
absl::StatusOr<base::SecretString> ReadSecretInput(Terminal& terminal, const std::string& name,
                                                   size_t limit_bytes = kMaxInputBytes);

// How a command gets the passphrase of `what` ("tls.p12").
struct PassphraseSource {
  std::string file;  // --passphrase-file; its first line counts. "-" is standard input
};

// From the file, else asked for on the terminal without echo; `confirm` asks twice, for one that is
// set. Errors: FailedPrecondition naming the flag when there is neither, or the two differ;
// as ReadInput.
absl::StatusOr<base::SecretString> ReadPassphrase(Terminal& terminal,
                                                  const PassphraseSource& source,
                                                  std::string_view what, bool confirm = false);

// The flag of PassphraseSource::file.
void AddPassphraseFlag(config::Flags& flags, PassphraseSource* target);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_COMMAND_INPUT_H_
