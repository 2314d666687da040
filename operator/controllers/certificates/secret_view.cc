#include "operator/controllers/certificates/secret_view.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "operator/certificates/demands.h"
#include "operator/certificates/trust.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/status_macros.h"

namespace calico::certificates {
namespace {

constexpr std::string_view kOriginals[] = {kCaSecret, kNodeCerts, kTyphaCerts, kApiServerCerts};

std::string ByName(std::string_view name) { return fmt::format("metadata.name={}", name); }

json::object WithoutData(const json::object& secret) {
  json::object rest;
  for (const json::key_value_pair& member : secret) {
    if (member.key() != "data" && member.key() != "stringData") {
      rest.emplace(member.key(), member.value());
    }
  }
  return rest;
}

absl::StatusOr<std::optional<SecretRecord>> KeepAll(const json::object& object,
                                                    const std::string& field_manager) {
  CALICO_ASSIGN_OR_RETURN(kube::LiveObject live,
                          kube::LiveObject::Decode(WithoutData(object), field_manager));
  return SecretRecord{.pull = {.type = std::string(codec::TextAt(object, "type")), .data = {}},
                      .live = std::move(live),
                      .secret = api::Secret::Decode(object)};
}

absl::StatusOr<std::optional<SecretRecord>> KeepPullSecret(const json::object& object) {
  SecretRecord record;
  record.pull.type = codec::TextAt(object, "type");
  const json::object* const data = codec::FindObject(object, "data");
  if (record.pull.is_for_images() && data != nullptr) record.pull.data = *data;
  return record;
}

absl::StatusOr<std::optional<ConfigMapRecord>> KeepConfigMap(const json::object& object) {
  CALICO_ASSIGN_OR_RETURN(api::ConfigMap decoded, api::ConfigMap::Decode(object));
  return ConfigMapRecord{std::move(decoded)};
}

bool IsOriginal(std::string_view name) {
  return std::find(std::begin(kOriginals), std::end(kOriginals), name) != std::end(kOriginals);
}

std::vector<api::ObjectKey> CopyKeys(std::string_view release) {
  std::vector<api::ObjectKey> keys;
  for (const KeyPairDemand& demand : {NodeKeyPair(), TyphaKeyPair()}) {
    keys.push_back({demand.ns, demand.name});
  }
  keys.push_back({std::string(ApiServerNamespace(release)), std::string(kApiServerCerts)});
  return keys;
}

// Wipes the text, in which the private key is.
void Forget(kube::LiveObject* object) {
  const auto wiped = base::SharedSecret::Take(std::move(object->text));
  delete object;
}

}  // namespace

bool PullSecretRecord::is_for_images() const {
  return type == "kubernetes.io/dockerconfigjson" || type == "kubernetes.io/dockercfg";
}

bool operator==(const SecretRecord& a, const SecretRecord& b) {
  if (a.live.has_value() != b.live.has_value()) return false;
  if (!a.live.has_value()) return a.pull.type == b.pull.type && a.pull.data == b.pull.data;
  return a.live->uid == b.live->uid && a.live->resource_version == b.live->resource_version;
}

bool operator==(const ConfigMapRecord& a, const ConfigMapRecord& b) {
  return a.config_map.meta.uid == b.config_map.meta.uid &&
         a.config_map.meta.resource_version == b.config_map.meta.resource_version;
}

SecretView::SecretView(kube::Client& client, std::string operator_namespace,
                       std::string_view release, std::string field_manager,
                       const base::Clock& clock, const base::Logger& logger, aio::Executor executor)
    : operator_namespace_(std::move(operator_namespace)),
      copy_keys_(CopyKeys(release)),
      clock_(clock),
      executor_(executor),
      originals_(
          client, api::kSecrets, {.ns = operator_namespace_},
          [field_manager](const json::object& object) {
            return IsOriginal(api::ObjectMetaOf(object).name) ? KeepAll(object, field_manager)
                                                              : KeepPullSecret(object);
          },
          clock, logger, executor),
      typha_ca_(client, api::kConfigMaps,
                {.ns = operator_namespace_, .field_selector = ByName(kTyphaCa)}, &KeepConfigMap,
                clock, logger, executor),
      bundle_(client, api::kConfigMaps,
              {.ns = std::string(kBundleNamespace), .field_selector = ByName(kTrustedBundle)},
              &KeepConfigMap, clock, logger, executor),
      changed_(executor) {
  for (const api::ObjectKey& key : copy_keys_) {
    copies_.push_back(std::make_unique<Secrets>(
        client, api::kSecrets,
        kube::ReflectorOptions{.ns = key.ns, .field_selector = ByName(key.name)},
        [field_manager](const json::object& object) { return KeepAll(object, field_manager); },
        clock, logger, executor));
    copies_.back()->AddObserver([this](const api::ObjectKey& changed) { SecretChanged(changed); });
    copies_.back()->AddHealthObserver([this] { HealthChanged(); });
  }
  originals_.AddObserver([this](const api::ObjectKey& changed) { SecretChanged(changed); });
  typha_ca_.AddObserver([this](const api::ObjectKey& changed) { ConfigMapChanged(changed); });
  bundle_.AddObserver([this](const api::ObjectKey& changed) { ConfigMapChanged(changed); });
  originals_.AddHealthObserver([this] { HealthChanged(); });
  typha_ca_.AddHealthObserver([this] { HealthChanged(); });
  bundle_.AddHealthObserver([this] { HealthChanged(); });
}

SecretView::~SecretView() = default;

void SecretView::HealthChanged() {
  changed_.Notify();
  if (health_observer_) health_observer_();
}

aio::Task<void> SecretView::Run() {
  aio::TaskGroup group(executor_);
  group.Spawn(originals_.Run());
  for (const auto& copy : copies_) group.Spawn(copy->Run());
  group.Spawn(typha_ca_.Run());
  group.Spawn(bundle_.Run());
  co_await group.Join();
  co_await group.Stop();
}

bool SecretView::HasSynced() const {
  bool has_synced = true;
  VisitInformers([&](const auto& informer) { has_synced = has_synced && informer.HasSynced(); });
  return has_synced;
}

aio::Task<absl::Status> SecretView::WaitForSync(absl::Duration timeout) {
  const absl::Time end = clock_.SteadyNow() + timeout;
  while (!HasSynced()) {
    absl::Status refused;
    VisitInformers([&](const auto& informer) {
      if (!informer.HasSynced() && informer.trouble().has_value()) {
        refused = informer.trouble()->error;
      }
    });
    if (!refused.ok()) co_return refused;
    CALICO_CO_RETURN_IF_ERROR(
        co_await changed_.Wait(std::max(end - clock_.SteadyNow(), absl::ZeroDuration())));
  }
  co_return absl::OkStatus();
}

void SecretView::SecretChanged(const api::ObjectKey& key) {
  if (Covers(api::kSecrets, key)) {
    ++version_;
    changed_.Notify();
  }
  if (observer_) observer_(api::kSecrets, key);
}

void SecretView::ConfigMapChanged(const api::ObjectKey& key) {
  ++version_;
  if (observer_) observer_(api::kConfigMaps, key);
}

bool SecretView::Covers(const api::Resource& resource, const api::ObjectKey& key) const {
  if (resource != api::kSecrets) return false;
  if (key.ns == operator_namespace_) return IsOriginal(key.name);
  return std::find(copy_keys_.begin(), copy_keys_.end(), key) != copy_keys_.end();
}

std::shared_ptr<const SecretRecord> SecretView::Find(const api::ObjectKey& key) const {
  if (key.ns == operator_namespace_) return originals_.store().Get(key);
  for (const auto& copy : copies_) {
    if (auto found = copy->store().Get(key)) return found;
  }
  return nullptr;
}

std::string SecretView::VersionOf(const api::ObjectKey& key) const {
  const auto record = Find(key);
  return record == nullptr || !record->live.has_value() ? "" : record->live->resource_version;
}

aio::Task<absl::Status> SecretView::WaitForChange(api::ObjectKey key, std::string version,
                                                  absl::Duration timeout) {
  const absl::Time end = clock_.SteadyNow() + timeout;
  while (VersionOf(key) == version) {
    CALICO_CO_RETURN_IF_ERROR(
        co_await changed_.Wait(std::max(end - clock_.SteadyNow(), absl::ZeroDuration())));
  }
  co_return absl::OkStatus();
}

absl::StatusOr<Live> SecretView::ReadLive() const {
  Live live;
  std::vector<api::ObjectKey> keys = copy_keys_;
  for (const std::string_view name : kOriginals) {
    keys.push_back({operator_namespace_, std::string(name)});
  }
  for (const api::ObjectKey& key : keys) {
    const auto record = Find(key);
    if (record == nullptr) continue;
    if (!record->secret.ok()) {
      return absl::InvalidArgumentError(fmt::format(
          "Secret {}: {}", key.ToString(), std::string(record->secret.status().message())));
    }
    live.secrets.push_back(*record->secret);
  }
  if (const auto found = typha_ca_.store().Get({operator_namespace_, std::string(kTyphaCa)})) {
    live.typha_ca = found->config_map;
  }
  if (const auto found =
          bundle_.store().Get({std::string(kBundleNamespace), std::string(kTrustedBundle)})) {
    live.trusted_bundle = found->config_map;
  }
  return live;
}

std::shared_ptr<const PullSecretRecord> SecretView::PullSecret(const std::string& name) const {
  auto record = originals_.store().Get({operator_namespace_, name});
  if (record == nullptr) return nullptr;
  return {record, &record->pull};
}

// The whole object for a moment: what is compared and forgotten.
std::shared_ptr<const kube::LiveObject> SecretView::Get(const api::Resource& resource,
                                                        const api::ObjectKey& key) const {
  const auto record = Covers(resource, key) ? Find(key) : nullptr;
  if (record == nullptr || !record->live.has_value()) return nullptr;
  std::shared_ptr<kube::LiveObject> whole(new kube::LiveObject(*record->live), &Forget);
  if (!record->secret.ok()) return whole;
  json::object object = record->live->Parse();
  object["data"] = api::EncodeSecretData(record->secret->data);
  whole->text = codec::Serialize(object);
  return whole;
}

}  // namespace calico::certificates
