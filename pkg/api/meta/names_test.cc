#include "pkg/api/meta/names.h"

#include <string>

#include <gtest/gtest.h>

namespace calico::api {
namespace {

std::string Letters(size_t count) { return std::string(count, 'a'); }

TEST(NamesTest, DnsLabels) {
  for (const std::string& good :
       {std::string("a"), std::string("calico-system"), std::string("0-9"), Letters(63)}) {
    EXPECT_TRUE(IsDnsLabel(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("-a"), std::string("a-"), std::string("A"), std::string("a.b"),
        std::string("a_b"), std::string("a\xc3\xa4"), Letters(64)}) {
    EXPECT_FALSE(IsDnsLabel(bad)) << bad;
  }
}

TEST(NamesTest, DnsSubdomains) {
  for (const std::string& good : {std::string("a"), std::string("a.b-c.0"), Letters(253)}) {
    EXPECT_TRUE(IsDnsSubdomain(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("a.-b"), std::string("a/b"), Letters(254)}) {
    EXPECT_FALSE(IsDnsSubdomain(bad)) << bad;
  }
}

TEST(NamesTest, SignerNames) {
  const std::string long_domain =
      Letters(63) + "." + Letters(63) + "." + Letters(63) + "." + Letters(61);  // 253
  const std::string long_path = Letters(63) + "." + Letters(253);
  const std::string kGood[] = {
      "example.com/signer",
      "a.b/c.d",
      "example-1.com/my-signer",
      "issuers.cert-manager.io/ns.issuer",
      "kubernetes.io/kubelet-serving",
      long_domain + "/" + long_path,  // 571
  };
  for (const std::string& good : kGood) EXPECT_TRUE(IsSignerName(good)) << good;
  const std::string kBad[] = {
      "",
      "signer",
      "example/signer",
      "example.com/",
      "/signer",
      "a.b/c/d",
      "a.b//c",
      "Example.com/signer",
      "example.com/Signer",
      "example.com/a_b",
      "-a.com/s",
      "a..com/s",
      "a..b/-x",
      ".a.b/c",
      "a.b./c",
      "a.b/-x",
      "a.b/x.",
      "a.b/x..y",
      "example.com/s'",
      "example.com/s ",
      Letters(64) + ".com/s",
      "a." + long_domain + "/s",
      "a.b/" + Letters(254),
      long_domain + "/" + long_path + "a",
      "a.b/" + long_path + "." + Letters(253),
  };
  for (const std::string& bad : kBad) EXPECT_FALSE(IsSignerName(bad)) << bad;
}

}  // namespace
}  // namespace calico::api
