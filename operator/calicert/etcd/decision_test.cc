#include "operator/calicert/etcd/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert::etcd {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kYear = absl::Hours(24 * 365);

class DecisionTest : public ::testing::Test {
 protected:
  DecisionTest() : ca_("etcd CA", pki::TestTime(), 10 * kYear) {
    wanted_ = {.role = Role::kUser, .owner = "alice", .base = "user-alice"};
    wanted_.request.subject.common_name = "alice";
    wanted_.profile.extended_key_usages = {std::string(pki::kOidClientAuth)};
    found_ = Of(ca_, {});
    wanted_.profile.key_usages = found_.chain[0].key_usages();
  }

  static Found Of(const pki::TestCa& ca, pki::TestLeafOptions options) {
    options.common_name = "alice";
    options.extended_key_usages = {std::string(pki::kOidClientAuth)};
    if (options.valid_until_now == absl::Hours(24)) options.valid_until_now = kYear;
    pki::TestLeaf leaf = ca.Leaf(options);
    Found found{.has_certificate = true, .has_key = true};
    found.chain = {leaf.certificate};
    found.key = leaf.key.public_key();
    return found;
  }
  Decision Decide(bool ca_key_is_here = true, absl::Time now = pki::TestTime()) const {
    return DecidePair(wanted_, found_, &ca_.certificate(), ca_key_is_here, options_, now);
  }
  static Found OfCa(const pki::TestCa& ca) {
    Found found{.has_certificate = true, .has_key = true};
    found.chain = {ca.certificate()};
    found.key = ca.certificate().public_key();
    return found;
  }
  Decision DecideTheCa(const Found& found, bool others_exist = true) const {
    return DecideCa({.title = "CA", .base = "ca", .request = {}}, found, others_exist, options_,
                    pki::TestTime());
  }

  pki::TestCa ca_;
  WantedPair wanted_;
  Found found_;
  DecisionOptions options_;
};

TEST_F(DecisionTest, WhatIsAsWantedIsKept) {
  EXPECT_EQ(Decide().action, Action::kKeep);
  EXPECT_EQ(Decide(false).action, Action::kKeep);
  EXPECT_EQ(Decide().note, "");
}

TEST_F(DecisionTest, MissingPairIsCreated) {
  found_ = {};
  EXPECT_EQ(Decide().action, Action::kCreate);
  const Decision without = Decide(false);
  EXPECT_EQ(without.action, Action::kRefuse);
  EXPECT_THAT(without.reason, HasSubstr("its CA's key is not here"));
}

TEST_F(DecisionTest, HalfWrittenIsCompletedWithTheKeyThatIsThere) {
  found_.chain.clear();
  found_.has_certificate = false;
  EXPECT_EQ(Decide().action, Action::kCertify);
  found_.has_certificate = true;
  found_.certificate_problem = "cut off";
  EXPECT_EQ(Decide().action, Action::kCertify);
  EXPECT_THAT(Decide().reason, HasSubstr("cut off"));
  found_ = Of(ca_, {});
  found_.has_key = false;
  found_.key.reset();
  EXPECT_EQ(Decide().action, Action::kCreate);
}

TEST_F(DecisionTest, CertificateOfAnotherKeyIsReplacedNeverTheKey) {
  found_.key = Of(ca_, {}).key;
  EXPECT_EQ(Decide().action, Action::kCertify);
  EXPECT_EQ(Decide().reason, "its certificate is for another key");
}

TEST_F(DecisionTest, UnreadableKeyIsRefusedUntilForced) {
  found_.key.reset();
  found_.key_problem = "it is encrypted";
  EXPECT_EQ(Decide().action, Action::kRefuse);
  EXPECT_THAT(Decide().reason, HasSubstr("it is encrypted"));
  EXPECT_THAT(Decide().advice, HasSubstr("--force"));
  options_.new_keys = true;
  EXPECT_EQ(Decide().action, Action::kCreate);
}

TEST_F(DecisionTest, ForeignCaIsToldByName) {
  found_ = Of(pki::TestCa("other"), {});
  EXPECT_EQ(Decide().action, Action::kCertify);
  EXPECT_EQ(Decide().reason, "another CA has signed it (\"CN=other\")");
}

