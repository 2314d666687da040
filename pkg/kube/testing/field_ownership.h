// Who set which field: metadata.managedFields after updates and server-side applies. Pure.
#ifndef CALICO_PKG_KUBE_TESTING_FIELD_OWNERSHIP_H_
#define CALICO_PKG_KUBE_TESTING_FIELD_OWNERSHIP_H_

#include <string>
#include <vector>

#include "pkg/codec/json.h"

namespace calico::kube {

// Who writes, and when.
struct FieldWriter {
  std::string manager;
  std::string subresource;
  std::string api_version;
  std::string time;  // RFC 3339
};

// Gives the fields in which `after` differs from `before` to the writer, and takes them from all
// others. `before` is empty for a new object. The entries are read from `before`.
void RecordUpdate(const json::object& before, json::object& after, const FieldWriter& writer);

struct FieldConflict {
  std::string manager;
  std::string api_version;
  std::string field;  // `.data.key`
};

struct ApplyOutcome {
  json::object object;
  std::vector<FieldConflict> conflicts;  // when not empty, `object` is of no use
};

// Server-side apply of `applied` to `live` (empty for a new object): sets its fields, removes those
// that the writer applied before and applies no more, unless another manager owns them too.
ApplyOutcome ApplyFields(const json::object& live, const json::object& applied,
                         const FieldWriter& writer, bool force);

// Whether two objects are the same but for managedFields and resourceVersion.
bool SameContent(const json::object& a, const json::object& b);

// Whether the ownership in both is the same, times left aside.
bool SameOwnership(const json::object& a, const json::object& b);

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_FIELD_OWNERSHIP_H_
