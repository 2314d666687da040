// Plans with what the user supplies: key pairs, typha-ca, certificateManagement.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/certificates/annotation_hash.h"
#include "operator/certificates/limits.h"
#include "operator/certificates/plan.h"
#include "operator/certificates/testing/certificate_world.h"
#include "operator/certificates/testing/installed_secrets.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/openssl_command.h"

namespace calico::certificates {
namespace {

using pki::TestCa;
using pki::TestLeaf;
using pki::TestLeafOptions;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Write = PlannedSecret::Write;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kYear = absl::Hours(24 * 365);

TestLeafOptions UsersNode() {
  return {.common_name = "my-felix", .dns_names = {"my-felix"}, .valid_until_now = kYear};
}

std::vector<std::string> MemberNames(const Plan& plan) {
  std::vector<std::string> names;
  for (const TrustMember& member : plan.bundle.members)
    names.push_back(member.ns + "/" + member.name);
  return names;
}

bool IsAmong(const std::vector<PlannedSecret>& secrets, std::string_view name) {
  return FindPlanned(secrets, name) != nullptr;
}

TestCa UsersCa() { return TestCa("users-ca", pki::TestTime(), kYear * 5); }

struct Recorded {
  const char* version;
  const char* release;
};
constexpr Recorded kRecorded[] = {{"v1.44", "v3.33"}, {"v1.42.4", "v3.32"}, {"v1.32.13", "v3.27"}};

// What Calico's operator has made of the same Secrets of a user.
TEST(SuppliedPairTest, CopiesTrustAndHashesAreThoseOfCalicosOperator) {
  for (const Recorded& recorded : {kRecorded[1], kRecorded[2]}) {
    SCOPED_TRACE(recorded.version);
    const InstalledSecrets users(std::string(recorded.version) + "-h-byo-world");
    const InstalledSecrets made(std::string(recorded.version) + "-h-byo-made");
    CertificateWorld world;
    world.demands.release = recorded.release;
    world.live.secrets = users.secrets();
    world.live.typha_ca = users.ConfigMap(kTyphaCa);
    const Plan plan = world.MakePlan();

    ASSERT_THAT(plan.problems, IsEmpty());
    EXPECT_THAT(plan.warnings, IsEmpty());
    EXPECT_EQ(plan.Find(kNodeCerts)->source, Source::kUserSupplied);
    EXPECT_EQ(plan.Find(kNodeCerts)->common_name, "my-felix");
    EXPECT_EQ(plan.Find(kTyphaCerts)->common_name, "my-typha");
    EXPECT_FALSE(IsAmong(plan.originals, kNodeCerts));
    for (const PlannedSecret& copy : plan.copies) {
      const api::Secret& live = made.Get("calico-system", copy.name);
      EXPECT_EQ(copy.annotations, live.meta.annotations);
      for (const auto& [key, value] : copy.labels) EXPECT_EQ(live.meta.labels.at(key), value);
      EXPECT_EQ(copy.data.at("tls.crt").view(), live.Get("tls.crt"));
      EXPECT_EQ(copy.data.size(), live.data.size());
    }
    api::StringMap annotations = made.Annotations(kTrustedBundle);
    const std::string ca = "tigera-operator.hash.operator.tigera.io/tigera-ca-private";
    for (const auto& [key, value] : plan.bundle.annotations) {
      // Its own CA was made by chance.
      if (key != ca) EXPECT_EQ(annotations.at(key), value) << key;
    }
    EXPECT_TRUE(plan.bundle.annotations.contains(ca));
    EXPECT_THAT(MemberNames(plan),
                ElementsAre("tigera-operator/node-certs", "tigera-operator/tigera-ca-private",
                            "calico-system/typha-ca", "tigera-operator/typha-certs"));
  }
}

TEST(SuppliedPairTest, TheTemplateOfTyphaHasTheRecordedHash) {
  CertificateWorld world;
  world.live.secrets = InstalledSecrets("v1.42.4-h-byo-world").secrets();
  EXPECT_EQ(world.MakePlan().Find(kTyphaCerts)->hash, "99c7bf901a9a35618661895fef73985828568f2c");
}

TEST(SuppliedPairTest, OlderNamesOfTheDataAreTakenInAFixedOrder) {
  const TestCa ca = UsersCa();
  const TestLeaf first = ca.Leaf(UsersNode());
  const TestLeaf second = ca.Leaf(UsersNode());
  CertificateWorld world;
  world.Put(kOperatorNamespace, kNodeCerts,
            {{"cert.crt", second.chain_pem},
             {"key.key", second.key_pem},
             {"cert", first.chain_pem},
             {"key", first.key_pem},
             {"tls.crt", "half of a pair"},
             {"common-name", "my-felix"}});
  const Plan plan = world.MakePlan();
  EXPECT_THAT(plan.problems, IsEmpty());
  const PlannedSecret& copy = *FindPlanned(plan.copies, kNodeCerts);
  EXPECT_EQ(copy.data.at("tls.crt").view(), first.chain_pem);
  EXPECT_EQ(copy.data.at("tls.key").view(), first.key_pem);
  EXPECT_EQ(copy.data.at("cert.crt").view(), second.chain_pem);
}

TEST(SuppliedPairTest, CrlfAndCommentsAreNoFault) {
  const TestLeaf leaf = UsersCa().Leaf(UsersNode());
  const auto crlf = [](std::string text) {
    for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
      text.insert(at, "\r");
    }
    return text;
  };
  CertificateWorld world;
  world.Put(kOperatorNamespace, kNodeCerts,
            {{"tls.crt", "subject=CN = my-felix\n" + crlf(leaf.chain_pem) + "# end\n"},
             {"tls.key",
              "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
              "-----END EC PARAMETERS-----\n" +
                  crlf(leaf.key_pem)},
             {"common-name", "my-felix"}});
  const Plan plan = world.MakePlan();
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(plan.Find(kNodeCerts)->source, Source::kUserSupplied);
}

struct Broken {
  const char* name;
  void (*damage)(Texts& data, const TestCa& ca);
  std::vector<std::string> texts;
};

Texts WithLeaf(const TestCa& ca, const TestLeafOptions& options) {
  return SuppliedPair(ca.Leaf(options), "my-felix");
}

std::vector<Broken> BrokenPairs() {
  return {
      {"no key",
       [](Texts& data, const TestCa&) { data.erase("tls.key"); },
       {"tls.key is missing beside tls.crt"}},
      {"no certificate",
       [](Texts& data, const TestCa&) { data.erase("tls.crt"); },
       {"tls.crt is missing beside tls.key"}},
      {"empty",
       [](Texts& data, const TestCa&) { data.clear(); },
       {"it has neither tls.crt nor tls.key"}},
      {"another key",
       [](Texts& data, const TestCa& ca) { data["tls.key"] = ca.Leaf(UsersNode()).key_pem; },
       {"tls.key does not fit tls.crt", "CN=my-felix"}},
      {"order",
       [](Texts& data, const TestCa& ca) {
         data["tls.crt"] = ca.certificate_pem() + data["tls.crt"];
       },
       {"tls.crt", "CN=my-felix", "must come first"}},
      {"encrypted key",
       [](Texts& data, const TestCa&) {
         const pki::OpensslCommand openssl;
         openssl.Write("k.pem", data["tls.key"]);
         openssl.Run("pkcs8 -topk8 -in k.pem -passout pass:secret -out e.pem");
         data["tls.key"] = openssl.Read("e.pem");
       },
       {"tls.key", "encrypted"}},
      {"garbage",
       [](Texts& data, const TestCa&) { data["tls.crt"] = "certificate"; },
       {"tls.crt", "no CERTIFICATE block"}},
      {"line breaks lost",
       [](Texts& data, const TestCa&) { std::erase(data["tls.crt"], '\n'); },
       {"tls.crt", "line breaks lost?"}},
      // The certificate is published in the trusted bundle.
      {"the key beside the certificate",
       [](Texts& data, const TestCa&) { data["tls.crt"] += data["tls.key"]; },
       {"tls.crt", "EC PRIVATE KEY"}},
      {"ended",
       [](Texts& data, const TestCa& ca) {
         TestLeafOptions options = UsersNode();
         options.valid_until_now = -absl::Minutes(1);
         data = WithLeaf(ca, options);
       },
       {"ended at 2027-01-15 07:59 UTC", "replace it"}},
      {"not yet valid",
       [](Texts& data, const TestCa& ca) {
         TestLeafOptions options = UsersNode();
         options.valid_from_now = kDay;
         data = WithLeaf(ca, options);
       },
       {"not valid before 2027-01-16"}},
      {"wrong usage",
       [](Texts& data, const TestCa& ca) {
         TestLeafOptions options = UsersNode();
         options.extended_key_usages = {std::string(pki::kOidServerAuth)};
         data = WithLeaf(ca, options);
       },
       {"lack clientAuth"}},
      {"no name for peers",
       [](Texts& data, const TestCa&) { data.erase("common-name"); },
       {"common-name and uri-san are missing", "\"my-felix\""}},
      {"another name for peers",
       [](Texts& data, const TestCa&) { data["common-name"] = "my-felix\n"; },
       {R"(common-name is "my-felix\n")", R"("my-felix")"}},
      {"another URI for peers",
       [](Texts& data, const TestCa&) {
         data.erase("common-name");
         data["uri-san"] = "spiffe://x/felix";
       },
       {"uri-san is \"spiffe://x/felix\""}},
  };
}

// Degraded with the cause; what pods have stays, and so does what the user has written.
TEST(SuppliedPairTest, ABrokenPairIsTheUsersToMend) {
  const TestCa ca = UsersCa();
  for (const Broken& broken : BrokenPairs()) {
    SCOPED_TRACE(broken.name);
    CertificateWorld world;
    const Texts good = SuppliedPair(ca.Leaf(UsersNode()), "my-felix");
    world.Put(kOperatorNamespace, kNodeCerts, good);
    const Plan before = world.MakePlan();
    ASSERT_THAT(before.problems, IsEmpty());
    world.Apply(before);
    world.keys_made = 0;

    Texts data = good;
    broken.damage(data, ca);
    world.Put(kOperatorNamespace, kNodeCerts, data);
    const Plan plan = world.MakePlan();
    ASSERT_THAT(plan.problems, SizeIs(1));
    EXPECT_THAT(plan.problems.front(), HasSubstr("Secret tigera-operator/node-certs: "));
    for (const std::string& text : broken.texts)
      EXPECT_THAT(plan.problems.front(), HasSubstr(text));
    EXPECT_TRUE(plan.is_complete);
    EXPECT_EQ(world.keys_made, 0);
    EXPECT_FALSE(IsAmong(plan.originals, kNodeCerts));
    EXPECT_EQ(plan.Find(kNodeCerts)->hash, before.Find(kNodeCerts)->hash);
    EXPECT_EQ(plan.Find(kNodeCerts)->common_name, "my-felix");
    EXPECT_EQ(plan.bundle.text, before.bundle.text);
    EXPECT_EQ(FindPlanned(plan.copies, kNodeCerts)->data.at("tls.crt").view(), good.at("tls.crt"));

    // Without anything that pods have, there is nothing to go on with.
    world.Erase(kPodNamespace, kNodeCerts);
    const Plan alone = world.MakePlan();
    EXPECT_FALSE(alone.is_complete);
    EXPECT_EQ(alone.Find(kNodeCerts), nullptr);
    EXPECT_FALSE(IsAmong(alone.copies, kNodeCerts));
  }
}

TEST(SuppliedPairTest, AUriIsANameForPeersToo) {
  const pki::OpensslCommand openssl;
  ASSERT_EQ(openssl
                .Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem "
                     "-subj /CN=x -addext subjectAltName=URI:spiffe://x/felix -days 90 -out c.pem")
                .exit_code,
            0);
  CertificateWorld world;
  world.now = absl::Now();
  world.Put(kOperatorNamespace, kNodeCerts,
            {{"tls.crt", openssl.Read("c.pem")},
             {"tls.key", openssl.Read("k.pem")},
             {"uri-san", "spiffe://x/felix"}});
  const Plan plan = world.MakePlan();
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(plan.Find(kNodeCerts)->uri_san, "spiffe://x/felix");
  EXPECT_EQ(plan.Find(kNodeCerts)->common_name, "");
}

