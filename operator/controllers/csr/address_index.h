// AddressIndex: which Service, Node or Pod holds an IP address, in little memory: about 250 bytes
// for each object that has one.
//
// For verdicts only: what stands in it may be behind, so a denial asks the API server about the
// object once more.
//
// What an object has lost while it lives on (a change of its addresses, a pod that has finished) is
// remembered for kHeld: without an admission policy a thief may take an address away from its owner
// by a write to its status, and ask for it at once.
#ifndef CALICO_OPERATOR_CONTROLLERS_CSR_ADDRESS_INDEX_H_
#define CALICO_OPERATOR_CONTROLLERS_CSR_ADDRESS_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>
#include <absl/time/time.h>

#include "operator/csr_policy/facts.h"
#include "pkg/api/meta/object_key.h"
#include "pkg/base/ip_address.h"
#include "pkg/codec/json.h"

namespace calico::csr {

enum class HolderKind : uint8_t { kService, kNode, kPod };
// "Service", "Node", "Pod".
std::string_view ToString(HolderKind kind);

// What an object of the API holds.
struct AddressHolder {
  // Each address once. Of a Service: clusterIPs, externalIPs and load balancer ingress; of a Node:
  // every address that is one; of a Pod: podIPs, and none once it has finished.
  std::vector<base::IpAddress> addresses;
  std::string host_node;     // a Pod on the host network: its node
  bool terminating = false;  // a deletion has begun

  bool Holds(const base::IpAddress& address) const;
};

// Takes what comes: what is missing, of another type or no address is left out.
AddressHolder HolderOf(HolderKind kind, const json::object& object);

// Who asks for an address: nothing of this is somebody else.
struct AddressSelf {
  std::string pod;        // namespace/name
  std::string host_node;  // its node if it is on the host network, else empty
};

// Not thread-safe.
class AddressIndex {
 public:
  static constexpr absl::Duration kHeld = absl::Minutes(1);
  // Of addresses that were lost; beyond, the oldest is forgotten. About 100 bytes each.
  static constexpr size_t kMostLost = 4096;

  // Objects of `kind` that are not Set between the last StartList and FinishList are gone.
  void StartList(HolderKind kind);
  void FinishList(HolderKind kind);

  // Replaces what was known of the object. Without addresses it is not kept. `now`: steady clock.
  void Set(HolderKind kind, const api::ObjectKey& key, const AddressHolder& holder, absl::Time now);
  // A look-up has found that the object, which is there, does not hold the address. Said again of
  // what was lost lately, it does not prolong that.
  void Lose(HolderKind kind, const api::ObjectKey& key, const base::IpAddress& address,
            absl::Time now);
  void Remove(HolderKind kind, const api::ObjectKey& key);
  void Clear();

  // Everything but `self` that holds the address: not its pod, and on the host network neither its
  // node nor another pod on the host network of that node. Then those who have lost it within kHeld
  // (`left`).
  std::vector<csr_policy::AddressOwner> OthersWith(const base::IpAddress& address,
                                                   const AddressSelf& self, absl::Time now) const;
  // Objects that hold an address.
  size_t size() const { return objects_.size(); }

 private:
  struct Object {
    HolderKind kind;
    uint32_t list;     // the list that it was last seen in
    size_t host_node;  // hash of its name, 0 without: node names need not be kept for each pod
    std::string name;
    absl::InlinedVector<base::IpAddress, 1> addresses;
  };
  struct Name {
    HolderKind kind;
    std::string_view name;
  };
  static Name NameOf(const Name& name) { return name; }
  static Name NameOf(const std::unique_ptr<Object>& object) { return {object->kind, object->name}; }
  struct HashName {
    using is_transparent = void;
    template <class Named>
    size_t operator()(const Named& named) const {
      const Name name = NameOf(named);
      return absl::HashOf(name.kind, name.name);
    }
  };
  struct EqualName {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return NameOf(a).kind == NameOf(b).kind && NameOf(a).name == NameOf(b).name;
    }
  };

  struct Lost {
    base::IpAddress address;
    absl::Time at;
    HolderKind kind;
    size_t host_node;
    std::string name;
  };

  static bool IsSelf(HolderKind kind, std::string_view name, size_t host_node,
                     const AddressSelf& self);
  void AddLost(Lost lost);
  std::deque<Lost>::iterator FindLost(HolderKind kind, std::string_view name,
                                      const base::IpAddress& address);
  void Unlink(const Object& object);
  void RemoveNamed(const Name& name);

  uint32_t lists_[3] = {};  // number of the current list of each kind
  absl::flat_hash_set<std::unique_ptr<Object>, HashName, EqualName> objects_;
  absl::flat_hash_map<base::IpAddress, absl::InlinedVector<const Object*, 1>> holders_;
  std::deque<Lost> lost_;  // in order of time, each address of an object once
};

}  // namespace calico::csr

#endif  // CALICO_OPERATOR_CONTROLLERS_CSR_ADDRESS_INDEX_H_
