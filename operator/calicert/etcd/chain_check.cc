#include "operator/calicert/etcd/chain_check.h"

#include <algorithm>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/pki/ca/go_reading.h"

namespace calico::calicert::etcd {
namespace {

using pki::Certificate;
using pki::ExtendedKeyUsage;

void CheckClock(const Certificate& leaf, absl::Time now, std::vector<CheckProblem>& problems) {
  if (now > leaf.not_after()) {
    problems.push_back({"clock", fmt::format("it has expired at {}", TimeText(leaf.not_after())),
                        "renew it: calicert etcd generate"});
  } else if (now < leaf.not_before()) {
    problems.push_back({"clock",
                        fmt::format("it is not valid before {}, and now it is {}",
                                    TimeText(leaf.not_before()), TimeText(now)),
                        "set the clocks of both machines, or wait"});
  }
}

// The certificate of `trust` whose name the leaf's issuer is, whatever its key.
const Certificate* OfThatName(const std::string& issuer, const Trust& trust) {
  for (const Certificate& ca : trust.certificates) {
    if (ca.subject() == issuer) return &ca;
  }
  return nullptr;
}

// Where the chain breaks: nobody above `chain` is trusted.
bool ExplainForeignCa(const std::vector<Certificate>& chain, const Trust& trust,
                      std::vector<CheckProblem>& problems) {
  const Certificate* top = &chain.front();
  for (bool moved = true; moved;) {
    moved = false;
    for (const Certificate& above : chain) {
      if (&above == top || above == *top || !pki::IsIssuedBy(*top, above)) continue;
      top = &above;
      moved = !above.is_self_signed();
      break;
    }
  }
  for (const Certificate& ca : trust.certificates) {
    if (ca == *top || pki::IsIssuedBy(*top, ca)) return false;
  }
  if (OfThatName(top->issuer(), trust) != nullptr) {
    problems.push_back(
        {"chain",
         fmt::format("{} has a CA of its issuer's name \"{}\", but with another key: the CA has "
                     "been made anew since",
                     trust.file, top->issuer()),
         fmt::format("put the CA that signed it into {}, or issue it anew", trust.file)});
  } else {
    problems.push_back(
        {"chain", fmt::format("its issuer \"{}\" is not in {}", top->issuer(), trust.file),
         fmt::format("have the right CA issue it; or, if its issuer is an intermediate of that CA, "
                     "put the intermediate after it into the same file; or add that CA to {} and "
                     "restart who reads it",
                     trust.file)});
  }
  return true;
}

// A CA of the chain whose own extended key usage leaves `purpose` out limits all below it.
void CheckCaUsage(const std::vector<Certificate>& chain, const Trust& trust,
                  ExtendedKeyUsage purpose, const std::string& otherwise,
                  std::vector<CheckProblem>& problems) {
  const std::string_view oid =
      purpose == ExtendedKeyUsage::kServerAuth ? pki::kOidServerAuth : pki::kOidClientAuth;
  std::vector<const Certificate*> above;
  for (size_t i = 1; i < chain.size(); ++i) above.push_back(&chain[i]);
  for (const Certificate& ca : trust.certificates) above.push_back(&ca);
  for (const Certificate* ca : above) {
    if (ca->extended_key_usages().empty() || ca->HasExtendedKeyUsage(oid) ||
        ca->HasExtendedKeyUsage(pki::kOidAnyExtendedKeyUsage)) {
      continue;
    }
    problems.push_back(
        {"usage",
         fmt::format("its CA \"{}\" is limited to {} by an extendedKeyUsage of its own, so {} "
                     "does not count below it",
                     ca->subject(), UsageList(*ca), pki::ExtendedKeyUsageName(oid)),
         "make the CA anew without extendedKeyUsage"});
    return;
  }
  problems.push_back({"chain", otherwise, "issue it anew"});
}

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

std::string UsageList(const Certificate& certificate) {
  if (certificate.extended_key_usages().empty()) return "any usage";
  return absl::StrJoin(certificate.extended_key_usages(), ", ",
                       [](std::string* out, const std::string& oid) {
                         out->append(pki::ExtendedKeyUsageName(oid));
                       });
}

bool MayServe(const Certificate& certificate) {
  return certificate.extended_key_usages().empty() ||
         certificate.HasExtendedKeyUsage(pki::kOidServerAuth) ||
         certificate.HasExtendedKeyUsage(pki::kOidAnyExtendedKeyUsage);
}

bool MayBeClient(const Certificate& certificate) {
  return certificate.extended_key_usages().empty() ||
         certificate.HasExtendedKeyUsage(pki::kOidClientAuth) ||
         certificate.HasExtendedKeyUsage(pki::kOidAnyExtendedKeyUsage);
}

std::vector<CheckProblem> CheckChain(const std::vector<Certificate>& chain, const Trust& trust,
                                     ExtendedKeyUsage purpose, absl::Time now) {
  std::vector<CheckProblem> problems;
  const Certificate& leaf = chain.front();
  CheckClock(leaf, now, problems);
  if (const absl::Status form = pki::CheckGoReads(leaf); !form.ok()) {
    problems.push_back(
        {"form", fmt::format("programs in Go cannot read it: {}", std::string(form.message())),
         "issue it anew"});
  }
  if (trust.certificates.empty() || ExplainForeignCa(chain, trust, problems)) return problems;
  // Outside of its time nothing else can be judged: its CA need not have been valid then.
  if (now < leaf.not_before() || now > leaf.not_after()) return problems;
  const std::vector<Certificate> above(chain.begin() + 1, chain.end());
  const absl::Status any =
      pki::VerifyChain(leaf, above, trust.certificates, ExtendedKeyUsage::kAny, now);
  if (!any.ok()) {
    problems.push_back(
        {"chain",
         fmt::format("its chain to {} does not hold: {}", trust.file, std::string(any.message())),
         "mend or renew the CA that is named"});
    return problems;
  }
  const bool leaf_fits =
      purpose == ExtendedKeyUsage::kServerAuth ? MayServe(leaf) : MayBeClient(leaf);
  if (!leaf_fits) return problems;  // told by whoever knows what it is for
  const absl::Status fit = pki::VerifyChain(leaf, above, trust.certificates, purpose, now);
  if (!fit.ok() && !leaf.HasExtendedKeyUsage(pki::kOidAnyExtendedKeyUsage)) {
    CheckCaUsage(chain, trust, purpose, std::string(fit.message()), problems);
  }
  return problems;
}

}  // namespace calico::calicert::etcd
