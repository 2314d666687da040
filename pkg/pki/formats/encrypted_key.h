// Private keys in every form that files have them: encrypted (PKCS#8, and the PEM headers of RFC
// 1423), PKCS#8 and DER. For command lines; what runs unattended stays with PrivateKey::ParsePem.
#ifndef CALICO_PKG_PKI_FORMATS_ENCRYPTED_KEY_H_
#define CALICO_PKG_PKI_FORMATS_ENCRYPTED_KEY_H_

#include <functional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/base/secret_string.h"
#include "pkg/pki/key.h"

namespace calico::pki {

// How a key stands in its file.
struct KeyForm {
  std::string encoding;  // "PKCS#1", "SEC1", "PKCS#8"; empty: unknown
  bool is_pem = false;   // else DER
  bool is_encrypted = false;
  std::string encryption;  // "PBES2 (aes-256-cbc)", "DES-EDE3-CBC"; empty when not encrypted
};

// Asked only when the key is encrypted.
using PassphraseReader = std::function<absl::StatusOr<base::SecretString>()>;

struct ParsedKey {
  PrivateKey key;
  KeyForm form;
};

// Reads one key from PEM text (other blocks beside it are skipped, as PrivateKey::ParsePem does) or
// from DER. The label `Ed25519 PRIVATE KEY` around PKCS#8, which cfssl writes, is read too.
// Errors: those of `passphrase`; Unauthenticated for a wrong passphrase, as far as that can be
// told; Unimplemented naming an encryption that is not in this build; InvalidArgument as
// PrivateKey::ParsePem.
absl::StatusOr<ParsedKey> ParseAnyKey(std::string_view text, const PassphraseReader& passphrase);

// `text` begins like a DER key, encrypted or not, or holds a PEM block with a private key.
bool LooksLikeKey(std::string_view text);

// `PRIVATE KEY`, for every family, and its DER.
base::SecretString ToPkcs8Pem(const PrivateKey& key);
base::SecretString ToPkcs8Der(const PrivateKey& key);
// `ENCRYPTED PRIVATE KEY`: PBES2, PBKDF2 with HMAC-SHA-256 and 600,000 iterations, AES-256-CBC.
// Errors: InvalidArgument for an empty passphrase; Internal.
absl::StatusOr<std::string> ToEncryptedPkcs8Pem(const PrivateKey& key, std::string_view passphrase);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_FORMATS_ENCRYPTED_KEY_H_
