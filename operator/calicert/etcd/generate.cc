#include "operator/calicert/etcd/generate.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "operator/calicert/cfssl/issuing.h"
#include "operator/calicert/command/file_output.h"
#include "operator/calicert/etcd/store.h"
#include "pkg/base/status_macros.h"
#include "pkg/pki/certificate_request.h"

namespace calico::calicert::etcd {
namespace {

bool Writes(const Step& step) {
  return step.decision.action == Action::kCreate || step.decision.action == Action::kCertify;
}

// What is sent after a leaf: a CA that another one has signed, and those above it.
std::string Intermediates(const Trust& trust) {
  std::string pem;
  for (const pki::Certificate& certificate : trust.certificates) {
    if (certificate.is_self_signed()) break;
    pem += certificate.pem();
  }
  return pem;
}

class Generator {
 public:
  Generator(const Layout& layout, const GenerateOptions& options, absl::Time now)
      : layout_(layout), options_(options), now_(now) {}

  absl::StatusOr<std::vector<Step>> Plan();
  absl::StatusOr<std::vector<Step>> Run(const KeyMaker& make_key,
                                        const std::function<void(const Step&)>& done);

 private:
  bool IsWanted(const WantedPair& pair) const;
  absl::Status CheckOnly() const;
  Step PlanCa(size_t index, bool others_exist);
  std::vector<pki::Certificate> RestoredCa(size_t index) const;
  Step PlanPair(const WantedPair& pair);
  // The key of `base`: a new one, or that of the file.
  absl::StatusOr<pki::PrivateKey> KeyFor(std::string_view base, const cfssl::KeyRequest& wish,
                                         Action action, const KeyMaker& make_key) const;
  absl::StatusOr<cfssl::Signed> SignCa(size_t index, const pki::PrivateKey& key,
                                       Action action) const;
  absl::Status MakeCa(size_t index, const KeyMaker& make_key, Step& step);
  absl::Status MakePair(const WantedPair& pair, const KeyMaker& make_key, Step& step);
  absl::Status Write(std::string_view base, const pki::PrivateKey& key, Action action,
                     const std::string& request, const std::string& certificate) const;