TEST(SuppliedPairTest, TheEndOfACertificateIsToldThirtyDaysBefore) {
  const TestCa ca = UsersCa();
  CertificateWorld world;
  TestLeafOptions options = UsersNode();
  options.valid_until_now = kDay * 31;
  world.Put(kOperatorNamespace, kNodeCerts, WithLeaf(ca, options));
  Plan plan = world.MakePlan();
  EXPECT_THAT(plan.warnings, IsEmpty());
  EXPECT_EQ(plan.recheck_at, world.now + kDay);
  world.now += kDay * 2;
  plan = world.MakePlan();
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_THAT(plan.warnings, ElementsAre(AllOf(HasSubstr("Secret tigera-operator/node-certs"),
                                               HasSubstr("ends at 2027-02-15"))));
  EXPECT_EQ(plan.recheck_at, pki::TestTime() + kDay * 31);
}

TEST(SuppliedPairTest, WhatTheUserPutsIntoTheOperatorsSecretWins) {
  CertificateWorld world;
  world.Apply(world.MakePlan());
  const TestLeaf leaf = UsersCa().Leaf(UsersNode());
  // kubectl edit leaves the owner.
  world.Put(kOperatorNamespace, kNodeCerts, SuppliedPair(leaf, "my-felix"), /*is_owned=*/true);
  const Plan plan = world.MakePlan();
  EXPECT_EQ(plan.Find(kNodeCerts)->source, Source::kUserSupplied);
  // As it is, but among those that stay.
  const PlannedSecret& original = *FindPlanned(plan.originals, kNodeCerts);
  EXPECT_EQ(original.write, Write::kLeave);
  EXPECT_EQ(original.data.at("tls.crt").view(), leaf.chain_pem);
  EXPECT_THAT(original.annotations, IsEmpty());
}

