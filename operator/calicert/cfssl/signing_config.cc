#include "operator/calicert/cfssl/signing_config.h"

#include <algorithm>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/cfssl/go_duration.h"
#include "operator/calicert/cfssl/json_fields.h"
#include "operator/calicert/cfssl/key_places.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"

namespace calico::calicert::cfssl {
namespace {

constexpr size_t kMaxProfiles = 1000;
constexpr absl::Duration kYear = absl::Hours(8760);

struct NamedKeyUsage {
  std::string_view name;
  pki::KeyUsage usage;
};
constexpr NamedKeyUsage kKeyUsages[] = {
    {"signing", pki::KeyUsage::kDigitalSignature},
    {"digital signature", pki::KeyUsage::kDigitalSignature},
    {"content commitment", pki::KeyUsage::kContentCommitment},
    {"key encipherment", pki::KeyUsage::kKeyEncipherment},
    {"key agreement", pki::KeyUsage::kKeyAgreement},
    {"data encipherment", pki::KeyUsage::kDataEncipherment},
    {"cert sign", pki::KeyUsage::kCertSign},
    {"crl sign", pki::KeyUsage::kCrlSign},
    {"encipher only", pki::KeyUsage::kEncipherOnly},
    {"decipher only", pki::KeyUsage::kDecipherOnly},
};

struct NamedPurpose {
  std::string_view name;
  std::string_view oid;
};
constexpr NamedPurpose kPurposes[] = {
    {"any", pki::kOidAnyExtendedKeyUsage},
    {"server auth", pki::kOidServerAuth},
    {"client auth", pki::kOidClientAuth},
    {"code signing", pki::kOidCodeSigning},
    {"email protection", pki::kOidEmailProtection},
    {"s/mime", pki::kOidEmailProtection},
    {"ipsec end system", pki::kOidIpsecEndSystem},
    {"ipsec tunnel", pki::kOidIpsecTunnel},
    {"ipsec user", pki::kOidIpsecUser},
    {"timestamping", pki::kOidTimeStamping},
    {"ocsp signing", pki::kOidOcspSigning},
    {"microsoft sgc", pki::kOidMicrosoftSgc},
    {"netscape sgc", pki::kOidNetscapeSgc},
};

// Words of X.509 and of people for usages that are not near enough to cfssl's.
constexpr std::pair<std::string_view, std::string_view> kOtherUsages[] = {
    {"non repudiation", "content commitment"},
    {"nonrepudiation", "content commitment"},
    {"keycertsign", "cert sign"},
    {"certificate sign", "cert sign"},
    {"digital signing", "digital signature"},
    {"web server", "server auth"},
    {"tls server", "server auth"},
    {"tls client", "client auth"},
};

// The usage that was meant; empty when nobody knows.
std::string_view NearestUsage(const std::string& word) {
  const std::string lower = absl::AsciiStrToLower(word);
  for (const auto& [other, usage] : kOtherUsages) {
    if (other == lower) return usage;
  }
  if (const std::string_view near = NearestWord(lower, UsageNames()); !near.empty()) return near;
  constexpr size_t kFewest = 4;
  for (const std::string& usage : UsageNames()) {
    if (lower.size() >= kFewest && (usage.starts_with(lower) || lower.starts_with(usage))) {
      return usage;
    }
  }
  return {};
}

using AuthKeyTypes = std::map<std::string, std::string, std::less<>>;

// Reads one profile.
class ProfileReader {
 public:
  ProfileReader(JsonFields fields, std::string name, const AuthKeyTypes& auth_keys)
      : fields_(std::move(fields)), auth_keys_(auth_keys) {
    profile_.name = std::move(name);
    profile_.path = fields_.path();
  }

  Profile Read(bool is_default) {
    ReadRemote();
    ReadUsages(is_default);
    ReadTimes();
    ReadConstraint();
    ReadUrls();
    ReadNames();
    ReadFilter();
    ReadPolicies();
    ReadUnsupported();
    fields_.WarnOfOthers(HintsFor(Place::kProfile));
    return std::move(profile_);
  }

