// URLs and NO_PROXY lists: the first line is an origin, the second a proxy, the rest NO_PROXY.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pkg/base/check.h"
#include "pkg/net/proxy.h"
#include "pkg/net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using calico::net::ParseUrl;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t first = std::min(text.find('\n'), text.size());
  const size_t second = std::min(text.find('\n', first + 1), text.size());
  const std::string origin(text.substr(0, first));
  const std::string proxy(first < second ? text.substr(first + 1, second - first - 1) : "");
  const std::string no_proxy(second < text.size() ? text.substr(second + 1) : "");

  const auto url = ParseUrl(origin);
  if (url.ok()) {
    // What is sent to a server is one line without spaces.
    const std::string host = url->HostHeader();
    CALICO_CHECK(!host.empty() && host.find_first_of("\r\n @/") == host.npos);
    const auto again = ParseUrl(url->scheme + "://" + url->Authority() + url->path);
    CALICO_CHECK(again.ok() && again->host == url->host && again->port == url->port);
  }
  (void)calico::net::ProxyForUrl(origin, [&](const std::string& name) {
    if (name == "HTTPS_PROXY" || name == "HTTP_PROXY") return proxy;
    return name == "NO_PROXY" ? no_proxy : std::string();
  });
  return 0;
}
