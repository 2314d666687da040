#include "operator/certificates/bundle_plan.h"

#include <utility>

#include <absl/algorithm/container.h>
#include <fmt/format.h>

#include "operator/certificates/key_pair.h"
#include "operator/certificates/limits.h"
#include "pkg/base/utf8.h"
#include "pkg/pki/verify.h"

namespace calico::certificates {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

using Roots = std::shared_ptr<const std::string>;

// Go takes no BEGIN line that something stands before.
std::string WithoutByteOrderMark(std::string_view text) {
  return std::string(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text);
}

class BundlePlanner {
 public:
  BundlePlanner(const Live& live, const Demands& demands, const std::optional<Authority>& authority,
                absl::Time now, Plan& plan)
      : live_(live), demands_(demands), authority_(authority), now_(now), plan_(plan) {}

  void Run() {
    AddAuthority();
    for (const KeyPair& pair : plan_.key_pairs) AddPair(pair);
    AddTyphaCa();
    plan_.bundle = MakeBundle(std::move(members_), ChooseRoots(), form_);
    if (plan_.bundle.size() <= kMaxBundleBytes) return;
    plan_.problems.push_back(fmt::format(
        "ConfigMap {}/{} would hold {} KiB, which is too much for a ConfigMap: shorten {} in "
        "ConfigMap {}/{}, the certificates that you supply, or the file of public roots",
        kBundleNamespace, kTrustedBundle, plan_.bundle.size() >> 10, kTyphaCaKey,
        demands_.operator_namespace, kTyphaCa));
    plan_.is_complete = false;
  }

 private:
  void AddAuthority() {
    TrustMember member{
        .ns = demands_.operator_namespace, .name = std::string(kCaSecret), .pem = ""};
    if (demands_.ca_cert.has_value()) {
      member.pem = WithoutByteOrderMark(*demands_.ca_cert);
    } else if (!authority_->problem.empty() && KeepLive(member)) {
      // What somebody has put there may be anything: peers go on trusting what they have trusted.
      return;
    } else if (HasCa(*authority_)) {
      member.pem = authority_->certificate_pem;
    } else {
      plan_.is_complete = false;
      return;
    }
    members_.push_back(std::move(member));
  }

  bool IsPeer(const KeyPair& pair) const {
    return absl::c_any_of(demands_.key_pairs, [&](const KeyPairDemand& demand) {
      return demand.name == pair.name && demand.is_peer;
    });
  }

  void AddPair(const KeyPair& pair) {
    if (!IsPeer(pair) || pair.source == Source::kOperatorSigned) return;
    TrustMember member{.ns = demands_.operator_namespace, .name = pair.name, .pem = ""};
    if (pair.source == Source::kUserSupplied) {
      if (IsOfAuthority(pair)) return;
      member.pem = pair.certificate_pem;
    } else if (form_.requests_repeat_ca) {
      member.pem = WithoutByteOrderMark(*demands_.ca_cert);
    } else if (std::exchange(has_empty_member_, true)) {
      return;
    }
    members_.push_back(std::move(member));
  }

  bool IsOfAuthority(const KeyPair& pair) const {
    if (demands_.ca_cert.has_value() || !authority_.has_value()) return false;
    const auto chain =
        pki::Certificate::ParsePemBundle(pair.certificate_pem, pki::SurroundingText::kAllow);
    return chain.ok() && authority_->HasIssued(chain->front());
  }

  void AddTyphaCa() {
    if (!live_.typha_ca.has_value()) return;
    const std::string text = WithoutByteOrderMark(live_.typha_ca->Get(kTyphaCaKey));
    const std::string name = fmt::format("ConfigMap {}/{}", demands_.operator_namespace, kTyphaCa);
    TrustMember member{
        .ns = std::string(kBundleNamespace), .name = std::string(kTyphaCa), .pem = text};
    const auto certificates = pki::Certificate::ParsePemBundle(text, pki::SurroundingText::kAllow);
    if (!certificates.ok()) {
      const absl::string_view message = certificates.status().message();
      plan_.problems.push_back(
          text.empty() ? fmt::format("{} has no {}: put the CA's certificates there in PEM, or "
                                     "delete it",
                                     name, kTyphaCaKey)
                       : fmt::format("{}: {}: {}", name, kTyphaCaKey,
                                     std::string_view(message.data(), message.size())));
      return KeepMember(member);
    }
    for (const pki::Certificate& certificate : *certificates) CheckEnd(name, certificate);
    CheckPairsAreOf(*certificates);
    members_.push_back(std::move(member));
  }

