#include "operator/validation/scheduling_rules.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operator/validation/names.h"
#include "pkg/api/meta/names.h"

namespace calico::validation {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();
constexpr size_t kMostAnnotationBytes = 256 << 10;
constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

// False, with a finding, when the field is there and no list.
bool IsList(const SpecField& field, Findings findings) {
  if (!field.set()) return false;
  if (field.array() != nullptr) return true;
  findings.Add(field.path(), "must be a list: begin each entry with a dash");
  return false;
}

bool IsObject(const SpecField& field, std::string_view what, Findings findings) {
  if (field.object() != nullptr) return true;
  if (field.set()) {
    findings.Add(field.path(), fmt::format("must be an object with {}{}", what,
                                           field.array() != nullptr ? ", not a list" : ""));
  }
  return false;
}

void CheckKey(const SpecField& key, Findings findings) {
  if (key.is_text() && IsQualifiedName(key.text())) return;
  findings.Add(key.path(), fmt::format("{} is no label's key: write a name of at most 63 letters, "
                                       "digits, '-', '_' and '.', with a domain and a slash before "
                                       "it or without",
                                       key.set() ? key.shown() : "nothing"));
}

void CheckTopologyKey(const SpecField& key, Findings findings) {
  if (key.set()) {
    CheckKey(key, findings);
  } else {
    findings.Add(key.path(), "is required: a node's label, such as kubernetes.io/hostname");
  }
}

void CheckLabelValue(const SpecField& value, Findings findings) {
  if (value.is_text() && IsLabelValue(value.text())) return;
  findings.Add(value.path(),
               value.is_text()
                   ? fmt::format("{} is no label's value: write at most 63 letters, digits, '-', "
                                 "'_' and '.', with a letter or digit at both ends",
                                 value.shown())
                   : fmt::format("{} is no text: put it in quotes", value.shown()));
}

enum class Requirement { kNode, kLabel };

// One expression of a selector: of nodes (Gt and Lt too) or of labels.
void CheckExpression(const SpecField& expression, Requirement requirement, Findings findings) {
  static constexpr std::string_view kOperators[] = {"In",           "NotIn", "Exists",
                                                    "DoesNotExist", "Gt",    "Lt"};
  CheckKey(expression["key"], findings);
  const std::span<const std::string_view> operators(kOperators,
                                                    requirement == Requirement::kNode ? 6 : 4);
  const SpecField op = expression["operator"];
  if (!op.set()) {
    findings.Add(op.path(), "is required: In, NotIn, Exists or DoesNotExist");
    return;
  }
  CheckOneOf(op, operators, findings);
  const SpecField values = expression["values"];
  const size_t count = values.array() == nullptr ? 0 : values.array()->size();
  const std::string_view name = op.text();
  if ((name == "In" || name == "NotIn") && count == 0) {
    findings.Add(values.path(), fmt::format("is required with {}: list what is meant", name));
  } else if ((name == "Exists" || name == "DoesNotExist") && count > 0) {
    findings.Add(values.path(), fmt::format("has no place with {}: remove it", name));
  } else if ((name == "Gt" || name == "Lt") && count != 1) {
    findings.Add(values.path(), fmt::format("must have one number with {}", name));
  }
  for (const SpecField& value : values.items()) CheckLabelValue(value, findings);
}

void CheckRequired(const SpecField& field, std::span<const std::string_view> values,
                   Findings findings) {
  if (field.set()) return CheckOneOf(field, values, findings);
  findings.Add(field.path(), fmt::format("is required: write {}", fmt::join(values, " or ")));
}

void CheckNodeField(const SpecField& expression, Findings findings) {
  static constexpr std::string_view kFields[] = {"metadata.name"};
  static constexpr std::string_view kOperators[] = {"In", "NotIn"};
  CheckRequired(expression["key"], kFields, findings);
  CheckRequired(expression["operator"], kOperators, findings);
  const SpecField values = expression["values"];
  if (values.array() == nullptr || values.array()->size() != 1) {
    findings.Add(values.path(), "must have the name of one node");
  }
  for (const SpecField& value : values.items()) {
    if (api::IsDnsSubdomain(value.text())) continue;
    findings.Add(value.path(), fmt::format("{} cannot be the name of a node", value.shown()));
  }
}

void CheckNodeTerm(const SpecField& term, Findings findings) {
  for (const SpecField& expression : term["matchExpressions"].items()) {
    CheckExpression(expression, Requirement::kNode, findings);
  }
  for (const SpecField& field : term["matchFields"].items()) CheckNodeField(field, findings);
}

void CheckLabelSelector(const SpecField& selector, Findings findings) {
  CheckLabels(selector["matchLabels"], findings);
  for (const SpecField& expression : selector["matchExpressions"].items()) {
    CheckExpression(expression, Requirement::kLabel, findings);
  }
}

// Keys whose values come from the pod itself.
void CheckMatchKeys(const SpecField& keys, const SpecField& selector, Findings findings) {
  const std::vector<SpecField> items = keys.items();
  if (items.empty()) return;
  if (selector.object() == nullptr) {
    findings.Add(keys.path(),
                 "needs labelSelector beside it: write the labels there that the pods "
                 "have in common, or remove it");
  }
  for (const SpecField& key : items) CheckKey(key, findings);
}

void CheckEachOnce(const SpecField& keys, const std::set<std::string_view>& others,
                   std::string_view where, Findings findings) {
  for (const SpecField& key : keys.items()) {
    if (!others.contains(key.text())) continue;
    findings.Add(key.path(), fmt::format("{} is in {} too: keep one", key.shown(), where));
  }
}

std::set<std::string_view> TextsOf(const SpecField& list) {
  std::set<std::string_view> texts;
  for (const SpecField& item : list.items()) texts.insert(item.text());
  return texts;
}

std::set<std::string_view> KeysOfSelector(const SpecField& selector) {
  std::set<std::string_view> keys;
  for (const SpecField& label : selector["matchLabels"].members()) keys.insert(label.key());
  for (const SpecField& expression : selector["matchExpressions"].items()) {
    keys.insert(expression["key"].text());
  }
  return keys;
}

void CheckPodTerm(const SpecField& term, Findings findings) {
  CheckLabelSelector(term["labelSelector"], findings);
  CheckMatchKeys(term["matchLabelKeys"], term["labelSelector"], findings);
  CheckMatchKeys(term["mismatchLabelKeys"], term["labelSelector"], findings);
  CheckEachOnce(term["mismatchLabelKeys"], TextsOf(term["matchLabelKeys"]), "matchLabelKeys",
                findings);
  CheckLabelSelector(term["namespaceSelector"], findings);
  for (const SpecField& name : term["namespaces"].items()) {
    if (!api::IsDnsLabel(name.text())) {
      findings.Add(name.path(), fmt::format("{} is no namespace's name", name.shown()));
    }
  }
  CheckTopologyKey(term["topologyKey"], findings);
}

void CheckWeight(const SpecField& preferred, Findings findings) {
  const SpecField weight = preferred["weight"];
  if (weight.set()) {
    CheckNumber(weight, 1, 100, findings);
  } else {
    findings.Add(weight.path(), "is required: a number from 1 to 100");
  }
}

void CheckPodAffinity(const SpecField& affinity, Findings findings) {
  if (!IsObject(affinity, fmt::format("{} or {}", kRequired, kPreferred), findings)) return;
  if (IsList(affinity[kRequired], findings)) {
    for (const SpecField& term : affinity[kRequired].items()) CheckPodTerm(term, findings);
  }
  if (!IsList(affinity[kPreferred], findings)) return;
  for (const SpecField& preferred : affinity[kPreferred].items()) {
    CheckWeight(preferred, findings);
    CheckPodTerm(preferred["podAffinityTerm"], findings);
  }
}

void CheckToleration(const SpecField& toleration, Findings findings) {
  static constexpr std::string_view kOperators[] = {"Equal", "Exists"};
  static constexpr std::string_view kEffects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};
  const SpecField key = toleration["key"];
  const SpecField op = toleration["operator"];
  const SpecField value = toleration["value"];
  const SpecField effect = toleration["effect"];
  const SpecField seconds = toleration["tolerationSeconds"];
  CheckOneOf(op, kOperators, findings);
  CheckOneOf(effect, kEffects, findings);
  if (key.set()) {
    CheckKey(key, findings);
  } else if (op.text() != "Exists") {
    findings.Add(op.path(), "must be Exists where there is no key: it tolerates every taint");
  }
  if (op.text() == "Exists" && value.set()) {
    findings.Add(value.path(), "has no place with Exists: remove it, or write Equal");
  } else if (value.set()) {
    CheckLabelValue(value, findings);
  }
  if (seconds.set() && effect.text() != "NoExecute") {
    findings.Add(seconds.path(), "needs the effect NoExecute: only that ends pods that run");
  }
}

