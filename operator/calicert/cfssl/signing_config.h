// cfssl's signing configuration: profiles that say what a certificate may do, and for how long.
//
//   {"signing": {"default": {"usages": ["signing", "server auth"], "expiry": "8760h"},
//                "profiles": {"peer": {"usages": [...], "expiry": "8760h"}}}}
//
// What counts is as in cfssl; what is likely a mistake is named with file, line and path. Not
// there: certificate transparency, certificate stores and remote signers (an error where one is
// asked for); zlint's rules (a warning).
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_SIGNING_CONFIG_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_SIGNING_CONFIG_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/calicert/cfssl/name_pattern.h"
#include "pkg/pki/compose/composition.h"
#include "pkg/pki/usage.h"

namespace calico::calicert::cfssl {

// Which parts of a request are taken; what is not listed is left out.
struct RequestFilter {
  bool subject = false;
  bool dns_names = false;
  bool ip_addresses = false;
  bool emails = false;
  bool uris = false;
};

struct Profile {
  std::string name;                 // "default", or its key under `profiles`
  std::string path;                 // "signing.profiles.peer", for messages
  std::vector<std::string> usages;  // as written, known ones only
  pki::KeyUsages key_usages;
  std::vector<std::string> extended_key_usages;  // in the order written, twice if written twice
  absl::Duration expiry;
  std::optional<absl::Duration> backdate;  // absent: five minutes
  std::optional<absl::Time> not_before;    // fixed times win over expiry and backdate
  std::optional<absl::Time> not_after;
  pki::CaConstraints ca;
  std::vector<std::string> issuer_urls;
  std::string ocsp_url;
  std::string crl_url;
  bool ocsp_no_check = false;
  bool copy_extensions = false;  // those of the request that the profile does not write itself
  std::optional<NamePattern> name_whitelist;  // of CN, DNS names, e-mail addresses and URIs
  std::vector<pki::CertificatePolicy> policies;
  std::optional<RequestFilter> filter;
  std::string auth_key;                  // a server's business; kept for `info`
  std::string remote;                    // not empty: signed elsewhere
  std::vector<std::string> unsupported;  // keys of it that signing cannot honour
};

struct SigningConfig {
  Profile default_profile;
  std::map<std::string, Profile, std::less<>> profiles;
  std::string file;  // empty: built in
  std::vector<std::string> warnings;
  bool has_default = false;  // else `default_profile` is the built-in one
  // "profiles" stands beside "signing": said again when a profile is looked for in vain.
  bool has_misplaced_profiles = false;
};

// What counts without a configuration: signing, key encipherment, server auth, client auth; a year.
SigningConfig BuiltInSigningConfig();

// Errors: with code 5200, every problem on a line of its own.
absl::StatusOr<SigningConfig> ParseSigningConfig(std::string_view text, std::string_view file);

struct ChosenProfile {
  const Profile* profile = nullptr;  // of the configuration
  std::vector<std::string> warnings;
};
// The profile of that name; the default when the name is empty (with a warning when that is not the
// file's own), and, with a warning that lists the profiles, when there is none of that name.
// Errors: code 5100 when what is chosen has no usages; Unimplemented when it is signed elsewhere.
absl::StatusOr<ChosenProfile> ChooseProfile(const SigningConfig& config, std::string_view name);

// What is said when there is no profile of that name, with those that there are.
std::string NoSuchProfile(const SigningConfig& config, std::string_view name);

// For people: "profile peer (cfg.json): signing, server auth, client auth; no CA; 8760h", or "...;
// until 2027-01-15T08:00:00Z" where the profile says a time.
std::string Describe(const SigningConfig& config, const Profile& profile);
// The same of a certificate that has this validity: "...; 8760h, until 2027-01-15T08:00:00Z".
std::string DescribeIssued(const SigningConfig& config, const Profile& profile,
                           absl::Time not_before, absl::Time not_after);

// The names of usages, in Kubernetes' words (certificates.k8s.io, too).
const std::vector<std::string>& UsageNames();
// Adds the usage of that name. False when there is none.
bool AddUsage(std::string_view name, pki::KeyUsages& key_usages,
              std::vector<std::string>& extended_key_usages);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_SIGNING_CONFIG_H_
