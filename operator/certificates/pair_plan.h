// The part of MakePlan that decides where each key pair comes from.
#ifndef CALICO_OPERATOR_CERTIFICATES_PAIR_PLAN_H_
#define CALICO_OPERATOR_CERTIFICATES_PAIR_PLAN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "operator/certificates/key_pair.h"
#include "operator/certificates/plan.h"

namespace calico::certificates {

// Lives for one MakePlan; everything passed in outlives it.
class PairPlanner {
 public:
  PairPlanner(const Live& live, const Demands& demands, absl::Time now, KeySource new_key,
              Plan& plan)
      : live_(live), demands_(demands), now_(now), new_key_(new_key), plan_(plan) {}

  // First. Errors: as MakePlan.
  absl::Status PlanAuthority();
  // For each demand.
  absl::Status PlanPair(const KeyPairDemand& demand);

  // tigera-ca-private as it is, or as it will be; absent with certificateManagement and no Secret.
  const std::optional<Authority>& authority() const { return authority_; }

 private:
  // A Secret and what is in it; `secret` is null when it is not there.
  struct Stored {
    const api::Secret* secret = nullptr;
    StoredPair pair;
    bool is_operators = false;

    bool IsUsable() const { return secret != nullptr && pair.status.ok(); }
  };

  bool IsRequested() const { return demands_.ca_cert.has_value(); }
  const api::Secret* FindSecret(std::string_view ns, std::string_view name) const;
  Stored Read(std::string_view ns, std::string_view name) const;

  // One that is there.
  void PlanAuthority(const api::Secret& secret);
  absl::Status PlanOperatorPair(const KeyPairDemand& demand, const Stored& original,
                                const Stored& copy);
  void PlanSuppliedPair(const KeyPairDemand& demand, const Stored& original, const Stored& copy);
  void PlanRequest(const KeyPairDemand& demand, const Stored& original, const Stored& copy);
  absl::Status IssueAnew(const KeyPairDemand& demand, std::string_view why, const Stored& original,
                         const Stored& copy);

  std::string WhyAnew(const KeyPairDemand& demand, const StoredPair& pair) const;
  void AddPair(const KeyPairDemand& demand, Source source, const StoredPair& pair);
  void AddOriginal(const StoredPair& pair, std::string_view name, PlannedSecret::Write write,
                   const api::Secret* live);
  void AddCopy(const KeyPairDemand& demand, const StoredPair& pair, const api::SecretData& data);
  std::string OwnerOf(std::string_view name) const;
  std::vector<std::string>& ProblemsOf(const KeyPairDemand& demand);
  // Pods go on with what they have, if that is anything.
  void KeepCopy(const KeyPairDemand& demand, const Stored& original, const Stored& copy);
  // Nothing in it changes; it is in the plan, so that it is not taken for one that nobody needs.
  void AddAsIs(const api::Secret& secret);
  void DeleteOrKeep(const api::Secret& secret);

  const Live& live_;
  const Demands& demands_;
  const absl::Time now_;
  const KeySource new_key_;
  Plan& plan_;
  std::optional<Authority> authority_;
};

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_PAIR_PLAN_H_
