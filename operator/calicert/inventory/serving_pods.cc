#include "operator/calicert/inventory/serving_pods.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/net/survey/tls_survey.h"
#include "pkg/pki/pem.h"

namespace calico::calicert::inventory {
namespace {

constexpr int64_t kTlsPorts[] = {443, 5443, 5473, 6443, 8443, 9443, 10250};
constexpr std::string_view kTlsNames[] = {"https", "tls", "webhook"};
constexpr absl::Duration kPatience = absl::Seconds(2);
constexpr int kAtOnce = 32;

bool LooksLikeTls(std::string_view name, int64_t port) {
  if (std::find(std::begin(kTlsPorts), std::end(kTlsPorts), port) != std::end(kTlsPorts)) {
    return true;
  }
  return std::any_of(std::begin(kTlsNames), std::end(kTlsNames), [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

void AddPorts(const json::object& container, const ServingPort& pod,
              std::vector<ServingPort>& found) {
  const json::array* const ports = codec::FindArray(container, "ports");
  if (ports == nullptr) return;
  for (const json::value& value : *ports) {
    const json::object* const port = value.if_object();
    const json::value* const number =
        port == nullptr ? nullptr : port->if_contains("containerPort");
    if (number == nullptr || !number->is_int64()) continue;
    const int64_t wanted = number->get_int64();
    const std::string_view protocol = codec::TextAt(*port, "protocol");
    if (wanted < 1 || wanted > 65535 || (!protocol.empty() && protocol != "TCP")) continue;
    if (!LooksLikeTls(codec::TextAt(*port, "name"), wanted)) continue;
    found.push_back({pod.pod, pod.address, static_cast<uint16_t>(wanted)});
  }
}

// The ports that are still to be asked, shared by those who ask.
class Asking {
 public:
  Asking(std::vector<ServingPort> ports, FoundCertificates& certificates)
      : ports_(std::move(ports)), certificates_(certificates) {}

  aio::Task<void> Run() {
    while (next_ < ports_.size()) {
      const ServingPort& port = ports_[next_++];
      const absl::StatusOr<net::TlsSurvey> server =
          co_await net::SurveyTls({.host = port.address, .port = port.port, .timeout = kPatience});
      if (!server.ok()) {
        ++silent_;
        continue;
      }
      for (const std::string& der : server->certificates) {
        certificates_.AddText("pod/" + port.pod, fmt::format("{}", port.port), "",
                              pki::EncodePem("CERTIFICATE", der));
      }
    }
  }
  int silent() const { return silent_; }

 private:
  const std::vector<ServingPort> ports_;
  FoundCertificates& certificates_;
  size_t next_ = 0;
  int silent_ = 0;
};

}  // namespace

std::vector<ServingPort> ServingPortsOf(const json::object& pod) {
  std::vector<ServingPort> found;
  const json::object* const spec = codec::FindObject(pod, "spec");
  const json::object* const status = codec::FindObject(pod, "status");
  if (spec == nullptr || status == nullptr || codec::TextAt(*status, "phase") != "Running") {
    return found;
  }
  const ServingPort self{api::ObjectMetaOf(pod).Key().ToString(),
                         std::string(codec::TextAt(*status, "podIP"))};
  const json::array* const containers = codec::FindArray(*spec, "containers");
  if (self.address.empty() || containers == nullptr) return found;
  for (const json::value& container : *containers) {
    if (container.is_object()) AddPorts(container.get_object(), self, found);
  }
  return found;
}

aio::Task<int> AskPorts(std::vector<ServingPort> ports, FoundCertificates& certificates) {
  Asking asking(std::move(ports), certificates);
  aio::TaskGroup group(co_await aio::CurrentExecutor());
  for (int i = 0; i < kAtOnce; ++i) group.Spawn(asking.Run());
  co_await group.Join();
  co_return asking.silent();
}

}  // namespace calico::calicert::inventory
