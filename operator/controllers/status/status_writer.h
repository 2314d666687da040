// StatusWriter: puts a decision where users look: a TigeraStatus, the status of the object that it
// is about, and Events. Writes only what differs.
#ifndef CALICO_OPERATOR_CONTROLLERS_STATUS_STATUS_WRITER_H_
#define CALICO_OPERATOR_CONTROLLERS_STATUS_STATUS_WRITER_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "operator/controllers/status/conditions.h"
#include "pkg/aio/task.h"
#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/event/recorder.h"

namespace calico::status {

// What was written a moment ago, for as long as the cache still shows a version from before. Times
// are the steady clock's.
template <class T>
class Remembered {
 public:
  static constexpr absl::Duration kWatchLag = absl::Seconds(10);

  void Set(T value, std::vector<std::string> versions_before, absl::Time now) {
    value_ = std::move(value);
    versions_before_ = std::move(versions_before);
    until_ = now + kWatchLag;
  }
  void Forget() { value_.reset(); }
  // Null when the cache has moved on, or when it had its time.
  const T* Get(const std::string& cached_version, absl::Time now) {
    const bool is_behind = std::find(versions_before_.begin(), versions_before_.end(),
                                     cached_version) != versions_before_.end();
    if (!is_behind || now >= until_) Forget();
    return value_.has_value() ? &*value_ : nullptr;
  }
  absl::Time until() const { return until_; }

 private:
  std::optional<T> value_;
  std::vector<std::string> versions_before_;
  absl::Time until_ = absl::InfinitePast();
};

// What one writer writes.
struct StatusSubject {
  std::string name;  // of the TigeraStatus: "calico"
  // The object that it is about, and with which it goes.
  const api::Resource* owner = nullptr;  // static
  std::string owner_name;
  // Whether the conditions stand in the owner's own status too.
  bool is_mirrored = true;
};

// The objects as the caches hold them.
struct StatusTarget {
  std::shared_ptr<const api::TigeraStatus> tigera_status;  // null: not there
  // False: it cannot be looked at, and is written all the same.
  bool is_status_known = true;
  std::string owner_uid;  // empty: the owner cannot be looked at, nor be written
  // False: what would be stored with the status is not what its user wrote.
  bool may_write_owner = true;
  std::string owner_version;
  json::object owner_status;
  // Written to the owner's status when the decision is Available, each member as a whole: what a
  // member lacks goes. Null: the member goes.
  json::object when_available;
};

// Threading: event loop thread only; one Write at a time. All references outlive it.
class StatusWriter {
 public:
  StatusWriter(StatusSubject subject, kube::Client& client, kube::EventRecorder& events,
               const base::Clock& clock)
      : subject_(std::move(subject)), client_(client), events_(events), clock_(clock) {}

  // Returns when to try again: a change of messages alone is written once a second at most, and
  // while the cache is behind nobody knows. Errors: as kube::Client; kAborted when the cache is
  // behind. Cancellation: total.
  aio::Task<absl::StatusOr<absl::Time>> Write(StatusTarget target, Decision decision);

  // Deletes the TigeraStatus of an owner that is gone.
  aio::Task<absl::Status> Remove(std::shared_ptr<const api::TigeraStatus> tigera_status);

 private:
  aio::Task<absl::Status> WriteTigeraStatus(const StatusTarget& target,
                                            std::vector<api::Condition> conditions);
  aio::Task<absl::Status> WriteOverLiveStatus(const std::vector<api::Condition>& conditions);
  aio::Task<absl::Status> WriteUnknownStatus(std::vector<api::Condition> conditions);
  // Returns until when to wait for the cache.
  aio::Task<absl::StatusOr<absl::Time>> WriteOwner(const StatusTarget& target,
                                                   const std::vector<api::Condition>& conditions,
                                                   bool is_available);
  json::array OwnersOf(const StatusTarget& target) const;
  json::object WithOwner(json::object object, const StatusTarget& target) const;
  std::string EventMessage(const api::Condition& condition) const;
  bool LacksOwner(const StatusTarget& target) const;
  aio::Task<absl::StatusOr<std::string>> GiveOwner(const StatusTarget& target);
  void RecordEvents(const StatusTarget& target, const std::vector<api::Condition>& before,
                    const std::vector<api::Condition>& after);

  const StatusSubject subject_;
  kube::Client& client_;
  kube::EventRecorder& events_;
  const base::Clock& clock_;
  // What the wall clock will show then, if nobody sets it.
  absl::Time OnTheWall(absl::Time steady) const;

  Remembered<std::vector<api::Condition>> written_conditions_;
  // As they were written without being seen: nothing will show them.
  std::optional<std::vector<api::Condition>> unseen_conditions_;
  Remembered<json::object> written_owner_status_;
  // What the API server has not kept of the last write, because its definition of the owner is
  // another one: sending it again would not help.
  json::object unkept_owner_status_;
  std::string owned_by_;  // UID of the owner of which the TigeraStatus was made a dependent
  absl::Time last_write_ = absl::InfinitePast();  // steady clock
};

}  // namespace calico::status

#endif  // CALICO_OPERATOR_CONTROLLERS_STATUS_STATUS_WRITER_H_
