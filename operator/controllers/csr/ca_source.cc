#include "operator/controllers/csr/ca_source.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/validation/ca_certificates.h"
#include "operator/validation/ca_pem.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/pki/ca/ca_check.h"
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
  std::string subject() const override { return authority_.certificate().subject(); }

 private:
  pki::CertificateAuthority authority_;
};

// When a certificate of the file begins or ends next.
absl::Time NextChange(const std::vector<pki::Certificate>& file, absl::Time now) {
  absl::Time next = absl::InfiniteFuture();
  for (const pki::Certificate& certificate : file) {
    for (const absl::Time at : {certificate.not_before(), certificate.not_after()}) {
      if (at >= now) next = std::min(next, at + absl::Seconds(1));
    }
  }
  return next;
}

// What is wrong with a CA that has `below` CAs below it.
std::vector<std::string> ProblemsAbove(const pki::Certificate& ca, size_t below,
                                       const pki::CaDemands& demands) {
  std::vector<std::string> problems = pki::CaProblems(ca, demands);
  const std::optional<int> limit = ca.path_length();
  if (limit.has_value() && below > static_cast<size_t>(*limit)) {
    problems.push_back(fmt::format("has a path length of {}, with {} CAs below it", *limit, below));
  }
  return problems;
}

// The certificates that sign and are sent, each of which will do. A root above the CA is never
// sent: one that will not do is left out with a note, as if it were not in the file.
absl::StatusOr<std::vector<pki::Certificate>> Take(const std::vector<pki::Certificate>& file,
                                                   pki::CaChain& chosen) {
  const pki::CaDemands demands = validation::CalicoUsages();
  std::vector<pki::Certificate> chain;
  std::vector<std::string> problems;
  for (const size_t index : chosen.indices) {
    const bool is_root_above = !chain.empty() && file[index].is_self_signed();
    const std::vector<std::string> found = is_root_above
                                               ? ProblemsAbove(file[index], chain.size(), demands)
                                               : pki::CaProblems(file[index], demands);
    for (const std::string& problem : found) {
      (is_root_above ? chosen.notes : problems)
          .push_back(
              fmt::format("{} {}{}", pki::NameInFile(index, file), problem,
                          is_root_above ? " (who trusts it alone refuses what is signed)" : ""));
    }
    if (is_root_above && !found.empty()) break;
    chain.push_back(file[index]);
  }
  if (problems.empty()) return chain;
  return absl::InvalidArgumentError(fmt::format("{}", fmt::join(problems, "; ")));
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

absl::StatusOr<FileCaSource::Loaded> FileCaSource::Load(const base::SecretString& cert_pem,
                                                        const base::SecretString& key_pem) const {
  const validation::CaPem file = validation::ReadCaPem(cert_pem.view(), validation::CaPlace::kFile);
  if (!file.problems.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("read {}: {}", cert_file_, fmt::join(file.problems, "; ")));
  }
  absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(key_pem.view());
  if (!key.ok()) return base::Annotate(key.status(), fmt::format("read {}", key_file_));
  const std::string use = fmt::format("use {} with {}", cert_file_, key_file_);
  const absl::Time now = clock_.Now();
  absl::StatusOr<pki::CaChain> chosen =
      pki::ChooseCaChain(file.certificates, key->public_key(), now);
  if (!chosen.ok()) return base::Annotate(chosen.status(), use);
  absl::StatusOr<std::vector<pki::Certificate>> chain = Take(file.certificates, *chosen);
  if (!chain.ok()) return base::Annotate(chain.status(), use);
  absl::StatusOr<pki::CertificateAuthority> authority =
      pki::CertificateAuthority::Create(*std::move(chain), *std::move(key));
  if (!authority.ok()) return base::Annotate(authority.status(), use);
  return Loaded{.ca = std::make_shared<const LocalCa>(*std::move(authority)),
                .notes = std::move(chosen->notes),
                .next_change = NextChange(file.certificates, now)};
}

base::WatchedFiles::News FileCaSource::Look() {
  const absl::Time now = clock_.Now();
  if (now >= next_change_) {
    watched_.Forget();
    next_change_ = absl::InfiniteFuture();
  }
  return watched_.Refresh([this](std::span<const base::SecretString> files) -> absl::Status {
    CALICO_ASSIGN_OR_RETURN(Loaded loaded, Load(files[0], files[1]));
    current_ = std::move(loaded.ca);
    notes_ = std::move(loaded.notes);
    next_change_ = loaded.next_change;
    return absl::OkStatus();
  });
}

void FileCaSource::WarnOfNotes() {
  std::string text = fmt::format("{}", fmt::join(notes_, "; "));
  if (text == warned_) return;
  warned_ = std::move(text);
  if (warned_.empty()) return;
  logger_.Warning("not all certificates of the CA's file will do",
                  {{"file", cert_file_}, {"certificates", warned_}});
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
      WarnOfNotes();
      logger_.Info("CA read", {{"file", cert_file_},
                               {"subject", current_->subject()},
                               {"not_after", codec::EncodeTime(current_->not_after())}});
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
