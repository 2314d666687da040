// Events (core/v1) about objects, deduplicated, bounded, never in the way of the work itself.
#ifndef CALICO_PKG_KUBE_EVENT_RECORDER_H_
#define CALICO_PKG_KUBE_EVENT_RECORDER_H_

#include <memory>
#include <string>
#include <string_view>

#include "pkg/aio/task.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/api/meta/resources.h"
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

// Queue of 1000, the newest dropped when full; an identical event within 10 minutes raises the
// count of the first one; at most 25 events at once per subject, then one per 5 minutes.
// Threading: event loop thread only.
class EventRecorder {
 public:
  // `component` becomes source.component. All references outlive the recorder.
  EventRecorder(Client& client, std::string component, const base::Clock& clock,
                const base::Logger& logger, aio::Executor executor);
  ~EventRecorder();

  // `reason` is CamelCase. Cluster-scoped subjects' events go to namespace `default`.
  void Record(const EventSubject& subject, EventType type, std::string_view reason,
              std::string_view message);

  // Writes queued events until cancelled; a failed write is retried, then dropped with a log line.
  aio::Task<void> Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_EVENT_RECORDER_H_
