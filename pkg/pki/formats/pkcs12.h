// PKCS#12 (.p12, .pfx): a key with its chain, or trusted certificates, behind a passphrase.
#ifndef CALICO_PKG_PKI_FORMATS_PKCS12_H_
#define CALICO_PKG_PKI_FORMATS_PKCS12_H_

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "pkg/base/secret_string.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::pki {

struct Pkcs12Contents {
  std::vector<PrivateKey> keys;
  // In the order of the file, but the one that is for keys.front() first, if there is one.
  std::vector<Certificate> certificates;
  std::string friendly_name;  // the first that there is: Java's alias; may be empty
};

// `der` begins like PKCS#12.
bool LooksLikePkcs12(std::string_view der);

// Reads what OpenSSL, Java and Windows write. At most 4 MiB, 1024 entries, bags in bags 4 deep; an
// iteration count that would take minutes is refused before it is used. Entries of other kinds
// (revocation lists, secrets) are skipped.
// Errors: Unauthenticated for a wrong passphrase; Unimplemented naming an encryption that is not in
// this build (RC2, RC4); ResourceExhausted; InvalidArgument: damaged, or not protected by a
// passphrase but by a public key.
absl::StatusOr<Pkcs12Contents> ParsePkcs12(std::string_view der, std::string_view passphrase);

// `certificates` is the leaf for `key`, then its chain. Key and certificates with AES-256-CBC, MAC
// with SHA-256, both with 100,000 iterations: OpenSSL 1.1.1, Java 8u301 and Windows Server 2019 and
// later read it. `alias` is what keytool lists.
// Errors: InvalidArgument: no certificate, the first one is not for `key`, an empty passphrase,
// which Java does not read; Internal.
absl::StatusOr<base::SecretString> WritePkcs12(const PrivateKey& key,
                                               const std::vector<Certificate>& certificates,
                                               const std::string& alias,
                                               std::string_view passphrase);

}  // namespace calico::pki

#endif  // CALICO_PKG_PKI_FORMATS_PKCS12_H_
