#include "operator/validation/api_endpoint.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calico::validation {
namespace {

using testing::HasSubstr;

TEST(ApiEndpointTest, WhatCanBeUsedIsUsed) {
  struct Case {
    const char* host;
    const char* port;
    const char* want_host;
    const char* want_port;
  };
  const Case cases[] = {
      {"10.0.0.10", "6443", "10.0.0.10", "6443"},
      {"10.0.0.10\n", "6443\n", "10.0.0.10", "6443"},
      {" \t10.0.0.10 ", "\r\n443 ", "10.0.0.10", "443"},
      {"[fd00::10]", "6443", "fd00::10", "6443"},
      {"fd00::10", "06443", "fd00::10", "6443"},
      {"FD00:0:0::10", "1", "fd00::10", "1"},
      {"API.Example.COM.", "65535", "api.example.com", "65535"},
      {"localhost", "7443", "localhost", "7443"},
      {"abc123.gr7.eu-west-1.eks.example.com", "443", "abc123.gr7.eu-west-1.eks.example.com",
       "443"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.host);
    const EndpointVerdict verdict = ReadApiEndpoint(c.host, c.port);
    EXPECT_TRUE(verdict.ok()) << verdict.problems.front();
    EXPECT_EQ(verdict.host, c.want_host);
    EXPECT_EQ(verdict.port, c.want_port);
  }
}

TEST(ApiEndpointTest, NothingIsNoEndpoint) {
  EXPECT_TRUE(ReadApiEndpoint("", "").empty());
  EXPECT_TRUE(ReadApiEndpoint(" \n", "\t").empty());
}

TEST(ApiEndpointTest, AHostThatIsNoneIsRefusedWithWhatToWrite) {
  struct Case {
    const char* host;
    const char* advice;
  };
  const Case cases[] = {
      {"https://abc123.gr7.eu-west-1.eks.example.com",
       "write \"abc123.gr7.eu-west-1.eks.example.com\", without scheme, port and path"},
      {"https://10.0.0.10:6443", "write \"10.0.0.10\", without scheme, port and path"},
      {"https://[fd00::10]:6443/x", "write \"fd00::10\", without scheme"},
      {"10.0.0.10:6443", "write \"10.0.0.10\", the port belongs into KUBERNETES_SERVICE_PORT"},
      {"api.example.com:6443", "write \"api.example.com\""},
      {"[fd00::10]:6443", "write \"fd00::10\""},
      {"[10.0.0.10]", "is not a host"},
      {"[fd00::10", "is not a host"},
      {"fd00::10%eth0", "is not a host"},
      {"10.0.0.300", "an IP address or a DNS name alone"},
      {"10.0.0", "is not a host"},
      {"0.0.0.0", "is not a host"},
      {"::", "is not a host"},
      {"10.0.0.10 10.0.0.11", "is not a host"},
      {"10.0.0.10\n10.0.0.11", "\"10.0.0.10?10.0.0.11\" is not a host"},
      {"under_score.example.com", "is not a host"},
      {"-a", "is not a host"},
      {"a..b", "is not a host"},
      {"", "is empty, though there is a port"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.host);
    const EndpointVerdict verdict = ReadApiEndpoint(c.host, "6443");
    ASSERT_EQ(verdict.problems.size(), 1U);
    EXPECT_THAT(verdict.problems[0], HasSubstr("KUBERNETES_SERVICE_HOST: "));
    EXPECT_THAT(verdict.problems[0], HasSubstr(c.advice));
  }
}

TEST(ApiEndpointTest, APortThatIsNoneIsRefused) {
  for (const char* port : {"https", "", "0", "65536", "-1", "+443", "6443/tcp", "6 443", "1e3",
                           "99999999999999999999", "443.0"}) {
    SCOPED_TRACE(port);
    const EndpointVerdict verdict = ReadApiEndpoint("10.0.0.10", port);
    ASSERT_EQ(verdict.problems.size(), 1U);
    EXPECT_THAT(verdict.problems[0], HasSubstr("KUBERNETES_SERVICE_PORT: "));
    EXPECT_THAT(verdict.problems[0], HasSubstr("write a number from 1 to 65535"));
  }
  EXPECT_EQ(ReadApiEndpoint("https://x", "https").problems.size(), 2U);
}

TEST(ApiEndpointTest, NamesTheKeysOfThePodsNetwork) {
  const EndpointVerdict verdict = ReadApiEndpoint("10.0.0.10:6443", "", kPodNetworkSuffix);
  ASSERT_EQ(verdict.problems.size(), 2U);
  EXPECT_THAT(verdict.problems[0], HasSubstr("KUBERNETES_SERVICE_HOST_POD_NETWORK: "));
  EXPECT_THAT(verdict.problems[0], HasSubstr("belongs into KUBERNETES_SERVICE_PORT_POD_NETWORK"));
  EXPECT_THAT(verdict.problems[1], HasSubstr("KUBERNETES_SERVICE_PORT_POD_NETWORK: "));
}

TEST(ApiEndpointTest, WhatIsQuotedIsBoundedAndInOneLine) {
  const EndpointVerdict verdict = ReadApiEndpoint(std::string(100'000, 'a') + "\n_", "1");
  ASSERT_EQ(verdict.problems.size(), 1U);
  EXPECT_LT(verdict.problems[0].size(), 400U);
}

}  // namespace
}  // namespace calico::validation
