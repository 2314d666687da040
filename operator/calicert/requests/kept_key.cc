#include "operator/calicert/requests/kept_key.h"

#include <utility>

#include <fmt/format.h>

#include "operator/calicert/command/file_output.h"
#include "pkg/base/file.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::requests {

absl::StatusOr<std::optional<pki::PrivateKey>> ReadKeptKey(const std::string& path) {
  const absl::StatusOr<base::SecretString> text = base::ReadSecretFile(path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(text->view());
  if (!key.ok()) return base::Annotate(key.status(), path);
  return std::optional<pki::PrivateKey>(*std::move(key));
}

absl::Status KeepKey(const std::string& path, const pki::PrivateKey& key, Terminal& terminal) {
  CALICO_ASSIGN_OR_RETURN(const std::optional<pki::PrivateKey> kept, ReadKeptKey(path));
  if (kept.has_value()) {
    if (kept->public_key() == key.public_key()) return absl::OkStatus();
    return absl::AlreadyExistsError(fmt::format(
        "{} holds another key: move it away, or name another file (--out, --key)", path));
  }
  const base::SecretString pem = key.ToPem();
  CALICO_RETURN_IF_ERROR(WriteFile(path, pem.view(), kKeyMode));
  Note(terminal, fmt::format("key written to {}", path));
  return absl::OkStatus();
}

}  // namespace calico::calicert::requests
