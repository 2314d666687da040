#include "operator/adoption/report_text.h"

#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace calico::adoption {
namespace {

constexpr size_t kLongestValue = 160;

std::string ActionOf(const ObjectReport& object) {
  if (object.is_left_alone) return "leaveAlone";
  if (!object.obstacle.empty()) return "obstructed";
  if (object.is_new) return "create";
  if (!object.changes.empty()) return "change";
  return object.ownership.empty() ? "inPlace" : "takeOver";
}

// What an action is called in a line of text.
std::string_view WordsOf(std::string_view action) {
  static const auto& words = *new std::map<std::string_view, std::string_view>{
      {"leaveAlone", "stays as it is, this operator does not make it"},
      {"obstructed", "cannot be changed"},
      {"create", "is made by the operator"},
      {"change", "is taken over, and changed by the operator"},
      {"inPlace", "is as it shall be"},
      {"takeOver", "is taken over as it is"}};
  return words.at(action);
}

std::string Clipped(const json::value& value) {
  if (value.is_null()) return "absent";
  std::string text = codec::Serialize(value);
  if (text.size() <= kLongestValue) return text;
  size_t end = kLongestValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

void AddLines(const std::vector<kube::FieldChange>& changes, std::string& text) {
  for (const kube::FieldChange& change : changes) {
    text += fmt::format("    {}: {} -> {}\n", change.path, Clipped(change.before),
                        Clipped(change.after));
  }
}

void AddChanges(const std::vector<kube::FieldChange>& changes, std::string_view by,
                json::array& list) {
  for (const kube::FieldChange& change : changes) {
    list.push_back(json::object{{"field", change.path},
                                {"old", change.before},
                                {"new", change.after},
                                {"by", std::string(by)}});
  }
}

json::array Strings(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

}  // namespace

std::string ToText(const Report& report) {
  std::string text;
  std::map<std::string, int> counts;
  int restarts = 0;
  for (const ObjectReport& object : report.objects) {
    const std::string action = ActionOf(object);
    ++counts[action];
    if (object.restarts_pods) ++restarts;
    if (action == "inPlace") continue;
    text += fmt::format("{} {} {}{}\n", object.resource->kind, object.key.ToString(),
                        WordsOf(action), object.restarts_pods ? "; ITS PODS RESTART" : "");
    AddLines(object.ownership, text);
    AddLines(object.changes, text);
    if (!object.obstacle.empty()) text += fmt::format("    {}\n", object.obstacle);
  }
  if (report.objects.empty()) return text;
  if (!text.empty()) text += "\n";
  text += fmt::format("Calico {} (running: {}), {} objects:\n", report.release,
                      report.running_version.empty() ? "unknown" : report.running_version,
                      report.objects.size());
  for (const auto& [action, count] : counts) {
    text += fmt::format("  {:>4} {}\n", count, WordsOf(action));
  }
  text += restarts == 0 ? "No pod restarts.\n"
                        : fmt::format(
                              "The pods of {} workload{} restart, one after the other, when "
                              "the operator runs.\n",
                              restarts, restarts == 1 ? "" : "s");
  return text;
}

json::object ToJson(const Report& report) {
  json::array objects;
  for (const ObjectReport& object : report.objects) {
    json::object entry{{"kind", std::string(object.resource->kind)}};
    if (!object.key.ns.empty()) entry["namespace"] = object.key.ns;
    entry["name"] = object.key.name;
    entry["action"] = ActionOf(object);
    entry["restartsPods"] = object.restarts_pods;
    if (!object.obstacle.empty()) entry["obstacle"] = object.obstacle;
    json::array changes;
    AddChanges(object.ownership, "adopt", changes);
    AddChanges(object.changes, "operator", changes);
    entry["changes"] = std::move(changes);
    objects.push_back(std::move(entry));
  }
  return {{"release", report.release},
          {"runningVersion", report.running_version},
          {"restartsPods", report.RestartsPods()},
          {"objects", std::move(objects)},
          {"problems", Strings(report.problems)},
          {"warnings", Strings(report.warnings)}};
}

}  // namespace calico::adoption
