#include "pkg/pki/ca/ca_check.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <openssl/x509.h>

#include "pkg/pki/ca/go_reading.h"
#include "pkg/pki/ca/name_constraints.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/x509.h"
#include "pkg/pki/verify.h"

namespace calico::pki {
namespace {

// Of a bundle; a file that needs more is made to be slow.
constexpr int kMostSignatures = 256;
constexpr int kLeastSecurityBits = 112;

std::string Date(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

bool IsExpired(const Certificate& certificate, absl::Time now) {
  return now > certificate.not_after();
}
bool IsFuture(const Certificate& certificate, absl::Time now) {
  return now < certificate.not_before();
}
bool IsValid(const Certificate& certificate, absl::Time now) {
  return !IsExpired(certificate, now) && !IsFuture(certificate, now);
}

// "expired on 2020-01-01 00:00 UTC" of a certificate that is not valid.
std::string WhyInvalid(const Certificate& certificate, absl::Time now) {
  return IsExpired(certificate, now)
             ? fmt::format("expired on {}", Date(certificate.not_after()))
             : fmt::format("is not valid before {}", Date(certificate.not_before()));
}

void CheckUsages(const Certificate& ca, const CaDemands& demands,
                 std::vector<std::string>& problems) {
  if (ca.extended_key_usages().empty() || ca.HasExtendedKeyUsage(kOidAnyExtendedKeyUsage)) return;
  std::string missing;
  for (const CaDemands::Usage& usage : demands.usages) {
    if (ca.HasExtendedKeyUsage(usage.oid)) continue;
    missing += fmt::format("{}{}, which {} needs", missing.empty() ? "" : ", and ",
                           ExtendedKeyUsageName(usage.oid), usage.who);
  }
  if (missing.empty()) return;
  problems.push_back(
      fmt::format("limits what is below it by an extendedKeyUsage that lacks {}: make the CA anew "
                  "without extendedKeyUsage, or with that too",
                  missing));
}

void CheckNames(const Certificate& ca, const CaDemands& demands,
                std::vector<std::string>& problems) {
  std::vector<std::string> violations = NameConstraintViolations(ca, {.dns_names = demands.names});
  // Each is the subject of a certificate of its own; one says enough.
  for (const std::string& name : demands.names) {
    for (std::string& violation : NameConstraintViolations(ca, {.common_name = name})) {
      const auto same = std::find(violations.begin(), violations.end(), violation);
      if (same == violations.end()) violations.push_back(std::move(violation));
    }
    if (!violations.empty()) break;
  }
  for (const std::string& violation : violations) {
    problems.push_back(
        fmt::format("cannot sign what is needed: {}: make the CA anew with constraints that allow "
                    "it, or without",
                    violation));
  }
}

// What the constraints say about addresses. No problem: a signer may leave addresses out.
void NoteAddresses(const Certificate& ca, std::string_view which, const CaDemands& demands,
                   std::vector<std::string>& notes) {
  constexpr std::string_view kRemedy =
      "the signer has to leave addresses out, or refuses such requests";
  if (demands.has_ip_addresses && ForbidsEveryIpAddress(ca)) {
    notes.push_back(
        fmt::format("{} permits no IP address by its name constraints: {}", which, kRemedy));
    return;
  }
  for (const std::string& violation :
       NameConstraintViolations(ca, {.ip_addresses = demands.ip_addresses})) {
    notes.push_back(fmt::format("{}: {}: {}", which, violation, kRemedy));
  }
}

// SHA-1, say: whoever has to verify it refuses it, as `VerifyChain` and Go do.
bool HasWeakSignature(const Certificate& certificate) {
  int bits = 0;
  return X509_get_signature_info(internal::CertificateAccess::Handle(certificate), nullptr, nullptr,
                                 &bits, nullptr) == 1 &&
         bits < kLeastSecurityBits;
}

// Go compares the bytes of names, OpenSSL what they mean.
bool HasSameNameBytes(const Certificate& child, const Certificate& parent) {
  const auto bytes = [](const X509_NAME* name) { return internal::Encode(i2d_X509_NAME, name); };
  return bytes(X509_get_issuer_name(internal::CertificateAccess::Handle(child))) ==
         bytes(X509_get_subject_name(internal::CertificateAccess::Handle(parent)));
}

// Finds the CAs of a bundle that lie deeper than one above allows.
class PathLengths {
 public:
  PathLengths(absl::Span<const Certificate> bundle, absl::Time now) : bundle_(bundle), now_(now) {}

  // A valid CA below bundle[top] that its path length forbids.
  std::optional<size_t> FirstTooDeep(size_t top) {
    if (!bundle_[top].path_length().has_value()) return std::nullopt;
    std::vector<size_t> level = {top};
    std::set<size_t> seen = {top};
    for (int depth = 1; !level.empty(); ++depth) {
      level = Below(level, seen);
      if (!level.empty() && depth > *bundle_[top].path_length()) return level.front();
    }
    return std::nullopt;
  }

 private:
  std::vector<size_t> Below(const std::vector<size_t>& level, std::set<size_t>& seen) {
    std::vector<size_t> next;
    for (const size_t parent : level) {
      for (size_t i = 0; i < bundle_.size(); ++i) {
        const Certificate& child = bundle_[i];
        // Self-issued ones do not count (RFC 5280 6.1.4).
        if (!child.is_ca() || child.subject() == child.issuer() || seen.contains(i) ||
            !IsValid(child, now_) || child.issuer() != bundle_[parent].subject() ||
            signatures_ == kMostSignatures) {
          continue;
        }
        ++signatures_;
        if (!IsIssuedBy(child, bundle_[parent])) continue;
        seen.insert(i);
        next.push_back(i);
      }
    }
    return next;
  }

  absl::Span<const Certificate> bundle_;
  absl::Time now_;
  int signatures_ = 0;
};

absl::Time NextChange(const Certificate& certificate, absl::Time now) {
  absl::Time next = absl::InfiniteFuture();
  for (const absl::Time at :
       {certificate.not_before(), certificate.not_after() - kCaEndsSoon, certificate.not_after()}) {
    if (at >= now) next = std::min(next, at + absl::Seconds(1));
  }
  return next;
}

// What the time says about one certificate of a bundle.
void JudgeTime(const Certificate& certificate, std::string_view which, bool some_are_valid,
               absl::Time now, CaFindings& findings) {
  if (IsValid(certificate, now)) {
    if (now > certificate.not_after() - kCaEndsSoon) {
      findings.notes.push_back(fmt::format("{} ends on {}", which, Date(certificate.not_after())));
    }
    return;
  }
  const std::string why = WhyInvalid(certificate, now);
  if (some_are_valid) {
    findings.notes.push_back(fmt::format("{} {}: {}", which, why,
                                         IsExpired(certificate, now)
                                             ? "remove it when nothing needs it any more"
                                             : "until then the other ones count"));
  } else {
    findings.problems.push_back(fmt::format("{} {}: {}", which, why,
                                            IsExpired(certificate, now)
                                                ? "replace it by the CA's new one"
                                                : "wait, add the CA that is valid now, or check "
                                                  "the clocks"));
  }
}

// Of two that would do at `now`: a valid one is better, then the one that ends last.
bool IsBetter(const Certificate& a, const Certificate& b, absl::Time now) {
  if (IsValid(a, now) != IsValid(b, now)) return IsValid(a, now);
  return a.not_after() > b.not_after();
}

// The best certificate of `file` that has issued file[child]; not valid if none of them is.
std::optional<size_t> IssuerOf(absl::Span<const Certificate> file, size_t child, absl::Time now,
                               const std::vector<size_t>& used) {
  std::optional<size_t> best;
  for (size_t i = 0; i < file.size(); ++i) {
    if (std::find(used.begin(), used.end(), i) != used.end() || !IsIssuedBy(file[child], file[i])) {
      continue;
    }
    if (!best.has_value() || IsBetter(file[i], file[*best], now)) best = i;
  }
  return best;
}

// The valid certificate for `key` that ends last: a renewed one before the one that it replaces.
absl::StatusOr<size_t> ChooseCa(absl::Span<const Certificate> file, const PublicKey& key,
                                absl::Time now) {
  std::string invalid;
  std::optional<size_t> best;
  for (size_t i = 0; i < file.size(); ++i) {
    if (file[i].public_key() != key) continue;
    if (!best.has_value() || IsBetter(file[i], file[*best], now)) best = i;
    if (IsValid(file[i], now)) continue;
    invalid += fmt::format("{}{} {}", invalid.empty() ? "" : ", ", NameInFile(i, file),
                           WhyInvalid(file[i], now));
  }
  if (best.has_value() && IsValid(file[*best], now)) return *best;
  if (!invalid.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("{}{}", file.size() == 1 ? "" : "of those that are for the key, ", invalid));
  }
  if (file.size() == 1) return KeyMatches(file.front(), key);
  return absl::FailedPreconditionError(
      fmt::format("none of the {} certificates is for the key", file.size()));
}

// Why file[index] is not in `chain`: what follows its name.
std::string WhyLeftOut(absl::Span<const Certificate> file, size_t index, const CaChain& chain,
                       absl::Time now) {
  const Certificate& certificate = file[index];
  const Certificate& ca = file[chain.indices.front()];
  const Certificate& last = file[chain.indices.back()];
  if (!IsValid(certificate, now)) {
    const std::string why = WhyInvalid(certificate, now);
    // A root is not sent, so its end harms nobody here; above a root nothing is missing.
    const bool is_root = certificate.is_self_signed() || last.is_self_signed();
    if (is_root || !IsIssuedBy(last, certificate)) return why;
    return fmt::format(
        "{} and stands above the CA: it is not sent, and who trusts neither the CA nor another one "
        "above it refuses what is signed",
        why);
  }
  if (certificate.public_key() == ca.public_key()) {
    return "is for the key too, but of such the one that ends last signs";
  }
  bool has_name_above = false;
  for (const size_t below : chain.indices) {
    if (IsIssuedBy(file[below], certificate)) {
      return "is above the CA too, but of such the one that ends last is taken";
    }
    has_name_above = has_name_above || (!file[below].is_self_signed() &&
                                        file[below].issuer() == certificate.subject());
  }
  if (has_name_above) {
    return "has the name of one above the CA, but is another one by its key, its serial number or "
           "what it may sign";
  }
  return "is neither for the key nor above the CA";
}

// What peers may refuse although the chain is sound.
void NoteWeakLinks(absl::Span<const Certificate> file, CaChain& chain) {
  for (size_t at = 0; at < chain.indices.size(); ++at) {
    const Certificate& certificate = file[chain.indices[at]];
    const std::string which = NameInFile(chain.indices[at], file);
    if (!certificate.is_self_signed() && HasWeakSignature(certificate)) {
      chain.notes.push_back(
          fmt::format("{} has a weak signature, which only those take who trust it itself", which));
    }
    if (at + 1 < chain.indices.size() &&
        !HasSameNameBytes(certificate, file[chain.indices[at + 1]])) {
      chain.notes.push_back(fmt::format(
          "{} encodes its issuer's name in another way than {}, which Go takes for another name: "
          "trust the first one itself",
          which, NameInFile(chain.indices[at + 1], file)));
    }
  }
}

}  // namespace

std::vector<std::string> CaProblems(const Certificate& ca, const CaDemands& demands) {
  std::vector<std::string> problems;
  if (!ca.is_ca()) {
    problems.emplace_back(
        "is not a CA (basicConstraints): put the certificate of the CA there that signs, not one "
        "that it signed");
  } else if (!ca.AllowsKeyUsage(KeyUsage::kCertSign)) {
    problems.emplace_back(
        "may not sign certificates (keyUsage lacks keyCertSign): make the CA anew with it");
  }
  if (const absl::Status strength = ca.public_key().CheckStrength(); !strength.ok()) {
    problems.push_back(
        fmt::format("has a key that no peer accepts: {}", std::string(strength.message())));
  } else if (const absl::Status readable = CheckGoReads(ca); !readable.ok()) {
    problems.push_back(
        fmt::format("is refused by Go, in which the API server and others are written: {}",
                    std::string(readable.message())));
  }
  CheckUsages(ca, demands, problems);
  CheckNames(ca, demands, problems);
  return problems;
}

std::string NameInFile(size_t index, absl::Span<const Certificate> file) {
  const std::string_view subject = file[index].subject();
  const std::string_view shown = subject.empty() ? std::string_view("without a subject") : subject;
  return file.size() == 1 ? fmt::format("the certificate ({})", shown)
                          : fmt::format("certificate {} of {} ({})", index + 1, file.size(), shown);
}

CaFindings CheckCaBundle(absl::Span<const Certificate> bundle, const CaDemands& demands,
                         absl::Time now) {
  CaFindings findings;
  const bool some_are_valid =
      std::any_of(bundle.begin(), bundle.end(), [now](const auto& ca) { return IsValid(ca, now); });
  PathLengths path_lengths(bundle, now);
  for (size_t i = 0; i < bundle.size(); ++i) {
    const std::string which = NameInFile(i, bundle);
    JudgeTime(bundle[i], which, some_are_valid, now, findings);
    findings.recheck_at = std::min(findings.recheck_at, NextChange(bundle[i], now));
    if (IsExpired(bundle[i], now)) continue;
    NoteAddresses(bundle[i], which, demands, findings.notes);
    for (const std::string& problem : CaProblems(bundle[i], demands)) {
      findings.problems.push_back(fmt::format("{} {}", which, problem));
    }
    if (const std::optional<size_t> deep = path_lengths.FirstTooDeep(i)) {
      // No problem: the lower one is trusted itself.
      findings.notes.push_back(
          fmt::format("{} has a path length of {}, which forbids {} below it: who does not trust "
                      "the lower one itself refuses what it signs",
                      which, *bundle[i].path_length(), NameInFile(*deep, bundle)));
    }
  }
  return findings;
}

absl::StatusOr<CaChain> ChooseCaChain(absl::Span<const Certificate> file, const PublicKey& key,
                                      absl::Time now) {
  if (file.empty()) return absl::FailedPreconditionError("no certificate");
  const absl::StatusOr<size_t> ca = ChooseCa(file, key, now);
  if (!ca.ok()) return ca.status();
  CaChain chain{.indices = {*ca}};
  while (!file[chain.indices.back()].is_self_signed()) {
    const auto issuer = IssuerOf(file, chain.indices.back(), now, chain.indices);
    // Who trusts the CA itself needs nothing above it.
    if (!issuer.has_value() || !IsValid(file[*issuer], now)) break;
    chain.indices.push_back(*issuer);
  }
  NoteWeakLinks(file, chain);
  for (size_t i = 0; i < file.size(); ++i) {
    if (std::find(chain.indices.begin(), chain.indices.end(), i) != chain.indices.end()) continue;
    chain.notes.push_back(
        fmt::format("{} {}", NameInFile(i, file), WhyLeftOut(file, i, chain, now)));
  }
  return chain;
}

}  // namespace calico::pki
