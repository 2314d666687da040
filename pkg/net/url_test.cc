#include "pkg/net/url.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/net/address.h"

namespace calico::net {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(UrlTest, Parses) {
  struct Case {
    const char* text;
    const char* scheme;
    const char* host;
    uint16_t port;
    const char* path;
    const char* authority;
    const char* host_header;
  };
  const Case kCases[] = {
      {"https://10.0.0.1", "https", "10.0.0.1", 443, "", "10.0.0.1:443", "10.0.0.1"},
      {"HTTPS://Api.Example.COM:6443/", "https", "api.example.com", 6443, "",
       "api.example.com:6443", "api.example.com:6443"},
      {"http://[fd00::1]:8080/a/b/", "http", "fd00::1", 8080, "/a/b", "[fd00::1]:8080",
       "[fd00::1]:8080"},
      {"http://[::1]", "http", "::1", 80, "", "[::1]:80", "[::1]"},
      {"https://[fe80::1%eth0]:6443", "https", "fe80::1%eth0", 6443, "", "[fe80::1%eth0]:6443",
       "[fe80::1]:6443"},
      {"https://[fe80::1%25eth0]", "https", "fe80::1%eth0", 443, "", "[fe80::1%eth0]:443",
       "[fe80::1]"},
      {"https://host:/x", "https", "host", 443, "/x", "host:443", "host"},
      {"https://host:443", "https", "host", 443, "", "host:443", "host"},
      {"socks5://proxy", "socks5", "proxy", 1080, "", "proxy:1080", "proxy"},
      {"https://rancher/k8s/clusters/c-1", "https", "rancher", 443, "/k8s/clusters/c-1",
       "rancher:443", "rancher"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Url> url = ParseUrl(c.text);
    ASSERT_THAT(url, IsOk());
    EXPECT_EQ(url->scheme, c.scheme);
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port);
    EXPECT_EQ(url->path, c.path);
    EXPECT_EQ(url->Authority(), c.authority);
    EXPECT_EQ(url->HostHeader(), c.host_header);
  }
}

TEST(UrlTest, Credentials) {
  const absl::StatusOr<Url> url = ParseUrl("http://us%65r:p%40ss:w@rd@proxy:3128");
  ASSERT_THAT(url, IsOk());
  EXPECT_EQ(url->user, "user");
  EXPECT_EQ(url->password, "p@ss:w@rd");
  EXPECT_EQ(url->Authority(), "proxy:3128");
}

TEST(UrlTest, Errors) {
  struct Case {
    const char* text;
    const char* cause;
  };
  const Case kCases[] = {
      {"", "missing scheme"},
      {"10.0.0.1:6443", "missing scheme"},
      {"ftp://host", "scheme is none of"},
      {"https://", "missing host"},
      {"https://:443", "missing host"},
      {"https://host:0", "port"},
      {"https://host:65536", "port"},
      {"https://host:6443x", "port"},
      {"https://ho st", "bad character in the host"},
      {"https://h\r\nost", "bad character in the host"},
      {"https://[::1", "missing ]"},
      {"https://[zz]", "bad IPv6 address"},
      {"https://[::1]x", "unexpected characters"},
      {"https://[fe80::1%]", "bad zone"},
      {"https://[fe80::1%eth 0]", "bad zone"},
      {"https://host/a?b", "query"},
      {"https://host?b", "query"},
      {"https://host/a#b", "query"},
      {"https://host/a b", "bad character in the path"},
      {"https://secret%zz@host", "credentials"},
      {"https://secret%2@host", "credentials"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Url> url = ParseUrl(c.text);
    EXPECT_THAT(url, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.cause)));
    EXPECT_THAT(std::string(url.status().message()), Not(HasSubstr("secret")));
  }
  EXPECT_FALSE(ParseUrl("https://" + std::string(300, 'a')).ok());
  EXPECT_FALSE(ParseUrl("https://host/" + std::string(10'000, 'a')).ok());
}

// What the TLS library takes; it would end the process at the rest.
TEST(IsServerNameTest, Table) {
  for (const std::string& name :
       {std::string("kubernetes"), std::string("api.example.com"), std::string("my_host."),
        std::string("10.0.0.1"), std::string("fd00::1"), std::string(255, 'a')}) {
    EXPECT_TRUE(IsServerName(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("a\0b", 3), std::string("a b"), std::string("*.example.com"),
        std::string("https://a"), std::string("a:443"), std::string("b\xC3\xBC"),
        std::string(256, 'a')}) {
    EXPECT_FALSE(IsServerName(name)) << name;
  }
}

TEST(IsIpAddressTest, Table) {
  EXPECT_TRUE(IsIpAddress("10.0.0.1"));
  EXPECT_TRUE(IsIpAddress("fd00::1"));
  EXPECT_TRUE(IsIpAddress("fe80::1%eth0"));
  EXPECT_FALSE(IsIpAddress("10.0.0"));
  EXPECT_FALSE(IsIpAddress("010.0.0.1x"));
  EXPECT_FALSE(IsIpAddress("localhost"));
  EXPECT_FALSE(IsIpAddress(""));
}

}  // namespace
}  // namespace calico::net
