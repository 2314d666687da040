#include "operator/calicert/requests/issuers.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/cfssl/signing_config.h"
#include "pkg/base/file.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::requests {
namespace {

using Csr = api::CertificateSigningRequest;

// Both ends of it are cut by less than this when the CA's seconds are.
constexpr absl::Duration kNotWorthAWord = absl::Minutes(10);

void TellCut(const pki::Certificate& leaf, absl::Time wanted, Terminal& terminal) {
  if (wanted - leaf.not_after() < kNotWorthAWord) return;
  Note(terminal, fmt::format("the certificate ends with its CA, on {}, not on {}",
                             codec::EncodeTime(leaf.not_after()), codec::EncodeTime(wanted)));
}

absl::StatusOr<std::string> IssueAsController(const pki::CertificateAuthority& ca, const Csr& csr,
                                              const pki::CertificateRequest& request,
                                              absl::Duration longest, Terminal& terminal) {
  std::vector<std::string> notes;
  const absl::Time now = terminal.clock.Now();
  CALICO_ASSIGN_OR_RETURN(const pki::CertificateTemplate plan,
                          PlanAsController(csr, request, longest, now, notes));
  for (const std::string& note : notes) Note(terminal, note);
  CALICO_ASSIGN_OR_RETURN(const pki::Certificate leaf, ca.Issue(request.public_key(), plan, now));
  TellCut(leaf, plan.not_after, terminal);
  return ca.ChainPem(leaf);
}

// "client auth, digital signature".
std::string Names(const CertificateUsages& usages) {
  std::vector<std::string> names;
  for (const std::string& name : cfssl::UsageNames()) {
    CertificateUsages one;
    cfssl::AddUsage(name, one.key_usages, one.extended);
    // Two pairs of names mean the same.
    if (name == "signing" || name == "s/mime") continue;
    const bool extended =
        !one.extended.empty() && std::find(usages.extended.begin(), usages.extended.end(),
                                           one.extended.front()) != usages.extended.end();
    if (extended || (!one.key_usages.empty() && one.key_usages.IsSubsetOf(usages.key_usages))) {
      names.push_back(name);
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// The API server and the profile are asked by nobody whether they agree.
void TellUsages(const Csr& csr, const cfssl::Profile& profile, Terminal& terminal) {
  CertificateUsages given{profile.key_usages, profile.extended_key_usages};
  std::sort(given.extended.begin(), given.extended.end());
  given.extended.erase(std::unique(given.extended.begin(), given.extended.end()),
                       given.extended.end());
  const CertificateUsages asked = UsagesOf(csr);
  if (asked == given) return;
  Note(terminal, fmt::format("warning: spec.usages of {:?} asks for {}; {} gives {}", csr.meta.name,
                             Names(asked), profile.path, Names(given)));
}

absl::StatusOr<std::string> IssueByProfile(const cfssl::Signer& signer, const std::string& name,
                                           const Csr& csr, const pki::CertificateRequest& request,
                                           Terminal& terminal) {
  CALICO_ASSIGN_OR_RETURN(const cfssl::ChosenProfile chosen,
                          cfssl::ChooseProfile(signer.config(), name));
  TellUsages(csr, *chosen.profile, terminal);
  CALICO_ASSIGN_OR_RETURN(
      const cfssl::Signed leaf,
      signer.Sign({.request = &request, .profile = name, .may_outlive_ca = false},
                  terminal.clock.Now()));
  for (const std::string& warning : leaf.warnings) Note(terminal, "warning: " + warning);
  return leaf.pem;
}

struct LoadedSigner {
  cfssl::Signer signer;
  std::string above_pem;  // what goes with each certificate: a CA that is none's root, and so on
};

absl::StatusOr<cfssl::SigningConfig> ReadConfig(const IssuerOptions& options, Terminal& terminal) {
  CALICO_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(options.config_file));
  CALICO_ASSIGN_OR_RETURN(cfssl::SigningConfig config,
                          cfssl::ParseSigningConfig(text, options.config_file));
  for (const std::string& warning : config.warnings) Note(terminal, "warning: " + warning);
  CALICO_ASSIGN_OR_RETURN(const cfssl::ChosenProfile chosen,
                          cfssl::ChooseProfile(config, options.profile));
  for (const std::string& warning : chosen.warnings) Note(terminal, "warning: " + warning);
  Note(terminal, cfssl::Describe(config, *chosen.profile));
  return config;
}

absl::StatusOr<LoadedSigner> LoadSigner(const IssuerOptions& options, Terminal& terminal) {
  CALICO_ASSIGN_OR_RETURN(cfssl::SigningConfig config, ReadConfig(options, terminal));
  std::vector<std::string> notes;
  const absl::Time now = terminal.clock.Now();
  CALICO_ASSIGN_OR_RETURN(CaFiles files,
                          ReadCaFiles(options.ca_file, options.ca_key_file, now, notes));
  for (const std::string& note : notes) Note(terminal, options.ca_file + ": " + note);
  std::string above;
  for (const pki::Certificate& certificate : files.chain) {
    if (!certificate.is_self_signed()) above += certificate.pem();
  }
  CALICO_ASSIGN_OR_RETURN(cfssl::Signer signer,
                          cfssl::Signer::Create(std::move(files.chain.front()),
                                                std::move(files.key), std::move(config), now));
  return LoadedSigner{std::move(signer), std::move(above)};
}

absl::StatusOr<CertificateSource> MakeProfileIssuer(const IssuerOptions& options,
                                                    Terminal& terminal) {
  CALICO_ASSIGN_OR_RETURN(LoadedSigner loaded, LoadSigner(options, terminal));
  const auto shared = std::make_shared<const LoadedSigner>(std::move(loaded));
  CertificateSource source;
  source.will_do = [shared](const pki::Certificate& leaf) {
    return pki::IsIssuedBy(leaf, shared->signer.ca());
  };
  source.issue = [shared, name = options.profile, &terminal](
                     const Csr& csr,
                     const pki::CertificateRequest& request) -> absl::StatusOr<std::string> {
    CALICO_ASSIGN_OR_RETURN(const std::string leaf,
                            IssueByProfile(shared->signer, name, csr, request, terminal));
    return leaf + shared->above_pem;
  };
  return source;
}

}  // namespace

void AddIssuerFlags(config::Flags& flags, IssuerOptions* target, CaKey key) {
  flags.Text({.name = "ca", .value = "FILE", .help = "certificate of the CA, PEM"},
             &target->ca_file);
  flags.Text({.name = "ca-key", .value = "FILE", .help = "its key, PEM"}, &target->ca_key_file);
  flags.Text({.name = "config",
              .value = "FILE",
              .help = "signing configuration in cfssl's JSON; absent: as kube-controller-manager"},
             &target->config_file);
  flags.Text({.name = "profile", .value = "NAME", .help = "profile of it; absent: the default"},
             &target->profile);
  flags.Period({.name = "duration",
                .value = "PERIOD",
                .help = "how long a certificate lasts at most, without --config"},
               &target->duration);
  flags.Check([target, key](std::vector<std::string>& problems) {
    const bool has_key = !target->ca_key_file.empty();
    if (target->ca_file.empty() ? has_key : key == CaKey::kNeeded && !has_key) {
      problems.emplace_back("--ca and --ca-key go together");
    }
    if (!has_key && !target->config_file.empty()) {
      problems.emplace_back("--config: for which --ca-key?");
    }
    if (target->config_file.empty() && !target->profile.empty()) {
      problems.emplace_back("--profile: of which --config?");
    }
  });
}

absl::StatusOr<CertificateSource> MakeIssuer(const IssuerOptions& options, Terminal& terminal) {
  if (!options.config_file.empty()) return MakeProfileIssuer(options, terminal);
  std::vector<std::string> notes;
  CALICO_ASSIGN_OR_RETURN(
      pki::CertificateAuthority loaded,
      LoadAuthority(options.ca_file, options.ca_key_file, terminal.clock.Now(), notes));
  for (const std::string& note : notes) Note(terminal, options.ca_file + ": " + note);
  const auto ca = std::make_shared<const pki::CertificateAuthority>(std::move(loaded));
  CertificateSource source;
  source.will_do = [ca](const pki::Certificate& leaf) {
    return pki::IsIssuedBy(leaf, ca->certificate());
  };
  source.issue = [ca, longest = options.duration, &terminal](
                     const Csr& csr, const pki::CertificateRequest& request) {
    return IssueAsController(*ca, csr, request, longest, terminal);
  };
  return source;
}

absl::StatusOr<CertificateSource> IssuedElsewhere(absl::StatusOr<std::string> pem) {
  if (!pem.ok()) return pem.status();
  CALICO_ASSIGN_OR_RETURN(const std::vector<pki::Certificate> chain,
                          pki::Certificate::ParsePemBundle(*pem, pki::SurroundingText::kAllow));
  const std::string clean = pki::ToPemBundle(chain);
  return CertificateSource{
      .issue = [clean](const Csr&, const pki::CertificateRequest&) -> absl::StatusOr<std::string> {
        return clean;
      },
      .will_do = [leaf = chain.front()](const pki::Certificate& there) { return there == leaf; }};
}

}  // namespace calico::calicert::requests
