#include "operator/controllers/upgrade/release_change.h"

#include <utility>

#include <fmt/format.h>

#include "operator/render/names.h"
#include "pkg/base/release_order.h"
#include "pkg/base/version.h"

namespace calico::upgrade {
namespace {

const json::object* FindContainer(const json::object& workload, std::string_view name) {
  const json::object* at = &workload;
  for (const std::string_view key : {"spec", "template", "spec"}) {
    at = codec::FindObject(*at, key);
    if (at == nullptr) return nullptr;
  }
  const json::array* const containers = codec::FindArray(*at, "containers");
  if (containers == nullptr) return nullptr;
  for (const json::value& container : *containers) {
    if (container.is_object() && codec::TextAt(container.get_object(), "name") == name) {
      return &container.get_object();
    }
  }
  return nullptr;
}

// "v3.32.1" of "registry:5000/calico/node:v3.32.1"; empty for a digest or another form.
std::string_view VersionOfImage(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return {};
  const size_t colon = image.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view tag = image.substr(colon + 1);
  return base::ReleaseNumber::Parse(tag).has_value() ? tag : std::string_view();
}

std::string_view VersionOfWorkload(const json::object* workload, std::string_view container) {
  const json::object* const found =
      workload == nullptr ? nullptr : FindContainer(*workload, container);
  return found == nullptr ? std::string_view() : VersionOfImage(codec::TextAt(*found, "image"));
}

// "v3.32" of "v3.32.1"; the text itself where it has no number.
std::string MinorRelease(std::string_view version) {
  const std::optional<base::ReleaseNumber> number = base::ReleaseNumber::Parse(version);
  if (!number.has_value()) return std::string(version);
  return fmt::format("v{}.{}", number->major, number->minor);
}

// Why `wanted` is not installed; empty where it may be.
std::string DowngradeProblem(const InstalledRelease& installed, std::string_view wanted) {
  const std::string_view newest = installed.newest();
  const std::string minor = MinorRelease(newest);
  if (newest.empty() || !base::IsLaterRelease(minor, MinorRelease(wanted))) return "";
  return fmt::format(
      "Calico {} is installed and this operator installs the older {}: nothing is changed. Start "
      "the operator with --release={} (CALICO_RELEASE), or one that has it. To go back all the "
      "same, start it with --allow-downgrade",
      newest, wanted, minor);
}

std::string UnderWay(const InstalledRelease& installed, std::string_view wanted) {
  const std::string& before = installed.complete.empty() ? installed.live : installed.complete;
  if (before.empty() || before == wanted) return "";
  return fmt::format("calico-operator {} brings Calico from {} to {}", base::Version(), before,
                     wanted);
}

}  // namespace

std::string_view InstalledRelease::newest() const {
  const bool has_complete = base::ReleaseNumber::Parse(complete).has_value();
  if (!has_complete) return live;
  return !live.empty() && base::IsLaterRelease(live, complete) ? live : complete;
}

InstalledRelease FindInstalledRelease(const json::object& status, const json::object* node,
                                      const json::object* typha) {
  InstalledRelease installed{.complete = std::string(codec::TextAt(status, "calicoVersion"))};
  const std::string_view first = VersionOfWorkload(node, render::kNode);
  const std::string_view second = VersionOfWorkload(typha, render::kTypha);
  if (first.empty() || second.empty()) return installed;
  installed.live = base::IsLaterRelease(first, second) ? second : first;
  return installed;
}

ReleaseChange JudgeReleaseChange(const ReleaseChangeFacts& facts) {
  ReleaseChange change{.under_way = UnderWay(facts.installed, facts.wanted)};
  std::string downgrade = DowngradeProblem(facts.installed, facts.wanted);
  if (!downgrade.empty() && !facts.allows_downgrade) {
    change.refusal = std::move(downgrade);
  } else if (change.under_way.empty()) {
    return change;
  } else if (!facts.definitions.has_value()) {
    change.wait =
        fmt::format("the CustomResourceDefinitions of Calico {} come first", facts.wanted);
  } else if (!facts.definitions->ok()) {
    change.obstacle = fmt::format(
        "the CustomResourceDefinitions of Calico {} come first, and cannot be applied: "
        "{}. If the operator lacks a right, apply the operator.yaml of this version",
        facts.wanted, std::string(facts.definitions->message()));
  }
  return change;
}

}  // namespace calico::upgrade
