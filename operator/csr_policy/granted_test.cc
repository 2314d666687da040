// What is asked and not granted is a denial that says so, never a certificate without it.
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/csr_policy/rules.h"
#include "operator/csr_policy/rules_test_world.h"
#include "pkg/pki/key.h"
#include "pkg/pki/usage.h"

namespace calico::csr_policy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct FileCase {
  const char* file;
  const char* rule;
  const char* message;
};

void CheckFiles(std::span<const FileCase> cases) {
  for (const FileCase& c : cases) {
    Check({c.file, File(c.file), Kind::kDeny, c.rule, Need::kNothing, c.message});
  }
}

TEST(GrantedTest, NoSubjectAttributeButTheCn) {
  const FileCase cases[] = {
      {"organization.pem", "subject", "O=\"system:masters\" is asked"},
      {"organization-in-one-rdn.pem", "subject", "O=\"system:masters\" is asked"},
      {"organization-twice.pem", "subject", "O=\"a\" is asked"},
      {"unknown-subject-attribute.pem", "subject", "1.2.3.4.5=\"odd\" is asked"},
      {"reference-empty-dns.pem", "subject", "C=\"US\" is asked"},
  };
  CheckFiles(cases);
}

Change Dropping(const char* file, std::vector<std::string> attributes) {
  return [file, attributes = std::move(attributes)](World& w) {
    SetRequestFile(w.facts, file);
    w.facts.pod.ips = {Ip("10.1.2.3")};
    w.policy.entries[0].drop_subject_attributes = attributes;
  };
}

TEST(GrantedTest, NamedSubjectAttributesAreDropped) {
  const Case cases[] = {
      {"one", Dropping("organization.pem", {"O"}), Kind::kApprove},
      {"of that value", Dropping("organization.pem", {"O=system:masters"}), Kind::kApprove},
      {"of another value", Dropping("organization.pem", {"O=Tigera", "O=system"}), Kind::kDeny,
       "subject", Need::kNothing, "O=\"system:masters\" is asked"},
      {"in the RDN of the CN", Dropping("organization-in-one-rdn.pem", {"O"}), Kind::kApprove},
      {"each time it is there", Dropping("organization-twice.pem", {"O"}), Kind::kApprove},
      {"an identifier", Dropping("unknown-subject-attribute.pem", {"1.2.3.4.5"}), Kind::kApprove},
      {"another one", Dropping("organization.pem", {"OU"}), Kind::kDeny, "subject", Need::kNothing,
       "O=\"system:masters\""},
      {"all but one", Dropping("reference-empty-dns.pem", {"C", "ST", "L", "O"}), Kind::kDeny,
       "subject", Need::kNothing, "OU=\"Engineering\""},
      {"a second CN is no other attribute",
       [](World& w) {
         w.policy.entries[0].drop_subject_attributes = {"CN"};
         Template([](auto& t) { t.subject = {{"CN", "typha-server"}}; })(w);
       },
       Kind::kDeny, "common-name", Need::kNothing, "2 common names"},
  };
  for (const Case& c : cases) Check(c);
  World world;
  Dropping("organization.pem", {"O"})(world);
  EXPECT_THAT(PlanCertificate(world.facts, world.policy.entries[0], absl::Hours(1)).subject,
              IsEmpty());
}

TEST(GrantedTest, NoUsageInTheRequestThatTheCertificateWouldNotHave) {
  const FileCase cases[] = {
      {"extended-usage-code-signing.pem", "usages", "extended key usage codeSigning"},
      {"extended-usage-any.pem", "usages", "extended key usage anyExtendedKeyUsage"},
      {"extended-usage-unknown.pem", "usages", "extended key usage 1.2.3.4.5"},
      {"key-usage-content-commitment.pem", "usages", "key usage contentCommitment"},
  };
  CheckFiles(cases);
  Check({"server auth in the request alone",
         [](World& w) { w.facts.csr.usages = {"client auth", "digital signature"}; }, Kind::kDeny,
         "usages", Need::kNothing, "extended key usage serverAuth in spec.request is not in"});
  Check({"a key usage that the entry does not take",
         [](World& w) {
           w.policy.entries[0].usages = {"client auth", "server auth", "digital signature"};
           w.facts.csr.usages = {"client auth", "server auth"};
         },
         Kind::kDeny, "usages", Need::kNothing, "key usage keyEncipherment in spec.request"});
}

