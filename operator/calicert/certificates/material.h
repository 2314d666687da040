// Certificates, requests and keys out of bytes in whatever form people have them, and where those
// bytes come from.
#ifndef CALICO_OPERATOR_CALICERT_CERTIFICATES_MATERIAL_H_
#define CALICO_OPERATOR_CALICERT_CERTIFICATES_MATERIAL_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/command/input.h"
#include "operator/calicert/command/terminal.h"
#include "operator/config/flags.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/formats/encrypted_key.h"

namespace calico::calicert {

struct Material {
  std::string origin;  // "tls.crt", "standard input", "https://example.com"
  std::string form;    // "PEM", "DER", "PKCS#7", "PKCS#12", "TLS"
  std::vector<pki::Certificate> certificates;
  std::vector<pki::CertificateRequest> requests;
  std::vector<pki::ParsedKey> keys;  // with KeyReading::kRead
  int skipped_keys = 0;              // with kSkip
  int other_blocks = 0;              // PEM blocks of other kinds
  std::vector<std::string> notes;    // what is told of those, for people
};

// What is in it, for people who have looked for something else: "a private key", "a certificate",
// "a public key", `a block "X"`; "nothing of use".
std::string ContentsText(const Material& material);

enum class KeyReading {
  kSkip,  // no passphrase is asked for because of a key; PKCS#12 may need one all the same
  kRead,
};

// Reads PEM (any number of blocks, with text around them), DER, PKCS#7 and PKCS#12, for which no
// passphrase is asked where the empty one fits, as in stores of trusted certificates.
// Errors: InvalidArgument with `origin` and what is there instead, and what to do about it: a Java
// key store, an object of Kubernetes, base64 without PEM, UTF-16; also a block that is damaged,
// with its number. Errors of `passphrase`.
absl::StatusOr<Material> ParseMaterial(std::string_view bytes, const std::string& origin,
                                       const pki::PassphraseReader& passphrase, KeyReading keys);

// Bytes of a thing in a cluster: "secret/NAME", "configmap/NAME", "csr/NAME", "installation".
using ClusterReader =
    std::function<absl::StatusOr<std::string>(const std::string& name, Terminal& terminal)>;
// Adds the flags of a cluster, and gives what reads from it once they are set. The reader of
// "secret/NAME" and the like: this folder knows no client of Kubernetes.
using DeclareCluster = std::function<ClusterReader(config::Flags& flags)>;

// Whether `name` is one for a ClusterReader.
bool IsClusterName(std::string_view name);

struct SourceOptions {
  PassphraseSource passphrase;
  std::string server_name;                     // of TLS servers
  absl::Duration timeout = absl::Seconds(10);  // of TLS servers
  ClusterReader cluster;                       // null: there is none
};

// The flags of SourceOptions. `cluster` may be null.
void AddSourceFlags(config::Flags& flags, const DeclareCluster& cluster, SourceOptions* target);

// What `name` holds: "-", a file, "https://HOST[:PORT]", "HOST:PORT", or a cluster's name. A file
// that exists wins over everything else. Errors: NotFound; Unavailable; as ParseMaterial.
absl::StatusOr<Material> ReadSource(Terminal& terminal, const std::string& name,
                                    const SourceOptions& options, KeyReading keys);

// The certificates of a file, at least one. Errors: as ReadSource; InvalidArgument.
absl::StatusOr<std::vector<pki::Certificate>> ReadCertificates(Terminal& terminal,
                                                               const std::string& name,
                                                               const SourceOptions& options);
// The one key of a file. Errors: as ReadSource; InvalidArgument.
absl::StatusOr<pki::ParsedKey> ReadKey(Terminal& terminal, const std::string& name,
                                       const PassphraseSource& passphrase);

}  // namespace calico::calicert

#endif  // CALICO_OPERATOR_CALICERT_CERTIFICATES_MATERIAL_H_