void CheckConstraint(const SpecField& constraint, Findings findings) {
  static constexpr std::string_view kWhen[] = {"DoNotSchedule", "ScheduleAnyway"};
  static constexpr std::string_view kPolicies[] = {"Honor", "Ignore"};
  const SpecField skew = constraint["maxSkew"];
  const SpecField when = constraint["whenUnsatisfiable"];
  if (skew.set()) {
    CheckNumber(skew, 1, kMostInt32, findings);
  } else {
    findings.Add(skew.path(), "is required: by how many pods two places may differ");
  }
  CheckTopologyKey(constraint["topologyKey"], findings);
  if (when.set()) {
    CheckOneOf(when, kWhen, findings);
  } else {
    findings.Add(when.path(), "is required: DoNotSchedule or ScheduleAnyway");
  }
  const SpecField domains = constraint["minDomains"];
  CheckNumber(domains, 1, kMostInt32, findings);
  if (domains.set() && when.text() == "ScheduleAnyway") {
    findings.Add(domains.path(), "needs whenUnsatisfiable DoNotSchedule");
  }
  CheckOneOf(constraint["nodeAffinityPolicy"], kPolicies, findings);
  CheckOneOf(constraint["nodeTaintsPolicy"], kPolicies, findings);
  CheckLabelSelector(constraint["labelSelector"], findings);
  CheckMatchKeys(constraint["matchLabelKeys"], constraint["labelSelector"], findings);
  CheckEachOnce(constraint["matchLabelKeys"], KeysOfSelector(constraint["labelSelector"]),
                "labelSelector", findings);
}

}  // namespace

