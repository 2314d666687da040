#include "operator/certificates/key_pair.h"

#include <algorithm>
#include <utility>

#include <absl/algorithm/container.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include "operator/certificates/limits.h"
#include "pkg/pki/key.h"
#include "pkg/pki/verify.h"

namespace calico::certificates {
namespace {

struct DataKeys {
  std::string_view certificate;
  std::string_view key;
};
// In the order in which they count.
constexpr DataKeys kDataKeys[] = {
    {kCertificateKey, kPrivateKeyKey},
    {"cert", "key"},
    {"apiserver.crt", "apiserver.key"},
    {"cert.crt", "key.key"},
    {"managed-cluster.crt", "managed-cluster.key"},
    {"management-cluster.crt", "management-cluster.key"},
};

const DataKeys* FindKeys(const api::Secret& secret) {
  const DataKeys* half = nullptr;
  for (const DataKeys& keys : kDataKeys) {
    const bool has_certificate = !secret.Get(keys.certificate).empty();
    const bool has_key = !secret.Get(keys.key).empty();
    if (has_certificate && has_key) return &keys;
    if ((has_certificate || has_key) && half == nullptr) half = &keys;
  }
  return half;
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status Fault(std::string text) { return absl::FailedPreconditionError(std::move(text)); }

// The key is another certificate's of the chain, or nobody's.
absl::Status Mismatch(const StoredPair& pair, const DataKeys& keys, const pki::PublicKey& key) {
  for (const pki::Certificate& certificate : pair.chain) {
    if (!pki::KeyMatches(certificate, key).ok()) continue;
    return Fault(
        fmt::format("{}: the certificate {:?}, which {} is for, must come first, then its issuer",
                    keys.certificate, certificate.subject(), keys.key));
  }
  return Fault(fmt::format(
      "{} does not fit {}: the certificate {:?} is for another {} key; store the "
      "key and the certificate that were made together",
      keys.key, keys.certificate, pair.leaf().subject(), pair.leaf().public_key().Description()));
}

absl::Status ReadHalves(const DataKeys& keys, std::string_view withheld, StoredPair& pair) {
  if (!pair.certificate_pem.empty()) {
    absl::StatusOr<std::vector<pki::Certificate>> chain =
        pki::Certificate::ParsePemBundle(pair.certificate_pem, pki::SurroundingText::kAllow);
    if (!chain.ok())
      return Fault(fmt::format("{}: {}", keys.certificate, MessageOf(chain.status())));
    pair.chain = *std::move(chain);
  }
  const auto missing = [](std::string_view key, std::string_view other) {
    return Fault(fmt::format("{} is missing beside {}: a key pair is both", key, other));
  };
  if (pair.certificate_pem.empty()) return missing(keys.certificate, keys.key);
  if (pair.key_pem.empty()) return missing(keys.key, keys.certificate);
  if (pair.key_pem.view() == withheld) return absl::OkStatus();
  const absl::StatusOr<pki::PrivateKey> key = pki::PrivateKey::ParsePem(pair.key_pem.view());
  if (!key.ok()) return Fault(fmt::format("{}: {}", keys.key, MessageOf(key.status())));
  return pki::KeyMatches(pair.leaf(), *key).ok() ? absl::OkStatus()
                                                 : Mismatch(pair, keys, key->public_key());
}

std::string_view OidOf(pki::ExtendedKeyUsage usage) {
  return usage == pki::ExtendedKeyUsage::kClientAuth ? pki::kOidClientAuth : pki::kOidServerAuth;
}

std::string MissingUsage(const pki::Certificate& leaf, const KeyPairDemand& demand) {
  if (leaf.extended_key_usages().empty() ||
      leaf.HasExtendedKeyUsage(pki::kOidAnyExtendedKeyUsage)) {
    return "";
  }
  for (const pki::ExtendedKeyUsage usage : demand.usages) {
    if (usage == pki::ExtendedKeyUsage::kAny || leaf.HasExtendedKeyUsage(OidOf(usage))) continue;
    return fmt::format("its extended key usages lack {}", pki::ExtendedKeyUsageName(OidOf(usage)));
  }
  return "";
}

std::string MissingName(const pki::Certificate& leaf, const KeyPairDemand& demand) {
  for (const std::string& name : demand.dns_names) {
    if (absl::c_linear_search(leaf.dns_names(), name)) continue;
    return fmt::format("its DNS names lack {}", name);
  }
  return "";
}

// What peers are told to look for must be in the certificate, or none of them lets it in.
void CheckPeerNames(const StoredPair& pair, PairFindings& findings) {
  if (pair.common_name.empty() && pair.uri_san.empty()) {
    findings.problems.push_back(fmt::format(
        "{} and {} are missing: add one of them with the name in the certificate (its common name "
        "is {:?}), which the other side looks for",
        kCommonNameKey, kUriSanKey, pair.leaf().common_name()));
    return;
  }
  const bool has_name = !pair.common_name.empty() && pair.common_name == pair.leaf().common_name();
  const bool has_uri =
      !pair.uri_san.empty() && absl::c_linear_search(pair.leaf().uris(), pair.uri_san);
  if (has_name || has_uri) return;
  findings.problems.push_back(
      pair.common_name.empty()
          ? fmt::format("{} is {:?}, which is none of the certificate's URIs", kUriSanKey,
                        pair.uri_san)
          : fmt::format("{} is {:?}, but the certificate's common name is {:?}", kCommonNameKey,
                        pair.common_name, pair.leaf().common_name()));
}

void CheckTimes(const pki::Certificate& leaf, absl::Time now, PairFindings& findings) {
  if (leaf.not_after() < now) {
    findings.problems.push_back(
        fmt::format("its certificate ended at {}: replace it", TimeText(leaf.not_after())));
  } else if (leaf.not_before() > now) {
    findings.problems.push_back(
        fmt::format("its certificate is not valid before {}", TimeText(leaf.not_before())));
  } else if (leaf.not_after() - now <= kRenewBefore) {
    findings.warnings.push_back(
        fmt::format("its certificate ends at {}: replace it before", TimeText(leaf.not_after())));
  }
}

}  // namespace

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

StoredPair ReadPair(const api::Secret& secret, std::string_view withheld) {
  StoredPair pair;
  pair.common_name = secret.Get(kCommonNameKey);
  pair.uri_san = secret.Get(kUriSanKey);
  const DataKeys* keys = FindKeys(secret);
  if (keys == nullptr) {
    pair.status = Fault(fmt::format("it has neither {} nor {}", kCertificateKey, kPrivateKeyKey));
    return pair;
  }
  pair.certificate_pem = secret.Get(keys->certificate);
  if (const auto key = secret.data.find(keys->key); key != secret.data.end()) {
    pair.key_pem = key->second;
  }
  pair.status = ReadHalves(*keys, withheld, pair);
  return pair;
}

void SetPair(std::string_view certificate_pem, const base::SharedSecret& key_pem,
             api::SecretData& data) {
  data[std::string(kCertificateKey)] = base::SharedSecret(certificate_pem);
  data[std::string(kPrivateKeyKey)] = key_pem;
}

PairFindings CheckSuppliedPair(const StoredPair& pair, const KeyPairDemand& demand,
                               absl::Time now) {
  PairFindings findings;
  CheckTimes(pair.leaf(), now, findings);
  if (const std::string usage = MissingUsage(pair.leaf(), demand); !usage.empty()) {
    findings.problems.push_back(usage + ": have a certificate issued with it");
  }
  if (demand.is_peer) {
    CheckPeerNames(pair, findings);
  } else if (const std::string name = MissingName(pair.leaf(), demand); !name.empty()) {
    findings.warnings.push_back(name + ", by which clients may look for it");
  }
  if (const absl::Status strength = pair.leaf().public_key().CheckStrength(); !strength.ok()) {
    findings.warnings.push_back(fmt::format("its key is weak ({})", MessageOf(strength)));
  }
  return findings;
}

std::string Shortcoming(const StoredPair& pair, const KeyPairDemand& demand, absl::Time now) {
  const pki::Certificate& leaf = pair.leaf();
  if (leaf.not_after() < now) return fmt::format("it ended at {}", TimeText(leaf.not_after()));
  if (leaf.not_before() > now) {
    return fmt::format("it is not valid before {}", TimeText(leaf.not_before()));
  }
  std::string usage = MissingUsage(leaf, demand);
  return usage.empty() ? MissingName(leaf, demand) : usage;
}

bool IsOwned(const api::Secret& secret) {
  const api::OwnerReference* owner = secret.meta.Controller();
  return owner != nullptr && owner->api_version.starts_with("operator.tigera.io/");
}

bool IsMadeByOperator(const api::Secret& secret, const StoredPair& pair, bool is_ours_by_key) {
  if (!pair.has_leaf()) return IsOwned(secret);
  const bool is_named = pair.leaf().issuer_common_name().starts_with(kOperatorIssuer);
  const bool is_marked = !pair.common_name.empty() || !pair.uri_san.empty();
  return IsOwned(secret) ? is_named || is_ours_by_key : is_named && !is_marked;
}

}  // namespace calico::certificates
