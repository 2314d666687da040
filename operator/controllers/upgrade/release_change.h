// Which release of Calico a cluster has, and what it means to install another one over it.
//
// It is remembered in two places, and the later one counts. Installation.status.calicoVersion is
// what was complete last: it is written when everything is available, by whoever may write that
// status. The images of the live calico-node and calico-typha are ahead of it while an upgrade is
// under way, and are still there when the status is lost, as after a restore from a backup. They
// count where both are of a later release: an image that somebody has changed by hand is put right.
// A name that is no release number (a branch's build, an image by its digest) tells nothing.
#ifndef CALICO_OPERATOR_CONTROLLERS_UPGRADE_RELEASE_CHANGE_H_
#define CALICO_OPERATOR_CONTROLLERS_UPGRADE_RELEASE_CHANGE_H_

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "pkg/codec/json.h"

namespace calico::upgrade {

struct InstalledRelease {
  std::string complete;  // of the status: "v3.32.1"; empty: nothing was complete yet
  std::string live;      // of what runs, the older one; empty: nothing tells

  // The later one of the two that have a number; empty: it is not known, or nothing is installed.
  std::string_view newest() const;
};

// Of the Installation's `status`, DaemonSet calico-node and Deployment calico-typha; null: there is
// none.
InstalledRelease FindInstalledRelease(const json::object& status, const json::object* node,
                                      const json::object* typha);

struct ReleaseChangeFacts {
  InstalledRelease installed;
  std::string_view wanted;  // "v3.33.1"
  bool allows_downgrade = false;
  // Calico's own definitions: how the operator's last look at them ended; nullopt: it has not yet.
  std::optional<absl::Status> definitions;
};

struct ReleaseChange {
  // Nothing is changed. `refusal`: until somebody decides; `obstacle`: until it is mended; `wait`:
  // for a moment. At most one is not empty.
  std::string refusal;
  std::string obstacle;
  std::string wait;
  // "calico-operator 0.1.0 brings Calico from v3.32.1 to v3.33.1" until `wanted` is complete; empty
  // when it is, and for a first installation.
  std::string under_way;
};

// Another release comes after its definitions, so that no field of its objects is lost. An older
// one is refused. Going back within a minor release is no downgrade: its objects and definitions
// are the same.
ReleaseChange JudgeReleaseChange(const ReleaseChangeFacts& facts);

}  // namespace calico::upgrade

#endif  // CALICO_OPERATOR_CONTROLLERS_UPGRADE_RELEASE_CHANGE_H_