void CheckLabels(const SpecField& labels, Findings findings) {
  for (const SpecField& label : labels.members()) {
    if (!IsQualifiedName(label.key())) {
      findings.Add(label.path(),
                   fmt::format("{} is no label's key: write a name of at most 63 letters, digits, "
                               "'-', '_' and '.', with a domain and a slash before it or without",
                               Quoted(label.key())));
    }
    CheckLabelValue(label, findings);
  }
}

void CheckAnnotations(const SpecField& annotations, Findings findings) {
  size_t bytes = 0;
  for (const SpecField& annotation : annotations.members()) {
    const std::string key = absl::AsciiStrToLower(std::string(annotation.key()));
    if (!IsQualifiedName(key)) {
      findings.Add(annotation.path(),
                   fmt::format("{} is no annotation's key: write a name of at most 63 letters, "
                               "digits, '-', '_' and '.', with a domain and a slash before it or "
                               "without",
                               Quoted(annotation.key())));
    }
    if (!annotation.is_text()) {
      findings.Add(annotation.path(),
                   fmt::format("{} is no text: put it in quotes", annotation.shown()));
    }
    bytes += annotation.key().size() + annotation.text().size();
  }
  if (bytes <= kMostAnnotationBytes) return;
  findings.Add(annotations.path(), fmt::format("{} bytes are too many: at most {} may be there",
                                               bytes, kMostAnnotationBytes));
}

void CheckNodeAffinity(const SpecField& node_affinity, Findings findings) {
  if (!IsObject(node_affinity, fmt::format("{} or {}", kRequired, kPreferred), findings)) return;
  const SpecField required = node_affinity[kRequired];
  if (IsObject(required, "nodeSelectorTerms", findings)) {
    const SpecField terms = required["nodeSelectorTerms"];
    if (terms.items().empty()) {
      findings.Add(terms.path(), "is required, with at least one term: without one no node fits");
    }
    for (const SpecField& term : terms.items()) CheckNodeTerm(term, findings);
  }
  if (!IsList(node_affinity[kPreferred], findings)) return;
  for (const SpecField& preferred : node_affinity[kPreferred].items()) {
    CheckWeight(preferred, findings);
    CheckNodeTerm(preferred["preference"], findings);
  }
}

void CheckAffinity(const SpecField& affinity, Findings findings) {
  CheckNodeAffinity(affinity["nodeAffinity"], findings);
  CheckPodAffinity(affinity["podAffinity"], findings);
  CheckPodAffinity(affinity["podAntiAffinity"], findings);
}

void CheckTolerations(const SpecField& tolerations, Findings findings) {
  for (const SpecField& toleration : tolerations.items()) CheckToleration(toleration, findings);
}

void CheckTopologySpread(const SpecField& constraints, Findings findings) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const SpecField& constraint : constraints.items()) {
    CheckConstraint(constraint, findings);
    const std::string_view key = constraint["topologyKey"].text();
    if (!seen.emplace(key, constraint["whenUnsatisfiable"].text()).second) {
      findings.Add(constraint.path(),
                   fmt::format("{} is there twice with the same whenUnsatisfiable: remove one",
                               Quoted(key)));
    }
  }
}

}  // namespace calico::validation
