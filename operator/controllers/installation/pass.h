// Pass: what one reconcile of the Installation has found out.
#ifndef CALICO_OPERATOR_CONTROLLERS_INSTALLATION_PASS_H_
#define CALICO_OPERATOR_CONTROLLERS_INSTALLATION_PASS_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include "operator/controllers/installation/records.h"
#include "operator/controllers/status/conditions.h"
#include "pkg/api/operator/installation.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/pki/certificate.h"

namespace calico::installation {

struct Pass {
  std::shared_ptr<const InstallationRecord> record;  // null: it cannot be looked at
  std::optional<status::Obstacle> obstacle;
  std::vector<std::string> gaps;   // what cannot be looked at, beside what is watched
  std::vector<std::string> waits;  // for what ends by itself
  bool namespace_ending = false;
  bool may_write_installation = true;
  bool may_have_lost = false;  // fields, see DefinitionCheck
  std::string release_change;  // that is under way, in a sentence
  std::vector<std::string> notes;
  bool is_valid = false;                          // what the Installation says can be carried out
  std::string signer_name;                        // with certificateManagement
  std::vector<pki::Certificate> roots;            // likewise
  std::vector<std::string> certificate_problems;  // with which what is in place is kept
  // Told in the Installation's own status once everything is available.
  api::InstallationStatus installation_status;
  bool has_asked = false;    // for Calico's own configuration, see Configuration
  bool is_settling = false;  // that has not been counted yet: nothing is called Available
  bool applied = false;
  bool is_superseded = false;            // as status::ApplyOutcome
  bool has_api_server = false;           // that counts, right or wrong
  bool api_server_had_its_turn = false;  // what belongs to the APIServer could be applied
  absl::Status error;                    // to be tried again
  absl::Time again_at = absl::InfiniteFuture();

  // The first obstacle stays.
  void Stop(std::string_view reason, std::string message) {
    if (!obstacle.has_value()) obstacle = status::Obstacle{std::string(reason), std::move(message)};
  }
  void StopForCertificates() {
    if (certificate_problems.empty()) return;
    Stop(api::kReasonCertificateError, absl::StrJoin(certificate_problems, "\n"));
  }
  void Again(absl::Time at) { again_at = std::min(again_at, at); }
  absl::Duration WaitFrom(absl::Time now) const {
    return std::max(again_at - now, absl::Milliseconds(1));
  }
  std::int64_t generation() const { return record == nullptr ? 0 : record->generation; }
  std::string uid() const { return record == nullptr ? "" : record->uid; }
};

}  // namespace calico::installation

#endif  // CALICO_OPERATOR_CONTROLLERS_INSTALLATION_PASS_H_
