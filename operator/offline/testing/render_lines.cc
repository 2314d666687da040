// Renders many Installations one after the other, for tests that try thousands of them: what
// `calico-operator render` does, without a process for each.
//
// Reads a line of JSON for each: {"release": "v3.33", "objects": [an Installation, ...]}.
// Prints a line of JSON for each: {"problems": [...], "objects": [...]}, or {"error": "..."} for
// what no Installation may cause.
// Making keys takes longer than everything else, so each release makes them once: then they are in
// the cluster already.

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "operator/offline/rendering.h"
#include "operator/offline/world.h"
#include "operator/render/releases.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/kube/apply/plan.h"
#include "pkg/kube/schema/compare.h"

namespace calico {
namespace {

struct Case {
  const render::Release* release = nullptr;
  std::vector<json::object> objects;
};

absl::StatusOr<Case> ReadCase(const std::string& line) {
  CALICO_ASSIGN_OR_RETURN(const json::object object, codec::ParseJsonObject(line));
  Case result;
  CALICO_ASSIGN_OR_RETURN(result.release,
                          render::Releases::Embedded().Find(codec::TextAt(object, "release")));
  const json::array* const objects = codec::FindArray(object, "objects");
  if (objects == nullptr) return absl::InvalidArgumentError("a line needs objects");
  for (const json::value& item : *objects) {
    if (!item.is_object()) return absl::InvalidArgumentError("an object that is none");
    result.objects.push_back(item.get_object());
  }
  return result;
}

absl::StatusOr<offline::Rendering> Render(const Case& given, absl::Time now) {
  offline::World world;
  for (const json::object& object : given.objects) {
    CALICO_RETURN_IF_ERROR(world.Add("line", object));
  }
  return offline::RenderOffline(world, {.release = given.release,
                                        .operator_namespace = "tigera-operator",
                                        .operator_name = "tigera-operator",
                                        .now = now});
}

using Secrets = std::vector<json::object>;

bool HasManagement(const Case& given) {
  for (const json::object& object : given.objects) {
    const json::object* const spec = codec::FindObject(object, "spec");
    if (spec != nullptr && codec::FindObject(*spec, "certificateManagement") != nullptr) {
      return true;
    }
  }
  return false;
}

// Those that are not there yet.
void AddSecrets(const std::vector<json::object>& objects, std::vector<json::object>& into) {
  for (const json::object& object : objects) {
    if (codec::TextAt(object, "kind") != "Secret") continue;
    const json::object& metadata = object.at("metadata").as_object();
    const bool is_there = std::any_of(into.begin(), into.end(), [&](const json::object& other) {
      const json::object* const meta = codec::FindObject(other, "metadata");
      return codec::TextAt(other, "kind") == "Secret" && meta != nullptr &&
             codec::TextAt(*meta, "name") == codec::TextAt(metadata, "name") &&
             codec::TextAt(*meta, "namespace") == codec::TextAt(metadata, "namespace");
    });
    if (!is_there) into.push_back(object);
  }
}

// What the operator needs of every object: that it can be applied, and is not different from
// itself.
absl::Status CheckObjects(const std::vector<json::object>& objects) {
  const kube::Schema& schema = kube::Schema::Kubernetes();
  for (const json::object& object : objects) {
    const std::string_view kind = codec::TextAt(object, "kind");
    const auto desired = kube::MakeDesired(object, "operator.tigera.io/applied");
    if (!desired.ok()) {
      return absl::InternalError(
          fmt::format("{} cannot be applied: {}", kind, std::string(desired.status().message())));
    }
    if (const auto difference = kube::FirstDifference(schema, object, object)) {
      return absl::InternalError(fmt::format("{} differs from itself", kind));
    }
  }
  return absl::OkStatus();
}

// Once more with the Secrets that the first time has made: what is there already changes nothing,
// and twice the same is given twice the same.
absl::Status CheckRepeated(Case given, const offline::Rendering& first, absl::Time now) {
  AddSecrets(first.objects, given.objects);
  std::string texts[2];
  for (std::string& text : texts) {
    CALICO_ASSIGN_OR_RETURN(const offline::Rendering again, Render(given, now));
    if (!again.problems.empty()) {
      return absl::InternalError(fmt::format("with its own Secrets: {}", again.problems.front()));
    }
    for (const json::object& object : again.objects) text += codec::Serialize(object) + "\n";
  }
  if (texts[0] != texts[1]) return absl::InternalError("rendered twice, it differs");
  return absl::OkStatus();
}

absl::StatusOr<json::object> Answer(const std::string& line,
                                    std::map<std::string_view, Secrets>& made, absl::Time now) {
  CALICO_ASSIGN_OR_RETURN(Case given, ReadCase(line));
  Secrets& secrets = made[given.release->version()];
  if (!HasManagement(given)) AddSecrets(secrets, given.objects);
  CALICO_ASSIGN_OR_RETURN(offline::Rendering rendering, Render(given, now));
  if (rendering.problems.empty()) {
    CALICO_RETURN_IF_ERROR(CheckObjects(rendering.objects));
    if (!HasManagement(given)) AddSecrets(rendering.objects, secrets);
    CALICO_RETURN_IF_ERROR(CheckRepeated(std::move(given), rendering, now));
  }
  return json::object{
      {"problems", json::array(rendering.problems.begin(), rendering.problems.end())},
      {"objects", json::array(rendering.objects.begin(), rendering.objects.end())}};
}

int Run() {
  const absl::Time now = absl::Now();
  std::map<std::string_view, Secrets> made;
  for (std::string line; std::getline(std::cin, line);) {
    const absl::StatusOr<json::object> answer = Answer(line, made, now);
    const std::string text = codec::Serialize(
        answer.ok() ? *answer : json::object{{"error", std::string(answer.status().message())}});
    fmt::print("{}\n", text);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace calico

int main() { return calico::Run(); }