TEST(SuppliedPairTest, TheOperatorsNameInAUsersCertificateProvesNothing) {
  const TestCa impostor("tigera-operator-signer", pki::TestTime(), kYear * 5);
  CertificateWorld world;
  world.Put(kOperatorNamespace, kNodeCerts, WithLeaf(impostor, UsersNode()));
  const Plan plan = world.MakePlan();
  EXPECT_EQ(plan.Find(kNodeCerts)->source, Source::kUserSupplied);
}

// The API server's clients look for no name of the operator's, so the Secret says none.
TEST(SuppliedPairTest, APairOfTheUsersCaIsTheOperatorsOnlyWhenItOwnsIt) {
  const TestCa ca = UsersCa();
  const TestLeaf leaf =
      ca.Leaf({.common_name = "api", .dns_names = {"api"}, .valid_until_now = kDay * 20});
  for (const bool is_owned : {false, true}) {
    SCOPED_TRACE(is_owned);
    CertificateWorld world;
    world.demands.key_pairs.push_back(ApiServerKeyPair(kPodNamespace, "cluster.local"));
    world.Put(kOperatorNamespace, kCaSecret,
              {{"tls.crt", ca.certificate_pem()}, {"tls.key", ca.key_pem()}});
    world.Put(kOperatorNamespace, kApiServerCerts,
              {{"tls.crt", leaf.certificate_pem}, {"tls.key", leaf.key_pem}}, is_owned);
    Plan plan = world.MakePlan();
    EXPECT_THAT(plan.problems, IsEmpty());
    EXPECT_EQ(plan.Find(kApiServerCerts)->source,
              is_owned ? Source::kOperatorSigned : Source::kUserSupplied);
    EXPECT_EQ(FindPlanned(plan.originals, kApiServerCerts) != nullptr, is_owned);
    // Nor is it taken away when the operator signs no more.
    world.demands.ca_cert = ca.certificate_pem();
    plan = world.MakePlan();
    EXPECT_EQ(plan.Find(kApiServerCerts)->source,
              is_owned ? Source::kRequest : Source::kUserSupplied);
  }
}

