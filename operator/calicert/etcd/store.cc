#include "operator/calicert/etcd/store.h"

#include <sys/stat.h>

#include <fmt/format.h>

#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"

namespace calico::calicert::etcd {
namespace {

bool IsMissing(const absl::Status& status) { return status.code() == absl::StatusCode::kNotFound; }

void ReadCertificateInto(const std::string& file, Found& found) {
  const absl::StatusOr<std::string> text = base::ReadFile(file);
  if (!text.ok()) {
    found.has_certificate = !IsMissing(text.status());
    found.certificate_problem = std::string(text.status().message());
    return;
  }
  if (text->empty()) return;
  found.has_certificate = true;
  auto chain = pki::Certificate::ParsePemBundle(*text, pki::SurroundingText::kAllow);
  if (chain.ok()) {
    found.chain = *std::move(chain);
  } else {
    found.certificate_problem = std::string(chain.status().message());
  }
}

void ReadKeyInto(const std::string& file, Found& found) {
  const absl::StatusOr<base::SecretString> text = base::ReadSecretFile(file);
  if (!text.ok()) {
    found.has_key = !IsMissing(text.status());
    found.key_problem = std::string(text.status().message());
    return;
  }
  if (text->empty()) return;
  found.has_key = true;
  const absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(text->view());
  if (key.ok()) {
    found.key = key->public_key();
  } else {
    found.key_problem = std::string(key.status().message());
  }
}

}  // namespace

Found ReadFound(const std::string& certificate_file, const std::string& key_file) {
  Found found;
  ReadCertificateInto(certificate_file, found);
  ReadKeyInto(key_file, found);
  return found;
}

absl::StatusOr<Trust> ReadTrust(const std::string& file) {
  CALICO_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file));
  auto certificates = pki::Certificate::ParsePemBundle(text, pki::SurroundingText::kAllow);
  if (!certificates.ok()) return base::Annotate(certificates.status(), file);
  return Trust{file, *std::move(certificates)};
}

absl::StatusOr<pki::PrivateKey> ReadKey(const std::string& file) {
  CALICO_ASSIGN_OR_RETURN(const base::SecretString text, base::ReadSecretFile(file));
  auto key = pki::PrivateKey::ParsePem(text.view());
  if (!key.ok()) return base::Annotate(key.status(), file);
  return key;
}

std::string LooseKeyMode(const std::string& key_file) {
  struct stat status{};
  if (stat(key_file.c_str(), &status) != 0 || (status.st_mode & 0077) == 0) return "";
  return fmt::format("mode {:04o}", status.st_mode & 07777);
}

}  // namespace calico::calicert::etcd
