#include "operator/controllers/status/certificate_health.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/controllers/status/age.h"
#include "operator/controllers/status/text.h"
#include "pkg/pki/certificate_demand.h"

namespace calico::status {
namespace {

using State = RequestFacts::State;

// Names told in one line; the rest is counted.
constexpr size_t kMostNames = 3;
constexpr size_t kUidLetters = 6;
constexpr absl::Duration kYoung = absl::Hours(1);

const api::ContainerStatus* FindContainer(const api::Pod& pod, std::string_view name) {
  for (const api::ContainerStatus& container : pod.init_containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

// Requests that are told about in one line.
struct Group {
  std::vector<std::string> names;
  absl::Time since = absl::InfiniteFuture();

  void Add(const std::string& name, absl::Time at) {
    names.push_back(name);
    since = std::min(since, at);
  }
  size_t size() const { return names.size(); }
  std::string Names() const {
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    if (sorted.size() <= kMostNames) return absl::StrJoin(sorted, ", ");
    const size_t more = sorted.size() - kMostNames;
    sorted.resize(kMostNames);
    return fmt::format("{} and {} more", absl::StrJoin(sorted, ", "), more);
  }
  // "CertificateSigningRequest a is", "3 CertificateSigningRequests (a, b, c) are".
  std::string Subject() const {
    if (size() == 1) return fmt::format("CertificateSigningRequest {} is", names.front());
    return fmt::format("{} CertificateSigningRequests ({}) are", size(), Names());
  }
};

// An init container that ended without a certificate asks again under the same name, so that the
// request looks younger than the waiting is. A young pod has waited since it was made; of an old
// one (its node was restarted, say) nothing better is known than that it has failed once already.
absl::Time WaitingSince(const WaitingPod& waiting) {
  const absl::Time asked = waiting.request->created;
  const api::ContainerStatus* const container = FindContainer(*waiting.pod, waiting.provisioner);
  if (container == nullptr || container->restart_count == 0 ||
      !container->last_terminated.has_value() || container->last_terminated->exit_code == 0) {
    return asked;
  }
  const absl::Time made = waiting.pod->meta.creation_timestamp;
  return asked - made < kYoung ? std::min(asked, made) : asked - kPatience;
}

// What is wrong with the certificate that was issued; nullopt when nothing is. The pod judges it
// the same way.
std::optional<std::string> Flaw(const WaitingPod& waiting,
                                const std::vector<pki::Certificate>& roots, absl::Time now) {
  const RequestFacts& request = *waiting.request;
  const absl::Status status = pki::MeetsDemand(
      request.certificate_pem, request.public_key.has_value() ? &*request.public_key : nullptr,
      {.common_name = waiting.common_name,
       .dns_names = request.dns_names,
       .usages = absl::MakeConstSpan(&waiting.usage, 1)},
      roots, now);
  if (status.ok()) return std::nullopt;
  return std::string(status.message());
}

class Judge {
 public:
  Judge(const std::vector<pki::Certificate>& roots, absl::Time now) : roots_(roots), now_(now) {}

  void Look(const WaitingPod& waiting) {
    const RequestFacts& request = *waiting.request;
    switch (request.state) {
      case State::kPending:
        Wait(request.signer_name, request.name, WaitingSince(waiting), pending_);
        break;
      case State::kApproved:
        Wait(request.signer_name, request.name, request.approved_at, approved_);
        break;
      case State::kDenied:
        refused_[{"was denied", request.reason, request.message}].Add(request.name, now_);
        break;
      case State::kFailed:
        refused_[{"failed", request.reason, request.message}].Add(request.name, now_);
        break;
      case State::kIssued:
        if (const std::optional<std::string> flaw = Flaw(waiting, roots_, now_)) {
          flawed_[*flaw].Add(request.name, now_);
        }
        break;
    }
  }

  Report Finish() {
    TellLargest(refused_, "CertificateSigningRequests were denied or failed",
                [](const Refusal& refusal, const std::string& names) {
                  const auto& [verb, reason, message] = refusal;
                  return fmt::format("CertificateSigningRequest {} {} ({}): {}", names, verb,
                                     OneLine(reason), OneLine(message));
                });
    TellLargest(flawed_, "certificates that were issued are wrong",
                [](const std::string& flaw, const std::string& names) {
                  return fmt::format(
                      "the certificate issued for CertificateSigningRequest {} is wrong: {}", names,
                      OneLine(flaw));
                });
    Tell(pending_, "nobody approves for signer", "waiting for approval by signer");
    Tell(approved_, "nobody signs for signer", "approved and waiting for a certificate of signer");
    return std::move(report_);
  }

 private:
  // By signer: those that wait for too long already, and the others.
  struct Waiting {
    Group late;
    Group fresh;
  };
  using BySigner = std::map<std::string, Waiting>;
  using Refusal = std::tuple<std::string, std::string, std::string>;  // verb, reason, message

  void Wait(const std::string& signer, const std::string& name, absl::Time since, BySigner& all) {
    Waiting& waiting = all[signer];
    (now_ - since >= kPatience ? waiting.late : waiting.fresh).Add(name, since);
  }

  // One line for each of the largest groups and one for the others: a message may name its pod, so
  // that there are as many groups as pods.
  template <class What, class Line>
  void TellLargest(const std::map<What, Group>& groups, std::string_view others, Line line) {
    std::vector<const std::pair<const What, Group>*> sorted;
    for (const auto& entry : groups) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
      return a->second.size() != b->second.size() ? a->second.size() > b->second.size()
                                                  : a->first < b->first;
    });
    size_t more = 0;
    for (size_t i = 0; i < sorted.size(); ++i) {
      if (i < kMostTroubles) {
        report_.failing.push_back(line(sorted[i]->first, sorted[i]->second.Names()));
      } else {
        more += sorted[i]->second.size();
      }
    }
    if (more > 0) report_.failing.push_back(fmt::format("and {} more {}", more, others));
  }

  void Tell(const BySigner& all, std::string_view late, std::string_view fresh) {
    for (const auto& [signer, waiting] : all) {
      if (waiting.late.size() > 0) {
        report_.failing.push_back(fmt::format("{} {}: {} waiting for {}", late, signer,
                                              waiting.late.Subject(), Age(waiting.late.since)));
      }
      if (waiting.fresh.size() > 0) {
        report_.progressing.push_back(fmt::format("{} {} {} for {}", waiting.fresh.Subject(), fresh,
                                                  signer, Age(waiting.fresh.since)));
        report_.RecheckAt(waiting.fresh.since + kPatience);
      }
    }
  }

  std::string Age(absl::Time since) {
    const absl::Duration age = std::max(now_ - since, absl::ZeroDuration());
    report_.RecheckAt(now_ + UntilNextAge(age));
    return AgeText(age);
  }

  const std::vector<pki::Certificate>& roots_;
  const absl::Time now_;
  BySigner pending_;
  BySigner approved_;
  std::map<Refusal, Group> refused_;
  std::map<std::string, Group> flawed_;
  Report report_;
};

}  // namespace

std::string RequestName(const api::Pod& pod) {
  return fmt::format("{}:{}:{}", pod.meta.ns, pod.meta.name, pod.meta.uid.substr(0, kUidLetters));
}

bool WaitsForCertificate(const api::Pod& pod, std::string_view provisioner) {
  if (pod.deleting() || pod.finished()) return false;
  const api::ContainerStatus* const container = FindContainer(pod, provisioner);
  return container == nullptr || !container->terminated.has_value() ||
         container->terminated->exit_code != 0;
}

bool IsOwnRequest(const api::Pod& pod, const RequestFacts& request) {
  return request.name == RequestName(pod) && request.pod_uid == pod.meta.uid &&
         request.username ==
             fmt::format("system:serviceaccount:{}:{}", pod.meta.ns, pod.service_account_name);
}

Report JudgeCertificates(const std::vector<WaitingPod>& pods,
                         const std::vector<pki::Certificate>& roots, absl::Time now) {
  Judge judge(roots, now);
  for (const WaitingPod& waiting : pods) {
    if (waiting.request == nullptr || !IsOwnRequest(*waiting.pod, *waiting.request)) continue;
    if (!WaitsForCertificate(*waiting.pod, waiting.provisioner)) continue;
    judge.Look(waiting);
  }
  return judge.Finish();
}

}  // namespace calico::status
