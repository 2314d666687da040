// HTTP/1.1 requests and responses as plain values (RFC 9110, RFC 9112).
#ifndef CALICO_PKG_HTTP_MESSAGE_H_
#define CALICO_PKG_HTTP_MESSAGE_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pkg/base/secret_string.h"

namespace calico::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string target = "/";  // origin-form: path and query, already percent-encoded
  Headers headers;           // Host, Content-Length and User-Agent are added by the client
  std::string body;
  // The value of `Authorization`, kept apart from the headers so that it is wiped; empty = none.
  base::SharedSecret authorization = {};
  // Whether the server may get it twice; nullopt = by the method: GET, HEAD and OPTIONS may.
  std::optional<bool> repeatable = std::nullopt;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// The first header of that name (names compare without case), or nullopt.
std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name);

// Percent-encodes everything but unreserved characters (RFC 3986 2.3), for path segments and
// query values. `:` is encoded too, which the API server accepts in names.
std::string PercentEncode(std::string_view text);

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_MESSAGE_H_
