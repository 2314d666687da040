// The Installation `overlay` over the Installation `default`: for those who may not edit the one
// that somebody else keeps in order.
#ifndef CALICO_OPERATOR_DEFAULTS_OVERLAY_H_
#define CALICO_OPERATOR_DEFAULTS_OVERLAY_H_

#include "pkg/codec/json.h"

namespace calico::defaults {

// A field that the overlay sets (present, not null, no empty string) replaces the one of the base
// as a whole: lists, labels, certificateManagement, an address detection. Merged field by field are
// only: cni, calicoNetwork, windowsNodes, and of a workload's overrides what leads to the fields of
// its pod template (metadata, spec, template, the pod's spec). What the overlay leaves out stays.
// With the defaults:
//   CompleteSpec(MergeOverlay(CompleteSpec(base, facts), overlay), facts)
json::object MergeOverlay(json::object base, const json::object& overlay);

}  // namespace calico::defaults

#endif  // CALICO_OPERATOR_DEFAULTS_OVERLAY_H_