TEST(SuppliedPairTest, ABrokenPairOfTheApiServerIsTheApiServersProblemAlone) {
  for (const bool has_copy : {false, true}) {
    SCOPED_TRACE(has_copy);
    CertificateWorld world;
    world.demands.key_pairs.push_back(ApiServerKeyPair(kPodNamespace, "cluster.local"));
    if (has_copy) world.Apply(world.MakePlan());
    world.Put(kOperatorNamespace, kApiServerCerts, {{"tls.crt", "users own"}});
    const Plan plan = world.MakePlan();
    EXPECT_THAT(plan.problems, IsEmpty());
    EXPECT_THAT(plan.api_server_problems,
                ElementsAre(HasSubstr("Secret tigera-operator/calico-apiserver-certs: ")));
    EXPECT_TRUE(plan.is_complete);
    EXPECT_NE(plan.Find(kNodeCerts), nullptr);
    EXPECT_NE(plan.Find(kTyphaCerts), nullptr);
    EXPECT_EQ(plan.Find(kApiServerCerts) != nullptr, has_copy);
    EXPECT_EQ(IsAmong(plan.copies, kApiServerCerts), has_copy);
  }
}

TEST(SuppliedPairTest, APairThatTheUsersTyphaCaHasNotIssuedIsNoted) {
  const TestCa ca = UsersCa();
  CertificateWorld world;
  world.Put(kOperatorNamespace, kNodeCerts, WithLeaf(ca, UsersNode()));
  world.PutTyphaCa(ca.certificate_pem());
  EXPECT_THAT(world.MakePlan().warnings, IsEmpty());
  world.PutTyphaCa(TestCa("other", pki::TestTime(), kYear * 5).certificate_pem());
  EXPECT_THAT(world.MakePlan().warnings,
              ElementsAre(AllOf(HasSubstr("node-certs"), HasSubstr("typha-ca"))));
}

