#include "operator/calicert/etcd/decision.h"

#include <algorithm>
#include <set>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/calicert/etcd/chain_check.h"
#include "pkg/pki/verify.h"

namespace calico::calicert::etcd {
namespace {

using pki::Certificate;

constexpr absl::Duration kRenewWithin = absl::Hours(30 * 24);

std::string KeyNote(const cfssl::KeyRequest& wish, const pki::PublicKey& key) {
  const std::string wanted = KeyText(wish);
  if (key.Description() == wanted) return "";
  return fmt::format("its key is {}, not {}: --force makes a new one", key.Description(), wanted);
}

std::string Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names.empty() ? "no name" : absl::StrJoin(names, ", ");
}

std::vector<std::string> AllNames(std::vector<std::string> names,
                                  const std::vector<base::IpAddress>& addresses,
                                  const std::vector<std::string>& emails,
                                  const std::vector<std::string>& uris) {
  for (const base::IpAddress& address : addresses) names.push_back(address.ToString());
  names.insert(names.end(), emails.begin(), emails.end());
  names.insert(names.end(), uris.begin(), uris.end());
  // The empty name that cfssl makes of `"hosts": [""]` is nobody's.
  names.erase(std::remove(names.begin(), names.end(), ""), names.end());
  return names;
}

std::string UsageNames(const std::vector<std::string>& oids) {
  if (oids.empty()) return "any usage";
  std::set<std::string> names;
  for (const std::string& oid : oids) names.emplace(pki::ExtendedKeyUsageName(oid));
  return absl::StrJoin(names, ", ");
}

std::string SubjectText(const pki::RelativeName& attributes) {
  std::multiset<std::string> parts;
  for (const pki::NameAttribute& attribute : attributes) {
    if (attribute.type != "CN") parts.insert(attribute.type + "=" + attribute.value);
  }
  return parts.empty() ? "nothing" : absl::StrJoin(parts, ", ");
}

// Both sides' answer where the key file is there and cannot be read.
std::optional<Decision> RefuseUnreadableKey(const Found& found, bool new_key) {
  if (!found.has_key || found.key.has_value() || new_key) return std::nullopt;
  return Decision{.action = Action::kRefuse,
                  .reason = fmt::format("its key cannot be read: {}", found.key_problem),
                  .advice = "restore it, or --force puts a new key in its place"};
}

// Why the certificate has to be made anew although key and certificate are there; nothing if not.
std::optional<std::string> WhyAnew(const WantedPair& wanted, const Found& found,
                                   const Certificate* ca, const DecisionOptions& options,
                                   absl::Time now) {
  if (!found.has_certificate) return "its certificate is missing";
  if (found.chain.empty()) {
    return fmt::format("its certificate cannot be read: {}", found.certificate_problem);
  }
  const Certificate& leaf = found.chain.front();
  if (!found.IsPair()) return "its certificate is for another key";
  if (ca == nullptr) return "its CA is made anew";
  const bool by_ca =
      pki::IsIssuedBy(leaf, *ca) ||
      std::any_of(found.chain.begin() + 1, found.chain.end(), [&](const Certificate& above) {
        return pki::IsIssuedBy(leaf, above) && pki::IsIssuedBy(above, *ca);
      });
  if (!by_ca) {
    return fmt::format("another CA has signed it (\"{}\")", leaf.issuer());
  }
  if (std::optional<std::string> difference = Difference(wanted, leaf)) return difference;
  if (now < leaf.not_before()) {
    return fmt::format("it is not valid before {}", TimeText(leaf.not_before()));
  }
  if (IsDue(leaf, options, now)) return fmt::format("it ends at {}", TimeText(leaf.not_after()));
  return std::nullopt;
}

}  // namespace

bool Found::IsPair() const {
  return !chain.empty() && key.has_value() && chain.front().public_key() == *key;
}

std::string_view ToString(Action action) {
  switch (action) {
    case Action::kKeep:
      return "keep";
    case Action::kCreate:
      return "create";
    case Action::kCertify:
      return "certify";
    case Action::kRefuse:
      break;
  }
  return "refuse";
}

bool IsDue(const Certificate& certificate, const DecisionOptions& options, absl::Time now) {
  const absl::Duration life = certificate.not_after() - certificate.not_before();
  const absl::Duration within = options.renew_within.value_or(std::min(kRenewWithin, life / 3));
  return certificate.not_after() - now <= within;
}

