#include "operator/config/signer_policy.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"

namespace calico::config {
namespace {

using base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSmallest[] = R"(version: 1
entries:
- name: a
  namespaces: [ns]
  serviceAccounts: [sa]
  commonNames: [cn]
)";

TEST(SignerPolicyTest, BuiltinCalicoIsNodeTyphaAndApiServer) {
  EXPECT_THAT(BuiltinSignerPolicyNames(), ElementsAre("calico", "tigera-operator"));
  EXPECT_FALSE(BuiltinSignerPolicy("other").has_value());
  const auto policy = ParseSignerPolicy(BuiltinSignerPolicy("calico").value());
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_THAT(policy->signer_names, IsEmpty());
  ASSERT_THAT(policy->entries, SizeIs(4));
  const csr_policy::CsrPolicyEntry& node = policy->entries[0];
  EXPECT_EQ(node.name, "calico-node");
  EXPECT_THAT(node.signer_names, IsEmpty());
  EXPECT_THAT(node.namespaces, ElementsAre("calico-system"));
  EXPECT_THAT(node.service_accounts, ElementsAre("calico-node"));
  EXPECT_THAT(node.common_names, ElementsAre("typha-client"));
  EXPECT_THAT(node.dns_names, ElementsAre("typha-client"));
  using Shape = csr_policy::CsrNameShape;
  EXPECT_THAT(node.csr_names,
              ElementsAre(Shape::kNamespacePodUid, Shape::kSecretPod, Shape::kNamespacePod));
  EXPECT_THAT(node.secret_names, ElementsAre("node-certs"));
  EXPECT_THAT(node.usages, SizeIs(5));
  EXPECT_THAT(node.required_usages, ElementsAre("client auth"));
  EXPECT_THAT(node.keys, SizeIs(8));
  EXPECT_EQ(node.min_duration, absl::Minutes(10));
  EXPECT_EQ(node.max_duration, absl::InfiniteDuration());
  EXPECT_THAT(node.drop_subject_attributes,
              ElementsAre("C=US", "ST=California", "L=San Francisco", "O=Tigera", "OU=Engineering",
                          "emailAddress"));
  EXPECT_FALSE(node.drop_ip_addresses);
  const csr_policy::CsrPolicyEntry& typha = policy->entries[1];
  EXPECT_THAT(typha.service_accounts, ElementsAre("calico-typha"));
  EXPECT_THAT(typha.common_names, ElementsAre("typha-server"));
  EXPECT_THAT(typha.dns_names, ElementsAre("typha-server"));
  EXPECT_THAT(typha.required_usages, ElementsAre("server auth"));
  EXPECT_THAT(policy->Namespaces(), ElementsAre("calico-apiserver", "calico-system"));
}

// One entry for each namespace: a pod of one gets no name of the other's Service.
TEST(SignerPolicyTest, BuiltinCalicoGivesTheApiServerItsServicesNames) {
  const auto policy = ParseSignerPolicy(BuiltinSignerPolicy("calico").value());
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_THAT(policy->entries, SizeIs(4));
  for (const size_t i : {2U, 3U}) {
    const csr_policy::CsrPolicyEntry& entry = policy->entries[i];
    const std::string ns = i == 2 ? "calico-system" : "calico-apiserver";
    EXPECT_THAT(entry.namespaces, ElementsAre(ns));
    EXPECT_THAT(entry.service_accounts, ElementsAre("calico-apiserver"));
    EXPECT_THAT(entry.common_names, ElementsAre("calico-api"));
    EXPECT_THAT(entry.dns_names,
                ElementsAre("calico-api", "calico-api." + ns, "calico-api." + ns + ".svc",
                            "calico-api." + ns + ".svc.cluster.local"));
    EXPECT_THAT(entry.csr_names, SizeIs(3));
    EXPECT_THAT(entry.secret_names, ElementsAre("calico-apiserver-certs"));
    EXPECT_THAT(entry.required_usages, ElementsAre("server auth"));
    EXPECT_TRUE(entry.drop_ip_addresses);
  }
}

TEST(SignerPolicyTest, DefaultsOfTheSmallestEntry) {
  const auto policy = ParseSignerPolicy(kSmallest);
  ASSERT_TRUE(policy.ok()) << policy.status();
  const csr_policy::CsrPolicyEntry& entry = policy->entries.at(0);
  EXPECT_THAT(entry.dns_names, IsEmpty());
  EXPECT_THAT(entry.csr_names, ElementsAre(csr_policy::CsrNameShape::kNamespacePodUid));
  EXPECT_THAT(entry.usages, SizeIs(5));
  EXPECT_THAT(entry.required_usages, IsEmpty());
  EXPECT_THAT(entry.keys, SizeIs(8));
}

TEST(SignerPolicyTest, ReadsEveryField) {
  const auto policy = ParseSignerPolicy(R"(version: 1
entries:
- name: full
  signerNames: [example.com/a, example.com/b]
  namespaces: [n1, n2]
  serviceAccounts: [s1]
  commonNames: [Some Name]
  dnsNames: [a.example.com, "*.example.com"]
  dropIPAddresses: true
  dropSubjectAttributes: [O=A B, emailAddress, 1.2.3.4]
  csrNames: ["secret:pod", "namespace:pod"]
  secretNames: [node-certs]
  usages: [client auth, digital signature]
  requiredUsages: [digital signature]
  minDuration: 1h
  maxDuration: 24h
  keys: [ECDSA-P256]
)");
  ASSERT_TRUE(policy.ok()) << policy.status();
  const csr_policy::CsrPolicyEntry& entry = policy->entries.at(0);
  EXPECT_THAT(entry.signer_names, ElementsAre("example.com/a", "example.com/b"));
  EXPECT_THAT(entry.dns_names, ElementsAre("a.example.com", "*.example.com"));
  EXPECT_THAT(entry.csr_names, ElementsAre(csr_policy::CsrNameShape::kSecretPod,
                                           csr_policy::CsrNameShape::kNamespacePod));
  EXPECT_THAT(entry.secret_names, ElementsAre("node-certs"));
  EXPECT_TRUE(entry.drop_ip_addresses);
  EXPECT_THAT(entry.drop_subject_attributes, ElementsAre("O=A B", "emailAddress", "1.2.3.4"));
  EXPECT_THAT(entry.usages, ElementsAre("client auth", "digital signature"));
  EXPECT_THAT(entry.keys, ElementsAre("ECDSA-P256"));
  EXPECT_EQ(entry.min_duration, absl::Hours(1));
  EXPECT_EQ(entry.max_duration, absl::Hours(24));
}

TEST(SignerPolicyTest, AnEmptyListOfEntriesDeniesAll) {
  const auto policy = ParseSignerPolicy("version: 1\nentries: []\n");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_THAT(policy->entries, IsEmpty());
}

TEST(SignerPolicyTest, TellsEveryProblemWithItsPath) {
  const auto policy = ParseSignerPolicy(R"(version: 2
extra: true
entries:
- name: a
  namespaces: [Upper]
  serviceAccounts: []
  commonNames: [x]
  colour: red
- name: a
  namespaces: [ns]
  serviceAccounts: [sa]
  commonNames: [x]
  usages: [code signing]
  minDuration: 5m
)");
  EXPECT_THAT(
      policy,
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          AllOf(HasSubstr("policy.version: expected 1"), HasSubstr("policy.extra: unknown field"),
                HasSubstr("policy.entries[0].namespaces: \"Upper\" is no such name"),
                HasSubstr("policy.entries[0].serviceAccounts: needs at least one item"),
                HasSubstr("policy.entries[0].colour: unknown field"),
                HasSubstr("policy.entries[1].name: there is another entry of that name"),
                HasSubstr("policy.entries[1].usages: \"code signing\" is not one of"),
                HasSubstr("policy.entries[1].minDuration: less than 10m"))));
}