 private:
  void ReadRemote() {
    profile_.auth_key = fields_.Text("auth_key");
    const auto found = auth_keys_.find(profile_.auth_key);
    if (found != auth_keys_.end() && found->second != "standard") {
      fields_.Error("auth_key",
                    fmt::format("auth_keys.{}.type must be \"standard\"", found->first));
    } else if (found == auth_keys_.end() && !profile_.auth_key.empty()) {
      fields_.Error("auth_key", fmt::format("{:?} is not in \"auth_keys\"", profile_.auth_key));
    }
    fields_.Text("prev_auth_key");
    profile_.remote = fields_.Text("remote");
    if (std::optional<JsonFields> auth = fields_.Object("auth_remote")) {
      if (profile_.remote.empty()) profile_.remote = auth->Text("remote");
      auth->Text("auth_key");
      auth->WarnOfOthers();
    }
  }

  void RefuseUsage(const codec::LocatedJson& item, size_t index, const std::string& usage) {
    std::string advice;
    if (usage.find(',') != std::string::npos) {
      advice = "; one entry for each usage: [\"signing\", \"server auth\"]";
    } else if (const std::string_view near = NearestUsage(usage); !near.empty()) {
      advice = fmt::format(", did you mean {:?}?", near);
    } else if (!std::exchange(told_usages_, true)) {
      advice = fmt::format("; there are {}", fmt::join(UsageNames(), ", "));
    }
    fields_.ErrorAt(item, "usages",
                    fmt::format("usages[{}] {:?} is unknown{}", index, usage, advice));
  }

  void ReadUsages(bool is_default) {
    const std::vector<std::string> usages = fields_.Texts("usages");
    for (size_t i = 0; i < usages.size(); ++i) {
      if (AddUsage(usages[i], profile_.key_usages, profile_.extended_key_usages)) {
        profile_.usages.push_back(usages[i]);
      } else {
        RefuseUsage(fields_.Find("usages")->items[i], i, usages[i]);
      }
    }
    if (profile_.remote.empty() && !fields_.Has("usages") && !is_default) {
      fields_.Error("usages", "is missing: a profile says what its certificates may do");
    } else if (const codec::LocatedJson* list = fields_.Find("usages");
               list != nullptr && list->items.empty() && usages.empty() && !is_default &&
               list->kind == codec::LocatedJson::Kind::kArray) {
      fields_.Error("usages", "is empty: a profile says what its certificates may do");
    }
  }

  std::optional<absl::Duration> ReadPeriod(std::string_view key) {
    const std::string text = fields_.Text(key);
    if (text.empty()) return std::nullopt;
    const absl::StatusOr<absl::Duration> period = ParseGoDuration(text);
    if (period.ok()) return *period;
    fields_.Error(key, std::string(period.status().message()));
    return std::nullopt;
  }

  std::optional<absl::Time> ReadTime(std::string_view key) {
    const std::string text = fields_.Text(key);
    if (text.empty()) return std::nullopt;
    const absl::StatusOr<absl::Time> time = codec::ParseTime(text);
    if (time.ok()) return *time;
    fields_.Error(key, "must be a time such as 2026-11-28T00:00:00Z");
    return std::nullopt;
  }

