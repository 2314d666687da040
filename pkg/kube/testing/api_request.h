// One request to the fake API server, taken apart, and the answer to one. Pure.
#ifndef CALICO_PKG_KUBE_TESTING_API_REQUEST_H_
#define CALICO_PKG_KUBE_TESTING_API_REQUEST_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/codec/json.h"
#include "pkg/codec/object_reader.h"

namespace calico::kube {

// Who sends a request, as the API server has authenticated it.
struct Identity {
  std::string username = "kubernetes-admin";
  std::string uid;
  std::vector<std::string> groups = {"system:masters", "system:authenticated"};
  std::map<std::string, std::vector<std::string>> extra;
};

struct ApiRequest {
  std::string method;
  std::string path;  // decoded, without the query
  codec::StringMap query;
  std::string content_type;
  std::string body;
  std::string user_agent;
  std::string accept;
  Identity identity;

  // Of a resource path; all empty for another one.
  std::string group;
  std::string version;
  std::string ns;
  std::string plural;
  std::string name;
  std::string subresource;

  std::string Query(std::string_view key) const;
  bool dry_run() const { return Query("dryRun") == "All"; }
  bool is_watch() const;
  // `fieldManager`, or the program's name in User-Agent, as the API server takes it.
  std::string FieldManager() const;
};

// Splits `target` (path and query, percent-encoded) into `request`. False when it is malformed.
bool ParseTarget(std::string_view target, ApiRequest& request);

struct ApiReply {
  int code = 200;
  json::object body;
};

// metav1.Status as the answer of a failed request. `details` may be empty.
ApiReply Failure(int code, std::string_view reason, std::string message, json::object details = {});

}  // namespace calico::kube

#endif  // CALICO_PKG_KUBE_TESTING_API_REQUEST_H_
