// Labels and annotations of Calico's objects. Calico's API server and its programs keep those of
// projectcalico.org/v3 as JSON in one annotation of the object in crd.projectcalico.org/v1, beside
// what that object has itself.
#ifndef CALICO_OPERATOR_CALICO_CONFIG_CALICO_METADATA_H_
#define CALICO_OPERATOR_CALICO_CONFIG_CALICO_METADATA_H_

#include <string>
#include <string_view>

#include "pkg/codec/json.h"

namespace calico::calico_config {

// The value, wherever it stands; the object's own one counts first. Empty when there is none.
std::string LabelOf(const json::object& object, std::string_view key);
std::string AnnotationOf(const json::object& object, std::string_view key);

// Sets `key` in `annotations`, which are for a patch of `object`, and in Calico's own copy where
// that has it too: else Calico would bring the old value back.
void Annotate(const json::object& object, std::string_view key, std::string_view value,
              json::object& annotations);

}  // namespace calico::calico_config

#endif  // CALICO_OPERATOR_CALICO_CONFIG_CALICO_METADATA_H_
