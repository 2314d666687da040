#include "operator/certificates/plan.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/certificates/limits.h"
#include "operator/certificates/testing/certificate_world.h"
#include "operator/certificates/testing/installed_secrets.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::certificates {
namespace {

using base::IsOk;
using base::StatusIs;
using pki::TestCa;
using pki::TestLeaf;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Write = PlannedSecret::Write;

constexpr absl::Duration kDay = absl::Hours(24);

pki::Certificate LeafOf(const PlannedSecret& secret) {
  return pki::Certificate::ParsePemBundle(secret.data.at("tls.crt").view())->front();
}

std::vector<std::string> NamesOf(const std::vector<PlannedSecret>& secrets) {
  std::vector<std::string> names;
  for (const PlannedSecret& secret : secrets) names.push_back(secret.ns + "/" + secret.name);
  return names;
}

std::vector<std::string> MemberNames(const Plan& plan) {
  std::vector<std::string> names;
  for (const TrustMember& member : plan.bundle.members)
    names.push_back(member.ns + "/" + member.name);
  return names;
}

// A world in which the operator has made everything.
CertificateWorld Installed() {
  CertificateWorld world;
  world.Apply(world.MakePlan());
  world.keys_made = 0;
  return world;
}

TEST(PlanTest, AnEmptyClusterGetsACaAndPairsOfIt) {
  CertificateWorld world;
  world.demands.key_pairs.push_back(ApiServerKeyPair("calico-system", "cluster.local"));
  const Plan plan = world.MakePlan();

  EXPECT_TRUE(plan.is_complete);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(NamesOf(plan.originals),
              ElementsAre("tigera-operator/tigera-ca-private", "tigera-operator/node-certs",
                          "tigera-operator/typha-certs", "tigera-operator/calico-apiserver-certs"));
  for (const PlannedSecret& original : plan.originals) EXPECT_EQ(original.write, Write::kCreate);
  EXPECT_THAT(NamesOf(plan.copies),
              ElementsAre("calico-system/node-certs", "calico-system/typha-certs",
                          "calico-system/calico-apiserver-certs"));
  EXPECT_TRUE(plan.HasNewKeys());
  EXPECT_THAT(MemberNames(plan), ElementsAre("tigera-operator/tigera-ca-private"));
  EXPECT_EQ(plan.Find("typha-certs")->common_name, "typha-server");
  EXPECT_EQ(plan.Find("node-certs")->source, Source::kOperatorSigned);
  EXPECT_EQ(plan.Find("other"), nullptr);
  EXPECT_EQ(plan.Find("calico-apiserver-certs")->issuer_pem, plan.bundle.members.front().pem);
}

// Usages, names, validity and identifiers are those of Calico's operator: it goes on with what is
// ours, and needs RSA in PKCS#1 for that.
TEST(PlanTest, CertificatesAreAsCalicosOperatorMakesThem) {
  CertificateWorld world;
  world.demands.key_pairs = {ApiServerKeyPair("calico-system", "cluster.local")};
  const Plan plan =
      MakePlan(world.live, world.demands, world.now, pki::PrivateKey::Generate).value();

  const PlannedSecret& ca_secret = *FindPlanned(plan.originals, "tigera-ca-private");
  const pki::Certificate ca = LeafOf(ca_secret);
  EXPECT_EQ(ca.subject(), "CN=tigera-operator-signer");
  EXPECT_TRUE(ca.is_self_signed() && ca.is_ca());
  EXPECT_EQ(ca.key_usages().ToString(), "digitalSignature, keyEncipherment, keyCertSign");
  EXPECT_EQ(ca.public_key().Description(), "RSA-2048");
  EXPECT_EQ(ca.not_after(), world.now + kDay * 36500);
  // By this one it finds out that a leaf is of its CA.
  EXPECT_EQ(ca.authority_key_id(), ca.subject_key_id());
  EXPECT_TRUE(ca_secret.data.at("tls.key").view().starts_with("-----BEGIN RSA PRIVATE KEY-----"));

  const PlannedSecret& secret = *FindPlanned(plan.originals, "calico-apiserver-certs");
  const pki::Certificate leaf = LeafOf(secret);
  EXPECT_EQ(leaf.subject(), "CN=calico-api");
  EXPECT_THAT(leaf.dns_names(),
              ElementsAre("calico-api", "calico-api.calico-system", "calico-api.calico-system.svc",
                          "calico-api.calico-system.svc.cluster.local"));
  EXPECT_EQ(leaf.key_usages().ToString(), "digitalSignature, keyEncipherment");
  EXPECT_THAT(leaf.extended_key_usages(),
              UnorderedElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  EXPECT_EQ(leaf.public_key().Description(), "RSA-2048");
  EXPECT_EQ(leaf.not_after(), world.now + kDay * 825);
  EXPECT_EQ(leaf.authority_key_id(), ca.authority_key_id());
  EXPECT_EQ(secret.data.at("tls.crt").view(), leaf.pem() + ca.pem());
  EXPECT_TRUE(secret.data.at("tls.key").view().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_THAT(pki::VerifyChain(leaf, {}, {ca}, pki::ExtendedKeyUsage::kServerAuth, world.now),
              IsOk());
}

TEST(PlanTest, WhatIsThereIsKept) {
  CertificateWorld world;
  const Plan first = world.MakePlan();
  world.Apply(first);
  world.keys_made = 0;
  world.now += kDay;
  const Plan second = world.MakePlan();
  EXPECT_EQ(world.keys_made, 0);
  EXPECT_FALSE(second.HasNewKeys());
  EXPECT_THAT(second.notes, IsEmpty());
  EXPECT_EQ(second.Find("typha-certs")->hash, first.Find("typha-certs")->hash);
  EXPECT_EQ(second.bundle.annotations, first.bundle.annotations);
  for (const PlannedSecret& secret : second.originals) {
    EXPECT_EQ(secret.labels, world.Find(secret.ns, secret.name)->meta.labels);
    EXPECT_EQ(secret.annotations, world.Find(secret.ns, secret.name)->meta.annotations);
  }
}

TEST(PlanTest, SecretsTellIssuerEndNamesAndHash) {
  CertificateWorld world;
  const Plan plan = world.MakePlan();
  const PlannedSecret& secret = *FindPlanned(plan.copies, "typha-certs");
  EXPECT_EQ(secret.labels,
            (api::StringMap{{"certificates.operator.tigera.io/signer", "tigera-operator-signer"}}));
  const KeyPair& pair = *plan.Find("typha-certs");
  EXPECT_EQ(secret.annotations,
            (api::StringMap{{"certificates.operator.tigera.io/dns-names", "typha-server"},
                            {"certificates.operator.tigera.io/expiry", "2029-04-19T08:00:00Z"},
                            {"certificates.operator.tigera.io/issuer", "tigera-operator-signer"},
                            {"certificates.operator.tigera.io/signer", "tigera-operator-signer"},
                            {"tigera-operator.hash.operator.tigera.io/typha-certs", pair.hash}}));
  EXPECT_EQ(pair.hash_annotation, "tigera-operator.hash.operator.tigera.io/typha-certs");
  EXPECT_EQ(pair.hash, AnnotationHash(AnnotationHash(secret.data.at("tls.crt").view())));

  world.demands.release = "v3.27";
  const Plan old = world.MakePlan();
  EXPECT_THAT(old.copies.front().labels, IsEmpty());
  EXPECT_THAT(old.copies.front().annotations, IsEmpty());
}

TEST(PlanTest, APlannedOriginalKnowsWhatItWasMadeFrom) {
  CertificateWorld world = Installed();
  world.Find(kOperatorNamespace, kNodeCerts)->type = "kubernetes.io/tls";
  world.Find(kOperatorNamespace, kTyphaCerts)->data.erase("tls.key");
  const Plan plan = world.MakePlan();
  const PlannedSecret& secret = *FindPlanned(plan.originals, kTyphaCerts);
  EXPECT_EQ(secret.write, Write::kReplace);
  EXPECT_TRUE(secret.is_restored);
  const api::ObjectMeta& meta = world.Find(kOperatorNamespace, kTyphaCerts)->meta;
  EXPECT_EQ(std::pair(secret.uid, secret.resource_version),
            std::pair(meta.uid, meta.resource_version));
  EXPECT_EQ(ToObject(secret).at("type"), "Opaque");
  // A type cannot be changed.
  const PlannedSecret& kept = *FindPlanned(plan.originals, kNodeCerts);
  EXPECT_EQ(kept.write, Write::kKeep);
  EXPECT_EQ(kept.uid, world.Find(kOperatorNamespace, kNodeCerts)->meta.uid);
  EXPECT_EQ(ToObject(kept).at("type"), "kubernetes.io/tls");
  const PlannedSecret& copy = *FindPlanned(plan.copies, kNodeCerts);
  EXPECT_EQ(copy.uid, "");
  EXPECT_EQ(ToObject(copy).at("type"), "Opaque");
}

struct Recorded {
  const char* file;
  const char* release;
  const char* typha_hash;  // on the template of typha
};
constexpr Recorded kRecorded[] = {
    {"v1.44-a-default-made", "v3.33", "3815ca07c927ff7d101a9dcb6394ca8b16ce6ae5"},
    {"v1.42.4-a-default-made", "v3.32", "90b7e5be91f2f206addc547c78af477a6b33d37a"},
    {"v1.32.13-a-default-made", "v3.27", "d2368b385f04b20d72f5d38417cb3d18fcff17cf"},
};

// A cluster that is taken over: the same CA, the same leaves, and nothing that restarts a pod.
TEST(PlanTest, WhatCalicosOperatorHasMadeIsKept) {
  for (const Recorded& recorded : kRecorded) {
    SCOPED_TRACE(recorded.file);
    const InstalledSecrets made(recorded.file);
    CertificateWorld world;
    world.demands.release = recorded.release;
    world.live.withheld_key = made.Get("tigera-operator", kCaSecret).Get("tls.key");
    world.live.secrets = made.secrets();
    world.live.trusted_bundle = made.ConfigMap(kTrustedBundle);
    const Plan plan = world.MakePlan();
    EXPECT_EQ(world.keys_made, 0);
    EXPECT_THAT(plan.problems, IsEmpty());
    EXPECT_THAT(plan.notes, IsEmpty());
    EXPECT_TRUE(plan.is_complete);
    EXPECT_EQ(plan.Find(kTyphaCerts)->hash, recorded.typha_hash);
    EXPECT_EQ(plan.bundle.text, world.live.trusted_bundle->Get(kBundleKey));
    EXPECT_THAT(NamesOf(plan.originals), SizeIs(3));
    for (const PlannedSecret& copy : plan.copies) {
      const api::Secret& live = made.Get(copy.ns, copy.name);
      EXPECT_EQ(copy.annotations, live.meta.annotations);
      EXPECT_EQ(copy.data.at("tls.crt").view(), live.Get("tls.crt"));
    }
  }
}

// Two CAs of one name: a cluster whose CA was lost and made anew has leaves of both.
TEST(PlanTest, TheIssuerIsMatchedByItsKey) {
  CertificateWorld world = Installed();
  const TestCa other("tigera-operator-signer");
  const TestLeaf leaf = other.Leaf({.common_name = "typha-server", .dns_names = {"typha-server"}});
  world.Put(kOperatorNamespace, kTyphaCerts,
            {{"tls.crt", leaf.chain_pem}, {"tls.key", leaf.key_pem}});
  const Plan plan = world.MakePlan();
  EXPECT_EQ(world.keys_made, 1);
  EXPECT_EQ(FindPlanned(plan.originals, kTyphaCerts)->write, Write::kReplace);
  EXPECT_THAT(plan.notes, ElementsAre(AllOf(HasSubstr("typha-certs"), HasSubstr("another CA"))));
  EXPECT_THAT(MemberNames(plan), ElementsAre("tigera-operator/tigera-ca-private"));
}

TEST(PlanTest, ACaOfAnOlderNameIsKept) {
  const TestCa old("tigera-operator-signer@1600000000", pki::TestTime(), kDay * 3650);
  CertificateWorld world;
  world.Put(kOperatorNamespace, kCaSecret,
            {{"tls.crt", old.certificate_pem()}, {"tls.key", old.key_pem()}}, true);
  const TestLeaf leaf = old.Leaf({.common_name = "typha-client",
                                  .dns_names = {"typha-client"},
                                  .valid_until_now = kDay * 300});
  world.Put(kOperatorNamespace, kNodeCerts,
            {{"tls.crt", leaf.certificate_pem}, {"tls.key", leaf.key_pem}}, true);
  const Plan plan = world.MakePlan();
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(FindPlanned(plan.originals, kCaSecret)->write, Write::kKeep);
  EXPECT_EQ(FindPlanned(plan.originals, kNodeCerts)->write, Write::kKeep);
  EXPECT_EQ(FindPlanned(plan.originals, kTyphaCerts)->write, Write::kCreate);
  EXPECT_EQ(LeafOf(*FindPlanned(plan.originals, kTyphaCerts)).issuer_common_name(),
            "tigera-operator-signer@1600000000");
}

TEST(PlanTest, TheCasKeyIsReadInEveryForm) {
  const pki::OpensslCommand openssl;
  ASSERT_EQ(openssl.Run("genrsa -traditional -out rsa.pem 2048").exit_code, 0);
  ASSERT_EQ(openssl.Run("pkcs8 -topk8 -nocrypt -in rsa.pem -out rsa8.pem").exit_code, 0);
  ASSERT_EQ(openssl.Run("ecparam -name prime256v1 -genkey -out ec.pem").exit_code, 0);
  for (const char* file : {"rsa.pem", "rsa8.pem", "ec.pem"}) {
    SCOPED_TRACE(file);
    ASSERT_EQ(openssl.Run("req -x509 -new -key {} -days 3650 -subj /CN=my-ca -out ca.pem", file)
                  .exit_code,
              0);
    CertificateWorld world;
    world.now = absl::Now();
    world.Put(kOperatorNamespace, kCaSecret,
              {{"tls.crt", openssl.Read("ca.pem")}, {"tls.key", openssl.Read(file)}});
    const Plan plan = world.MakePlan();
    EXPECT_THAT(plan.problems, IsEmpty());
    EXPECT_EQ(LeafOf(*FindPlanned(plan.originals, kNodeCerts)).issuer(), "CN=my-ca");
    // It is the user's.
    EXPECT_EQ(FindPlanned(plan.originals, kCaSecret), nullptr);
  }
}

TEST(PlanTest, AMissingNameIsAddedByTheSameCa) {
  CertificateWorld world;
  world.demands.key_pairs = {ApiServerKeyPair("calico-apiserver", "cluster.local")};
  const Plan old = world.MakePlan();
  world.Apply(old);
  world.demands.key_pairs = {ApiServerKeyPair("calico-system", "cluster.local")};
  const Plan plan = world.MakePlan();
  EXPECT_EQ(FindPlanned(plan.originals, kCaSecret)->write, Write::kKeep);
  const PlannedSecret& secret = *FindPlanned(plan.originals, kApiServerCerts);
  EXPECT_EQ(secret.write, Write::kReplace);
  EXPECT_THAT(LeafOf(secret).dns_names(), ::testing::Contains("calico-api.calico-system.svc"));
  EXPECT_EQ(plan.bundle.text, old.bundle.text);
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("DNS names lack calico-api.calico-system")));
}

TEST(PlanTest, ALeafIsMadeAnewBeforeItEnds) {
  CertificateWorld world = Installed();
  const absl::Time end = world.MakePlan().Find(kNodeCerts)->not_after;
  world.now = end - kDay * 31;
  Plan plan = world.MakePlan();
  EXPECT_FALSE(plan.HasNewKeys());
  EXPECT_EQ(plan.recheck_at, end - kRenewBefore);
  world.now = end - kDay * 29;
  plan = world.MakePlan();
  EXPECT_EQ(world.keys_made, 2);
  EXPECT_EQ(plan.Find(kNodeCerts)->not_after, world.now + kLeafLifetime);
  EXPECT_THAT(plan.notes, SizeIs(2));
  EXPECT_EQ(FindPlanned(plan.originals, kCaSecret)->write, Write::kKeep);
}

// A CA that ends soon cuts what it signs; that must not go on for ever.
TEST(PlanTest, ALeafThatEndsWithItsCaIsMadeOnce) {
  const TestCa ca("my-ca", pki::TestTime(), kDay * 20);
  CertificateWorld world;
  world.Put(kOperatorNamespace, kCaSecret,
            {{"tls.crt", ca.certificate_pem()}, {"tls.key", ca.key_pem()}});
  world.Apply(world.MakePlan());
  world.keys_made = 0;
  world.now += kDay;
  const Plan plan = world.MakePlan();
  EXPECT_EQ(world.keys_made, 0);
  EXPECT_THAT(plan.warnings,
              ElementsAre(AllOf(HasSubstr("Secret tigera-operator/tigera-ca-private"),
                                HasSubstr("the CA ends at 2027-02-04"))));
}

TEST(PlanTest, AnOriginalThatWasDeletedComesBackFromItsCopy) {
  CertificateWorld world = Installed();
  const std::string hash = world.MakePlan().Find(kTyphaCerts)->hash;
  world.Erase(kOperatorNamespace, kTyphaCerts);
  const Plan plan = world.MakePlan();
  EXPECT_EQ(world.keys_made, 0);
  EXPECT_EQ(FindPlanned(plan.originals, kTyphaCerts)->write, Write::kCreate);
  EXPECT_EQ(plan.Find(kTyphaCerts)->hash, hash);
}

TEST(PlanTest, WhatSomebodyHasBrokenOfTheOperatorsIsPutRight) {
  for (const char* key : {"tls.crt", "tls.key"}) {
    for (const char* value : {"", "garbage", "-----BEGIN CERTIFICATE-----\n"}) {
      CertificateWorld world = Installed();
      world.Find(kOperatorNamespace, kNodeCerts)->data[key] =
          base::SharedSecret(std::string_view(value));
      const Plan plan = world.MakePlan();
      EXPECT_THAT(plan.problems, IsEmpty());
      EXPECT_TRUE(plan.is_complete);
      // It comes back from what the pods have.
      EXPECT_EQ(world.keys_made, 0) << key << " " << value;
      EXPECT_EQ(FindPlanned(plan.originals, kNodeCerts)->data.at(key).view(),
                world.Find(kPodNamespace, kNodeCerts)->Get(key));
      world.Find(kPodNamespace, kNodeCerts)->data[key] = base::SharedSecret(std::string_view("x"));
      EXPECT_TRUE(world.MakePlan().is_complete);
      EXPECT_EQ(world.keys_made, 1) << key << " " << value;
    }
  }
}

TEST(PlanTest, ACopyThatSomebodyHasChangedIsPutRight) {
  CertificateWorld world = Installed();
  world.Find(kPodNamespace, kNodeCerts)->data["tls.crt"] =
      base::SharedSecret(std::string_view("x"));
  const Plan plan = world.MakePlan();
  EXPECT_EQ(FindPlanned(plan.copies, kNodeCerts)->data.at("tls.crt").view(),
            world.Find(kOperatorNamespace, kNodeCerts)->Get("tls.crt"));
}

struct BrokenCa {
  const char* name;
  void (*damage)(api::Secret& secret);
  const char* text;
};
constexpr BrokenCa kBrokenCas[] = {
    {"no key", [](api::Secret& secret) { secret.data.erase("tls.key"); }, "tls.key is missing"},
    {"no certificate", [](api::Secret& secret) { secret.data.erase("tls.crt"); },
     "tls.crt is missing"},
    {"garbage",
     [](api::Secret& secret) {
       secret.data["tls.key"] = base::SharedSecret(std::string_view("x"));
     },
     "tls.key: parse private key"},
    {"another key",
     [](api::Secret& secret) {
       secret.data["tls.key"] = base::SharedSecret(std::string_view(TestCa("x").key_pem()));
     },
     "key"},
    {"another certificate",
     [](api::Secret& secret) {
       secret.data["tls.crt"] = base::SharedSecret(std::string_view(TestCa("x").certificate_pem()));
     },
     "key"},
    {"a leaf and its key",
     [](api::Secret& secret) {
       const pki::TestLeaf leaf = TestCa("x").Leaf({.common_name = "leaf"});
       secret.data["tls.crt"] = base::SharedSecret(std::string_view(leaf.certificate_pem));
       secret.data["tls.key"] = base::SharedSecret(std::string_view(leaf.key_pem));
     },
     "is not a CA"},
};

// A second CA would cut every connection: nothing is made over one that cannot be used.
TEST(PlanTest, ABrokenCaIsNotReplaced) {
  for (const BrokenCa& broken : kBrokenCas) {
    SCOPED_TRACE(broken.name);
    CertificateWorld world = Installed();
    const Plan before = world.MakePlan();
    broken.damage(*world.Find(kOperatorNamespace, kCaSecret));
    const Plan plan = world.MakePlan();
    EXPECT_EQ(world.keys_made, 0);
    EXPECT_THAT(plan.problems,
                ElementsAre(AllOf(HasSubstr("Secret tigera-operator/tigera-ca-private: "),
                                  HasSubstr(broken.text), HasSubstr("restore the Secret"))));
    EXPECT_TRUE(plan.is_complete);
    EXPECT_FALSE(plan.HasNewKeys());
    EXPECT_EQ(plan.Find(kTyphaCerts)->hash, before.Find(kTyphaCerts)->hash);
    EXPECT_EQ(plan.bundle.text, before.bundle.text);
    // None of them is taken for one that nobody needs.
    EXPECT_EQ(NamesOf(plan.originals), NamesOf(before.originals));
    EXPECT_EQ(NamesOf(plan.copies), NamesOf(before.copies));
  }
}

TEST(PlanTest, ABrokenCaWithoutPairsMakesNothing) {
  CertificateWorld world;
  world.Put(kOperatorNamespace, kCaSecret, {{"tls.crt", "x"}, {"tls.key", "y"}});
  const Plan plan = world.MakePlan();
  EXPECT_FALSE(plan.is_complete);
  EXPECT_THAT(plan.key_pairs, IsEmpty());
  EXPECT_THAT(plan.problems, SizeIs(1));
}

TEST(PlanTest, WithoutABundleABrokenCaIsTrustedForWhatItHasIssued) {
  CertificateWorld world = Installed();
  const std::string pem = std::string(world.Find(kOperatorNamespace, kCaSecret)->Get("tls.crt"));
  world.Find(kOperatorNamespace, kCaSecret)->data.erase("tls.key");
  world.live.trusted_bundle.reset();
  EXPECT_THAT(world.MakePlan().bundle.text, HasSubstr(pem));
  // A leaf is not trusted in its place.
  world.Find(kOperatorNamespace, kCaSecret)->data["tls.crt"] =
      base::SharedSecret(std::string_view(TestCa("x").Leaf({.common_name = "x"}).certificate_pem));
  EXPECT_FALSE(world.MakePlan().is_complete);
}

TEST(PlanTest, AnEmptyCaSecretIsFilled) {
  CertificateWorld world;
  world.Put(kOperatorNamespace, kCaSecret, {});
  const Plan plan = world.MakePlan();
  EXPECT_EQ(FindPlanned(plan.originals, kCaSecret)->write, Write::kReplace);
  EXPECT_TRUE(plan.is_complete);
}

TEST(PlanTest, AUsersCaThatDoesNotPermitANameIsTold) {
  const pki::OpensslCommand openssl;
  ASSERT_EQ(openssl
                .Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem "
                     "-subj /CN=ca -addext nameConstraints=critical,permitted\\;DNS:example.org "
                     "-addext basicConstraints=critical,CA:TRUE -days 3650 -out c.pem")
                .exit_code,
            0);
  CertificateWorld world;
  world.now = absl::Now();
  world.Put(kOperatorNamespace, kCaSecret,
            {{"tls.crt", openssl.Read("c.pem")}, {"tls.key", openssl.Read("k.pem")}});
  const Plan plan = world.MakePlan();
  EXPECT_FALSE(plan.is_complete);
  EXPECT_THAT(plan.problems,
              ElementsAre(AllOf(HasSubstr("tigera-ca-private"), HasSubstr("node-certs")),
                          HasSubstr("typha-certs")));
}

