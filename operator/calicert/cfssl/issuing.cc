#include "operator/calicert/cfssl/issuing.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/calicert/cfssl/error.h"
#include "operator/calicert/cfssl/go_duration.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/time.h"
#include "pkg/pki/compose/key_generation.h"
#include "pkg/pki/pem.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::cfssl {
namespace {

constexpr int kSlowRsaBits = 4096;
constexpr absl::Duration kSelfSignedExpiry = absl::Hours(2190);

std::string Message(const absl::Status& status) { return std::string(status.message()); }

std::string Text(absl::Time time) { return codec::EncodeTime(time); }

// Go's Time.Round to a minute: halves go up.
absl::Time RoundedToMinute(absl::Time time) {
  return absl::FromUnixSeconds((absl::ToUnixSeconds(time) + 30) / 60 * 60);
}

absl::StatusOr<Signed> Finish(const pki::PublicKey& key, pki::CertificateParts parts,
                              pki::IssuerView issuer, std::vector<std::string> warnings) {
  if (parts.serial.empty()) {
    CALICO_ASSIGN_OR_RETURN(parts.serial, pki::NewSerial());
  }
  const absl::StatusOr<std::string> der = pki::ComposeCertificate(key, parts, issuer);
  if (!der.ok()) return CodedError(kCertificateUnknown, Message(der.status()));
  return Signed{.pem = pki::EncodePem("CERTIFICATE", *der),
                .serial = pki::DecimalOfBytes(parts.serial),
                .not_before = parts.not_before,
                .not_after = parts.not_after,
                .warnings = std::move(warnings)};
}

// The subject as Go encodes what it has decoded: these types first, in this order, what there is
// several times in one set; of common names and serial numbers the last. Others follow one by one.
pki::SubjectName InGoOrder(const pki::SubjectName& subject) {
  static constexpr std::string_view kFirst[] = {"C", "ST", "L",  "street",      "postalCode",
                                                "O", "OU", "CN", "serialNumber"};
  const auto type_of = [](const pki::NameAttribute& attribute) -> std::string_view {
    if (attribute.type == "2.5.4.9") return "street";
    return attribute.type == "2.5.4.17" ? "postalCode" : std::string_view(attribute.type);
  };
  pki::SubjectName ordered;
  for (const std::string_view type : kFirst) {
    pki::RelativeName relative;
    for (const pki::RelativeName& part : subject) {
      for (const pki::NameAttribute& attribute : part) {
        if (type_of(attribute) == type) relative.push_back(attribute);
      }
    }
    const bool single = type == "CN" || type == "serialNumber";
    if (single && relative.size() > 1) relative = {relative.back()};
    if (!relative.empty()) ordered.push_back(std::move(relative));
  }
  for (const pki::RelativeName& part : subject) {
    for (const pki::NameAttribute& attribute : part) {
      const std::string_view type = type_of(attribute);
      if (std::find(std::begin(kFirst), std::end(kFirst), type) == std::end(kFirst)) {
        ordered.push_back({attribute});
      }
    }
  }
  return ordered;
}

// `subject`, and of `base` what `subject` has none of.
pki::SubjectName Completed(const pki::SubjectName& subject, const pki::SubjectName& base) {
  const auto has = [&subject](std::string_view type) {
    for (const pki::RelativeName& part : subject) {
      for (const pki::NameAttribute& attribute : part) {
        if (attribute.type == type) return true;
      }
    }
    return false;
  };
  pki::SubjectName all = subject;
  for (const pki::RelativeName& part : base) {
    for (const pki::NameAttribute& attribute : part) {
      if (!has(attribute.type)) all.push_back({attribute});
    }
  }
  return InGoOrder(all);
}

std::string CommonNameOf(const pki::SubjectName& subject) {
  std::string name;
  for (const pki::RelativeName& part : subject) {
    for (const pki::NameAttribute& attribute : part) {
      if (attribute.type == "CN") name = attribute.value;
    }
  }
  return name;
}

pki::AlternativeNameLists NamesOf(const pki::CertificateRequest& request) {
  return {.dns_names = request.dns_names(),
          .emails = request.emails(),
          .ip_addresses = request.ip_addresses(),
          .uris = request.uris()};
}

void Filter(const std::optional<RequestFilter>& filter, pki::AlternativeNameLists& names) {
  if (!filter.has_value()) return;
  if (!filter->dns_names) names.dns_names.clear();
  if (!filter->emails) names.emails.clear();
  if (!filter->ip_addresses) names.ip_addresses.clear();
  if (!filter->uris) names.uris.clear();
}

absl::Status CheckWhitelist(const Profile& profile, std::string_view common_name,
                            const pki::AlternativeNameLists& names) {
  const auto check = [&profile](std::string_view kind, std::string_view name) {
    if (profile.name_whitelist->Matches(name)) return absl::OkStatus();
    return CodedError(kPolicyUnmatchedWhitelist,
                      fmt::format("Request does not match policy whitelist: {} {:?} does not match "
                                  "{}.name_whitelist {:?}",
                                  kind, name, profile.path, profile.name_whitelist->text()));
  };
  if (!common_name.empty()) CALICO_RETURN_IF_ERROR(check("CN", common_name));
  for (const std::string& name : names.dns_names) CALICO_RETURN_IF_ERROR(check("host", name));
  for (const std::string& name : names.emails) CALICO_RETURN_IF_ERROR(check("e-mail", name));
  for (const std::string& name : names.uris) CALICO_RETURN_IF_ERROR(check("URI", name));
  return absl::OkStatus();
}

// What a profile may copy of a request: everything that is not ours to write.
bool IsWrittenByUs(std::string_view oid) {
  static constexpr std::string_view kOurs[] = {
      "2.5.29.15",          // keyUsage
      "2.5.29.37",          // extKeyUsage
      "2.5.29.19",          // basicConstraints
      "2.5.29.14",          // subjectKeyIdentifier
      "2.5.29.35",          // authorityKeyIdentifier
      "2.5.29.17",          // subjectAltName
      "2.5.29.31",          // cRLDistributionPoints
      "2.5.29.32",          // certificatePolicies
      "1.3.6.1.5.5.7.1.1",  // authorityInfoAccess
  };
  return std::find(std::begin(kOurs), std::end(kOurs), oid) != std::end(kOurs);
}

void FillFromProfile(const Profile& profile, pki::CertificateParts& parts) {
  parts.key_usages = profile.key_usages;
  parts.extended_key_usages = profile.extended_key_usages;
  parts.issuer_urls = profile.issuer_urls;
  if (!profile.ocsp_url.empty()) parts.ocsp_servers = {profile.ocsp_url};
  if (!profile.crl_url.empty()) parts.crl_urls = {profile.crl_url};
  parts.policies = profile.policies;
  parts.constraints = profile.ca;
  if (profile.ocsp_no_check) {
    parts.extensions.push_back({.oid = "1.3.6.1.5.5.7.48.1.5", .der = std::string("\x05\x00", 2)});
  }
  if (!profile.ca.is_ca) return;
  // A CA of a profile keeps its addresses only, as cfssl has it.
  parts.names.dns_names.clear();
  parts.names.emails.clear();
}

// What servers or clients refuse although `ca` signs it: in Go and OpenSSL the purposes of a CA
// limit those of all certificates below it.
void WarnOfPurposes(const pki::Certificate& ca, const Profile& profile,
                    std::vector<std::string>& warnings) {
  const std::vector<std::string>& allowed = ca.extended_key_usages();
  const auto allows = [&allowed](std::string_view oid) {
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), oid) != allowed.end();
  };
  if (allows(pki::kOidAnyExtendedKeyUsage)) return;
  const auto& wanted = profile.extended_key_usages;
  for (const auto& [oid, name] : {std::pair(pki::kOidServerAuth, "server auth"),
                                  std::pair(pki::kOidClientAuth, "client auth")}) {
    if (allows(oid) || std::find(wanted.begin(), wanted.end(), oid) == wanted.end()) continue;
    warnings.push_back(
        fmt::format("the CA {:?} is limited by its extendedKeyUsage, which lacks {:?}: nobody "
                    "accepts that use of the certificate; make the CA without one",
                    ca.subject(), name));
  }
}