struct BadCase {
  const char* name;
  std::string yaml;
  const char* message;
};

TEST(SignerPolicyTest, RefusesWhatCannotBe) {
  const std::string small = kSmallest;
  const BadCase cases[] = {
      {"empty", "", "document"},
      {"no mapping", "[]", "expected a mapping"},
      {"no entries", "version: 1", "entries: required"},
      {"entries no list", "version: 1\nentries: {}", "entries"},
      {"entry no mapping", "version: 1\nentries: [a]", "entries[0]"},
      {"a list that is a string", small + "  dnsNames: a", "entries[0].dnsNames"},
      {"number in list", small + "  dnsNames: [1]", "entries[0].dnsNames[0]"},
      {"twice", small + "  dnsNames: [a, a]", "is there twice"},
      {"empty name", small + "  dnsNames: [\"\"]", "is no such name"},
      {"dropped without a value", small + "  dropSubjectAttributes: ['O=']",
       "write O for every value"},
      {"dropped CN", small + "  dropSubjectAttributes: [CN]", "the CN cannot be dropped"},
      {"dropped CN by number", small + "  dropSubjectAttributes: [2.5.4.3]",
       "the CN cannot be dropped"},
      {"attribute by number", small + "  dropSubjectAttributes: [2.5.4.10]",
       "write O for 2.5.4.10"},
      {"no attribute", small + "  dropSubjectAttributes: [Organization]",
       "\"Organization\" is no subject attribute, such as O"},
      {"no identifier", small + "  dropSubjectAttributes: [1..2]", "is no subject attribute"},
      {"attribute twice", small + "  dropSubjectAttributes: [O, O]", "is there twice"},
      {"no switch", small + "  dropIPAddresses: \"yes\"", "entries[0].dropIPAddresses"},
      {"unknown key", small + "  keys: [RSA-1024]", "\"RSA-1024\" is not one of"},
      {"no keys", small + "  keys: []", "needs at least one item"},
      {"no usages", small + "  usages: []", "needs at least one item"},
      {"no auth", small + "  usages: [digital signature]", "needs server auth or client auth"},
      {"required beyond usages", small + "  usages: [server auth]\n  requiredUsages: [client auth]",
       "requiredUsages: \"client auth\" is not one of server auth"},
      {"shape", small + "  csrNames: [any]", "\"any\" is not one of namespace:pod:uid6"},
      {"secret:pod without secrets", small + "  csrNames: [\"secret:pod\"]",
       "secretNames: needs at least one item"},
      {"signerNames", small + "  signerNames: [a..b/-x]", "no such name"},
      {"signerNames empty", small + "  signerNames: []", "or leave it out"},
      {"durations out of order", small + "  minDuration: 2h\n  maxDuration: 1h",
       "less than minDuration"},
      {"no duration", small + "  maxDuration: soon", "expected a duration"},
      {"endless duration", small + "  maxDuration: inf", "expected a duration"},
      {"long CN",
       "version: 1\nentries:\n- {name: a, namespaces: [ns], serviceAccounts: [s], "
       "commonNames: [" +
           std::string(65, 'x') + "]}",
       "is no such name"},
      {"namespace ..",
       "version: 1\nentries:\n- {name: a, namespaces: [..], serviceAccounts: [sa], "
       "commonNames: [c], secretNames: [s]}",
       "namespaces: \"..\" is no such name"},
      {"namespace -a..b",
       "version: 1\nentries:\n- {name: a, namespaces: [-a..b], serviceAccounts: [sa], "
       "commonNames: [c], secretNames: [s]}",
       "namespaces: \"-a..b\" is no such name"},
      {"namespace a.b",
       "version: 1\nentries:\n- {name: a, namespaces: [a.b], serviceAccounts: [sa], "
       "commonNames: [c], secretNames: [s]}",
       "namespaces: \"a.b\" is no such name"},
      {"service account ..",
       "version: 1\nentries:\n- {name: a, namespaces: [ns], serviceAccounts: [..], "
       "commonNames: [c], secretNames: [s]}",
       "serviceAccounts: \"..\" is no such name"},
      {"service account -a..b",
       "version: 1\nentries:\n- {name: a, namespaces: [ns], serviceAccounts: [-a..b], "
       "commonNames: [c], secretNames: [s]}",
       "serviceAccounts: \"-a..b\" is no such name"},
      {"secret ..",
       "version: 1\nentries:\n- {name: a, namespaces: [ns], serviceAccounts: [sa], "
       "commonNames: [c], secretNames: [..]}",
       "secretNames: \"..\" is no such name"},
      {"secret -a..b",
       "version: 1\nentries:\n- {name: a, namespaces: [ns], serviceAccounts: [sa], "
       "commonNames: [c], secretNames: [-a..b]}",
       "secretNames: \"-a..b\" is no such name"},
      {"key given twice", small + "  namespaces: [other]", "key given twice"},
      {"two documents", small + "---\n" + small, "document"},
  };
  for (const BadCase& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(ParseSignerPolicy(c.yaml),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)));
  }
}

TEST(SignerPolicyTest, IsBounded) {
  EXPECT_THAT(ParseSignerPolicy(std::string(300 << 10, ' ')),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_FALSE(ParseSignerPolicy(std::string(200, '[')).ok());
  std::string many = "version: 1\nentries:\n";
  for (int i = 0; i < 300; ++i) {
    many += "- {name: e" + std::to_string(i) +
            ", namespaces: [ns], serviceAccounts: [s], commonNames: [c]}\n";
  }
  EXPECT_THAT(ParseSignerPolicy(many),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 256 entries")));
}

}  // namespace
}  // namespace calico::config
