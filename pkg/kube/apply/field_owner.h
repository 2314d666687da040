// Who set a field, by metadata.managedFields: for messages, never for decisions, since whoever may
// write an object may write that list too.
#ifndef CALICO_PKG_KUBE_APPLY_FIELD_OWNER_H_
#define CALICO_PKG_KUBE_APPLY_FIELD_OWNER_H_

#include <string>
#include <string_view>

#include "pkg/codec/json.h"

namespace calico::kube {

// The manager of the entries of `managed_fields` that owns the field at `path`, as FirstDifference
// writes paths, or something above or below it. Empty: none. At most 128 printable characters.
std::string OwnerOfField(const json::array& managed_fields, std::string_view path);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_APPLY_FIELD_OWNER_H_
