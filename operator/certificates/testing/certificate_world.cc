#include "operator/certificates/testing/certificate_world.h"

#include <utility>

#include <absl/algorithm/container.h>
#include <fmt/format.h>

namespace calico::certificates {
namespace {

void PutPlanned(CertificateWorld& world, const PlannedSecret& planned) {
  Texts data;
  for (const auto& [key, value] : planned.data) data[key] = std::string(value.view());
  api::Secret& secret = world.Put(planned.ns, planned.name, data, /*is_owned=*/true);
  secret.meta.labels = planned.labels;
  secret.meta.annotations = planned.annotations;
}

}  // namespace

Texts SuppliedPair(const pki::TestLeaf& leaf, std::string_view common_name) {
  return {{"tls.crt", leaf.chain_pem},
          {"tls.key", leaf.key_pem},
          {"common-name", std::string(common_name)}};
}

CertificateWorld::CertificateWorld() {
  demands.release = "v3.33";
  demands.operator_namespace = kOperatorNamespace;
  demands.key_pairs = {NodeKeyPair(), TyphaKeyPair()};
}

api::Secret& CertificateWorld::Put(std::string_view ns, std::string_view name, const Texts& data,
                                   bool is_owned) {
  static int version = 0;
  ++version;
  Erase(ns, name);
  api::Secret secret;
  secret.meta.ns = ns;
  secret.meta.name = name;
  secret.meta.uid = fmt::format("uid-{}", version);
  secret.meta.resource_version = fmt::to_string(version);
  if (is_owned) {
    secret.meta.owner_references = {{.api_version = "operator.tigera.io/v1",
                                     .kind = "Installation",
                                     .name = "default",
                                     .uid = "installation",
                                     .controller = true}};
  }
  secret.type = api::kOpaqueSecret;
  for (const auto& [key, value] : data) secret.data[key] = base::SharedSecret(value);
  live.secrets.push_back(std::move(secret));
  return live.secrets.back();
}

api::Secret* CertificateWorld::Find(std::string_view ns, std::string_view name) {
  const auto secret = absl::c_find_if(live.secrets, [&](const api::Secret& candidate) {
    return candidate.meta.ns == ns && candidate.meta.name == name;
  });
  return secret == live.secrets.end() ? nullptr : &*secret;
}

void CertificateWorld::Erase(std::string_view ns, std::string_view name) {
  std::erase_if(live.secrets, [&](const api::Secret& secret) {
    return secret.meta.ns == ns && secret.meta.name == name;
  });
}

void CertificateWorld::PutTyphaCa(std::string_view text) {
  live.typha_ca.emplace();
  live.typha_ca->meta.name = kTyphaCa;
  live.typha_ca->data[std::string(kTyphaCaKey)] = text;
}

absl::StatusOr<Plan> CertificateWorld::TryMakePlan() {
  return certificates::MakePlan(live, demands, now, [this](pki::KeyAlgorithm) {
    ++keys_made;
    return pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256);
  });
}

Plan CertificateWorld::MakePlan() { return TryMakePlan().value(); }

void CertificateWorld::Apply(const Plan& plan) {
  for (const SecretDeletion& deletion : plan.deletions) Erase(deletion.ns, deletion.name);
  for (const PlannedSecret& planned : plan.originals) PutPlanned(*this, planned);
  for (const PlannedSecret& planned : plan.copies) PutPlanned(*this, planned);
  live.trusted_bundle.emplace();
  live.trusted_bundle->data[std::string(kBundleKey)] = plan.bundle.text;
  if (plan.bundle.HasSystemRoots()) {
    live.trusted_bundle->data[std::string(kSystemRootsKey)] = *plan.bundle.system_roots;
  }
}

const PlannedSecret* FindPlanned(const std::vector<PlannedSecret>& secrets, std::string_view name) {
  const auto secret = absl::c_find_if(
      secrets, [&](const PlannedSecret& candidate) { return candidate.name == name; });
  return secret == secrets.end() ? nullptr : &*secret;
}

}  // namespace calico::certificates