TEST(GrantedTest, NoExtensionAndNoAttributeThatIsNotGranted) {
  const FileCase cases[] = {
      {"extension-must-staple.pem", "extensions", "1.3.6.1.5.5.7.1.24"},
      {"critical-extension.pem", "critical-extensions", "1.2.3.4.5.6"},
      {"path-length.pem", "no-ca", "path length"},
      {"attribute-challenge-password.pem", "attributes", "1.2.840.113549.1.9.7"},
      {"attribute-microsoft-extensions.pem", "attributes", "1.3.6.1.4.1.311.2.1.14"},
  };
  CheckFiles(cases);
  // The CA makes the identifier, whatever the request says.
  Check({"subjectKeyIdentifier", Dropping("subject-key-id.pem", {}), Kind::kApprove});
}

TEST(GrantedTest, EveryKindOfAlternativeNameIsJudged) {
  const FileCase cases[] = {
      {"other-name.pem", "other-names", "otherName"},
      {"name-x400.pem", "other-names", "x400Address"},
      {"name-directory.pem", "other-names", "directoryName"},
      {"name-edi-party.pem", "other-names", "ediPartyName"},
      {"registered-id.pem", "other-names", "registeredID"},
      {"email-uri.pem", "other-names", "is asked"},
  };
  CheckFiles(cases);
}

// Each is signed by its own key, and OpenSSL reads it.
TEST(GrantedTest, BerInsideTheRequestIsRefused) {
  const FileCase cases[] = {
      {"ber-length.pem", "request-format", "a length that is not as short as it can be"},
      {"ber-indefinite.pem", "request-format", "an indefinite length"},
      {"ber-boolean.pem", "request-format", "a BOOLEAN that is neither 00 nor ff"},
      {"ber-default-false.pem", "request-format", "a FALSE that is the default"},
      {"ber-unused-bits.pem", "request-format", "an unused bit that is set"},
      {"ber-named-bits.pem", "request-format", "named bits that ends with zeros"},
      {"ber-set-order.pem", "request-format", "a SET that is not in order"},
      {"ber-attribute-order.pem", "request-format", "a SET that is not in order"},
      {"ber-length-in-extension.pem", "request-format", "a length that is not as short"},
      {"ber-octet-string-in-pieces.pem", "request-format", "a value in several pieces"},
      {"ber-rsa-key.pem", "request-format", "a length that is not as short as it can be"},
      {"ber-version.pem", "request-format", ""},
  };
  CheckFiles(cases);
}

TEST(GrantedTest, AddressesThatNobodyHasAloneAreRefused) {
  struct AddressCase {
    const char* address;
    const char* message;
  };
  const AddressCase cases[] = {
      {"127.0.0.1", "127.0.0.1 is a loopback address"},
      {"0.0.0.0", "an unspecified address"},
      {"169.254.169.254", "a link-local address"},
      {"224.0.0.1", "a multicast address"},
      {"255.255.255.255", "a broadcast address"},
      {"::", "an unspecified address"},
      {"::1", "a loopback address"},
      {"fe80::1", "a link-local address"},
      {"ff02::1", "a multicast address"},
      {"::ffff:127.0.0.1", "127.0.0.1 is a loopback address"},
  };
  for (const AddressCase& c : cases) {
    const Change change = [&](World& w) {
      Template([&](auto& t) { t.ip_addresses = {Ip(c.address)}; })(w);
      w.facts.pod.ips = {Ip(c.address)};  // the status has it
    };
    Check({c.address, change, Kind::kDeny, "ip-addresses", Need::kNothing, c.message});
    Check({"dropped",
           [&](World& w) {
             change(w);
             w.policy.entries[0].drop_ip_addresses = true;
           },
           Kind::kApprove});
  }
  Check({"240.0.0.1 is somebody's",
         [](World& w) {
           Template([](auto& t) { t.ip_addresses = {Ip("240.0.0.1")}; })(w);
           w.facts.pod.ips = {Ip("240.0.0.1")};
         },
         Kind::kApprove});
}

// --- Usages fit the key ---

struct KeyCase {
  pki::KeyAlgorithm algorithm;
  std::vector<std::string> asked;
  pki::KeyUsages want;
};