// Validity by the profile; never over before it begins, or before now.
absl::Status SetValidity(const Profile& profile, absl::Time now, pki::CertificateParts& parts) {
  const absl::Duration backdate = profile.backdate.value_or(kDefaultBackdate);
  parts.not_before = profile.not_before.value_or(RoundedToMinute(now) - backdate);
  parts.not_after = profile.not_after.value_or(parts.not_before + profile.expiry);
  if (parts.not_after > now && parts.not_after > parts.not_before) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}: the certificate would be over before it is used: from {} to {}, now is {}; {}",
      profile.path, Text(parts.not_before), Text(parts.not_after), Text(now),
      profile.not_after.has_value()
          ? std::string("move not_after")
          : fmt::format("expiry ({}) must be longer than backdate ({})",
                        FormatGoDuration(profile.expiry), FormatGoDuration(backdate))));
}

absl::Status CheckStrength(const pki::PublicKey& key) {
  const absl::Status strength = key.CheckStrength();
  return strength.ok() ? strength : absl::InvalidArgumentError(strength.message());
}

// What a request for a CA needs: a profile that makes CAs, and an issuer that allows one below it.
absl::Status CheckCa(const Profile& profile, bool asks_for_ca, const pki::Certificate& issuer) {
  if (!profile.ca.is_ca) {
    if (!asks_for_ca) return absl::OkStatus();
    return CodedError(kPolicyRequest,
                      fmt::format("Policy violation request: the request asks for a CA, and {} "
                                  "makes none (ca_constraint.is_ca)",
                                  profile.path));
  }
  if (!issuer.path_length().has_value()) return absl::OkStatus();
  const int limit = *issuer.path_length();
  if (limit == 0 || profile.ca.path_length.value_or(0) >= limit) {
    return CodedError(
        kPolicyRequest,
        fmt::format("Policy violation request: the path length {} of the CA {:?} does not allow "
                    "the CA of {}",
                    limit, issuer.subject(), profile.path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<pki::PrivateKey> MakeKey(const KeyRequest& wanted) {
  pki::KeyFamily family = pki::KeyFamily::kOther;
  if (wanted.algorithm == "rsa") family = pki::KeyFamily::kRsa;
  if (wanted.algorithm == "ecdsa") family = pki::KeyFamily::kEcdsa;
  if (wanted.algorithm == "ed25519") family = pki::KeyFamily::kEd25519;
  if (family == pki::KeyFamily::kOther) {
    return CodedError(kKeyGeneration,
                      fmt::format("invalid algorithm: {}key.algo {:?}: there are rsa, ecdsa and "
                                  "ed25519, in small letters",
                                  wanted.where, wanted.algorithm));
  }
  if (family == pki::KeyFamily::kRsa && wanted.size < pki::kMinRsaBits) {
    return CodedError(kKeyGeneration, fmt::format("RSA key is too weak: {}key.size {}, from {}",
                                                  wanted.where, wanted.size, pki::kMinRsaBits));
  }
  if (family == pki::KeyFamily::kRsa && wanted.size > pki::kMaxRsaBits) {
    return CodedError(kKeyGeneration, fmt::format("RSA key size too large: {}key.size {}, up to {}",
                                                  wanted.where, wanted.size, pki::kMaxRsaBits));
  }
  if (family == pki::KeyFamily::kRsa && wanted.size % 2 != 0) {
    return CodedError(kKeyGeneration,
                      fmt::format("{}key.size {}: an RSA key has an even number of bits",
                                  wanted.where, wanted.size));
  }
  absl::StatusOr<pki::PrivateKey> key = pki::GenerateKey(family, wanted.size);
  if (key.ok() || family != pki::KeyFamily::kEcdsa) return key;
  return CodedError(kKeyGeneration,
                    fmt::format("invalid curve: {}key.size {}: ecdsa has 256, 384 and 521",
                                wanted.where, wanted.size));
}

bool IsSlow(const KeyRequest& wanted) {
  return wanted.algorithm == "rsa" && wanted.size >= kSlowRsaBits;
}

absl::StatusOr<std::string> MakeRequest(const Request& request, const pki::PrivateKey& key) {
  pki::RequestParts parts;
  parts.subject = request.subject.Name();
  parts.names = request.names;
  parts.extensions = request.extensions;
  if (request.ca.has_value()) {
    parts.constraints = pki::CaConstraints{.is_ca = true, .path_length = request.ca->path_length};
  }
  const absl::StatusOr<std::string> der = pki::ComposeRequest(key, parts);
  if (!der.ok()) return CodedError(kRequestParse, Message(der.status()));
  return pki::EncodePem("CERTIFICATE REQUEST", *der);
}

absl::Status CheckSubjectOfCa(const Request& request) {
  if (!request.subject.Name().empty()) return absl::OkStatus();
  return CodedError(kPolicyRequest,
                    fmt::format("missing subject information: there is no \"CN\" and "
                                "no \"names\" in {}",
                                request.file));
}

absl::StatusOr<Signed> MakeCa(const Request& request, const pki::PrivateKey& key, absl::Time now) {
  const CaSection ca = request.ca.value_or(CaSection{});
  pki::CertificateParts parts;
  CALICO_RETURN_IF_ERROR(CheckSubjectOfCa(request));
  parts.subject = request.subject.Name();
  parts.names.ip_addresses = request.names.ip_addresses;
  parts.key_usages = {pki::KeyUsage::kCertSign, pki::KeyUsage::kCrlSign};
  parts.constraints = pki::CaConstraints{.is_ca = true, .path_length = ca.path_length};
  if (!request.crl_url.empty()) parts.crl_urls = {request.crl_url};
  const absl::Duration expiry = ca.expiry.value_or(kDefaultCaExpiry);
  const absl::Duration backdate = ca.backdate.value_or(kDefaultBackdate);
  parts.not_before = RoundedToMinute(now) - backdate;
  parts.not_after = parts.not_before + expiry;
  if (parts.not_after <= now) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: ca.expiry: {} is not longer than the {} by which a certificate is dated back: this "
        "one would end at {}",
        request.file, FormatGoDuration(expiry), FormatGoDuration(backdate), Text(parts.not_after)));
  }
  std::vector<std::string> warnings;
  if (request.names.dns_names.size() + request.names.emails.size() + request.names.uris.size() >
      0) {
    warnings.push_back(fmt::format(
        "{}: hosts: a CA has no names of hosts: all but IP addresses are left out", request.file));
  }
  return Finish(key.public_key(), std::move(parts), {nullptr, &key}, std::move(warnings));
}

absl::StatusOr<Signed> RenewCa(const pki::Certificate& ca, const pki::PrivateKey& key,
                               absl::Time now) {
  if (!ca.is_ca()) {
    return absl::InvalidArgumentError(
        fmt::format("input certificate is not a CA cert: {:?} (basicConstraints)", ca.subject()));
  }
  if (const absl::Status match = pki::KeyMatches(ca, key); !match.ok()) {
    return CodedError(kKeyMismatch,
                      fmt::format("Private key does not match public key: {}", Message(match)));
  }
  pki::CertificateParts parts;
  std::vector<std::string> warnings;
  CALICO_ASSIGN_OR_RETURN(parts.subject, pki::SubjectNameOf(ca));
  parts.names.ip_addresses = ca.ip_addresses();
  parts.key_usages = {pki::KeyUsage::kCertSign, pki::KeyUsage::kCrlSign};
  parts.constraints = pki::CaConstraints{.is_ca = true, .path_length = ca.path_length()};
  parts.not_before = RoundedToMinute(now) - kDefaultBackdate;
  parts.not_after = parts.not_before + (ca.not_after() - ca.not_before());
  if (parts.not_after <= now) {
    return absl::InvalidArgumentError(
        fmt::format("renew {:?}: it was valid for {} only, which would be over before it is used",
                    ca.subject(), FormatGoDuration(ca.not_after() - ca.not_before())));
  }
  if (!ca.is_self_signed()) {
    warnings.push_back(fmt::format("{:?} was issued by {:?}: the new certificate is self-signed",
                                   ca.subject(), ca.issuer()));
  }
  return Finish(key.public_key(), std::move(parts), {nullptr, &key}, std::move(warnings));
}

absl::StatusOr<Signed> SelfSign(const Subject& subject, const pki::AlternativeNameLists& names,
                                const pki::PrivateKey& key, const Profile& profile,
                                absl::Time now) {
  pki::CertificateParts parts;
  parts.subject = subject.Name();
  parts.names = names;
  FillFromProfile(profile, parts);
  parts.not_before = absl::FromUnixSeconds(absl::ToUnixSeconds(now)) - kDefaultBackdate;
  parts.not_after = parts.not_before + kDefaultBackdate +
                    (profile.expiry > absl::ZeroDuration() ? profile.expiry : kSelfSignedExpiry);
  return Finish(key.public_key(), std::move(parts), {nullptr, &key}, {});
}

absl::StatusOr<Signer> Signer::Create(pki::Certificate ca, pki::PrivateKey key,
                                      SigningConfig config, absl::Time now) {
  if (const absl::Status match = pki::KeyMatches(ca, key); !match.ok()) {
    return CodedError(kCertificateUnknown,
                      fmt::format("x509: provided PrivateKey doesn't match parent's PublicKey: {}",
                                  Message(match)));
  }
  const auto refuse = [&ca](int code, std::string_view why) {
    return CodedError(code, fmt::format("the CA {:?} {}", ca.subject(), why));
  };
  if (!ca.is_ca()) {
    return refuse(kCertificateNotAuthority,
                  "is not a CA (basicConstraints): nobody accepts what it signs");
  }
  if (!ca.AllowsKeyUsage(pki::KeyUsage::kCertSign)) {
    return refuse(kCertificateNotAuthority,
                  "may not sign certificates (keyUsage lacks keyCertSign)");
  }
  if (now > ca.not_after()) {
    return refuse(kCertificateExpired,
                  fmt::format("expired at {}, now is {}: renew it, for instance with "
                              "gencert -renewca",
                              Text(ca.not_after()), Text(now)));
  }
  if (now < ca.not_before()) {
    return refuse(kCertificateExpired, fmt::format("is not valid before {}, now is {}",
                                                   Text(ca.not_before()), Text(now)));
  }
  if (const absl::Status strength = CheckStrength(ca.public_key()); !strength.ok()) {
    return refuse(kCertificateNotAuthority, fmt::format("has a weak key: {}", Message(strength)));
  }
  return Signer(std::move(ca), std::move(key), std::move(config));
}

absl::StatusOr<Signed> Signer::Issue(const pki::PublicKey& key, const Profile& profile,
                                     pki::CertificateParts parts, const SigningOrder& order,
                                     std::vector<std::string> warnings, absl::Time now) const {
  if (order.names.has_value()) parts.names = *order.names;
  if (profile.name_whitelist.has_value()) {
    CALICO_RETURN_IF_ERROR(CheckWhitelist(profile, CommonNameOf(parts.subject), parts.names));
  }
  std::vector<pki::RawExtension> asked = std::move(parts.extensions);
  parts.extensions.clear();
  FillFromProfile(profile, parts);
  if (profile.copy_extensions) {
    for (pki::RawExtension& extension : asked) {
      if (!IsWrittenByUs(extension.oid)) parts.extensions.push_back(std::move(extension));
    }
  }
  CALICO_RETURN_IF_ERROR(SetValidity(profile, now, parts));
  WarnOfPurposes(ca_, profile, warnings);
  if (parts.not_before > now + absl::Minutes(1)) {
    warnings.push_back(fmt::format("the certificate is not valid before {}, now is {}",
                                   Text(parts.not_before), Text(now)));
  }
  if (parts.not_after > ca_.not_after()) {
    if (order.may_outlive_ca) {
      warnings.push_back(fmt::format(
          "the certificate ends at {}, its CA already at {}: it is of no use after that",
          Text(parts.not_after), Text(ca_.not_after())));
    } else {
      parts.not_after = ca_.not_after();
    }
  }
  return Finish(key, std::move(parts), {&ca_, &key_}, std::move(warnings));
}

absl::StatusOr<Signed> Signer::Sign(const SigningOrder& order, absl::Time now) const {
  const pki::CertificateRequest& request = *order.request;
  CALICO_ASSIGN_OR_RETURN(ChosenProfile chosen, ChooseProfile(config_, order.profile));
  const Profile& profile = *chosen.profile;
  if (const absl::Status proof = request.VerifySignature(); !proof.ok()) {
    return CodedError(kRequestBad, Message(proof));
  }
  CALICO_RETURN_IF_ERROR(CheckStrength(request.public_key()));
  CALICO_RETURN_IF_ERROR(CheckCa(profile, request.requests_ca(), ca_));
  pki::CertificateParts parts;
  if (!profile.filter.has_value() || profile.filter->subject) {
    CALICO_ASSIGN_OR_RETURN(const pki::SubjectName subject, pki::SubjectNameOf(request));
    parts.subject = InGoOrder(subject);
  }
  if (order.subject.has_value()) {
    parts.subject = Completed(order.subject->Name(), parts.subject);
  }
  parts.names = NamesOf(request);
  Filter(profile.filter, parts.names);
  CALICO_ASSIGN_OR_RETURN(parts.extensions, pki::ExtensionsOf(request));
  return Issue(request.public_key(), profile, std::move(parts), order, std::move(chosen.warnings),
               now);
}

absl::StatusOr<Signed> Signer::SignOwn(const Request& request, const pki::PublicKey& key,
                                       const SigningOrder& order, absl::Time now) const {
  CALICO_ASSIGN_OR_RETURN(ChosenProfile chosen, ChooseProfile(config_, order.profile));
  const Profile& profile = *chosen.profile;
  CALICO_RETURN_IF_ERROR(CheckCa(profile, request.ca.has_value(), ca_));
  pki::CertificateParts parts;
  if (!profile.filter.has_value() || profile.filter->subject) {
    parts.subject = InGoOrder(request.subject.Name());
  }
  parts.names = request.names;
  Filter(profile.filter, parts.names);
  parts.extensions = request.extensions;
  return Issue(key, profile, std::move(parts), order, std::move(chosen.warnings), now);
}

absl::StatusOr<pki::CertificateRequest> ReadCertificateRequest(std::string_view text) {
  // DER begins with a SEQUENCE.
  if (text.starts_with('\x30')) {
    absl::StatusOr<pki::CertificateRequest> request = pki::CertificateRequest::ParseDer(text);
    if (request.ok()) return request;
  }
  const absl::StatusOr<pki::PemText> pem = pki::ParsePem(text);
  if (!pem.ok() || pem->blocks.empty()) {
    return CodedError(kRequestDecode,
                      fmt::format("CSR Decode failed: {}",
                                  pem.ok() ? std::string("no PEM block CERTIFICATE REQUEST")
                                           : Message(pem.status())));
  }
  const pki::PemBlock& block = pem->blocks.front();
  if (block.label != "CERTIFICATE REQUEST" && block.label != "NEW CERTIFICATE REQUEST") {
    return CodedError(
        kRequestBad,
        fmt::format("not a certificate or csr: the PEM block is labelled {:?}", block.label));
  }
  absl::StatusOr<pki::CertificateRequest> request = pki::CertificateRequest::ParseDer(block.der);
  if (!request.ok()) return CodedError(kRequestParse, Message(request.status()));
  return request;
}

}  // namespace calico::calicert::cfssl
