// Transport: one API call as attempts of http::Client, with credentials, retries and warnings.
// Knows HTTP answers, not verbs. Used by Client only.
#ifndef CALICO_PKG_KUBE_CLIENT_TRANSPORT_H_
#define CALICO_PKG_KUBE_CLIENT_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "pkg/aio/task.h"
#include "pkg/base/log.h"
#include "pkg/http/client.h"
#include "pkg/http/message.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/client/reachability.h"
#include "pkg/kube/client/retry_machine.h"
#include "pkg/net/tls.h"
#include "pkg/net/tls_identity.h"

namespace calico::kube {

struct Call {
  http::Request request;
  Repeat repeat = Repeat::kSafe;
  absl::Duration timeout;  // of all attempts and the waits between them
};

// Threading: event loop thread only. Lifetime: outlives its calls and the streams it opened.
class Transport {
 public:
  Transport(aio::Executor executor, RestConfig config, const base::Logger& logger,
            const ClientOptions& options, std::shared_ptr<Reachability> reachability);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // The response, whose status is 2xx. Errors: those of ErrorFromResponse and http::Client.
  aio::Task<absl::StatusOr<http::Response>> Do(Call call);

  // The same, up to the response head; `timeout` ends there.
  aio::Task<absl::StatusOr<std::unique_ptr<http::ResponseStream>>> Open(Call call);

  // Held by a call of several requests; Do holds one itself.
  class CallSlot {
   public:
    explicit CallSlot(Transport& transport) : transport_(transport) { ++transport_.calls_; }
    ~CallSlot();
    CallSlot(const CallSlot&) = delete;
    CallSlot& operator=(const CallSlot&) = delete;

   private:
    Transport& transport_;
  };
  // Returns when no call has been under way for a moment, at the latest after
  // ClientOptions::watch_patience. Errors: kCancelled.
  aio::Task<absl::Status> WaitUntilQuiet();

  // Held by a watch: its connection does not count against those of other calls, which would
  // otherwise wait for as long as it lasts.
  class WatchSlot {
   public:
    explicit WatchSlot(Transport& transport) : transport_(transport) { transport_.AddWatches(1); }
    ~WatchSlot() { transport_.AddWatches(-1); }
    WatchSlot(const WatchSlot&) = delete;
    WatchSlot& operator=(const WatchSlot&) = delete;

   private:
    Transport& transport_;
  };

  const RestConfig& config() const { return config_; }
  uint64_t bytes_received() const { return http_->bytes_received(); }

 private:
  enum class Mode { kWhole, kStream };
  // A response in one piece, or a stream after its 2xx head.
  struct Answer {
    http::Response response;
    std::unique_ptr<http::ResponseStream> stream;
  };

  aio::Task<absl::StatusOr<Answer>> Send(Call call, Mode mode);
  aio::Task<absl::StatusOr<Answer>> Attempt(http::Request request, absl::Duration timeout,
                                            Mode mode);
  absl::Status Tell(absl::Status status);
  absl::Status Authorize(http::Request& request);
  void FollowRotation(const net::TlsOptions& tls);
  void CheckRotation();
  void AddWatches(int count);
  void LogWarnings(const http::Headers& headers);

  RestConfig config_;
  const base::Logger& logger_;
  const std::shared_ptr<Reachability> reachability_;
  std::unique_ptr<http::Client> http_;
  // What a new connection would show as our own, when that was last looked at.
  std::shared_ptr<const net::TlsIdentity> used_identity_;
  uint64_t used_version_ = 0;
  absl::Time next_rotation_check_ = absl::InfinitePast();
  std::set<std::string> warnings_;
  const int max_connections_;
  const absl::Duration rotation_check_;
  const absl::Duration watch_patience_;
  int calls_ = 0;  // under way
  absl::Time last_call_ = absl::InfinitePast();
  int watches_ = 0;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_TRANSPORT_H_
