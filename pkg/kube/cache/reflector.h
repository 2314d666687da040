// Reflector: lists a resource, then watches it for ever, through closed watches, 410 and outages.
//
// The decisions are ReflectorMachine's (no I/O, table-tested); Reflector carries them out.
#ifndef CALICO_PKG_KUBE_CACHE_REFLECTOR_H_
#define CALICO_PKG_KUBE_CACHE_REFLECTOR_H_

#include <functional>
#include <string>
#include <string_view>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <boost/json/object.hpp>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resource.h"
#include "pkg/base/backoff.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"

namespace calico::kube {

// What to do next after a list or watch has ended.
struct ReflectorStep {
  enum class Kind { kList, kWatch, kSleepThenList, kSleepThenWatch };
  Kind kind = Kind::kList;
  absl::Duration wait = absl::ZeroDuration();
};

class ReflectorMachine {
 public:
  // Waits: 800 ms, doubled to 30 s, jittered; reset after two healthy minutes. A Retry-After of the
  // server (up to a minute) is waited for besides.
  explicit ReflectorMachine(base::BackoffOptions backoff = {});

  ReflectorStep Start() const { return {ReflectorStep::Kind::kList, absl::ZeroDuration()}; }
  ReflectorStep AfterList(const absl::Status& status, double random);
  // `events`: events of that watch, bookmarks included; `lasted`: how long it was open, zero if it
  // could not be opened. Watching
  // goes on from the last resourceVersion after an orderly end, an outage (kUnavailable,
  // kDeadlineExceeded, the server's own kResourceExhausted) or a refusal (kUnauthenticated,
  // kPermissionDenied); everything else, such as an event that is too large, lists again,
  // kOutOfRange at once. A watch that ends within a second without an event, or breaks within a
  // second, counts as a failure and waits first; one that breaks later without an event does so
  // from the second on, unless it lasted ten seconds: proxies cut what is quiet.
  ReflectorStep AfterWatch(const absl::Status& status, int events, absl::Duration lasted,
                           double random);

 private:
  ReflectorStep Sleep(ReflectorStep::Kind kind, const absl::Status& status, double random);
  void Healthy(absl::Duration lasted);

  base::Backoff backoff_;
  absl::Duration healthy_ = absl::ZeroDuration();  // since the last failure
  bool expired_ = false;  // the last list was made because the watch had expired
  bool broken_ = false;   // the last watch broke, and the one after it has brought nothing yet
};

// Callbacks of one reflector, called on the event loop thread.
struct ReflectorHandlers {
  // A list begins (again): what follows through `set` until `synced` is the complete state.
  std::function<void()> list_started;
  // An object of a list, or added or modified. A bad status is logged with the object's name and
  // the object is skipped: one undecodable object must not stop the rest.
  std::function<absl::Status(boost::json::object object)> set;
  std::function<void(const boost::json::object& object)> deleted;
  // The list has ended; objects not seen since list_started are gone.
  std::function<void()> synced;
  // After a list, and after each event and bookmark of a watch that has caught up: everything that
  // had changed before `at` (steady clock) has been told, but for the API server's own delay.
  //
  // A watch has caught up with its first bookmark, or if it is open soon after its list began. What
  // comes first after a broken watch is a replay: its events may be as old as the break, and tell
  // nothing about the others that are still to come.
  std::function<void(absl::Time at)> current;
  // Called with the error of a list or watch that has to wait before it is tried again, and with OK
  // when a watch is open.
  std::function<void(const absl::Status&)> health;
};

struct ReflectorOptions {
  std::string ns;
  std::string label_selector;
  std::string field_selector;
  // When `current` has not been called for so long, the watch is ended and a list made: for whoever
  // has to know that nothing was missed where no bookmark comes, because the API server's store
  // sends none or a proxy cuts every quiet watch before. Longer than the minute between bookmarks,
  // or idle servers list for nothing.
  absl::Duration longest_silence = absl::InfiniteDuration();
};

// Runs until cancelled. Keeps no object: what `handlers` does not keep is gone.
// Lifetime: `client`, `logger` and `clock` outlive the task.
aio::Task<void> RunReflector(Client& client, const api::Resource& resource,
                             ReflectorOptions options, ReflectorHandlers handlers,
                             const base::Clock& clock, const base::Logger& logger);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CACHE_REFLECTOR_H_