TEST(GrantedTest, KeyUsagesFitTheKey) {
  using enum pki::KeyUsage;
  const std::vector<std::string> all = {"digital signature", "key encipherment", "key agreement",
                                        "client auth", "server auth"};
  const KeyCase cases[] = {
      {pki::KeyAlgorithm::kRsa2048, all, {kDigitalSignature, kKeyEncipherment}},
      {pki::KeyAlgorithm::kEcdsaP256, all, {kDigitalSignature, kKeyAgreement}},
      {pki::KeyAlgorithm::kRsa2048,
       {"key encipherment", "client auth", "server auth"},
       {kKeyEncipherment}},
      {pki::KeyAlgorithm::kEcdsaP384, {"client auth", "server auth"}, {}},
      {pki::KeyAlgorithm::kEcdsaP521,
       {"key encipherment", "digital signature", "client auth", "server auth"},
       {kDigitalSignature}},
  };
  for (const KeyCase& c : cases) {
    SCOPED_TRACE(pki::ToString(c.algorithm));
    World world;
    SetRequest(world.facts, GoodTemplate(), pki::PrivateKey::Generate(c.algorithm).value());
    world.facts.csr.usages = c.asked;
    const Decision decision = Evaluate(world.facts, world.policy);
    ASSERT_EQ(decision.kind, Kind::kApprove) << decision.Text();
    const auto plan = PlanCertificate(world.facts, *decision.entry, absl::Hours(1));
    EXPECT_EQ(plan.key_usages, c.want) << plan.key_usages.ToString();
    EXPECT_THAT(plan.extended_key_usages, ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  }
}

TEST(GrantedTest, Ed25519OnlySigns) {
  World world;
  SetRequestFile(world.facts, "ed25519.pem");
  const Decision decision = Evaluate(world.facts, world.policy);
  ASSERT_EQ(decision.kind, Kind::kApprove) << decision.Text();
  EXPECT_EQ(PlanCertificate(world.facts, *decision.entry, absl::Hours(1)).key_usages,
            pki::KeyUsages{pki::KeyUsage::kDigitalSignature});
}

TEST(GrantedTest, NothingThatTheKeyCanDoIsADenial) {
  Check({"EC and key encipherment alone",
         [](World& w) { w.facts.csr.usages = {"client auth", "server auth", "key encipherment"}; },
         Kind::kDeny, "usages", Need::kNothing,
         "keyEncipherment is all that is asked and nothing that a key of ECDSA-P256 can do"});
}

// --- Requests of strangers that somebody has approved by hand ---

Change Stranger(std::function<void(World&)> change, bool approved) {
  return [change = std::move(change), approved](World& w) {
    change(w);
    w.facts.csr.username = "kubernetes-admin";
    w.facts.csr.extra.clear();
    if (approved) w.facts.csr.conditions.push_back({.type = "Approved", .status = "True"});
    w.facts = FactsOf(w.facts.csr, kNow);
  };
}

TEST(GrantedTest, AStrangersApprovedRequestIsToldAllThatIsWrong) {
  const Change as_it_should_be = [](World&) {};
  const Change organization = Template([](auto& t) { t.subject = {{"O", "system:masters"}}; });
  const Change foreign = Template([](auto& t) {
    t.common_name = "www.example.com";
    t.dns_names = {"www.example.com"};
  });
  const Change cert_sign = [](World& w) { w.facts.csr.usages.push_back("cert sign"); };
  const char* requester = "\"kubernetes-admin\" is not a service account, so no pod is bound to it";
  const Case cases[] = {
      {"nothing else", Stranger(as_it_should_be, true), Kind::kDeny, "requester", Need::kNothing,
       requester},
      {"subject", Stranger(organization, true), Kind::kDeny, "requester", Need::kNothing,
       "; besides, rule subject: O=\"system:masters\" is asked"},
      {"common name", Stranger(foreign, true), Kind::kDeny, "requester", Need::kNothing,
       "; besides, rule common-name: \"www.example.com\" is not one of typha-client"},
      {"usage", Stranger(cert_sign, true), Kind::kDeny, "requester", Need::kNothing,
       "; besides, rule usages: \"cert sign\" is not one of digital signature"},
      {"usage, not approved", Stranger(cert_sign, false), Kind::kDeny, "requester", Need::kNothing,
       "; besides, rule usages: \"cert sign\""},
  };
  for (const Case& c : cases) Check(c);
  World unapproved;
  Stranger(organization, false)(unapproved);
  EXPECT_EQ(Evaluate(unapproved.facts, unapproved.policy).message, requester);
  EXPECT_FALSE(unapproved.facts.request_parsed);
}

TEST(GrantedTest, APodsOwnRequestNamesTheRuleAlone) {
  World world;
  world.facts.csr.usages.push_back("cert sign");
  world.facts.csr.conditions.push_back({.type = "Approved", .status = "True"});
  EXPECT_THAT(Evaluate(world.facts, world.policy).Text(),
              AllOf(HasSubstr("rule usages: \"cert sign\" is not one of digital signature"),
                    Not(HasSubstr("besides"))));
}

}  // namespace
}  // namespace calico::csr_policy