TEST(PlanTest, WithoutTheCasKeyNothingIsSigned) {
  CertificateWorld world = Installed();
  world.live.withheld_key = "hidden";
  world.Find(kOperatorNamespace, kCaSecret)->data["tls.key"] =
      base::SharedSecret(std::string_view("hidden"));
  EXPECT_THAT(world.MakePlan().problems, IsEmpty());
  world.Erase(kOperatorNamespace, kNodeCerts);
  world.Erase(kPodNamespace, kNodeCerts);
  const Plan plan = world.MakePlan();
  EXPECT_FALSE(plan.is_complete);
  EXPECT_THAT(plan.problems, ElementsAre(HasSubstr("node-certs cannot be signed")));
}

TEST(PlanTest, TheApiServersSecretsAreItsOwn) {
  CertificateWorld world;
  world.demands.key_pairs.push_back(ApiServerKeyPair("calico-apiserver", "cluster.local"));
  const Plan plan = world.MakePlan();
  EXPECT_EQ(FindPlanned(plan.copies, kApiServerCerts)->owner, "APIServer");
  EXPECT_EQ(FindPlanned(plan.originals, kApiServerCerts)->owner, "APIServer");
  EXPECT_EQ(FindPlanned(plan.originals, kCaSecret)->owner, "Installation");
  EXPECT_EQ(ApiServerNamespace("v3.27"), "calico-apiserver");
  EXPECT_EQ(ApiServerNamespace("v3.33"), "calico-system");
}

TEST(PlanTest, DemandsThatDoNotHoldTogetherAreRefused) {
  CertificateWorld world;
  world.demands.key_pairs.clear();
  EXPECT_THAT(world.TryMakePlan(), StatusIs(absl::StatusCode::kInvalidArgument));
  world.demands.key_pairs = {NodeKeyPair()};
  world.demands.key_pairs.front().ns = world.demands.operator_namespace;
  EXPECT_THAT(world.TryMakePlan(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PlanTest, AFailureOfTheKeySourceIsReturned) {
  const CertificateWorld world;
  const auto fails = [](pki::KeyAlgorithm) -> absl::StatusOr<pki::PrivateKey> {
    return absl::InternalError("no randomness");
  };
  EXPECT_THAT(MakePlan(world.live, world.demands, world.now, fails),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("no randomness")));
}

}  // namespace
}  // namespace calico::certificates
