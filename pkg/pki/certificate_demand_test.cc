#include "pkg/pki/certificate_demand.h"

#include <functional>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"
#include "pkg/pki/usage.h"

namespace calico::pki {
namespace {

using base::IsOk;
using base::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr ExtendedKeyUsage kServer[] = {ExtendedKeyUsage::kServerAuth};
constexpr ExtendedKeyUsage kClient[] = {ExtendedKeyUsage::kClientAuth};

class MeetsDemandTest : public testing::Test {
 protected:
  static TestLeafOptions GoodLeaf() {
    return {.common_name = "typha-server",
            .dns_names = {"typha-server"},
            .extended_key_usages = {std::string(kOidServerAuth)}};
  }
  absl::Status Check(const TestLeafOptions& options,
                     absl::Span<const ExtendedKeyUsage> usages = kServer) const {
    const TestLeaf leaf = ca_.Leaf(options);
    return MeetsDemand(leaf.chain_pem, &leaf.key.public_key(), Demand(usages), {ca_.certificate()},
                       ca_.now());
  }
  CertificateDemand Demand(absl::Span<const ExtendedKeyUsage> usages) const {
    return {.common_name = "typha-server", .dns_names = names_, .usages = usages};
  }

  TestCa ca_;
  std::vector<std::string> names_ = {"typha-server"};
};

TEST_F(MeetsDemandTest, TheUsageOfItsSideIsEnoughAndTheOtherIsNot) {
  EXPECT_THAT(Check(GoodLeaf()), IsOk());
  EXPECT_THAT(Check(GoodLeaf(), kClient),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "check extended key usages: clientAuth is missing, which its owner needs to "
                       "be a TLS client; the certificate has serverAuth"));
}

TEST_F(MeetsDemandTest, NoExtensionAndAnyExtendedKeyUsageAllowBothSides) {
  for (const std::vector<std::string>& usages :
       {std::vector<std::string>{}, std::vector<std::string>{std::string(kOidAnyExtendedKeyUsage)},
        std::vector<std::string>{std::string(kOidServerAuth), std::string(kOidClientAuth)}}) {
    SCOPED_TRACE(usages.size());
    TestLeafOptions options = GoodLeaf();
    options.extended_key_usages = usages;
    EXPECT_THAT(Check(options), IsOk());
    EXPECT_THAT(Check(options, kClient), IsOk());
  }
}

TEST_F(MeetsDemandTest, AnIntermediateIsTakenAlong) {
  const TestLeaf leaf = ca_.Intermediate("intermediate").Leaf(GoodLeaf());
  EXPECT_THAT(MeetsDemand(leaf.chain_pem, nullptr, Demand(kServer), {ca_.certificate()}, ca_.now()),
              IsOk());
}

TEST_F(MeetsDemandTest, NamesTheCheckThatFails) {
  struct Case {
    const char* name;
    std::function<void(TestLeafOptions&)> spoil;
    const char* check;
  };
  const Case kCases[] = {
      {"expired", [](auto& o) { o.valid_until_now = absl::Seconds(-1); },
       "check validity: expired"},
      {"not yet", [](auto& o) { o.valid_from_now = absl::Hours(1); }, "check validity: not valid"},
      {"cn", [](auto& o) { o.common_name = "typha-client"; }, "check common name"},
      {"dns", [](auto& o) { o.dns_names = {"other"}; }, "check DNS names"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    TestLeafOptions options = GoodLeaf();
    c.spoil(options);
    EXPECT_THAT(Check(options),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(c.check)));
  }
}

// OpenSSL signs it all the same and then says "permitted subtree violation".
TEST_F(MeetsDemandTest, ANameThatACaMayNotGiveIsNamedWithTheConstraint) {
  const OpensslCommand openssl;
  openssl.Write("leaf.ext", "subjectAltName=DNS:typha-server");
  for (const char* arguments :
       {"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem "
        "-days 30 -subj /CN=constrained -addext 'keyUsage=critical,keyCertSign' "
        "-addext 'nameConstraints=critical,permitted;DNS:example.com'",
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key "
        "-out leaf.csr -subj /CN=typha-server",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 10 "
        "-extfile leaf.ext -out leaf.pem"}) {
    const auto made = openssl.Run("{}", arguments);
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  const Certificate ca = *Certificate::ParsePem(openssl.Read("ca.pem"));
  EXPECT_THAT(MeetsDemand(openssl.Read("leaf.pem"), nullptr, Demand(kServer), {ca},
                          absl::Now() + absl::Minutes(1)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("check name constraints"), HasSubstr("CN=constrained"),
                             HasSubstr("\"example.com\""), HasSubstr("\"typha-server\""))));
}

TEST_F(MeetsDemandTest, RefusesAnotherKeyAnotherCaAndGarbage) {
  const TestLeaf leaf = ca_.Leaf(GoodLeaf());
  const TestLeaf other = ca_.Leaf(GoodLeaf());
  const auto check = [&](const std::string& pem, const TestCa& ca) {
    return MeetsDemand(pem, &leaf.key.public_key(), Demand(kServer), {ca.certificate()}, ca.now());
  };
  EXPECT_THAT(check(other.chain_pem, ca_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check key")));
  EXPECT_THAT(check(leaf.chain_pem, TestCa("other")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check chain to the CA")));
  EXPECT_THAT(check("not a certificate", ca_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("check form")));
}

}  // namespace
}  // namespace calico::pki
