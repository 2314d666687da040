#include "operator/certificates/pair_plan.h"

#include <algorithm>
#include <utility>

#include <absl/algorithm/container.h>
#include <fmt/format.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/certificates/limits.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/status_macros.h"

namespace calico::certificates {
namespace {

using Write = PlannedSecret::Write;

// A leaf that ends with the CA is not made anew for that.
constexpr absl::Duration kWorthIt = absl::Hours(24);

std::string NameOf(const api::Secret& secret) {
  return fmt::format("Secret {}", secret.meta.Key().ToString());
}

// Looks again before the end, when a certificate is made anew or warned about, and at the end.
void Recheck(absl::Time not_after, absl::Time now, Plan& plan) {
  for (const absl::Time time : {not_after - kRenewBefore, not_after}) {
    if (time > now) plan.recheck_at = std::min(plan.recheck_at, time);
  }
}

bool IsOfApiServer(const KeyPairDemand& demand) { return demand.owner == api::kApiServers.kind; }

std::string FirstName(const KeyPairDemand& demand) {
  return *absl::c_min_element(demand.dns_names);
}

// What verifies a certificate that the user supplies: the CAs that came with it, else itself.
std::string SuppliedIssuer(const StoredPair& pair) {
  if (pair.chain.size() == 1) return pair.certificate_pem;
  return pki::ToPemBundle({pair.chain.begin() + 1, pair.chain.end()});
}

// The signer's own refusals, for instance a user's CA that does not permit a name, are for the
// user; anything else is a fault of this program or the library.
bool IsRefusal(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsFailedPrecondition(status) ||
         absl::IsInvalidArgument(status);
}

}  // namespace

const api::Secret* PairPlanner::FindSecret(std::string_view ns, std::string_view name) const {
  const auto secret = absl::c_find_if(live_.secrets, [&](const api::Secret& candidate) {
    return candidate.meta.ns == ns && candidate.meta.name == name;
  });
  return secret == live_.secrets.end() ? nullptr : &*secret;
}

PairPlanner::Stored PairPlanner::Read(std::string_view ns, std::string_view name) const {
  Stored stored{.secret = FindSecret(ns, name), .pair = {}, .is_operators = false};
  if (stored.secret == nullptr) return stored;
  stored.pair = ReadPair(*stored.secret, live_.withheld_key);
  const bool is_ours_by_key =
      stored.pair.has_leaf() && authority_.has_value() && authority_->HasIssued(stored.pair.leaf());
  stored.is_operators = IsMadeByOperator(*stored.secret, stored.pair, is_ours_by_key);
  return stored;
}

absl::Status PairPlanner::PlanAuthority() {
  const api::Secret* secret = FindSecret(demands_.operator_namespace, kCaSecret);
  const bool is_there = secret != nullptr && !(secret->Get(kCertificateKey).empty() &&
                                               secret->Get(kPrivateKeyKey).empty());
  if (is_there) {
    authority_ = ReadAuthority(*secret, now_, live_.withheld_key);
    PlanAuthority(*secret);
    return absl::OkStatus();
  }
  if (IsRequested()) return absl::OkStatus();
  CALICO_ASSIGN_OR_RETURN(authority_, MakeAuthority(now_, new_key_));
  plan_.notes.push_back(
      fmt::format("Secret {}/{}: a new CA", demands_.operator_namespace, kCaSecret));
  AddOriginal({.certificate_pem = authority_->certificate_pem,
               .key_pem = authority_->key_pem,
               .chain = authority_->certificates},
              kCaSecret, secret == nullptr ? Write::kCreate : Write::kReplace, secret);
  return absl::OkStatus();
}

void PairPlanner::PlanAuthority(const api::Secret& secret) {
  const bool is_operators = authority_->IsOperators();
  if (IsRequested()) {
    // Nothing is signed, so what is wrong with it is nobody's problem.
    if (is_operators) {
      DeleteOrKeep(secret);
    } else if (IsOwned(secret)) {
      AddAsIs(secret);
    }
    return;
  }
  if (!authority_->problem.empty()) {
    plan_.problems.push_back(fmt::format("{}: {}", NameOf(secret), authority_->problem));
  }
  for (const std::string& warning : authority_->warnings) {
    plan_.warnings.push_back(fmt::format("{}: {}", NameOf(secret), warning));
  }
  if (authority_->signer.has_value()) Recheck(authority_->not_after(), now_, plan_);
  if (is_operators && authority_->signer.has_value()) {
    AddOriginal({.certificate_pem = authority_->certificate_pem,
                 .key_pem = authority_->key_pem,
                 .chain = authority_->certificates},
                kCaSecret, Write::kKeep, &secret);
  } else if (IsOwned(secret)) {
    AddAsIs(secret);
  }
}

absl::Status PairPlanner::PlanPair(const KeyPairDemand& demand) {
  const Stored original = Read(demands_.operator_namespace, demand.name);
  const Stored copy = Read(demand.ns, demand.name);
  if (original.secret != nullptr && !original.is_operators) {
    PlanSuppliedPair(demand, original, copy);
    return absl::OkStatus();
  }
  if (IsRequested()) {
    PlanRequest(demand, original, copy);
    return absl::OkStatus();
  }
  return PlanOperatorPair(demand, original, copy);
}

// A user's pair that does not do is a problem, and no reason to make another one in its place.
void PairPlanner::PlanSuppliedPair(const KeyPairDemand& demand, const Stored& original,
                                   const Stored& copy) {
  const std::string name = NameOf(*original.secret);
  PairFindings findings;
  if (original.pair.status.ok()) {
    findings = CheckSuppliedPair(original.pair, demand, now_);
  } else {
    const absl::string_view message = original.pair.status.message();
    findings.problems.emplace_back(message.data(), message.size());
  }
  for (const std::string& warning : findings.warnings) {
    plan_.warnings.push_back(fmt::format("{}: {}", name, warning));
  }
  if (findings.problems.empty()) {
    // It was the operator's before the user put something else into it.
    if (IsOwned(*original.secret)) AddAsIs(*original.secret);
    AddPair(demand, Source::kUserSupplied, original.pair);
    AddCopy(demand, original.pair, original.secret->data);
    return;
  }
  for (const std::string& problem : findings.problems) {
    ProblemsOf(demand).push_back(fmt::format("{}: {}", name, problem));
  }
  KeepCopy(demand, original, copy);
}

void PairPlanner::PlanRequest(const KeyPairDemand& demand, const Stored& original,
                              const Stored& copy) {
  plan_.key_pairs.push_back(
      {.name = demand.name,
       .ns = demand.ns,
       .source = Source::kRequest,
       .common_name = FirstName(demand),
       .uri_san = "",
       .hash_annotation = HashAnnotation(demands_.operator_namespace, demand.name),
       .hash = "",
       .certificate_pem = "",
       .issuer_pem = ""});
  if (original.secret != nullptr) DeleteOrKeep(*original.secret);
  // A copy of what a user had supplied is ours, too.
  if (copy.secret != nullptr && (copy.is_operators || IsOwned(*copy.secret)))
    DeleteOrKeep(*copy.secret);
}

std::string PairPlanner::WhyAnew(const KeyPairDemand& demand, const StoredPair& pair) const {
  if (!pair.status.ok()) {
    return std::string(pair.status.message().data(), pair.status.message().size());
  }
  if (!authority_->HasIssued(pair.leaf())) return "it is of another CA";
  std::string shortcoming = Shortcoming(pair, demand, now_);
  if (!shortcoming.empty()) return shortcoming;
  const absl::Time end = pair.leaf().not_after();
  const bool ends_soon = end - now_ <= kRenewBefore && authority_->signer.has_value() &&
                         LeafEnd(*authority_, now_) > end + kWorthIt;
  return ends_soon ? fmt::format("it ends at {}", TimeText(end)) : "";
}

absl::Status PairPlanner::PlanOperatorPair(const KeyPairDemand& demand, const Stored& original,
                                           const Stored& copy) {
  const std::string why =
      original.secret == nullptr ? "there is none" : WhyAnew(demand, original.pair);
  if (why.empty()) {
    AddOriginal(original.pair, demand.name, Write::kKeep, original.secret);
    AddPair(demand, Source::kOperatorSigned, original.pair);
    AddCopy(demand, original.pair, original.secret->data);
    return absl::OkStatus();
  }
  // Pods that have a good pair keep it when its original was deleted, or broken.
  const bool is_lost = original.secret == nullptr || !original.pair.status.ok();
  if (is_lost && copy.IsUsable() && copy.is_operators && WhyAnew(demand, copy.pair).empty()) {
    AddOriginal(copy.pair, demand.name,
                original.secret == nullptr ? Write::kCreate : Write::kReplace, original.secret);
    plan_.originals.back().is_restored = true;
    AddPair(demand, Source::kOperatorSigned, copy.pair);
    AddCopy(demand, copy.pair, copy.secret->data);
    return absl::OkStatus();
  }
  return IssueAnew(demand, why, original, copy);
}

absl::Status PairPlanner::IssueAnew(const KeyPairDemand& demand, std::string_view why,
                                    const Stored& original, const Stored& copy) {
  if (!authority_->signer.has_value()) {
    if (authority_->problem.empty()) {
      ProblemsOf(demand).push_back(fmt::format("Secret {}/{}: without its key, {} cannot be signed",
                                               demands_.operator_namespace, kCaSecret,
                                               demand.name));
    }
    KeepCopy(demand, original, copy);
    return absl::OkStatus();
  }
  absl::StatusOr<IssuedPair> issued = IssuePair(*authority_, demand, now_, new_key_);
  if (!issued.ok()) {
    if (!IsRefusal(issued.status())) return issued.status();
    const absl::string_view message = issued.status().message();
    ProblemsOf(demand).push_back(fmt::format("Secret {}/{}: it cannot sign {}: {}",
                                             demands_.operator_namespace, kCaSecret, demand.name,
                                             std::string_view(message.data(), message.size())));
    KeepCopy(demand, original, copy);
    return absl::OkStatus();
  }
  const StoredPair pair{.certificate_pem = std::move(issued->certificate_pem),
                        .key_pem = std::move(issued->key_pem),
                        .chain = {std::move(issued->leaf)}};
  plan_.notes.push_back(fmt::format("Secret {}/{}: a new certificate, because {}",
                                    demands_.operator_namespace, demand.name, why));
  AddOriginal(pair, demand.name, original.secret == nullptr ? Write::kCreate : Write::kReplace,
              original.secret);
  AddPair(demand, Source::kOperatorSigned, pair);
  AddCopy(demand, pair, {});
  return absl::OkStatus();
}

std::vector<std::string>& PairPlanner::ProblemsOf(const KeyPairDemand& demand) {
  return IsOfApiServer(demand) ? plan_.api_server_problems : plan_.problems;
}

std::string PairPlanner::OwnerOf(std::string_view name) const {
  const auto demand = absl::c_find_if(
      demands_.key_pairs, [&](const KeyPairDemand& candidate) { return candidate.name == name; });
  return demand == demands_.key_pairs.end() ? PlannedSecret().owner : demand->owner;
}

void PairPlanner::AddPair(const KeyPairDemand& demand, Source source, const StoredPair& pair) {
  const bool is_supplied = source == Source::kUserSupplied;
  const bool has_own_names = is_supplied && demand.is_peer;
  const std::string common_name = is_supplied ? pair.leaf().common_name() : FirstName(demand);
  plan_.key_pairs.push_back(
      {.name = demand.name,
       .ns = demand.ns,
       .source = source,
       .common_name = has_own_names ? pair.common_name : common_name,
       .uri_san = has_own_names ? pair.uri_san : "",
       .hash_annotation = HashAnnotation(demands_.operator_namespace, demand.name),
       .hash = AnnotationHash(AnnotationHash(pair.certificate_pem)),
       .certificate_pem = pair.certificate_pem,
       .issuer_pem = is_supplied ? SuppliedIssuer(pair) : "",
       .not_after = pair.leaf().not_after()});
  Recheck(pair.leaf().not_after(), now_, plan_);
}

void PairPlanner::AddOriginal(const StoredPair& pair, std::string_view name, Write write,
                              const api::Secret* live) {
  PlannedSecret secret{.name = std::string(name),
                       .ns = demands_.operator_namespace,
                       .owner = OwnerOf(name),
                       .write = write};
  if (live != nullptr) {
    secret.uid = live->meta.uid;
    secret.resource_version = live->meta.resource_version;
    // It cannot be changed, and a Secret is not deleted for it.
    if (!live->type.empty()) secret.type = live->type;
  }
  if (write == Write::kKeep && live != nullptr) secret.data = live->data;
  SetPair(pair.certificate_pem, pair.key_pem, secret.data);
  if (pair.has_leaf() && FormOf(demands_.release).has_secret_metadata) {
    Describe(pair.leaf(), HashAnnotation(demands_.operator_namespace, name),
             AnnotationHash(AnnotationHash(pair.certificate_pem)), secret);
  }
  plan_.originals.push_back(std::move(secret));
}

void PairPlanner::AddCopy(const KeyPairDemand& demand, const StoredPair& pair,
                          const api::SecretData& data) {
  PlannedSecret secret{.name = demand.name, .ns = demand.ns, .owner = demand.owner, .data = data};
  SetPair(pair.certificate_pem, pair.key_pem, secret.data);
  if (FormOf(demands_.release).has_secret_metadata) {
    Describe(pair.leaf(), HashAnnotation(demands_.operator_namespace, demand.name),
             AnnotationHash(AnnotationHash(pair.certificate_pem)), secret);
  }
  plan_.copies.push_back(std::move(secret));
}

void PairPlanner::AddAsIs(const api::Secret& secret) {
  const api::ObjectMeta& meta = secret.meta;
  (meta.ns == demands_.operator_namespace ? plan_.originals : plan_.copies)
      .push_back({.name = meta.name,
                  .ns = meta.ns,
                  .owner = OwnerOf(meta.name),
                  .write = Write::kLeave,
                  .uid = meta.uid,
                  .resource_version = meta.resource_version,
                  .data = secret.data});
}

void PairPlanner::KeepCopy(const KeyPairDemand& demand, const Stored& original,
                           const Stored& copy) {
  if (original.secret != nullptr && IsOwned(*original.secret)) AddAsIs(*original.secret);
  if (!copy.IsUsable()) {
    if (!IsOfApiServer(demand)) plan_.is_complete = false;
    return;
  }
  AddPair(demand, copy.is_operators ? Source::kOperatorSigned : Source::kUserSupplied, copy.pair);
  AddCopy(demand, copy.pair, copy.secret->data);
}

void PairPlanner::DeleteOrKeep(const api::Secret& secret) {
  if (!demands_.is_rolled_out) return AddAsIs(secret);
  plan_.deletions.push_back({.name = secret.meta.name,
                             .ns = secret.meta.ns,
                             .uid = secret.meta.uid,
                             .resource_version = secret.meta.resource_version});
}

}  // namespace calico::certificates
