#include "operator/controllers/csr/address_index.h"

#include <algorithm>
#include <utility>

#include <absl/hash/hash.h>

namespace calico::csr {
namespace {

void AddAddress(std::string_view text, AddressHolder& holder) {
  const absl::StatusOr<base::IpAddress> address = base::IpAddress::Parse(text);
  if (address.ok() && !holder.Holds(*address)) holder.addresses.push_back(*address);
}

// `key` is a list of texts.
void AddTexts(const json::object& object, std::string_view key, AddressHolder& holder) {
  const json::array* texts = codec::FindArray(object, key);
  if (texts == nullptr) return;
  for (const json::value& text : *texts) {
    if (text.is_string()) AddAddress(codec::View(text.get_string()), holder);
  }
}

// `key` is a list of objects with a text `field`.
void AddFields(const json::object& object, std::string_view key, std::string_view field,
               AddressHolder& holder) {
  const json::array* items = codec::FindArray(object, key);
  if (items == nullptr) return;
  for (const json::value& item : *items) {
    if (item.is_object()) AddAddress(codec::TextAt(item.get_object(), field), holder);
  }
}

void AddService(const json::object& spec, const json::object& status, AddressHolder& holder) {
  AddAddress(codec::TextAt(spec, "clusterIP"), holder);
  AddTexts(spec, "clusterIPs", holder);
  AddTexts(spec, "externalIPs", holder);
  if (const json::object* balancer = codec::FindObject(status, "loadBalancer")) {
    AddFields(*balancer, "ingress", "ip", holder);
  }
}

void AddPod(const json::object& spec, const json::object& status, AddressHolder& holder) {
  // It keeps its addresses in its status; the network gives them to others.
  const std::string_view phase = codec::TextAt(status, "phase");
  if (phase == "Succeeded" || phase == "Failed") return;
  AddAddress(codec::TextAt(status, "podIP"), holder);
  AddFields(status, "podIPs", "ip", holder);
  const json::value* host_network = spec.if_contains("hostNetwork");
  if (host_network != nullptr && host_network->is_bool() && host_network->get_bool()) {
    holder.host_node = codec::TextAt(spec, "nodeName");
  }
}

size_t HashOfNode(std::string_view name) {
  return name.empty() ? 0 : std::max(absl::HashOf(name), size_t{1});
}

// An index is never behind for so long: by then whoever has lost an address is not in it any more.
constexpr absl::Duration kRemembered = absl::Minutes(5);

size_t Index(HolderKind kind) { return static_cast<size_t>(kind); }

}  // namespace

std::string_view ToString(HolderKind kind) {
  switch (kind) {
    case HolderKind::kService:
      return "Service";
    case HolderKind::kNode:
      return "Node";
    case HolderKind::kPod:
      return "Pod";
  }
  return "";
}

bool AddressHolder::Holds(const base::IpAddress& address) const {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

AddressHolder HolderOf(HolderKind kind, const json::object& object) {
  static const json::object kEmpty;
  const json::object* metadata = codec::FindObject(object, "metadata");
  const json::object* spec = codec::FindObject(object, "spec");
  const json::object* status = codec::FindObject(object, "status");
  if (spec == nullptr) spec = &kEmpty;
  if (status == nullptr) status = &kEmpty;
  AddressHolder holder;
  holder.terminating =
      metadata != nullptr && !codec::TextAt(*metadata, "deletionTimestamp").empty();
  switch (kind) {
    case HolderKind::kService:
      AddService(*spec, *status, holder);
      break;
    case HolderKind::kNode:
      AddFields(*status, "addresses", "address", holder);
      break;
    case HolderKind::kPod:
      AddPod(*spec, *status, holder);
      break;
  }
  return holder;
}

void AddressIndex::StartList(HolderKind kind) { ++lists_[Index(kind)]; }

void AddressIndex::FinishList(HolderKind kind) {
  std::vector<std::string> gone;
  for (const std::unique_ptr<Object>& object : objects_) {
    if (object->kind == kind && object->list != lists_[Index(kind)]) gone.push_back(object->name);
  }
  for (const std::string& name : gone) RemoveNamed({kind, name});
}

void AddressIndex::Set(HolderKind kind, const api::ObjectKey& key, const AddressHolder& holder,
                       absl::Time now) {
  const std::string name = key.ToString();
  const auto found = objects_.find(Name{kind, name});
  if (found != objects_.end()) {
    // Most changes of an object are others.
    Object& object = **found;
    object.list = lists_[Index(kind)];
    if (object.host_node == HashOfNode(holder.host_node) &&
        std::equal(object.addresses.begin(), object.addresses.end(), holder.addresses.begin(),
                   holder.addresses.end())) {
      return;
    }
    // Who is being deleted gives his addresses away.
    for (const base::IpAddress& address : object.addresses) {
      if (holder.terminating || holder.Holds(address)) continue;
      const auto before = FindLost(kind, name, address);
      if (before != lost_.end()) lost_.erase(before);
      AddLost({address, now, kind, object.host_node, name});
    }
    RemoveNamed({kind, name});
  }
  if (holder.addresses.empty()) return;
  auto object =
      std::make_unique<Object>(Object{kind,
                                      lists_[Index(kind)],
                                      HashOfNode(holder.host_node),
                                      name,
                                      {holder.addresses.begin(), holder.addresses.end()}});
  for (const base::IpAddress& address : object->addresses) {
    holders_[address].push_back(object.get());
  }
  objects_.insert(std::move(object));
}

void AddressIndex::Lose(HolderKind kind, const api::ObjectKey& key, const base::IpAddress& address,
                        absl::Time now) {
  const std::string name = key.ToString();
  const auto before = FindLost(kind, name, address);
  if (before != lost_.end() && now - before->at < kRemembered) return;
  if (before != lost_.end()) lost_.erase(before);
  const auto object = objects_.find(Name{kind, name});
  AddLost({address, now, kind, object == objects_.end() ? 0 : (*object)->host_node, name});
}

void AddressIndex::AddLost(Lost lost) {
  while (!lost_.empty() &&
         (lost_.size() >= kMostLost || lost.at - lost_.front().at >= kRemembered)) {
    lost_.pop_front();
  }
  lost_.push_back(std::move(lost));
}

std::deque<AddressIndex::Lost>::iterator AddressIndex::FindLost(HolderKind kind,
                                                                std::string_view name,
                                                                const base::IpAddress& address) {
  return std::find_if(lost_.begin(), lost_.end(), [&](const Lost& lost) {
    return lost.address == address && lost.kind == kind && lost.name == name;
  });
}

void AddressIndex::Remove(HolderKind kind, const api::ObjectKey& key) {
  RemoveNamed({kind, key.ToString()});
}

void AddressIndex::RemoveNamed(const Name& name) {
  const auto found = objects_.find(name);
  if (found == objects_.end()) return;
  Unlink(**found);
  objects_.erase(found);
}

void AddressIndex::Unlink(const Object& object) {
  for (const base::IpAddress& address : object.addresses) {
    const auto holders = holders_.find(address);
    auto& objects = holders->second;
    objects.erase(std::remove(objects.begin(), objects.end(), &object), objects.end());
    if (objects.empty()) holders_.erase(holders);
  }
}

void AddressIndex::Clear() {
  holders_.clear();
  objects_.clear();
  lost_.clear();
}

bool AddressIndex::IsSelf(HolderKind kind, std::string_view name, size_t host_node,
                          const AddressSelf& self) {
  switch (kind) {
    case HolderKind::kService:
      return false;
    case HolderKind::kNode:
      return name == self.host_node;
    case HolderKind::kPod:
      return name == self.pod || (host_node != 0 && host_node == HashOfNode(self.host_node));
  }
  return false;
}

std::vector<csr_policy::AddressOwner> AddressIndex::OthersWith(const base::IpAddress& address,
                                                               const AddressSelf& self,
                                                               absl::Time now) const {
  std::vector<csr_policy::AddressOwner> others;
  if (const auto holders = holders_.find(address); holders != holders_.end()) {
    for (const Object* object : holders->second) {
      if (IsSelf(object->kind, object->name, object->host_node, self)) continue;
      others.push_back({address, std::string(ToString(object->kind)), object->name});
    }
  }
  for (const Lost& lost : lost_) {
    if (lost.address != address || now - lost.at >= kHeld) continue;
    if (IsSelf(lost.kind, lost.name, lost.host_node, self)) continue;
    others.push_back({.address = address,
                      .kind = std::string(ToString(lost.kind)),
                      .name = lost.name,
                      .left = true});
  }
  return others;
}

}  // namespace calico::csr
