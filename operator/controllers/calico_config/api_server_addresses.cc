#include "operator/controllers/calico_config/api_server_addresses.h"

#include <set>
#include <utility>

#include <absl/status/status.h>
#include <fmt/format.h>

#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"

namespace calico::calico_config {
namespace {

constexpr char kNamespace[] = "default";

std::string JoinHostPort(std::string_view host, std::int64_t port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// The elements of a list of texts; others are left out.
std::vector<std::string> TextsIn(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const json::array* const list = codec::FindArray(object, key);
  for (const json::value& value : list == nullptr ? json::array() : *list) {
    if (value.is_string() && !value.get_string().empty()) {
      texts.emplace_back(codec::View(value.get_string()));
    }
  }
  return texts;
}

std::vector<std::int64_t> PortsIn(const json::object& object) {
  std::vector<std::int64_t> ports;
  const json::array* const list = codec::FindArray(object, "ports");
  for (const json::value& value : list == nullptr ? json::array() : *list) {
    const json::object* const entry = value.if_object();
    const json::value* const port = entry == nullptr ? nullptr : entry->if_contains("port");
    if (port != nullptr && port->is_int64()) ports.push_back(port->get_int64());
  }
  return ports;
}

void AddPorts(const std::vector<std::string>& hosts, const std::vector<std::int64_t>& ports,
              std::vector<std::string>& addresses) {
  for (const std::string& host : hosts) {
    for (const std::int64_t port : ports) addresses.push_back(JoinHostPort(host, port));
  }
}

}  // namespace

ApiServerAddresses::ApiServerAddresses(kube::Client& client, const base::Clock& clock,
                                       const base::Logger& logger, aio::Executor executor)
    : executor_(executor),
      services_(client, api::kServices,
                {.ns = kNamespace, .field_selector = "metadata.name=kubernetes"}, &OfService, clock,
                logger, executor),
      slices_(client, api::kEndpointSlices,
              {.ns = kNamespace, .label_selector = "kubernetes.io/service-name=kubernetes"},
              &OfSlice, clock, logger, executor),
      use_changed_(executor) {
  for (AddressInformer* const informer : {&services_, &slices_}) {
    informer->AddObserver([this](const api::ObjectKey&) { Changed(); });
    informer->AddHealthObserver([this] { Changed(); });
  }
}

absl::StatusOr<std::optional<ApiServerAddresses::Addresses>> ApiServerAddresses::OfService(
    const json::object& service) {
  Addresses addresses;
  const json::object* const spec = codec::FindObject(service, "spec");
  if (spec == nullptr) return addresses;
  std::vector<std::string> hosts = TextsIn(*spec, "clusterIPs");
  if (hosts.empty()) hosts.emplace_back(codec::TextAt(*spec, "clusterIP"));
  if (hosts.front().empty() || hosts.front() == "None") return addresses;
  AddPorts(hosts, PortsIn(*spec), addresses);
  return addresses;
}

absl::StatusOr<std::optional<ApiServerAddresses::Addresses>> ApiServerAddresses::OfSlice(
    const json::object& slice) {
  Addresses addresses;
  const json::array* const endpoints = codec::FindArray(slice, "endpoints");
  for (const json::value& value : endpoints == nullptr ? json::array() : *endpoints) {
    if (!value.is_object()) continue;
    AddPorts(TextsIn(value.get_object(), "addresses"), PortsIn(slice), addresses);
  }
  return addresses;
}

std::vector<std::string> ApiServerAddresses::AddressesIn(const AddressInformer& informer) {
  std::set<std::string> addresses;
  for (const std::shared_ptr<const Addresses>& some : informer.store().List()) {
    addresses.insert(some->begin(), some->end());
  }
  return {addresses.begin(), addresses.end()};
}

std::vector<KindState> ApiServerAddresses::States() const {
  std::vector<KindState> states;
  if (!is_used_) return states;
  for (const AddressInformer* const informer : {&services_, &slices_}) {
    states.push_back({.resource = &informer->resource(),
                      .is_known = informer->HasSynced(),
                      .trouble = informer->trouble(),
                      .started = informer->started_at()});
  }
  return states;
}

void ApiServerAddresses::Use(bool is_used) {
  if (is_used == is_used_) return;
  is_used_ = is_used;
  use_changed_.Notify();
}

aio::Task<void> ApiServerAddresses::Run() {
  while (true) {
    while (!is_used_) {
      if (absl::IsCancelled(co_await use_changed_.Wait())) co_return;
    }
    aio::TaskGroup group(executor_);
    group.Spawn(services_.Run());
    group.Spawn(slices_.Run());
    bool is_ended = false;
    while (is_used_ && !is_ended) is_ended = absl::IsCancelled(co_await use_changed_.Wait());
    co_await group.Stop();
    if (is_ended) co_return;
    services_.Reset();
    slices_.Reset();
  }
}

}  // namespace calico::calico_config