TEST(SuppliedPairTest, ATyphaCaThatCannotBeReadLeavesTheOldOne) {
  const TestCa ca = UsersCa();
  for (const char* text : {"", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n"}) {
    CertificateWorld world;
    world.Put(kOperatorNamespace, kNodeCerts, WithLeaf(ca, UsersNode()));
    world.PutTyphaCa(ca.certificate_pem());
    const Plan before = world.MakePlan();
    world.Apply(before);
    world.PutTyphaCa(text);
    const Plan plan = world.MakePlan();
    EXPECT_THAT(plan.problems, ElementsAre(AllOf(HasSubstr("ConfigMap tigera-operator/typha-ca"),
                                                 HasSubstr("caBundle"))));
    EXPECT_TRUE(plan.is_complete);
    EXPECT_EQ(plan.bundle.text, before.bundle.text);
    world.live.trusted_bundle.reset();
    EXPECT_FALSE(world.MakePlan().is_complete);
  }
}

TEST(SuppliedPairTest, AByteOrderMarkDoesNotHideTheFirstCertificate) {
  const TestCa ca = UsersCa();
  CertificateWorld world;
  world.PutTyphaCa("\xef\xbb\xbf" + ca.certificate_pem());
  const Plan plan = world.MakePlan();
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(plan.bundle.members.back().pem, ca.certificate_pem());
}

TEST(SuppliedPairTest, AnEndedTyphaCaIsTold) {
  CertificateWorld world;
  world.PutTyphaCa(TestCa("old", pki::TestTime() - kYear, kDay).certificate_pem());
  EXPECT_THAT(world.MakePlan().warnings,
              ElementsAre(AllOf(HasSubstr("typha-ca"), HasSubstr("CN=old"), HasSubstr("ended"))));
}

TEST(RootsTest, TheFilesComeBeforeTheClusters) {
  CertificateWorld world;
  EXPECT_FALSE(world.MakePlan().bundle.HasSystemRoots());
  world.live.trusted_bundle.emplace();
  world.live.trusted_bundle->data["ca-bundle.crt"] = "old roots";
  EXPECT_EQ(*world.MakePlan().bundle.system_roots, "old roots");
  world.demands.system_roots = std::make_shared<const std::string>("new roots");
  EXPECT_EQ(*world.MakePlan().bundle.system_roots, "new roots");
}

TEST(RootsTest, AFileThatIsTooLargeIsNotUsed) {
  CertificateWorld world;
  world.demands.system_roots = std::make_shared<const std::string>(kMaxSystemRootsBytes + 1, 'a');
  const Plan plan = world.MakePlan();
  EXPECT_FALSE(plan.bundle.HasSystemRoots());
  EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("public roots")));
}

TEST(RootsTest, ABundleThatDoesNotFitIsAProblem) {
  CertificateWorld world;
  const TestCa ca = UsersCa();
  world.PutTyphaCa(ca.certificate_pem() + std::string(600 << 10, 'a'));
  const Plan plan = world.MakePlan();
  EXPECT_FALSE(plan.is_complete);
  EXPECT_THAT(plan.problems, ElementsAre(HasSubstr("tigera-ca-bundle")));
}

TEST(SuppliedPairTest, TheHashOfAPairIsAnotherOneThanTheBundles) {
  CertificateWorld world;
  world.live.secrets = InstalledSecrets("v1.42.4-h-byo-world").secrets();
  const Plan plan = world.MakePlan();
  const std::string key = "tigera-operator.hash.operator.tigera.io/typha-certs";
  // As recorded: typha's own hash is the hash of the hash, the others' that of the certificate.
  EXPECT_EQ(plan.Find(kTyphaCerts)->hash_annotation, key);
  EXPECT_EQ(plan.Find(kTyphaCerts)->hash, "99c7bf901a9a35618661895fef73985828568f2c");
  EXPECT_EQ(plan.bundle.annotations.at(key), "1345f51e4bc26761e9ccc8f0645496e512db5b38");
}

// certificateManagement.