  void ReadTimes() {
    const std::optional<absl::Duration> expiry = ReadPeriod("expiry");
    if (!expiry.has_value() && profile_.remote.empty()) {
      const codec::LocatedJson* value = fields_.Find("expiry");
      if (value == nullptr) {
        fields_.Error("expiry", "is missing: write a duration such as 8760h");
      } else if (value->kind == codec::LocatedJson::Kind::kString && value->text.empty()) {
        fields_.Error("expiry", "empty expiry string: write a duration such as 8760h");
      }
    }
    profile_.expiry = expiry.value_or(absl::ZeroDuration());
    if (expiry.has_value() && *expiry <= absl::ZeroDuration()) {
      fields_.Error("expiry", "must be longer than 0, such as 8760h");
    }
    profile_.backdate = ReadPeriod("backdate");
    if (profile_.backdate == absl::ZeroDuration()) {
      fields_.Warn("backdate", "0 means the five minutes that are usual, as in cfssl: write 1s");
      profile_.backdate.reset();
    }
    profile_.not_before = ReadTime("not_before");
    profile_.not_after = ReadTime("not_after");
    if (profile_.not_before.has_value() && profile_.not_after.has_value() &&
        *profile_.not_after <= *profile_.not_before) {
      fields_.Error("not_after", "must be later than not_before");
    }
  }

  void ReadConstraint() {
    std::optional<JsonFields> constraint = fields_.Object("ca_constraint");
    profile_.ca.is_ca = constraint.has_value() && constraint->Boolean("is_ca");
    if (constraint.has_value()) ReadPathLength(*constraint);
    WarnOfUsages();
  }

  void ReadPathLength(JsonFields& constraint_fields) {
    JsonFields* const constraint = &constraint_fields;
    const std::optional<int> length = constraint->Integer("max_path_len");
    const bool zero = constraint->Boolean("max_path_len_zero");
    if (length.has_value() && *length < 0) {
      constraint->Error("max_path_len", "must not be negative: leave it out for no limit");
    } else if (length.value_or(0) > 0) {
      profile_.ca.path_length = *length;
    } else if (zero) {
      profile_.ca.path_length = 0;
    } else if (length.has_value() && profile_.ca.is_ca) {
      constraint->Warn("max_path_len", "0 means no limit: write \"max_path_len_zero\": true for 0");
    }
    if (!profile_.ca.is_ca) profile_.ca.path_length.reset();
    constraint->WarnOfOthers(HintsFor(Place::kConstraint));
  }

  void WarnOfUsages() {
    const bool signs = profile_.key_usages.Has(pki::KeyUsage::kCertSign);
    if (!profile_.ca.is_ca) {
      if (signs) {
        fields_.Warn("usages",
                     "has \"cert sign\", and the profile makes no CA: nobody accepts what "
                     "is signed with it; write \"ca_constraint\": {\"is_ca\": true}");
      }
      return;
    }
    if (!signs)
      fields_.Warn("usages", "lacks \"cert sign\": what such a CA issues is not accepted");
    const auto& purposes = profile_.extended_key_usages;
    if (purposes.empty() || std::find(purposes.begin(), purposes.end(),
                                      pki::kOidAnyExtendedKeyUsage) != purposes.end()) {
      return;
    }
    fields_.Warn("usages",
                 "all that is below a CA is limited to the purposes that it has, such as "
                 "\"server auth\": leave them out");
  }

  void ReadUrls() {
    profile_.issuer_urls = fields_.Texts("issuer_urls");
    profile_.ocsp_url = fields_.Text("ocsp_url");
    profile_.crl_url = fields_.Text("crl_url");
    profile_.ocsp_no_check = fields_.Boolean("ocsp_no_check");
    profile_.copy_extensions = fields_.Boolean("copy_extensions");
  }

  void ReadNames() {
    const std::string pattern = fields_.Text("name_whitelist");
    if (!pattern.empty()) {
      absl::StatusOr<NamePattern> compiled = NamePattern::Compile(pattern);
      if (compiled.ok()) {
        profile_.name_whitelist = *std::move(compiled);
      } else {
        fields_.Error(
            "name_whitelist",
            fmt::format("no regular expression: {}", std::string(compiled.status().message())) +
                (pattern.starts_with('*') ? ": it is no pattern of a shell, write .* for *" : ""));
      }
    }
    // Of what a server's client adds, and none can here.
    fields_.Texts("allowed_extensions");
  }

