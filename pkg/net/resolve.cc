#include "pkg/net/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/timer.h"
#include "pkg/net/address.h"

namespace calico::net {
namespace {

using Addresses = absl::StatusOr<std::vector<std::string>>;

// With a broken name server each lookup hangs for a while, and each leaves its thread behind.
constexpr int kMaxLookups = 16;
std::atomic<int> lookups = 0;

struct FreeAddrInfo {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// Blocking.
Addresses Look(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return absl::UnavailableError(fmt::format("look up {}: {}", host, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, FreeAddrInfo> owner(list);
  std::vector<std::string> out;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof(text), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      out.emplace_back(text);
    }
  }
  return out;
}

// Shared by a task and its thread; whoever comes last frees it.
class Lookup {
 public:
  explicit Lookup(aio::Executor executor) : done_(std::move(executor)) {}

  // On the thread.
  void Finish(Addresses addresses) {
    const std::lock_guard lock(mu_);
    if (abandoned_) return;  // the event loop may be gone too
    addresses_ = std::move(addresses);
    done_.NotifyFromThread();
  }

  // On the event loop.
  void Abandon() {
    const std::lock_guard lock(mu_);
    abandoned_ = true;
  }
  aio::Notifier& done() { return done_; }
  Addresses Take() {
    const std::lock_guard lock(mu_);
    return *std::move(addresses_);
  }

 private:
  aio::Notifier done_;
  std::mutex mu_;           // not absl::Mutex: ThreadSanitizer cannot see into the packaged library
  bool abandoned_ = false;  // guarded by mu_
  std::optional<Addresses> addresses_;  // guarded by mu_
};

// Runs when the task ends, and also when it is destroyed in the middle.
struct Abandoner {
  explicit Abandoner(Lookup& l) : lookup(l) {}
  ~Abandoner() { lookup.Abandon(); }
  Lookup& lookup;
};

}  // namespace

aio::Task<absl::StatusOr<std::vector<std::string>>> Resolve(std::string host) {
  if (IsIpAddress(host)) co_return std::vector<std::string>{host};
  if (lookups.fetch_add(1) >= kMaxLookups) {
    --lookups;
    co_return absl::UnavailableError(
        fmt::format("look up {}: {} lookups without an answer", host, kMaxLookups));
  }
  const auto lookup = std::make_shared<Lookup>(co_await aio::CurrentExecutor());
  const Abandoner abandoner(*lookup);
  try {
    std::thread([lookup, host] {
      lookup->Finish(Look(host));
      --lookups;
    }).detach();
  } catch (const std::system_error& error) {
    --lookups;
    co_return absl::UnavailableError(fmt::format("look up {}: {}", host, error.what()));
  }
  const absl::Status status = co_await lookup->done().Wait();
  if (!status.ok()) co_return absl::CancelledError(fmt::format("look up {}: cancelled", host));
  co_return lookup->Take();
}

}  // namespace calico::net
