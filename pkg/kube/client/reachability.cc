#include "pkg/kube/client/reachability.h"

#include "pkg/http/client.h"

namespace calico::kube {
namespace {

struct Advice {
  std::string_view cause;  // part of the message
  std::string_view step;
};
// The first that fits.
constexpr Advice kAdvice[] = {
    {"exec: ", "run the credential plug-in of the kubeconfig by hand"},
    {"proxy", "check the proxy: proxy-url in the kubeconfig, else HTTPS_PROXY and NO_PROXY"},
    {"look up ", "check the host name, and the name servers of this host or pod"},
    {"signed by unknown authority",
     "check that the CA in the kubeconfig (in a pod: ca.crt of the service account) is this "
     "server's, and that nothing on the way ends TLS"},
    {"name mismatch", "check server and tls-server-name in the kubeconfig"},
    {"does not speak TLS", "check that the port is the one for HTTPS"},
    {"has expired", "renew the certificate, or set the clock of this machine"},
    {"is not valid before", "set the clock of this machine, or that of the certificate's issuer"},
    {"refused", "check that kube-apiserver runs there, and that address and port are right"},
    {"timed out",
     "check address and port, and routes, firewalls and network policies on the way there"},
    {"unreachable", "check address and routes"},
};

}  // namespace

std::string_view NextStep(const absl::Status& error) {
  const std::string_view message(error.message().data(), error.message().size());
  for (const Advice& advice : kAdvice) {
    if (message.find(advice.cause) != std::string_view::npos) return advice.step;
  }
  return "check that kube-apiserver runs, the credentials, and the way there";
}

// While a part of the way works, answers and failures take turns.
void Reachability::Answered() {
  has_answered_ = true;
  if (!is_told_) return;
  const absl::Time now = clock_.SteadyNow();
  const bool was_silent = !std::exchange(answered_since_told_, true);
  const absl::Time since = was_silent ? told_at_ : failed_at_;
  if (now - since < kSettled) return;
  is_told_ = false;
  logger_.Info("the API server answers", {{"server", origin_}});
}

bool Reachability::MeansUnreachable(const absl::Status& error) const {
  switch (error.code()) {
    case absl::StatusCode::kUnauthenticated:  // TLS, the proxy, or no credentials to show
      return true;
    case absl::StatusCode::kUnavailable:
      return http::NotSent(error);
    case absl::StatusCode::kDeadlineExceeded:
      return !has_answered_;
    default:
      return false;
  }
}

void Reachability::Failed(const absl::Status& error) {
  if (!MeansUnreachable(error)) return;
  failed_at_ = clock_.SteadyNow();
  if (is_told_ || failed_at_ - told_at_ < kTellInterval) return;
  is_told_ = true;
  answered_since_told_ = false;
  told_at_ = failed_at_;
  logger_.Warning("the API server cannot be reached",
                  {{"server", origin_}, {"error", error}, {"next_step", NextStep(error)}});
}

}  // namespace calico::kube
