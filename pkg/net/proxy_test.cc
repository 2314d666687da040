#include "pkg/net/proxy.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace calico::net {
namespace {

using Variables = std::map<std::string, std::string>;

std::string Proxy(const std::string& origin, const Variables& variables) {
  return ProxyForUrl(origin, [&variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? "" : found->second;
  });
}

TEST(ProxyForUrlTest, VariableByScheme) {
  const Variables both = {{"HTTPS_PROXY", "https://s:1"}, {"HTTP_PROXY", "p:2"}};
  EXPECT_EQ(Proxy("https://host", both), "https://s:1");
  EXPECT_EQ(Proxy("http://host", both), "http://p:2");
  EXPECT_EQ(Proxy("https://host", {{"HTTP_PROXY", "p:2"}}), "");
  EXPECT_EQ(Proxy("https://host", {{"https_proxy", "user:pw@p:2"}}), "http://user:pw@p:2");
  EXPECT_EQ(Proxy("https://host", {{"HTTPS_PROXY", "upper:1"}, {"https_proxy", "lower:1"}}),
            "http://upper:1");
  EXPECT_EQ(Proxy("https://host", {{"HTTPS_PROXY", "socks5://p:1080"}}), "socks5://p:1080");
  EXPECT_EQ(Proxy("https://host", {}), "");
  EXPECT_EQ(Proxy("no url", both), "");
}

TEST(ProxyForUrlTest, LoopbackIsDirect) {
  const Variables variables = {{"HTTPS_PROXY", "p:1"}};
  for (const char* origin : {"https://localhost:6443", "https://LOCALHOST", "https://127.0.0.1",
                             "https://127.9.9.9:1", "https://[::1]:6443"}) {
    EXPECT_EQ(Proxy(origin, variables), "") << origin;
  }
  EXPECT_EQ(Proxy("https://localhost.example.com", variables), "http://p:1");
  EXPECT_EQ(Proxy("https://[::2]", variables), "http://p:1");
}

struct Case {
  const char* no_proxy;
  const char* origin;
  bool direct;
};

const Case kCases[] = {
    {"*", "https://example.com", true},
    {"a, * ", "https://example.com", true},
    {"example.com", "https://example.com", true},
    {"example.com", "https://EXAMPLE.com", true},
    {"Example.COM", "https://a.example.com", true},
    {"example.com", "https://notexample.com", false},
    {"example.com", "https://example.com.org", false},
    {".example.com", "https://a.example.com", true},
    {".example.com", "https://example.com", false},
    {"*.example.com", "https://a.b.example.com", true},
    {"*.example.com", "https://example.com", false},
    {"example.com:6443", "https://example.com:6443", true},
    {"example.com:6443", "https://example.com", false},
    {".example.com:443", "https://a.example.com", true},
    {"10.0.0.1", "https://10.0.0.1:6443", true},
    {"10.0.0.1", "https://10.0.0.11", false},
    {"10.0.0.1:6443", "https://10.0.0.1:6443", true},
    {"10.0.0.1:6443", "https://10.0.0.1:443", false},
    {"10.96.0.0/12", "https://10.96.0.1", true},
    {"10.96.0.0/12", "https://10.112.0.1", false},
    {"10.96.0.0/12", "https://kubernetes", false},
    {"10.96.0.0/33", "https://10.96.0.1", false},
    {"10.96.0.0/", "https://10.96.0.1", false},
    {"0.0.0.0/0", "https://10.96.0.1", true},
    {"0.0.0.0/0", "https://[fd00::1]", false},
    {"fd00::/8", "https://[fd00::1]", true},
    {"fd00::/8", "https://[fe00::1]", false},
    {"fd00::1", "https://[fd00:0::1]", true},
    {"[fd00::1]:6443", "https://[fd00::1]:6443", true},
    {"[fd00::1]:6443", "https://[fd00::1]", false},
    {"a,,b,example.com", "https://example.com", true},
    {",", "https://example.com", false},
    {".", "https://example.com", false},
    {":6443", "https://example.com:6443", false},
};

TEST(ProxyForUrlTest, NoProxy) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.no_proxy) + " for " + c.origin);
    for (const char* name : {"NO_PROXY", "no_proxy"}) {
      EXPECT_EQ(Proxy(c.origin, {{"HTTPS_PROXY", "p:1"}, {name, c.no_proxy}}),
                c.direct ? "" : "http://p:1");
    }
  }
}

}  // namespace
}  // namespace calico::net