std::optional<std::string> Difference(const WantedPair& wanted, const Certificate& certificate) {
  const cfssl::Subject& subject = wanted.request.subject;
  if (certificate.common_name() != subject.common_name) {
    return fmt::format("its common name is \"{}\", not \"{}\"", certificate.common_name(),
                       subject.common_name);
  }
  const std::string is = Sorted(AllNames(certificate.dns_names(), certificate.ip_addresses(),
                                         certificate.emails(), certificate.uris()));
  const pki::AlternativeNameLists& names = wanted.request.names;
  const std::string shall =
      Sorted(AllNames(names.dns_names, names.ip_addresses, names.emails, names.uris));
  if (is != shall) return fmt::format("it is for {}, not for {}", is, shall);
  const std::string usages = UsageNames(certificate.extended_key_usages());
  const std::string wanted_usages = UsageNames(wanted.profile.extended_key_usages);
  if (usages != wanted_usages) {
    return fmt::format("it may be used for {}, not for {}", usages, wanted_usages);
  }
  if (!(certificate.key_usages() == wanted.profile.key_usages)) {
    return fmt::format("its key usages are {}, not {}", certificate.key_usages().ToString(),
                       wanted.profile.key_usages.ToString());
  }
  pki::RelativeName attributes;
  for (const pki::RelativeName& name : subject.Name()) {
    attributes.insert(attributes.end(), name.begin(), name.end());
  }
  const std::string has = SubjectText(certificate.subject_attributes());
  const std::string shall_have = SubjectText(attributes);
  if (has != shall_have) return fmt::format("its subject has {}, not {}", has, shall_have);
  return std::nullopt;
}

Decision DecideCa(const WantedCa& wanted, const Found& found, bool others_exist,
                  const DecisionOptions& options, absl::Time now) {
  if (options.new_ca) return {.action = Action::kCreate, .reason = "a new CA is asked for"};
  if (found.IsEmpty()) {
    if (!others_exist) return {.action = Action::kCreate, .reason = "it is missing"};
    return {.action = Action::kRefuse,
            .reason = "it is missing, and certificates that it may have signed are there",
            .advice = "put its files back, or --force --new-ca makes everything anew"};
  }
  if (auto refused = RefuseUnreadableKey(found, false)) {
    refused->advice = "restore it, or --force --new-ca makes a new CA and all pairs";
    return *refused;
  }
  if (found.chain.empty()) {
    if (found.has_key) {
      return {.action = Action::kCertify,
              .reason = found.has_certificate ? fmt::format("its certificate cannot be read: {}",
                                                            found.certificate_problem)
                                              : "its certificate is missing"};
    }
    return {.action = Action::kRefuse,
            .reason = fmt::format("its certificate cannot be read: {}", found.certificate_problem),
            .advice = "restore it"};
  }
  const Certificate& ca = found.chain.front();
  if (!ca.is_ca() || !ca.AllowsKeyUsage(pki::KeyUsage::kCertSign)) {
    return {.action = Action::kRefuse,
            .reason = "it is no CA: it may not sign certificates",
            .advice = "put a CA there, or --force --new-ca makes one"};
  }
  if (found.has_key && !found.IsPair()) {
    return {.action = Action::kRefuse,
            .reason = "certificate and key do not belong together",
            .advice = "put the right key there, or --force --new-ca makes everything anew"};
  }
  if (!IsDue(ca, options, now)) {
    return {.action = Action::kKeep,
            .note = found.has_key ? KeyNote(wanted.request.key, ca.public_key())
                                  : "its key is elsewhere"};
  }
  if (found.has_key && ca.is_self_signed()) {
    return {.action = Action::kCertify,
            .reason = fmt::format("it ends at {}", TimeText(ca.not_after()))};
  }
  const std::string why = found.has_key
                              ? fmt::format("\"{}\" has signed it and must renew it", ca.issuer())
                              : "its key, which could renew it, is elsewhere";
  if (now > ca.not_after()) {
    return {.action = Action::kRefuse,
            .reason = fmt::format("it has expired at {}", TimeText(ca.not_after())),
            .advice = why};
  }
  return {.action = Action::kKeep,
          .note = fmt::format("it ends at {}, and {}", TimeText(ca.not_after()), why)};
}

Decision DecidePair(const WantedPair& wanted, const Found& found, const Certificate* ca,
                    bool ca_key_is_here, const DecisionOptions& options, absl::Time now) {
  const bool new_key = options.new_keys || options.new_ca;
  Decision decision;
  if (new_key) {
    decision = {.action = Action::kCreate, .reason = "a new key is asked for"};
  } else if (!found.has_key) {
    decision = {.action = Action::kCreate,
                .reason = found.has_certificate ? "its key is missing" : "it is missing"};
  } else if (auto refused = RefuseUnreadableKey(found, new_key)) {
    return *refused;
  } else if (auto reason = WhyAnew(wanted, found, ca, options, now)) {
    decision = {.action = Action::kCertify, .reason = std::move(*reason)};
  } else {
    return {.action = Action::kKeep, .note = KeyNote(wanted.request.key, *found.key)};
  }
  if (ca_key_is_here) return decision;
  return {.action = Action::kRefuse,
          .reason = fmt::format("{}, and its CA's key is not here to sign it", decision.reason),
          .advice = "put the CA's key beside its certificate"};
}

}  // namespace calico::calicert::etcd
