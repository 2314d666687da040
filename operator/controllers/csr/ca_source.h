// The CA that signs: an interface, and the one that lives in two files.
//
// What signs is behind IssuingCa, so that a CA in a Secret, or a key in a PKCS#11 token, can take
// the files' place.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_CA_SOURCE_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_CA_SOURCE_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/watched_files.h"
#include "pkg/pki/issue.h"

namespace calico::csr {

struct IssuedCertificate {
  std::string chain_pem;  // leaf first, then intermediates, no root
  std::string serial;     // hexadecimal
  absl::Time not_after;
};

// One state of the CA. Threading: may be used from several threads at once.
class IssuingCa {
 public:
  virtual ~IssuingCa() = default;
  // Errors: FailedPrecondition when the CA is not valid at `now`, PermissionDenied when the CA
  // itself forbids what is wanted; as CertificateAuthority::Issue.
  virtual absl::StatusOr<IssuedCertificate> Issue(const pki::PublicKey& key,
                                                  const pki::CertificateTemplate& wanted,
                                                  absl::Time now) const = 0;
  // When it stops being able to.
  virtual absl::Time not_after() const = 0;
  // Of the certificate that issues, for logs: "CN=example-ca".
  virtual std::string subject() const = 0;
};

// Threading: event loop thread only.
class CaSource {
 public:
  virtual ~CaSource() = default;
  // Null while there is no CA that can serve: requests wait, and status() tells why.
  virtual std::shared_ptr<const IssuingCa> Current() const = 0;
  // How the last look ended; a bad one leaves the CA that was there.
  virtual absl::Status status() const = 0;
  // Looks for a new CA, and warns when the end of the current one is near. Blocking: small files.
  virtual void Refresh() = 0;
};

// A certificate file and a key file, read again when they change and when a certificate begins or
// ends. Of the certificates the valid one that is for the key signs, wherever it stands, and the
// valid ones above it are sent; others, of a rollover say, are left out with a warning, and so is a
// root above it that will not do. A pair that cannot serve is logged, and the old one stays.
// Without an old one, after a start, there is none until the files are mended: a program that ended
// would hide why.
class FileCaSource final : public CaSource {
 public:
  // Looks at the files once. `clock` and `logger` outlive the source. status() is then of the
  // files, with their paths: unreadable, not PEM, no certificate for the key, expired or not valid
  // yet, or a CA that will not do for Calico (validation::CheckCaCertificates says the same).
  static std::unique_ptr<FileCaSource> Open(std::string cert_file, std::string key_file,
                                            const base::Clock& clock, const base::Logger& logger);

  std::shared_ptr<const IssuingCa> Current() const override { return current_; }
  absl::Status status() const override { return watched_.status(); }
  void Refresh() override;

 private:
  FileCaSource(std::string cert_file, std::string key_file, const base::Clock& clock,
               const base::Logger& logger);
  // What the files make: the CA, what their owner should know, and when that changes by itself.
  struct Loaded {
    std::shared_ptr<const IssuingCa> ca;
    std::vector<std::string> notes;
    absl::Time next_change = absl::InfiniteFuture();
  };
  absl::StatusOr<Loaded> Load(const base::SecretString& cert_pem,
                              const base::SecretString& key_pem) const;
  base::WatchedFiles::News Look();
  void WarnOfNotes();
  void WarnBeforeEnd();

  std::string cert_file_;
  std::string key_file_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  base::WatchedFiles watched_;
  absl::Time next_warning_ = absl::InfinitePast();
  absl::Time next_change_ = absl::InfiniteFuture();
  std::vector<std::string> notes_;
  std::string warned_;  // what of notes_ has been told
  std::shared_ptr<const IssuingCa> current_;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_CA_SOURCE_H_