  const Layout& layout_;
  const GenerateOptions& options_;
  const absl::Time now_;
  std::vector<Found> cas_;
  std::vector<Decision> ca_decisions_;
};

bool Generator::IsWanted(const WantedPair& pair) const {
  const auto& only = options_.only;
  return only.empty() || std::any_of(only.begin(), only.end(), [&pair](const std::string& word) {
           return word == pair.owner || word == pair.base || word == ToString(pair.role);
         });
}

absl::Status Generator::CheckOnly() const {
  for (const std::string& word : options_.only) {
    const bool is_known =
        std::any_of(layout_.pairs.begin(), layout_.pairs.end(), [&word](const WantedPair& pair) {
          return word == pair.owner || word == pair.base || word == ToString(pair.role);
        });
    if (!is_known) {
      return absl::InvalidArgumentError(
          fmt::format("--only {}: no member, user, proxy, file or role of that name", word));
    }
  }
  return absl::OkStatus();
}

Step Generator::PlanCa(size_t index, bool others_exist) {
  const WantedCa& ca = layout_.cas[index];
  Step step{.title = ca.title, .certificate_file = layout_.CertificateFile(ca.base), .is_ca = true};
  Found found = ReadFound(step.certificate_file, layout_.KeyFile(ca.base));
  if (!found.chain.empty()) step.not_after = found.chain.front().not_after();
  step.was_there = !found.IsEmpty();
  step.decision = DecideCa(ca, found, others_exist, options_.decision, now_);
  const bool is_lost = step.decision.action == Action::kCertify && found.chain.empty();
  cas_.push_back(std::move(found));
  if (is_lost) cas_.back().chain = RestoredCa(index);
  ca_decisions_.push_back(step.decision);
  return step;
}

// A CA whose certificate is lost, as it will be: what it has signed may hold still.
std::vector<pki::Certificate> Generator::RestoredCa(size_t index) const {
  const absl::StatusOr<pki::PrivateKey> key = ReadKey(layout_.KeyFile(layout_.cas[index].base));
  if (!key.ok()) return {};
  const auto made = cfssl::MakeCa(layout_.cas[index].request, *key, now_);
  if (!made.ok()) return {};
  auto certificates = pki::Certificate::ParsePemBundle(made->pem);
  return certificates.ok() ? *std::move(certificates) : std::vector<pki::Certificate>{};
}

Step Generator::PlanPair(const WantedPair& pair) {
  Step step{.title = pair.Title(),
            .certificate_file = layout_.CertificateFile(pair.base),
            .role = pair.role};
  const Found found = ReadFound(step.certificate_file, layout_.KeyFile(pair.base));
  if (!found.chain.empty()) step.not_after = found.chain.front().not_after();
  step.was_there = !found.IsEmpty();
  if (!IsWanted(pair)) {
    step.decision.note = std::string(kLeftAlone);
    return step;
  }
  const Found& ca = cas_[pair.ca];
  const Decision& of_ca = ca_decisions_[pair.ca];
  // A CA that is certified anew keeps its key and name, so that what it has signed still holds.
  const bool is_known = of_ca.action != Action::kCreate && !ca.chain.empty();
  const bool can_sign = of_ca.action == Action::kCreate || ca.key.has_value();
  step.decision = DecidePair(pair, found, is_known ? &ca.chain.front() : nullptr, can_sign,
                             options_.decision, now_);
  return step;
}

absl::StatusOr<std::vector<Step>> Generator::Plan() {
  CALICO_RETURN_IF_ERROR(CheckOnly());
  std::error_code ignored;
  if (std::filesystem::exists(layout_.folder, ignored) &&
      !std::filesystem::is_directory(layout_.folder, ignored)) {
    return absl::InvalidArgumentError(fmt::format(
        "write into {}: it is no folder; move it away, or name another one", layout_.folder));
  }
  std::vector<Step> steps;
  for (size_t i = 0; i < layout_.cas.size(); ++i) {
    const bool others_exist =
        std::any_of(layout_.pairs.begin(), layout_.pairs.end(), [&](const WantedPair& pair) {
          return pair.ca == i &&
                 std::filesystem::exists(layout_.CertificateFile(pair.base), ignored);
        });
    steps.push_back(PlanCa(i, others_exist));
  }
  for (const WantedPair& pair : layout_.pairs) steps.push_back(PlanPair(pair));
  return steps;
}

absl::StatusOr<pki::PrivateKey> Generator::KeyFor(std::string_view base,
                                                  const cfssl::KeyRequest& wish, Action action,
                                                  const KeyMaker& make_key) const {
  return action == Action::kCreate ? make_key(wish) : ReadKey(layout_.KeyFile(base));
}

absl::Status Generator::Write(std::string_view base, const pki::PrivateKey& key, Action action,
                              const std::string& request, const std::string& certificate) const {
  const base::SecretString key_pem = key.ToPem();
  std::vector<OutputFile> files;
  if (action == Action::kCreate) {
    files.push_back({layout_.KeyFile(base), key_pem.view(), kKeyMode});
  }
  if (!request.empty()) files.push_back({layout_.RequestFile(base), request, kCertificateMode});
  files.push_back({layout_.CertificateFile(base), certificate, kCertificateMode});
  return WriteFiles(files);
}

absl::StatusOr<cfssl::Signed> Generator::SignCa(size_t index, const pki::PrivateKey& key,
                                                Action action) const {
  const Found& found = cas_[index];
  // A CA that is there keeps its name byte by byte: Go compares the bytes.
  if (action == Action::kCertify && !found.chain.empty()) {
    return cfssl::RenewCa(found.chain.front(), key, now_);
  }
  return cfssl::MakeCa(layout_.cas[index].request, key, now_);
}

absl::Status Generator::MakeCa(size_t index, const KeyMaker& make_key, Step& step) {
  const WantedCa& wanted = layout_.cas[index];
  const Action action = step.decision.action;
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key,
                          KeyFor(wanted.base, wanted.request.key, action, make_key));
  CALICO_ASSIGN_OR_RETURN(const cfssl::Signed made, SignCa(index, key, action));
  std::string request;
  if (layout_.writes_requests) {
    CALICO_ASSIGN_OR_RETURN(request, cfssl::MakeRequest(wanted.request, key));
  }
  step.not_after = made.not_after;
  // Others that are trusted beside it stay.
  const std::vector<pki::Certificate>& chain = cas_[index].chain;
  std::string pem = made.pem;
  if (action == Action::kCertify && chain.size() > 1) {
    pem += pki::ToPemBundle({chain.begin() + 1, chain.end()});
  }
  return Write(wanted.base, key, action, request, pem);
}

absl::Status Generator::MakePair(const WantedPair& pair, const KeyMaker& make_key, Step& step) {
  const WantedCa& ca = layout_.cas[pair.ca];
  const Action action = step.decision.action;
  CALICO_ASSIGN_OR_RETURN(const Trust trust, ReadTrust(layout_.CertificateFile(ca.base)));
  CALICO_ASSIGN_OR_RETURN(pki::PrivateKey ca_key, ReadKey(layout_.KeyFile(ca.base)));
  cfssl::SigningConfig config;
  config.default_profile = pair.profile;
  CALICO_ASSIGN_OR_RETURN(
      const cfssl::Signer signer,
      cfssl::Signer::Create(trust.certificates.front(), std::move(ca_key), config, now_));
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key,
                          KeyFor(pair.base, pair.request.key, action, make_key));
  CALICO_ASSIGN_OR_RETURN(const std::string request, cfssl::MakeRequest(pair.request, key));
  CALICO_ASSIGN_OR_RETURN(const pki::CertificateRequest parsed,
                          cfssl::ReadCertificateRequest(request));
  cfssl::SigningOrder order;
  order.request = &parsed;
  order.may_outlive_ca = false;
  CALICO_ASSIGN_OR_RETURN(const cfssl::Signed made, signer.Sign(order, now_));
  step.not_after = made.not_after;
  step.cut_to_ca = made.not_after >= signer.ca().not_after();
  return Write(pair.base, key, action, layout_.writes_requests ? request : "",
               made.pem + Intermediates(trust));
}

