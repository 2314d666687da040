// What the calls of Client take and hand out.
#ifndef CALICO_PKG_KUBE_CLIENT_OPTIONS_H_
#define CALICO_PKG_KUBE_CLIENT_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <boost/json/object.hpp>

#include "pkg/aio/task.h"

namespace calico::kube {

struct ListOptions {
  std::string ns;  // empty = all namespaces, or cluster-scoped
  std::string label_selector;
  std::string field_selector;
  int page_size = 500;
  absl::Duration timeout = absl::Seconds(60);  // of each page
};

enum class WatchEventType { kAdded, kModified, kDeleted, kBookmark };

struct WatchEvent {
  WatchEventType type = WatchEventType::kAdded;
  boost::json::object object;  // only metadata.resourceVersion for a bookmark
};

struct WatchOptions {
  std::string ns;
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;                   // start after this one
  absl::Duration duration = absl::Minutes(8);     // timeoutSeconds asked of the server
  absl::Duration idle_limit = absl::Seconds(90);  // beyond bookmarks (one a minute) it is dead
  absl::Duration open_timeout = absl::Seconds(30);
  std::function<void()> opened;  // called once the server has accepted it; may be empty
};

struct ApplyOptions {
  std::string field_manager = "calico-operator";
  bool force = false;
  bool dry_run = false;
};

struct Preconditions {
  std::string uid;               // empty = any
  std::string resource_version;  // empty = any
};

struct ClientOptions {
  std::string user_agent = "calico-operator";
  int max_connections = 16;  // of calls at one time; each watch has one more
  // A watch is opened once no other call is under way, or after this time: at the start of a
  // program the connections of dozens of watches would take the processor from what has to be
  // written. The list before it says from where events are sent, so that none is missed.
  absl::Duration watch_patience = absl::ZeroDuration();
  // A client certificate that has been replaced is noticed within this time, or earlier by a new
  // connection; connections that were made with the old one are then closed once they are idle.
  absl::Duration rotation_check = absl::Minutes(1);
  // One object or watch event; a larger one is an error (kResourceExhausted). etcd takes 1.5 MiB by
  // default; the API server's encoder writes each '<', '>' and '&' with six bytes (\u003c), so a
  // legal object can arrive as 9 MiB.
  size_t max_object_bytes = 10 << 20;
  // Looks up the addresses of the API server's name; empty = the system's resolver.
  std::function<aio::Task<absl::StatusOr<std::vector<std::string>>>(std::string host)> resolve;
};

// Called for each object of a list or event of a watch. A bad status ends the call with it.
using ObjectSink = std::function<absl::Status(boost::json::object object)>;
using EventSink = std::function<absl::Status(WatchEvent event)>;

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_OPTIONS_H_