  void ReadFilter() {
    std::optional<JsonFields> filter = fields_.Object("CSRWhitelist");
    if (!filter.has_value()) return;
    RequestFilter taken;
    taken.subject = filter->Boolean("Subject");
    taken.dns_names = filter->Boolean("DNSNames");
    taken.ip_addresses = filter->Boolean("IPAddresses");
    taken.emails = filter->Boolean("EmailAddresses");
    taken.uris = filter->Boolean("URIs");
    for (const char* const key : {"PublicKey", "PublicKeyAlgorithm"}) {
      if (!filter->Boolean(key)) filter->Error(key, "must be true: a certificate needs a key");
    }
    filter->Boolean("SignatureAlgorithm");
    filter->WarnOfOthers();
    profile_.filter = taken;
  }

  void ReadPolicies() {
    fields_.Objects("policies", [&](JsonFields fields) {
      pki::CertificatePolicy policy;
      policy.oid = fields.Text("ID");
      if (!pki::IsObjectIdentifier(policy.oid)) {
        fields.Error("ID", "must be an object identifier such as 1.2.3.4");
      }
      fields.Objects("Qualifiers", [&](JsonFields qualifier) {
        const std::string type = qualifier.Text("Type");
        if (type != "id-qt-cps" && type != "id-qt-unotice") {
          qualifier.Error("Type", "must be id-qt-cps or id-qt-unotice");
        }
        policy.qualifiers.push_back({.kind = type == "id-qt-cps"
                                                 ? pki::PolicyQualifier::Kind::kCps
                                                 : pki::PolicyQualifier::Kind::kUserNotice,
                                     .value = qualifier.Text("Value")});
        qualifier.WarnOfOthers();
      });
      fields.WarnOfOthers();
      profile_.policies.push_back(std::move(policy));
    });
  }

  void ReadUnsupported() {
    if (!fields_.Texts("ct_log_servers").empty())
      profile_.unsupported.emplace_back("ct_log_servers");
    if (!fields_.Text("cert_store").empty()) profile_.unsupported.emplace_back("cert_store");
    fields_.Boolean("ClientProvidesSerialNumbers");
    if (fields_.Integer("lint_error_level").value_or(0) != 0) {
      fields_.Warn("lint_error_level",
                   "zlint is not there: look at the certificate with calicert lint");
    }
    fields_.Texts("ignored_lints");
    fields_.Texts("ignored_lint_sources");
    if (fields_.Boolean("ocsp")) fields_.Warn("ocsp", "ignored");
  }