absl::StatusOr<std::vector<Step>> Generator::Run(const KeyMaker& make_key,
                                                 const std::function<void(const Step&)>& done) {
  CALICO_ASSIGN_OR_RETURN(std::vector<Step> steps, Plan());
  std::string refused;
  for (const Step& step : steps) {
    if (step.decision.action != Action::kRefuse) continue;
    refused += fmt::format("{}{} ({}): {}: {}", refused.empty() ? "" : "\n", step.title,
                           step.certificate_file, step.decision.reason, step.decision.advice);
  }
  if (!refused.empty()) return absl::FailedPreconditionError(refused);
  if (std::any_of(steps.begin(), steps.end(), Writes) && !layout_.folder.empty()) {
    std::error_code error;
    std::filesystem::create_directories(layout_.folder, error);
    if (error) {
      return absl::UnavailableError(
          fmt::format("make folder {}: {}", layout_.folder, error.message()));
    }
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    Step& step = steps[i];
    if (!Writes(step)) continue;
    const absl::Status made = step.is_ca
                                  ? MakeCa(i, make_key, step)
                                  : MakePair(layout_.pairs[i - layout_.cas.size()], make_key, step);
    if (!made.ok()) return base::Annotate(made, step.title);
    done(step);
  }
  return steps;
}

}  // namespace

absl::StatusOr<std::vector<Step>> PlanGeneration(const Layout& layout,
                                                 const GenerateOptions& options, absl::Time now) {
  return Generator(layout, options, now).Plan();
}

absl::StatusOr<std::vector<Step>> Generate(const Layout& layout, const GenerateOptions& options,
                                           const KeyMaker& make_key,
                                           const std::function<void(const Step&)>& done,
                                           absl::Time now) {
  return Generator(layout, options, now).Run(make_key, done);
}

std::vector<std::string> AfterGeneration(const std::vector<Step>& steps) {
  bool new_ca = false;
  bool renewed_ca = false;
  bool members = false;
  bool clients = false;
  bool all_new = true;
  for (const Step& step : steps) {
    const bool is_new = step.decision.action == Action::kCreate && !step.was_there;
    all_new = all_new && is_new;
    if (!Writes(step)) continue;
    if (step.is_ca) {
      (step.decision.action == Action::kCreate ? new_ca : renewed_ca) = true;
    } else if (step.role == Role::kUser || step.role == Role::kGrpcProxy) {
      clients = true;
    } else {
      members = true;
    }
  }
  if (all_new) {
    return {
        "next: calicert etcd verify, then flags for etcd's command line and users for etcdctl's"};
  }
  std::vector<std::string> notes;
  if (new_ca) {
    notes.emplace_back(
        "a new CA: a cluster that runs with another one must trust both (one file, two "
        "certificates) in a restart of each member before it gets the new pairs");
  } else if (renewed_ca) {
    notes.emplace_back(
        "the CA has its key and name still: copy its certificate to everybody who trusts it, and "
        "restart members one by one before the old one ends (etcd reads it at start only)");
  }
  if (members) {
    notes.emplace_back(
        "members read their pairs at every handshake: copy them in place, key first; no restart");
  }
  if (clients) {
    notes.emplace_back("clients read their pairs when they connect or start: see each one's own");
  }
  return notes;
}

}  // namespace calico::calicert::etcd
