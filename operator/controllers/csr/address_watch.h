// AddressWatch: an AddressIndex kept equal to the cluster by watches of all Services, Nodes and
// Pods, and the word on whether it can be relied on.
//
// How current it is: a change is in it as soon as the API server has sent it. That the server has
// sent everything is known from bookmarks, about one a minute, and where none comes for
// kLongestSilence (some stores send none, and some proxies cut every quiet watch before) from a new
// list. An index is relied on for kLongestBehind after the last proof (see Informer::current_at)
// and not beyond: with a server that can neither be watched nor listed for longer nobody gets a
// certificate with addresses until it can.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_ADDRESS_WATCH_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_ADDRESS_WATCH_H_

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/csr/address_index.h"
#include "operator/csr_policy/facts.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/cache/reflector.h"
#include "pkg/kube/client/client.h"

namespace calico::csr {

// Threading: event loop thread only. Lifetime: all references outlive it; Stop before destruction.
class AddressWatch {
 public:
  // Two bookmarks of a quiet kind, and the time to open the watch between them again.
  static constexpr absl::Duration kLongestBehind = absl::Minutes(3);
  // More than from one bookmark to the next, so that a quiet cluster is not listed again and again;
  // and with the list well below kLongestBehind.
  static constexpr absl::Duration kLongestSilence = absl::Seconds(90);

  AddressWatch(aio::Executor executor, kube::Client& client, const base::Clock& clock,
               const base::Logger& logger, absl::Duration longest_silence = kLongestSilence);
  ~AddressWatch();

  // Called when everything is known again after somebody has asked in vain. Requires: before Start.
  void SetObserver(std::function<void()> observer) { observer_ = std::move(observer); }
  // Watches until Stop, which forgets everything. Again: nothing.
  void Start();
  aio::Task<void> Stop();
  bool is_running() const { return group_ != nullptr; }
  // As Health, but waits for the lists. Errors also: kDeadlineExceeded, kCancelled.
  aio::Task<absl::Status> WaitForSync(absl::Duration timeout);

  // OK if the index can be relied on. Errors: Unavailable with what is missing (verb, resource) and
  // the API server's answer.
  absl::Status Health() const;

  // Who but `self` holds one of `addresses`, by the index. Errors: of Health.
  absl::StatusOr<std::vector<csr_policy::AddressOwner>> Others(
      const std::vector<base::IpAddress>& addresses, const AddressSelf& self);

  enum class Holding { kNo, kTerminating, kYes };  // kTerminating: a Pod that is being deleted
  // Asks the API server whether `owner` holds its address and is not `self`. One that is there and
  // does not is among Others as `left` for a minute.
  // Errors: of the look-up, but not NotFound.
  aio::Task<absl::StatusOr<Holding>> LookUp(csr_policy::AddressOwner owner, AddressSelf self);

 private:
  struct Watched {
    HolderKind kind;
    const api::Resource& resource;
    bool listed = false;
    absl::Time current_at = absl::InfinitePast();  // steady clock
    absl::Status trouble;                          // of the last list or watch
  };

  aio::Task<void> Watch(Watched& watched);
  absl::Status HealthOf(const Watched& watched) const;
  void TellIfKnown();

  aio::Executor executor_;
  kube::Client& client_;
  const base::Clock& clock_;
  const base::Logger& logger_;
  const absl::Duration longest_silence_;
  std::function<void()> observer_;
  AddressIndex index_;
  std::array<Watched, 3> watched_;
  aio::Notifier listed_;
  std::unique_ptr<aio::TaskGroup> group_;  // while it runs
  bool asked_in_vain_ = false;
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_ADDRESS_WATCH_H_