  JsonFields fields_;
  const AuthKeyTypes& auth_keys_;
  bool told_usages_ = false;
  Profile profile_;
};

// Whether a key of a server could be one: hexadecimal, or where it is to be found.
bool IsAuthKey(std::string_view key) {
  if (key.starts_with("env:") || key.starts_with("file:")) return true;
  return key.size() % 2 == 0 &&
         key.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

AuthKeyTypes ReadAuthKeys(JsonFields& top, Complaints& complaints) {
  AuthKeyTypes types;
  top.Entries("auth_keys", [&](const codec::LocatedMember& member) {
    JsonFields key(member.value, "auth_keys." + member.key, complaints);
    types[member.key] = key.Text("type");
    if (!IsAuthKey(key.Text("key"))) {
      key.Error("key", "must be pairs of hexadecimal digits, env:VARIABLE or file:PATH");
    }
    key.WarnOfOthers();
  });
  return types;
}

void ReadSigning(JsonFields& signing, const AuthKeyTypes& auth_keys, SigningConfig& config,
                 Complaints& complaints) {
  if (std::optional<JsonFields> fields = signing.Object("default")) {
    config.has_default = true;
    config.default_profile =
        ProfileReader(*std::move(fields), "default", auth_keys).Read(/*is_default=*/true);
  }
  signing.Entries("profiles", [&](const codec::LocatedMember& member) {
    const std::string path = "signing.profiles." + member.key;
    if (config.profiles.size() >= kMaxProfiles) {
      return signing.Error("profiles", fmt::format("more than {} profiles", kMaxProfiles));
    }
    if (member.value.kind != codec::LocatedJson::Kind::kObject) {
      return complaints.Error(
          member.value.location, path,
          fmt::format("must be an object {{...}}, not {}", member.value.KindName()));
    }
    JsonFields fields(member.value, path, complaints);
    config.profiles.insert_or_assign(
        member.key,
        ProfileReader(std::move(fields), member.key, auth_keys).Read(/*is_default=*/false));
  });
  signing.WarnOfOthers([](std::string_view key) {
    const std::string hint = HintOf(key, Place::kSigning);
    return hint.empty() ? fmt::format("a profile belongs into \"profiles\": {{{:?}: ...}}", key)
                        : hint;
  });
}

// ": there are client, server".
std::string Listed(const SigningConfig& config) {
  if (config.profiles.empty()) return ": there are none";
  std::vector<std::string_view> names;
  for (const auto& [name, profile] : config.profiles) names.push_back(name);
  return fmt::format(": there are {}", fmt::join(names, ", "));
}

std::string WhereFrom(const SigningConfig& config, const Profile& profile) {
  if (config.file.empty()) return "built in";
  if (&profile == &config.default_profile && !config.has_default) {
    return fmt::format("built in, {} has none", config.file);
  }
  return config.file;
}

std::string WhatItAllows(const SigningConfig& config, const Profile& profile) {
  std::string ca = "no CA";
  if (profile.ca.is_ca) {
    ca = profile.ca.path_length.has_value()
             ? fmt::format("a CA with path length {}", *profile.ca.path_length)
             : std::string("a CA");
  }
  return fmt::format("profile {} ({}): {}; {}; ", profile.name, WhereFrom(config, profile),
                     fmt::join(profile.usages, ", "), ca);
}

}  // namespace

const std::vector<std::string>& UsageNames() {
  static const auto* const names = [] {
    auto* all = new std::vector<std::string>();
    for (const NamedKeyUsage& usage : kKeyUsages) all->emplace_back(usage.name);
    for (const NamedPurpose& purpose : kPurposes) all->emplace_back(purpose.name);
    return all;
  }();
  return *names;
}

bool AddUsage(std::string_view name, pki::KeyUsages& key_usages,
              std::vector<std::string>& extended_key_usages) {
  for (const NamedKeyUsage& usage : kKeyUsages) {
    if (usage.name != name) continue;
    key_usages.Add(usage.usage);
    return true;
  }
  for (const NamedPurpose& purpose : kPurposes) {
    if (purpose.name != name) continue;
    extended_key_usages.emplace_back(purpose.oid);
    return true;
  }
  return false;
}

SigningConfig BuiltInSigningConfig() {
  SigningConfig config;
  Profile& profile = config.default_profile;
  profile.name = "default";
  profile.path = "signing.default";
  profile.expiry = kYear;
  profile.usages = {"signing", "key encipherment", "server auth", "client auth"};
  for (const std::string& usage : profile.usages) {
    AddUsage(usage, profile.key_usages, profile.extended_key_usages);
  }
  return config;
}

absl::StatusOr<SigningConfig> ParseSigningConfig(std::string_view text, std::string_view file) {
  const absl::StatusOr<codec::LocatedJson> root = ParseJsonFile(text, file);
  if (!root.ok()) return CodedError(kPolicyInvalid, std::string(root.status().message()));
  Complaints complaints(file == "-" ? "standard input" : std::string(file));
  SigningConfig config = BuiltInSigningConfig();
  config.file = complaints.file();
  JsonFields top(*root, "", complaints);
  const AuthKeyTypes auth_keys = ReadAuthKeys(top, complaints);
  std::optional<JsonFields> signing = top.Object("signing");
  if (signing.has_value()) {
    ReadSigning(*signing, auth_keys, config, complaints);
  } else if (complaints.ok()) {
    complaints.Error(root->location, "", "No \"signing\" field present");
  }
  top.Entries("remotes", [](const codec::LocatedMember&) {});
  top.Find("ocsp");
  const std::vector<std::string> others = top.WarnOfOthers(HintsFor(Place::kConfig));
  config.has_misplaced_profiles =
      std::find(others.begin(), others.end(), "profiles") != others.end();
  if (const absl::Status status = complaints.status(); !status.ok()) {
    std::string message(status.message());
    for (const std::string& warning : complaints.warnings()) message += "\n" + warning;
    return CodedError(kPolicyInvalid, message);
  }
  config.warnings = complaints.warnings();
  return config;
}

std::string NoSuchProfile(const SigningConfig& config, std::string_view name) {
  if (config.file.empty()) {
    return fmt::format("profile {:?} not found: there is no -config that could have it", name);
  }
  std::vector<std::string> names;
  for (const auto& [known, profile] : config.profiles) names.push_back(known);
  const std::string_view near = NearestWord(name, names);
  return fmt::format(
      "profile {:?} not found in {}{}{}{}", name, config.file, Listed(config),
      near.empty() ? std::string() : fmt::format("; did you mean {:?}?", near),
      config.has_misplaced_profiles ? "; \"profiles\" belongs into \"signing\"" : "");
}

absl::StatusOr<ChosenProfile> ChooseProfile(const SigningConfig& config, std::string_view name) {
  ChosenProfile chosen;
  const auto found = config.profiles.find(name);
  const bool is_default = name.empty() || name == "default";
  std::string missing;
  if (is_default || found == config.profiles.end()) {
    chosen.profile = &config.default_profile;
    if (!is_default) missing = NoSuchProfile(config, name);
  }
  if (found != config.profiles.end()) chosen.profile = &found->second;
  const Profile& profile = *chosen.profile;
  if (!profile.remote.empty()) {
    return absl::UnimplementedError(
        fmt::format("{}: signed by {:?} elsewhere, and remote signers are not supported: give "
                    "-ca and -ca-key, and a profile without \"remote\"",
                    profile.path, profile.remote));
  }
  if (profile.key_usages.empty() && profile.extended_key_usages.empty()) {
    return CodedError(kPolicyNoUsages,
                      fmt::format("Invalid policy: no key usage available: {}",
                                  missing.empty() ? fmt::format("{}.usages is missing in {}",
                                                                profile.path, config.file)
                                                  : missing + "; the default has no usages"));
  }
  if (!profile.unsupported.empty()) {
    return absl::UnimplementedError(
        fmt::format("{}: {} is not supported, and the certificate would lack what it stands for",
                    profile.path, fmt::join(profile.unsupported, ", ")));
  }
  if (!missing.empty()) chosen.warnings.push_back(missing + "; the default is used");
  if (name.empty() && !config.file.empty() && !config.has_default) {
    chosen.warnings.push_back(fmt::format(
        "no -profile is given, and {} has no \"default\": the built-in profile is used{}",
        config.file, Listed(config)));
  }
  return chosen;
}

std::string Describe(const SigningConfig& config, const Profile& profile) {
  return WhatItAllows(config, profile) + (profile.not_after.has_value()
                                              ? "until " + codec::EncodeTime(*profile.not_after)
                                              : FormatGoDuration(profile.expiry));
}

std::string DescribeIssued(const SigningConfig& config, const Profile& profile,
                           absl::Time not_before, absl::Time not_after) {
  return fmt::format("{}{}, until {}", WhatItAllows(config, profile),
                     FormatGoDuration(not_after - not_before), codec::EncodeTime(not_after));
}

}  // namespace calico::calicert::cfssl
