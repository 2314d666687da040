// ListCall: one List of the client, page by page, through a splitter that holds one object at a
// time. Used by Client only.
#ifndef CALICO_PKG_KUBE_CLIENT_LIST_CALL_H_
#define CALICO_PKG_KUBE_CLIENT_LIST_CALL_H_

#include <cstddef>
#include <functional>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "pkg/aio/task.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/list_splitter.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/client/transport.h"

namespace calico::kube {

// Lifetime: `transport` outlives Run; the object lives until Run has ended.
class ListCall {
 public:
  ListCall(Transport& transport, const api::Resource& resource, ListOptions options,
           size_t max_object_bytes, ObjectSink sink, std::function<void()> restart);

  // Reads all pages; the list's resourceVersion. Errors and restarts: see Client::List.
  aio::Task<absl::StatusOr<std::string>> Run();

 private:
  aio::Task<absl::StatusOr<std::string>> ReadPages();
  aio::Task<absl::StatusOr<codec::ListHeader>> ReadPage(std::string continue_token);
  absl::Status Deliver(std::string_view item);
  bool MayRestart(const absl::Status& status) const;

  Transport& transport_;
  const api::Resource& resource_;
  ListOptions options_;
  size_t max_object_bytes_;
  ObjectSink sink_;
  std::function<void()> restart_;
  bool delivered_ = false;  // since the list began (again)
  bool sink_failed_ = false;
  int restarts_ = 0;
};

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_CLIENT_LIST_CALL_H_
