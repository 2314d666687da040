#include "operator/controllers/csr/ca_source.h"

#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/pki/certificate.h"
#include "pkg/pki/key.h"

namespace calico::csr {
namespace {

constexpr absl::Duration kWarnBefore = absl::Hours(30 * 24);
constexpr absl::Duration kWarnEvery = absl::Hours(24);

class LocalCa final : public IssuingCa {
 public:
  explicit LocalCa(pki::CertificateAuthority authority) : authority_(std::move(authority)) {}

  absl::StatusOr<IssuedCertificate> Issue(const pki::PublicKey& key,
                                          const pki::CertificateTemplate& wanted,
                                          absl::Time now) const override {
    CALICO_ASSIGN_OR_RETURN(const pki::Certificate leaf, authority_.Issue(key, wanted, now));
    return IssuedCertificate{authority_.ChainPem(leaf), leaf.serial(), leaf.not_after()};
  }
  absl::Time not_after() const override { return authority_.not_after(); }

 private:
  pki::CertificateAuthority authority_;
};

absl::Status CheckValidity(const std::vector<pki::Certificate>& chain, absl::Time now) {
  for (const pki::Certificate& certificate : chain) {
    if (now < certificate.not_before()) {
      return absl::FailedPreconditionError(
          fmt::format("{} is not valid before {}", certificate.subject(),
                      codec::EncodeTime(certificate.not_before())));
    }
    if (now >= certificate.not_after()) {
      return absl::FailedPreconditionError(fmt::format("{} expired at {}", certificate.subject(),
                                                       codec::EncodeTime(certificate.not_after())));
    }
  }
  return absl::OkStatus();
}

}  // namespace

FileCaSource::FileCaSource(std::string cert_file, std::string key_file, const base::Clock& clock,
                           const base::Logger& logger)
    : cert_file_(std::move(cert_file)),
      key_file_(std::move(key_file)),
      clock_(clock),
      logger_(logger),
      watched_({cert_file_, key_file_}) {}

std::unique_ptr<FileCaSource> FileCaSource::Open(std::string cert_file, std::string key_file,
                                                 const base::Clock& clock,
                                                 const base::Logger& logger) {
  std::unique_ptr<FileCaSource> source(
      new FileCaSource(std::move(cert_file), std::move(key_file), clock, logger));
  source->Refresh();
  return source;
}

absl::StatusOr<std::shared_ptr<const IssuingCa>> FileCaSource::Load(
    const base::SecretString& cert_pem, const base::SecretString& key_pem) const {
  absl::StatusOr<std::vector<pki::Certificate>> chain =
      pki::Certificate::ParsePemBundle(cert_pem.view(), pki::SurroundingText::kAllow);
  if (!chain.ok()) return base::Annotate(chain.status(), fmt::format("read {}", cert_file_));
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(key_pem.view());
  if (!key.ok()) return base::Annotate(key.status(), fmt::format("read {}", key_file_));
  if (const absl::Status valid = CheckValidity(*chain, clock_.Now()); !valid.ok()) {
    return base::Annotate(valid, fmt::format("use {}", cert_file_));
  }
  absl::StatusOr<pki::CertificateAuthority> authority =
      pki::CertificateAuthority::Create(*std::move(chain), *std::move(key));
  if (!authority.ok()) {
    return base::Annotate(authority.status(), fmt::format("use {} with {}", cert_file_, key_file_));
  }
  return std::make_shared<const LocalCa>(*std::move(authority));
}

base::WatchedFiles::News FileCaSource::Look() {
  return watched_.Refresh([this](std::span<const base::SecretString> files) -> absl::Status {
    CALICO_ASSIGN_OR_RETURN(current_, Load(files[0], files[1]));
    return absl::OkStatus();
  });
}

void FileCaSource::WarnBeforeEnd() {
  if (current_ == nullptr) return;
  const absl::Time now = clock_.Now();
  const absl::Duration left = current_->not_after() - now;
  if (left > kWarnBefore || now < next_warning_) return;
  next_warning_ = now + kWarnEvery;
  const std::string end = codec::EncodeTime(current_->not_after());
  if (left > absl::ZeroDuration()) {
    logger_.Warning("the CA expires soon", {{"file", cert_file_}, {"not_after", end}});
  } else {
    logger_.Error("the CA has expired, nothing can be signed",
                  {{"file", cert_file_}, {"not_after", end}});
  }
}

void FileCaSource::Refresh() {
  switch (Look()) {
    case base::WatchedFiles::News::kNone:
      break;
    case base::WatchedFiles::News::kTaken:
      next_warning_ = absl::InfinitePast();
      logger_.Info("CA read",
                   {{"file", cert_file_}, {"not_after", codec::EncodeTime(current_->not_after())}});
      break;
    case base::WatchedFiles::News::kFailed:
      // The two files may have been seen between their replacements; the next look tells.
      logger_.Error(current_ == nullptr ? "no usable CA, requests wait until there is one"
                                        : "CA not taken, the old one stays",
                    {{"error", watched_.status()}});
      break;
  }
  WarnBeforeEnd();
}

}  // namespace calico::csr
