#include "pkg/kube/apply/ending.h"

#include <algorithm>
#include <vector>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "pkg/api/meta/condition.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/object_reader.h"
#include "pkg/codec/time.h"

namespace calico::kube {
namespace {

constexpr size_t kMostFinalizers = 4;
constexpr size_t kMostMessageBytes = 512;

std::vector<std::string> FinalizersOf(const json::object& object) {
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const json::array* const list =
      metadata == nullptr ? nullptr : codec::FindArray(*metadata, "finalizers");
  std::vector<std::string> names;
  if (list == nullptr) return names;
  for (const json::value& name : *list) {
    if (!name.is_string()) continue;
    if (names.size() == kMostFinalizers) {
      names.emplace_back("...");
      break;
    }
    names.emplace_back(codec::View(name.get_string()));
  }
  return names;
}

// What the namespace controller says is left, of the conditions that are True.
std::vector<std::string> Remaining(const json::object& object) {
  codec::Decoder decoder("Namespace");
  std::vector<std::string> lines;
  for (const api::Condition& condition :
       api::ReadConditions(decoder.Read(object).Object("status"))) {
    if (!condition.IsTrue() || condition.message.empty()) continue;
    lines.push_back(fmt::format("{}: {}", condition.type,
                                std::string_view(condition.message).substr(0, kMostMessageBytes)));
  }
  return lines;
}

}  // namespace

Ending EndingOf(const api::Resource& resource, const json::object& object) {
  const api::ObjectMeta meta = api::ObjectMetaOf(object);
  std::vector<std::string> waits;
  const std::vector<std::string> finalizers = FinalizersOf(object);
  if (!finalizers.empty()) {
    waits.push_back(fmt::format("{} {}", finalizers.size() == 1 ? "finalizer" : "finalizers",
                                absl::StrJoin(finalizers, ", ")));
  }
  std::string message = fmt::format("{} {} is being deleted", resource.kind, meta.Key().ToString());
  if (resource == api::kNamespaces) {
    const std::vector<std::string> remaining = Remaining(object);
    waits.push_back("what is in it");
    message += fmt::format(" and waits for {}", absl::StrJoin(waits, " and "));
    if (!remaining.empty()) message += fmt::format(" ({})", absl::StrJoin(remaining, "; "));
  } else if (!waits.empty()) {
    message += fmt::format(" and waits for {}", absl::StrJoin(waits, " and "));
  }
  std::string cause = message;
  message += "; it is made anew when it has gone";
  const json::object* const metadata = codec::FindObject(object, "metadata");
  const absl::StatusOr<absl::Time> since =
      codec::ParseTime(metadata == nullptr ? "" : codec::TextAt(*metadata, "deletionTimestamp"));
  return {std::move(message), std::move(cause), since.value_or(absl::InfinitePast())};
}

}  // namespace calico::kube
