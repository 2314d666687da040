#include "operator/calicert/certificates/chain_report.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "operator/calicert/certificates/describe.h"
#include "pkg/pki/ca/go_reading.h"

namespace calico::calicert {
namespace {

using pki::Certificate;

constexpr size_t kMaxLinks = 16;

class Judge {
 public:
  explicit Judge(const ChainQuestion& question) : question_(question) {}

  ChainReport Run() {
    const Certificate* current = &question_.chain.front();
    for (size_t i = 0; current != nullptr && i < kMaxLinks; ++i) {
      report_.links.push_back({.subject = NameOf(*current)});
      CheckOne(*current, i);
      current = CheckIssuer(*current, i);
    }
    const absl::Status verdict = pki::VerifyChain(
        question_.chain.front(), {question_.chain.begin() + 1, question_.chain.end()},
        question_.roots, question_.purpose, question_.now);
    report_.holds = verdict.ok();
    const bool explained = std::any_of(report_.links.begin(), report_.links.end(),
                                       [](const ChainLink& link) { return !link.holds; });
    if (!verdict.ok() && !explained) Object(report_.links.front(), WhyTheLeaf(verdict));
    return std::move(report_);
  }

 private:
  static std::string NameOf(const Certificate& certificate) {
    return certificate.subject().empty() ? TitleOf(certificate) : certificate.subject();
  }
  // What is wrong takes the place of what is good.
  static void Object(ChainLink& link, const std::string& cause) {
    link.verdict = link.holds ? cause : link.verdict + "; " + cause;
    link.holds = false;
  }

  // OpenSSL's objection to the first certificate, and the likely cause: its chain stands before it.
  std::string WhyTheLeaf(const absl::Status& verdict) const {
    const Certificate& first = question_.chain.front();
    const bool is_above =
        first.is_ca() && std::any_of(question_.chain.begin() + 1, question_.chain.end(),
                                     [&](const Certificate& c) { return !c.is_ca(); });
    std::string why(verdict.message());
    if (is_above)
      why += "; it is a CA and stands first: put the certificate that is for the host first";
    return why;
  }

  bool IsTrusted(const Certificate& certificate) const {
    const auto& roots = question_.roots;
    return std::find(roots.begin(), roots.end(), certificate) != roots.end();
  }

  // What does not depend on who signed it. `below` is how many stand under it.
  void CheckOne(const Certificate& certificate, size_t below) {
    ChainLink& link = report_.links.back();
    if (question_.now > certificate.not_after()) {
      Object(link, fmt::format("it has expired at {}", TimeText(certificate.not_after())));
    } else if (question_.now < certificate.not_before()) {
      Object(link, fmt::format("it is not valid before {}, and now it is {}",
                               TimeText(certificate.not_before()), TimeText(question_.now)));
    }
    if (const absl::Status strength = certificate.public_key().CheckStrength(); !strength.ok()) {
      Object(link, std::string(strength.message()));
    }
    if (const absl::Status go = pki::CheckGoReads(certificate); !go.ok()) {
      Object(link, fmt::format("programs in Go cannot read it: {}", std::string(go.message())));
    }
    if (below == 0) return CheckPurpose(certificate);
    if (!certificate.is_ca()) {
      Object(link, "it is not a CA (basicConstraints), so what it signs is refused");
    } else if (!certificate.AllowsKeyUsage(pki::KeyUsage::kCertSign)) {
      Object(link, "its keyUsage lacks keyCertSign, so what it signs is refused");
    }
    const std::optional<int> limit = certificate.path_length();
    if (limit.has_value() && static_cast<int>(below) - 1 > *limit) {
      Object(link, fmt::format("its path length {} does not allow {} CA{} below it", *limit,
                               below - 1, below == 2 ? "" : "s"));
    }
  }

  void CheckPurpose(const Certificate& leaf) {
    if (question_.purpose == pki::ExtendedKeyUsage::kAny || leaf.extended_key_usages().empty()) {
      return;
    }
    const bool server = question_.purpose == pki::ExtendedKeyUsage::kServerAuth;
    const std::string_view wanted = server ? pki::kOidServerAuth : pki::kOidClientAuth;
    if (leaf.HasExtendedKeyUsage(wanted)) return;
    Object(report_.links.back(), fmt::format("it is for {}, not for {}", PurposeText(leaf),
                                             pki::ExtendedKeyUsageName(wanted)));
  }

  // The next one above, or null at the end.
  const Certificate* CheckIssuer(const Certificate& certificate, size_t below) {
    ChainLink& link = report_.links.back();
    const std::string good =
        IsTrusted(certificate) ? fmt::format("trusted ({})", question_.roots_name) : std::string();
    if (!good.empty()) {
      if (link.holds) link.verdict = good;
      return nullptr;
    }
    for (const auto* pool : {&question_.roots, &question_.chain}) {
      for (const Certificate& above : *pool) {
        if (above == certificate || !pki::IsIssuedBy(certificate, above)) continue;
        if (link.holds) link.verdict = fmt::format("signed by {}", NameOf(above));
        return below + 1 < kMaxLinks ? &above : nullptr;
      }
    }
    Object(link, WhyNoIssuer(certificate));
    return nullptr;
  }

  // One that has the name of its issuer: by the key identifier, else any.
  const Certificate* OfIssuersName(const Certificate& certificate) const {
    const Certificate* found = nullptr;
    for (const auto* pool : {&question_.roots, &question_.chain}) {
      for (const Certificate& above : *pool) {
        if (above.subject() != certificate.issuer() || above == certificate) continue;
        const bool same_key = !above.subject_key_id().empty() &&
                              above.subject_key_id() == certificate.authority_key_id();
        if (found == nullptr || same_key) found = &above;
      }
    }
    return found;
  }

  std::string WhyNoIssuer(const Certificate& certificate) const {
    if (certificate.is_self_signed()) {
      return fmt::format("it is self-signed and not in {}", question_.roots_name);
    }
    if (const Certificate* above = OfIssuersName(certificate); above != nullptr) {
      const std::string where = IsTrusted(*above) ? question_.roots_name : "in the chain";
      const char* why = !above->is_ca()
                            ? "it is not a CA (basicConstraints): what it signs is refused"
                        : !above->AllowsKeyUsage(pki::KeyUsage::kCertSign)
                            ? "its keyUsage lacks keyCertSign: what it signs is refused"
                            : "with another key: has the CA been made anew since?";
      return fmt::format("its issuer {:?} is there ({}), but {}", certificate.issuer(), where, why);
    }
    return fmt::format(
        "its issuer {:?} is neither in {} nor in the chain: add the missing "
        "certificate",
        certificate.issuer(), question_.roots_name);
  }

  const ChainQuestion& question_;
  ChainReport report_;
};

}  // namespace

ChainReport JudgeChain(const ChainQuestion& question) { return Judge(question).Run(); }

}  // namespace calico::calicert