  void CheckEnd(std::string_view name, const pki::Certificate& certificate) {
    const absl::Time end = certificate.not_after();
    if (end > now_) plan_.recheck_at = std::min(plan_.recheck_at, end);
    if (end - kRenewBefore > now_) {
      plan_.recheck_at = std::min(plan_.recheck_at, end - kRenewBefore);
      return;
    }
    plan_.warnings.push_back(fmt::format("{}: the certificate {:?} {} at {}", name,
                                         certificate.subject(), end <= now_ ? "ended" : "ends",
                                         TimeText(end)));
  }

  // Peers trust a certificate that is in the bundle itself, but not the one that replaces it.
  void CheckPairsAreOf(const std::vector<pki::Certificate>& roots) {
    for (const KeyPair& pair : plan_.key_pairs) {
      if (pair.source != Source::kUserSupplied || !IsPeer(pair) || IsOfAuthority(pair)) continue;
      const auto chain =
          pki::Certificate::ParsePemBundle(pair.certificate_pem, pki::SurroundingText::kAllow);
      if (!chain.ok() || pki::VerifyChain(chain->front(), {chain->begin() + 1, chain->end()}, roots,
                                          pki::ExtendedKeyUsage::kAny, now_)
                             .ok()) {
        continue;
      }
      plan_.warnings.push_back(fmt::format(
          "Secret {}/{}: its certificate is not of a CA in ConfigMap {}/{}: peers trust this one "
          "certificate only, and connections fail while it is being replaced",
          demands_.operator_namespace, pair.name, demands_.operator_namespace, kTyphaCa));
    }
  }

  // The cluster's own of that name.
  void KeepMember(const TrustMember& member) {
    if (!KeepLive(member)) plan_.is_complete = false;
  }

  // False: there is none.
  bool KeepLive(const TrustMember& member) {
    if (!live_.trusted_bundle.has_value()) return false;
    for (TrustMember& kept : ReadBundle(live_.trusted_bundle->Get(kBundleKey))) {
      if (kept.ns != member.ns || kept.name != member.name) continue;
      members_.push_back(std::move(kept));
      return true;
    }
    return false;
  }

  static bool HasCa(const Authority& authority) {
    return absl::c_any_of(authority.certificates,
                          [](const pki::Certificate& certificate) { return certificate.is_ca(); });
  }

  // Those of the file, else those of the cluster: a program that has none of its own must not take
  // away what another one has given to the pods.
  Roots ChooseRoots() {
    const Roots& given = demands_.system_roots;
    if (given != nullptr && !given->empty()) {
      if (given->size() <= kMaxSystemRootsBytes && base::IsUtf8(*given)) return given;
      plan_.warnings.push_back(
          fmt::format("the file of public roots {}: it is not used",
                      given->size() > kMaxSystemRootsBytes
                          ? fmt::format("has {} KiB, the limit is {}", given->size() >> 10,
                                        kMaxSystemRootsBytes >> 10)
                          : std::string("is not UTF-8")));
    }
    if (!live_.trusted_bundle.has_value()) return nullptr;
    const std::string_view kept = live_.trusted_bundle->Get(kSystemRootsKey);
    if (kept.empty() || kept.size() > kMaxSystemRootsBytes) return nullptr;
    return std::make_shared<const std::string>(kept);
  }

  const Live& live_;
  const Demands& demands_;
  const std::optional<Authority>& authority_;
  const absl::Time now_;
  Plan& plan_;
  const ReleaseForm form_ = FormOf(demands_.release);
  std::vector<TrustMember> members_;
  bool has_empty_member_ = false;
};

}  // namespace

void PlanBundle(const Live& live, const Demands& demands, const std::optional<Authority>& authority,
                absl::Time now, Plan& plan) {
  BundlePlanner(live, demands, authority, now, plan).Run();
}

}  // namespace calico::certificates