TEST_F(DecisionTest, EachDifferenceIsNamed) {
  struct Case {
    void (*change)(WantedPair&);
    const char* reason;
  };
  const Case kCases[] = {
      {[](WantedPair& p) { p.request.subject.common_name = "bob"; },
       "its common name is \"alice\", not \"bob\""},
      {[](WantedPair& p) { p.AddHost("10.0.0.1"); }, "it is for no name, not for 10.0.0.1"},
      {[](WantedPair& p) { p.profile.extended_key_usages.emplace_back(pki::kOidServerAuth); },
       "it may be used for clientAuth, not for clientAuth, serverAuth"},
      {[](WantedPair& p) { p.profile.key_usages.Add(pki::KeyUsage::kKeyAgreement); },
       "its key usages are"},
      {[](WantedPair& p) { p.request.subject.names = {{.organization = "Example"}}; },
       "its subject has nothing, not O=Example"},
  };
  for (const Case& c : kCases) {
    WantedPair wanted = wanted_;
    c.change(wanted);
    const Decision decision =
        DecidePair(wanted, found_, &ca_.certificate(), true, {}, pki::TestTime());
    EXPECT_EQ(decision.action, Action::kCertify) << c.reason;
    EXPECT_THAT(decision.reason, HasSubstr(c.reason));
  }
}

TEST_F(DecisionTest, EmptyDnsNameIsNoDifference) {
  WantedPair wanted = wanted_;
  wanted.request.names.dns_names = {""};
  EXPECT_EQ(Difference(wanted, found_.chain[0]), std::nullopt);
}

TEST_F(DecisionTest, WhatEndsIsRenewed) {
  const absl::Time later = pki::TestTime() + kYear - absl::Hours(24 * 29);
  EXPECT_EQ(Decide(true, later - absl::Hours(48)).action, Action::kKeep);
  EXPECT_EQ(Decide(true, later).action, Action::kCertify);
  EXPECT_EQ(Decide(true, later).reason, "it ends at 2028-01-15 08:00 UTC");
  options_.renew_within = absl::Hours(24);
  EXPECT_EQ(Decide(true, later).action, Action::kKeep);
}

TEST_F(DecisionTest, ShortLivedIsRenewedInItsLastThird) {
  found_ = Of(ca_, {.valid_from_now = absl::ZeroDuration(), .valid_until_now = absl::Hours(23)});
  EXPECT_EQ(Decide(true, pki::TestTime() + absl::Hours(15)).action, Action::kKeep);
  EXPECT_EQ(Decide(true, pki::TestTime() + absl::Hours(16)).action, Action::kCertify);
}

TEST_F(DecisionTest, AnotherKindOfKeyIsANoteOnly) {
  wanted_.request.key = {"rsa", 2048};
  EXPECT_EQ(Decide().action, Action::kKeep);
  EXPECT_EQ(Decide().note, "its key is ECDSA-P256, not RSA-2048: --force makes a new one");
}

TEST_F(DecisionTest, CaIsCreatedOnlyWhereNothingDependsOnIt) {
  EXPECT_EQ(DecideTheCa({}, false).action, Action::kCreate);
  EXPECT_EQ(DecideTheCa({}, true).action, Action::kRefuse);
  options_.new_ca = true;
  EXPECT_EQ(DecideTheCa({}, true).action, Action::kCreate);
}

TEST_F(DecisionTest, CaWithoutItsKeyServesUntilSomethingMustBeSigned) {
  Found found = OfCa(ca_);
  found.has_key = false;
  found.key.reset();
  EXPECT_EQ(DecideTheCa(found).action, Action::kKeep);
  EXPECT_EQ(DecideTheCa(found).note, "its key is elsewhere");
}

TEST_F(DecisionTest, CaIsRenewedWithItsKey) {
  const Found found = OfCa(pki::TestCa("etcd CA", pki::TestTime(), absl::Hours(24)));
  options_.renew_within = absl::Hours(48);
  EXPECT_EQ(DecideTheCa(found).action, Action::kCertify);
  Found lost = OfCa(ca_);
  lost.has_certificate = false;
  lost.chain.clear();
  EXPECT_EQ(DecideTheCa(lost).action, Action::kCertify);
}

TEST_F(DecisionTest, CaThatIsNoneIsRefused) {
  EXPECT_THAT(DecideTheCa(found_).reason, HasSubstr("it is no CA"));
  Found mixed = OfCa(ca_);
  mixed.key = OfCa(pki::TestCa("x")).key;
  EXPECT_THAT(DecideTheCa(mixed).reason, HasSubstr("do not belong together"));
  Found unreadable = OfCa(ca_);
  unreadable.key.reset();
  unreadable.key_problem = "it is encrypted";
  EXPECT_EQ(DecideTheCa(unreadable).action, Action::kRefuse);
  EXPECT_THAT(DecideTheCa(unreadable).advice, HasSubstr("--new-ca"));
}

}  // namespace
}  // namespace calico::calicert::etcd
