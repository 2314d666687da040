#include "operator/controllers/status/certificate_health.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "operator/controllers/status/age.h"
#include "operator/controllers/status/text.h"
#include "pkg/pki/certificate_demand.h"

namespace calico::status {
namespace {

using State = RequestFacts::State;

constexpr size_t kUidLetters = 6;
constexpr absl::Duration kYoung = absl::Hours(1);

const api::ContainerStatus* FindContainer(const api::Pod& pod, std::string_view name) {
  for (const api::ContainerStatus& container : pod.init_containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

// Whether `text` is `parts` one after the other. Asked for thousands of pods at a time.
bool IsJoined(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (!text.starts_with(part)) return false;
    text.remove_prefix(part.size());
  }
  return text.empty();
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
  std::string Names() const { return FirstNames(names); }
  const std::string& FirstName() const { return *std::min_element(names.begin(), names.end()); }
  // "CertificateSigningRequest a is", "3 CertificateSigningRequests (a, b, c) are".
  std::string Subject() const {
    if (size() == 1) return fmt::format("CertificateSigningRequest {} is", names.front());
    return fmt::format("{} CertificateSigningRequests ({}) are", size(), Names());
  }
};

constexpr std::string_view kOtherCaAdvice =
    "; the signer's CA and spec.certificateManagement.caCert differ: while the CA changes caCert "
    "holds the old and the new one (docs/OPERATIONS.md, \"A new CA, without an outage\")";

// The provisioner's exit codes that say why no certificate came of an attempt, see its --help.
constexpr std::int32_t kExitRejected = 3;
constexpr std::int32_t kExitCertificateRefused = 5;
constexpr std::int32_t kExitNameHeld = 6;

// The last end of the init container, whether it runs again or not.
const api::ContainerTerminated* LastEnd(const WaitingPod& waiting) {
  const api::ContainerStatus* const container = FindContainer(*waiting.pod, waiting.provisioner);
  if (container == nullptr) return nullptr;
  if (container->terminated.has_value()) return &*container->terminated;
  return container->last_terminated.has_value() ? &*container->last_terminated : nullptr;
}

std::optional<Refusal> RefusalOf(const RequestFacts& request) {
  if (request.state != State::kDenied && request.state != State::kFailed) return std::nullopt;
  return Refusal{
      .what = fmt::format("{} ({}): {}", request.state == State::kDenied ? "was denied" : "failed",
                          OneLine(request.reason), OneLine(request.message)),
      .is_verdict = true};
}

// The provisioner's advice at the end of a verdict; what helps now is told with the verdict here.
std::string_view WithoutAdvice(std::string_view message) {
  return message.substr(0, message.find("; once the cause is mended"));
}

std::optional<Refusal> RefusalOf(const WaitingPod& waiting, const api::ContainerTerminated& ended) {
  if (ended.exit_code != kExitRejected && ended.exit_code != kExitCertificateRefused &&
      ended.exit_code != kExitNameHeld) {
    return std::nullopt;
  }
  const std::string message = OneLine(WithoutAdvice(ended.message));
  const std::string subject =
      fmt::format("CertificateSigningRequest {} ", RequestName(*waiting.pod));
  if (message.starts_with(subject)) {
    return Refusal{.what = message.substr(subject.size()),
                   .is_verdict = ended.exit_code == kExitRejected};
  }
  return Refusal{.what = fmt::format(
                     "came to nothing, init container {} ended with exit code {}{}{}",
                     waiting.provisioner, ended.exit_code, message.empty() ? "" : ": ", message)};
}

// What is wrong with the certificate that was issued; nullopt when nothing is. The pod judges it
// the same way.
std::optional<std::string> Flaw(const WaitingPod& waiting,
                                const std::vector<pki::Certificate>& roots, absl::Time now) {
  const RequestFacts& request = *waiting.request;
  const auto check = [&](const std::vector<pki::Certificate>& trusted) {
    return pki::MeetsDemand(request.certificate_pem,
                            request.public_key.has_value() ? &*request.public_key : nullptr,
                            {.common_name = waiting.common_name,
                             .dns_names = request.dns_names,
                             .usages = absl::MakeConstSpan(&waiting.usage, 1)},
                            trusted, now);
  };
  const absl::Status status = check(roots);
  if (status.ok()) return std::nullopt;
  std::string flaw = OneLine(std::string(status.message()));
  // Of another CA, and nothing else: somebody changes the CA without an overlap.
  if (check({}).ok()) flaw += kOtherCaAdvice;
  return flaw;
}

class Judge {
 public:
  Judge(const std::vector<pki::Certificate>& roots, absl::Time now) : roots_(roots), now_(now) {}

  void Look(const WaitingPod& waiting) {
    const RequestFacts* const request = waiting.OwnRequest();
    const std::optional<Refusal> refused =
        waiting.refused.has_value() ? waiting.refused : FindRefusal(waiting);
    const absl::Time since = std::min(waiting.waits_since, WaitsSince(waiting));
    if (request == nullptr) {
      LookWithoutRequest(waiting, refused, since);
      return;
    }
    switch (request->state) {
      case State::kPending:
        if (refused.has_value()) {
          refused_[{refused->what, Stage::kAskedAgain, request->signer_name}].Add(request->name,
                                                                                  since);
        } else {
          Wait(request->signer_name, request->name, since, pending_);
        }
        break;
      case State::kApproved:
        if (refused.has_value()) {
          refused_[{refused->what, Stage::kApproved, request->signer_name}].Add(request->name,
                                                                                since);
        } else {
          Wait(request->signer_name, request->name, request->approved_at, approved_);
        }
        break;
      case State::kDenied:
      case State::kFailed:
        refused_[{RefusalOf(*request)->what, Stage::kRefused, ""}].Add(request->name, since);
        break;
      case State::kIssued:
        if (const std::optional<std::string> flaw = Flaw(waiting, roots_, now_)) {
          flawed_[*flaw].Add(request->name, now_);
        }
        break;
    }
  }

  Report Finish() {
    TellLargest(refused_, "CertificateSigningRequests were denied or failed",
                [this](const Attempt& attempt, const Group& group) {
                  return fmt::format("CertificateSigningRequest {} {}{}", group.Names(),
                                     attempt.what, Afterwards(attempt, group));
                });
    TellLargest(flawed_, "certificates that were issued are wrong",
                [](const std::string& flaw, const Group& group) {
                  return fmt::format(
                      "the certificate issued for CertificateSigningRequest {} is wrong: {}",
                      group.Names(), flaw);
                });
    Tell(pending_, "nobody approves for signer", "waiting for approval by signer");
    Tell(approved_, "nobody signs for signer", "approved and waiting for a certificate of signer");
    if (silent_.size() > 0) {
      report_.failing.push_back(fmt::format(
          "there is no CertificateSigningRequest {}, though its pod has been about to make it for "
          "{}; the log of init container {} may tell why",
          silent_.Names(), Age(silent_.since), silent_container_));
    }
    return std::move(report_);
  }

 private:
  // By signer: those that wait for too long already, and the others.
  struct Waiting {
    Group late;
    Group fresh;
  };
  using BySigner = std::map<std::string, Waiting>;
  // What has become of an attempt that was refused.
  enum class Stage { kRefused, kGone, kAskedAgain, kApproved };
  struct Attempt {
    std::string what;  // see Refusal
    Stage stage;
    std::string signer;
    auto operator<=>(const Attempt&) const = default;
  };

  void LookWithoutRequest(const WaitingPod& waiting, const std::optional<Refusal>& refused,
                          absl::Time since) {
    const std::string name = RequestName(*waiting.pod);
    if (refused.has_value()) {
      refused_[{refused->what, Stage::kGone, ""}].Add(name, since);
      return;
    }
    const api::ContainerStatus* const container = FindContainer(*waiting.pod, waiting.provisioner);
    if (container == nullptr || !container->running_since.has_value()) return;
    const absl::Time late_at = *container->running_since + kPatience;
    if (now_ < late_at) {
      report_.RecheckAt(late_at);
      return;
    }
    silent_.Add(name, *container->running_since);
    silent_container_ = waiting.provisioner;
  }

  // A verdict on a request stands for good; only another request can get another one.
  std::string Afterwards(const Attempt& attempt, const Group& group) {
    switch (attempt.stage) {
      case Stage::kRefused:
        return fmt::format(
            "; it cannot be approved any more: once the cause is mended, `kubectl delete csr {}` "
            "or deleting its pod has it asked for anew",
            group.FirstName());
      case Stage::kGone:
        return "; it is asked for again when the init container is restarted";
      case Stage::kAskedAgain:
        return fmt::format(
            "; asked again, and waiting for approval by signer {}, {} since the "
            "first time",
            attempt.signer, Age(group.since));
      case Stage::kApproved:
        return fmt::format(
            "; asked again, approved, and waiting for a certificate of signer {}, "
            "{} since the first time",
            attempt.signer, Age(group.since));
    }
    return "";
  }

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
        report_.failing.push_back(line(sorted[i]->first, sorted[i]->second));
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
  std::map<Attempt, Group> refused_;
  std::map<std::string, Group> flawed_;
  Group silent_;  // no request at all
  std::string_view silent_container_;
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
  const std::string_view uid = pod.meta.uid;
  return request.pod_uid == uid &&
         IsJoined(request.name,
                  {pod.meta.ns, ":", pod.meta.name, ":", uid.substr(0, kUidLetters)}) &&
         IsJoined(request.username,
                  {"system:serviceaccount:", pod.meta.ns, ":", pod.service_account_name});
}

const RequestFacts* WaitingPod::OwnRequest() const {
  return request != nullptr && IsOwnRequest(*pod, *request) ? request.get() : nullptr;
}

std::optional<Refusal> FindRefusal(const WaitingPod& waiting) {
  if (const RequestFacts* const request = waiting.OwnRequest()) {
    if (request->state == State::kIssued) return std::nullopt;
    if (std::optional<Refusal> refusal = RefusalOf(*request)) return refusal;
  }
  const api::ContainerTerminated* const ended = LastEnd(waiting);
  return ended == nullptr ? std::nullopt : RefusalOf(waiting, *ended);
}

// An init container that ended without a certificate may ask again under the same name, so that the
// request looks younger than the waiting is. A young pod has waited since it was made; of an old
// one (its node was restarted, say) its last attempt is known, and that it came to nothing.
absl::Time WaitsSince(const WaitingPod& waiting) {
  const RequestFacts* const request = waiting.OwnRequest();
  const api::ContainerTerminated* const ended = LastEnd(waiting);
  const absl::Time made = waiting.pod->meta.creation_timestamp;
  const bool has_failed = ended != nullptr && ended->exit_code != 0;
  if (request == nullptr) {
    return has_failed ? ended->started_at.value_or(made) : absl::InfiniteFuture();
  }
  const absl::Time asked = request->created;
  if (!has_failed) return asked;
  if (asked - made < kYoung) return std::min(asked, made);
  return std::min(asked - kPatience, ended->started_at.value_or(asked));
}

Report JudgeCertificates(const std::vector<WaitingPod>& pods,
                         const std::vector<pki::Certificate>& roots, absl::Time now) {
  Judge judge(roots, now);
  for (const WaitingPod& waiting : pods) {
    if (!WaitsForCertificate(*waiting.pod, waiting.provisioner)) continue;
    judge.Look(waiting);
  }
  return judge.Finish();
}

}  // namespace calico::status
