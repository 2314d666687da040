// Resource: a kind with the path under which the API server serves it.
#ifndef CALICO_PKG_API_META_RESOURCE_H_
#define CALICO_PKG_API_META_RESOURCE_H_

#include <string>
#include <string_view>

namespace calico::api {

// Lifetime of the views: static for the table in resources.h.
struct Resource {
  std::string_view group;  // Empty for the core group.
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;

  // "v1", "apps/v1".
  std::string ApiVersion() const;
  friend bool operator==(const Resource&, const Resource&) = default;
};

}  // namespace calico::api

#endif  // CALICO_PKG_API_META_RESOURCE_H_
