// Events (core/v1) about objects, deduplicated, bounded, never in the way of the work itself.
#ifndef CALICO_PKG_KUBE_EVENT_RECORDER_H_
#define CALICO_PKG_KUBE_EVENT_RECORDER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resource.h"
#include "pkg/base/clock.h"
#include "pkg/base/log.h"
#include "pkg/kube/client/client.h"

namespace calico::kube {

enum class EventType { kNormal, kWarning };

// The object that an event is about.
struct EventSubject {
  const api::Resource* resource;  // static
  api::ObjectKey key;
  std::string uid;
  std::string resource_version;
};

struct EventRecorderOptions {
  size_t max_queued = 1000;
  // How often a write is tried while the server cannot be reached, and the time between the tries
  // (of the first one: a random part of it).
  int tries = 12;
  absl::Duration retry_interval = absl::Seconds(10);
};

// Bounded queue, the newest dropped when full; an identical event within 10 minutes raises the
// count of the first one; more than 10 that differ in the message only are combined; at most 25
// events at once per subject, then one per 5 minutes. Threading: event loop thread only.
class EventRecorder {
 public:
  // `component` becomes source.component. All references outlive the recorder.
  EventRecorder(Client& client, std::string component, const base::Clock& clock,
                const base::Logger& logger, aio::Executor executor,
                EventRecorderOptions options = {});
  // Requires: Run has ended, or was never called.
  ~EventRecorder();

  // `reason` is CamelCase; a message over 1,024 bytes is cut. Cluster-scoped subjects' events go to
  // namespace `default`.
  void Record(const EventSubject& subject, EventType type, std::string_view reason,
              std::string_view message);

  // Writes queued events until cancelled; a failed write is retried, then dropped with a log line.
  aio::Task<void> Run();

  // Events that wait to be written.
  size_t queued() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_EVENT_RECORDER_H_
