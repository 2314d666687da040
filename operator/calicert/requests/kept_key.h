// A private key in a file of one's own: used if it is there, never overwritten.
#ifndef CALICO_OPERATOR_CALICERT_REQUESTS_KEPT_KEY_H_
#define CALICO_OPERATOR_CALICERT_REQUESTS_KEPT_KEY_H_

#include <optional>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "operator/calicert/command/terminal.h"
#include "pkg/pki/key.h"

namespace calico::calicert::requests {

// The key of the file, or nullopt when there is no such file. Errors: with the path.
absl::StatusOr<std::optional<pki::PrivateKey>> ReadKeptKey(const std::string& path);

// Writes the key for its owner only, and says so. The same key there already is left alone.
// Errors: AlreadyExists when the file holds another key; of writing.
absl::Status KeepKey(const std::string& path, const pki::PrivateKey& key, Terminal& terminal);

}  // namespace calico::calicert::requests

#endif  // CALICO_OPERATOR_CALICERT_REQUESTS_KEPT_KEY_H_
