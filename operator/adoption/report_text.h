// A Report for people and for programs.
#ifndef CALICO_OPERATOR_ADOPTION_REPORT_TEXT_H_
#define CALICO_OPERATOR_ADOPTION_REPORT_TEXT_H_

#include <string>

#include "operator/adoption/adoption.h"
#include "pkg/codec/json.h"

namespace calico::adoption {

// A line for each object that something happens to, below it one for each field; then how many
// there are of what. Long values are cut.
std::string ToText(const Report& report);

// {release, runningVersion, restartsPods, objects: [{kind, namespace, name, action, restartsPods,
// changes: [{field, old, new, by}]}], problems, warnings}. `action` is inPlace, takeOver, change,
// create, obstructed or leaveAlone; `by` is adopt or operator. Values are whole.
json::object ToJson(const Report& report);

}  // namespace calico::adoption

#endif  // CALICO_OPERATOR_ADOPTION_REPORT_TEXT_H_