TEST(RequestTest, TheBundleIsThatOfCalicosOperator) {
  for (const Recorded& recorded : kRecorded) {
    SCOPED_TRACE(recorded.version);
    const InstalledSecrets made(std::string(recorded.version) + "-b-cm-default-made");
    const api::ConfigMap live = made.ConfigMap(kTrustedBundle).value();
    CertificateWorld world;
    world.demands.release = recorded.release;
    for (const TrustMember& member : ReadBundle(live.Get(kBundleKey))) {
      if (member.name == kCaSecret) world.demands.ca_cert = member.pem;
    }
    const Plan plan = world.MakePlan();
    EXPECT_EQ(world.keys_made, 0);
    EXPECT_TRUE(plan.is_complete);
    EXPECT_EQ(plan.bundle.text, live.Get(kBundleKey));
    for (const KeyPair& pair : plan.key_pairs) {
      EXPECT_EQ(pair.source, Source::kRequest);
      EXPECT_EQ(pair.hash, "");
      EXPECT_EQ(pair.issuer_pem, *world.demands.ca_cert);
    }
    EXPECT_THAT(plan.originals, IsEmpty());
    EXPECT_THAT(plan.copies, IsEmpty());
    EXPECT_THAT(plan.deletions, IsEmpty());
  }
}

TEST(RequestTest, AUsersPairNeedsNoRequest) {
  CertificateWorld world;
  world.demands.ca_cert = TestCa("signer").certificate_pem();
  world.Put(kOperatorNamespace, kTyphaCerts,
            SuppliedPair(UsersCa().Leaf({.common_name = "my-typha", .valid_until_now = kYear}),
                         "my-typha"));
  const Plan plan = world.MakePlan();
  EXPECT_EQ(plan.Find(kNodeCerts)->source, Source::kRequest);
  EXPECT_EQ(plan.Find(kTyphaCerts)->source, Source::kUserSupplied);
  EXPECT_TRUE(IsAmong(plan.copies, kTyphaCerts));
}

std::vector<std::string> DeletedNames(const Plan& plan) {
  std::vector<std::string> names;
  for (const SecretDeletion& deletion : plan.deletions) {
    EXPECT_NE(deletion.uid, "");
    names.push_back(deletion.ns + "/" + deletion.name);
  }
  return names;
}

// Old pods mount the Secrets until they are rolled: without them a pod that restarts is stuck, and
// without the CA the way back would cut every connection.
TEST(RequestTest, SecretsAndCaStayUntilNoPodMountsThem) {
  CertificateWorld world;
  world.Apply(world.MakePlan());
  world.demands.ca_cert = TestCa("signer").certificate_pem();
  world.demands.is_rolled_out = false;
  Plan plan = world.MakePlan();
  EXPECT_THAT(plan.deletions, IsEmpty());
  EXPECT_TRUE(IsAmong(plan.originals, kCaSecret));
  EXPECT_TRUE(IsAmong(plan.originals, kNodeCerts));
  EXPECT_TRUE(IsAmong(plan.copies, kTyphaCerts));
  EXPECT_FALSE(plan.HasNewKeys());

  world.demands.is_rolled_out = true;
  plan = world.MakePlan();
  EXPECT_THAT(DeletedNames(plan),
              ElementsAre("tigera-operator/tigera-ca-private", "tigera-operator/node-certs",
                          "calico-system/node-certs", "tigera-operator/typha-certs",
                          "calico-system/typha-certs"));
  EXPECT_THAT(plan.originals, IsEmpty());
  EXPECT_THAT(plan.copies, IsEmpty());
}

TEST(RequestTest, AUsersCaIsNeverDeleted) {
  const TestCa ca("my-ca", pki::TestTime(), kYear * 5);
  CertificateWorld world;
  world.Put(kOperatorNamespace, kCaSecret,
            {{"tls.crt", ca.certificate_pem()}, {"tls.key", ca.key_pem()}});
  world.demands.ca_cert = TestCa("signer").certificate_pem();
  EXPECT_THAT(world.MakePlan().deletions, IsEmpty());
}

// Its original is gone: the user has taken it back.
TEST(RequestTest, TheCopyOfAUsersPairGoesWithIt) {
  CertificateWorld world;
  world.demands.ca_cert = TestCa("signer").certificate_pem();
  world.Put(kOperatorNamespace, kNodeCerts, WithLeaf(UsersCa(), UsersNode()));
  world.Apply(world.MakePlan());
  world.Erase(kOperatorNamespace, kNodeCerts);
  EXPECT_THAT(DeletedNames(world.MakePlan()), ElementsAre("calico-system/node-certs"));
}

}  // namespace
}  // namespace calico::certificates
