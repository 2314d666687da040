#include "operator/controllers/status/certificate_health.h"

#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/pki/testing/test_ca.h"

namespace calico::status {
namespace {

using State = RequestFacts::State;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kProvisioner = "node-certs-key-cert-provisioner";

absl::Time Now() { return pki::TestTime(); }

const pki::TestCa& Ca() {
  static const pki::TestCa ca;
  return ca;
}

// A pod whose init container runs, and its request, made `age` ago.
struct Scene {
  explicit Scene(absl::Duration age = absl::Seconds(5), std::string name = "calico-node-5ckvq") {
    pod.meta.ns = "calico-system";
    pod.meta.name = name;
    pod.meta.uid = "9a3a10ff-1111";
    pod.meta.creation_timestamp = Now() - age - absl::Seconds(3);
    pod.service_account_name = "calico-node";
    pod.phase = "Pending";
    pod.init_containers.push_back({.name = std::string(kProvisioner)});
    request.name = RequestName(pod);
    request.username = "system:serviceaccount:calico-system:calico-node";
    request.pod_uid = pod.meta.uid;
    request.signer_name = "example.com/signer";
    request.created = Now() - age;
  }

  WaitingPod Make() const {
    return {.pod = std::make_shared<const api::Pod>(pod),
            .provisioner = kProvisioner,
            .common_name = "typha-client",
            .usage = pki::ExtendedKeyUsage::kClientAuth,
            .request = std::make_shared<const RequestFacts>(request)};
  }
  Report Judge() const { return JudgeCertificates({Make()}, {Ca().certificate()}, Now()); }

  void Issue(const pki::TestLeaf& leaf) {
    request.state = State::kIssued;
    request.public_key = leaf.key.public_key();
    request.certificate_pem = leaf.chain_pem;
  }

  api::Pod pod;
  RequestFacts request;
};

TEST(CertificateHealthTest, NamesAreThoseOfTheDocumentation) {
  EXPECT_EQ(RequestName(Scene().pod), "calico-system:calico-node-5ckvq:9a3a10");
}

TEST(CertificateHealthTest, PendingIsProgressWithNameSignerAndAge) {
  const Report report = Scene(absl::Seconds(31)).Judge();
  EXPECT_THAT(report.failing, IsEmpty());
  EXPECT_THAT(report.progressing,
              ElementsAre("CertificateSigningRequest calico-system:calico-node-5ckvq:9a3a10 is "
                          "waiting for approval by signer example.com/signer for 30s"));
  EXPECT_EQ(report.recheck_at, Now() + absl::Seconds(29));
}

TEST(CertificateHealthTest, PendingForTooLongIsAFailure) {
  const Report report = Scene(kPatience).Judge();
  EXPECT_THAT(report.progressing, IsEmpty());
  EXPECT_THAT(report.failing,
              ElementsAre("nobody approves for signer example.com/signer: "
                          "CertificateSigningRequest calico-system:calico-node-5ckvq:9a3a10 is "
                          "waiting for 2m"));
  const Report before = Scene(kPatience - absl::Seconds(1)).Judge();
  EXPECT_THAT(before.failing, IsEmpty());
  EXPECT_EQ(before.recheck_at, Now() + absl::Seconds(1));
}

// An init container that gave up after 90 s and was restarted asks anew, under the same name.
TEST(CertificateHealthTest, AskingAgainDoesNotMakeTheWaitingShorter) {
  Scene scene(absl::Seconds(10));
  scene.pod.meta.creation_timestamp = Now() - absl::Minutes(5);
  EXPECT_THAT(scene.Judge().failing, IsEmpty());
  scene.pod.init_containers[0].restart_count = 1;
  scene.pod.init_containers[0].last_terminated = api::ContainerTerminated{"Error", 4, "timeout"};
  EXPECT_THAT(scene.Judge().failing, ElementsAre(HasSubstr("waiting for 5m")));
  // A pod that has run for days and lost its certificate with its node.
  scene.pod.meta.creation_timestamp = Now() - absl::Hours(72);
  EXPECT_THAT(scene.Judge().failing, ElementsAre(HasSubstr("waiting for 2m")));
  scene.pod.init_containers[0].last_terminated->exit_code = 0;
  EXPECT_THAT(scene.Judge().failing, IsEmpty());
}

TEST(CertificateHealthTest, ApprovedButNotIssued) {
  Scene scene(absl::Minutes(10));
  scene.request.state = State::kApproved;
  scene.request.approved_at = Now() - absl::Seconds(40);
  EXPECT_THAT(scene.Judge().progressing,
              ElementsAre(AllOf(HasSubstr("approved and waiting for a certificate"),
                                HasSubstr("for 30s"))));
  scene.request.approved_at = Now() - absl::Minutes(3);
  EXPECT_THAT(scene.Judge().failing, ElementsAre(HasSubstr("nobody signs for signer")));
}

TEST(CertificateHealthTest, DeniedAndFailedAreFailuresWithTheConditionsMessage) {
  Scene scene;
  scene.request.state = State::kDenied;
  scene.request.reason = "PolicyDenied";
  scene.request.message = "rule common-name:\n typha-client is not allowed";
  EXPECT_THAT(scene.Judge().failing,
              ElementsAre("CertificateSigningRequest calico-system:calico-node-5ckvq:9a3a10 was "
                          "denied (PolicyDenied): rule common-name: typha-client is not allowed; "
                          "it cannot be approved any more: once the cause is mended, `kubectl "
                          "delete csr calico-system:calico-node-5ckvq:9a3a10` or deleting its pod "
                          "has it asked for anew"));
  scene.request.state = State::kFailed;
  EXPECT_THAT(scene.Judge().failing, ElementsAre(HasSubstr("failed (PolicyDenied)")));
}

// The signer's message names the pod, so that no two are the same.
TEST(CertificateHealthTest, OfManyRefusalsTheFirstAreTold) {
  std::vector<WaitingPod> pods;
  for (int i = 0; i < 150; ++i) {
    Scene scene({}, fmt::format("calico-node-{:03}", i));
    scene.request.state = i % 2 == 0 ? State::kDenied : State::kFailed;
    scene.request.message = fmt::format("pod {} says too much", i / 2 == 70 ? 0 : i);
    pods.push_back(scene.Make());
  }
  const Report report = JudgeCertificates(pods, {}, Now());
  ASSERT_EQ(report.failing.size(), 4U);
  EXPECT_THAT(report.failing[0],
              HasSubstr("calico-node-000:9a3a10, calico-system:calico-node-140"));
  EXPECT_EQ(report.failing[3], "and 146 more CertificateSigningRequests were denied or failed");
}

TEST(CertificateHealthTest, OfManyWrongCertificatesTheFirstAreTold) {
  std::vector<WaitingPod> pods;
  for (int i = 0; i < 5; ++i) {
    Scene scene({}, fmt::format("calico-node-{}", i));
    scene.Issue(Ca().Leaf({.common_name = fmt::format("other-{}", i)}));
    pods.push_back(scene.Make());
  }
  const Report report = JudgeCertificates(pods, {Ca().certificate()}, Now());
  ASSERT_EQ(report.failing.size(), 4U);
  EXPECT_EQ(report.failing[3], "and 2 more certificates that were issued are wrong");
}

TEST(CertificateHealthTest, IssuedAndRightIsHealthy) {
  Scene scene;
  scene.pod.pod_ips = {"198.18.0.11", "fd00::b"};
  scene.request.dns_names = {"typha-client"};
  scene.Issue(Ca().Leaf({.common_name = "typha-client",
                         .dns_names = {"more", "typha-client"},
                         .ip_addresses = {"198.18.0.11"}}));
  EXPECT_TRUE(scene.Judge().healthy());
}

// A signer may leave addresses out, and give no more than the usage of the pod's side.
TEST(CertificateHealthTest, IssuedWithoutAddressesAndForClientsOnlyIsHealthy) {
  Scene scene;
  scene.pod.pod_ips = {"198.18.0.12"};
  scene.Issue(Ca().Leaf(
      {.common_name = "typha-client", .extended_key_usages = {std::string(pki::kOidClientAuth)}}));
  EXPECT_TRUE(scene.Judge().healthy());
}

TEST(CertificateHealthTest, IssuedAndWrong) {
  struct Case {
    const char* name;
    std::function<void(Scene&)> change;
    const char* want;
  };
  const Case cases[] = {
      {"other CA",
       [](Scene& s) { s.Issue(pki::TestCa("other").Leaf({.common_name = "typha-client"})); }, ""},
      {"other name", [](Scene& s) { s.Issue(Ca().Leaf({.common_name = "typha-server"})); },
       "common name: 'typha-server' instead of 'typha-client'"},
      {"no DNS name",
       [](Scene& s) {
         s.request.dns_names = {"typha-client"};
         s.Issue(Ca().Leaf({.common_name = "typha-client", .dns_names = {"typha-server"}}));
       },
       "DNS names: 'typha-client' is missing"},
      {"expired",
       [](Scene& s) {
         s.Issue(Ca().Leaf({.common_name = "typha-client", .valid_until_now = -absl::Minutes(1)}));
       },
       "expired"},
      {"only for servers",
       [](Scene& s) {
         s.Issue(Ca().Leaf({.common_name = "typha-client",
                            .extended_key_usages = {std::string(pki::kOidServerAuth)}}));
       },
       "clientAuth is missing"},
      {"other key",
       [](Scene& s) {
         s.Issue(Ca().Leaf({.common_name = "typha-client"}));
         s.request.public_key = Ca().certificate().public_key();
       },
       ""},
      {"no certificate", [](Scene& s) { s.request.state = State::kIssued; }, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene scene;
    c.change(scene);
    EXPECT_THAT(scene.Judge().failing,
                ElementsAre(AllOf(HasSubstr("the certificate issued for CertificateSigningRequest "
                                            "calico-system:calico-node-5ckvq:9a3a10 is wrong: "),
                                  HasSubstr(c.want))));
  }
}

TEST(CertificateHealthTest, OnlyACertificateOfAnotherCaLeadsToTheProcedureForIt) {
  const pki::TestCa other;
  Scene scene;
  scene.Issue(other.Leaf({.common_name = "typha-client"}));
  EXPECT_THAT(scene.Judge().failing, ElementsAre(HasSubstr("docs/OPERATIONS.md")));
  scene.Issue(other.Leaf({.common_name = "somebody-else"}));
  EXPECT_THAT(scene.Judge().failing, ElementsAre(Not(HasSubstr("docs/OPERATIONS.md"))));
}

// Its init container runs, and does not get as far as a request.
TEST(CertificateHealthTest, NoRequestAtAllIsAFailureAfterAWhile) {
  Scene scene;
  WaitingPod waiting = scene.Make();
  waiting.request = nullptr;
  EXPECT_TRUE(JudgeCertificates({waiting}, {}, Now()).healthy());
  scene.pod.init_containers[0].running_since = Now() - kPatience + absl::Seconds(1);
  waiting.pod = scene.Make().pod;
  const Report before = JudgeCertificates({waiting}, {}, Now());
  EXPECT_TRUE(before.healthy());
  EXPECT_EQ(before.recheck_at, Now() + absl::Seconds(1));
  scene.pod.init_containers[0].running_since = Now() - kPatience;
  waiting.pod = scene.Make().pod;
  EXPECT_THAT(
      JudgeCertificates({waiting}, {}, Now()).failing,
      ElementsAre("there is no CertificateSigningRequest "
                  "calico-system:calico-node-5ckvq:9a3a10, though its pod has been about to "
                  "make it for 2m; the log of init container "
                  "node-certs-key-cert-provisioner may tell why"));
}

TEST(CertificateHealthTest, WhatWasRefusedAndAskedForAgainIsAFailure) {
  struct Case {
    State state;
    bool has_request;
    const char* want;
  };
  const Case cases[] = {
      {State::kPending, true, "was denied; asked again, and waiting for approval by signer"},
      {State::kApproved, true, "was denied; asked again, approved, and waiting for a certificate"},
      {State::kPending, false, "was denied; it is asked for again when"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.want);
    Scene scene;
    scene.request.state = c.state;
    WaitingPod waiting = scene.Make();
    if (!c.has_request) waiting.request = nullptr;
    waiting.refused = Refusal{"was denied"};
    waiting.waits_since = Now() - absl::Minutes(10);
    const Report report = JudgeCertificates({waiting}, {}, Now());
    EXPECT_THAT(report.progressing, IsEmpty());
    EXPECT_THAT(report.failing, ElementsAre(HasSubstr(c.want)));
    if (c.has_request) {
      EXPECT_THAT(report.failing, ElementsAre(HasSubstr("10m since the first time")));
    }
  }
}

TEST(CertificateHealthTest, StrangersAndTheDeadChangeNothing) {
  struct Case {
    const char* name;
    std::function<void(Scene&)> change;
  };
  const Case cases[] = {
      {"another pod's UID", [](Scene& s) { s.request.pod_uid = "other"; }},
      {"no bound token", [](Scene& s) { s.request.pod_uid = ""; }},
      {"another service account",
       [](Scene& s) { s.request.username = "system:serviceaccount:calico-system:calico-typha"; }},
      {"another name", [](Scene& s) { s.request.name = "anything"; }},
      {"pod is being deleted", [](Scene& s) { s.pod.meta.deletion_timestamp = Now(); }},
      {"pod has ended", [](Scene& s) { s.pod.phase = "Failed"; }},
      {"pod has its certificate",
       [](Scene& s) {
         s.pod.init_containers[0].terminated = api::ContainerTerminated{"Completed"};
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene scene(absl::Hours(1));
    scene.request.state = State::kDenied;
    ASSERT_FALSE(scene.Judge().healthy());
    c.change(scene);
    EXPECT_TRUE(scene.Judge().healthy());
  }
}

TEST(CertificateHealthTest, ManyRequestsMakeOneLine) {
  std::vector<WaitingPod> pods;
  for (const char* name : {"e", "d", "c", "b", "a"}) pods.push_back(Scene({}, name).Make());
  const Report report = JudgeCertificates(pods, {}, Now());
  EXPECT_THAT(report.progressing,
              ElementsAre(HasSubstr("5 CertificateSigningRequests (calico-system:a:9a3a10, "
                                    "calico-system:b:9a3a10, calico-system:c:9a3a10 and 2 more) "
                                    "are waiting for approval by signer example.com/signer for "
                                    "less than 30s")));
}

TEST(RequestFactsTest, DecodesOnlyOurServiceAccounts) {
  json::object csr = {
      {"apiVersion", "certificates.k8s.io/v1"},
      {"kind", "CertificateSigningRequest"},
      {"metadata", {{"name", "n"}, {"uid", "u"}, {"creationTimestamp", "2026-11-22T19:42:02Z"}}},
      {"spec",
       {{"request", "Z2FyYmFnZQ=="},
        {"signerName", "example.com/signer"},
        {"usages", {"client auth"}},
        {"username", "system:serviceaccount:calico-system:calico-node"},
        {"extra", {{"authentication.kubernetes.io/pod-uid", {"the-uid"}}}}}},
      {"status",
       {{"conditions",
         {{{"type", "Approved"}, {"status", "True"}, {"lastUpdateTime", "2026-11-22T19:43:02Z"}}}},
        {"certificate", "Y2VydA=="}}}};
  const auto facts = RequestFacts::Decode(csr, {"calico-system"});
  ASSERT_TRUE(facts.ok() && facts->has_value()) << facts.status();
  EXPECT_EQ((*facts)->state, State::kIssued);
  EXPECT_EQ((*facts)->pod_uid, "the-uid");
  EXPECT_EQ((*facts)->certificate_pem, "cert");
  EXPECT_EQ((*facts)->approved_at - (*facts)->created, absl::Minutes(1));
  EXPECT_FALSE((*facts)->public_key.has_value());

  // kubectl sets the one from the clock of the machine that it runs on, the API server the other.
  json::value& approved = csr["status"].as_object()["conditions"].as_array()[0];
  approved.as_object()["lastUpdateTime"] = "2026-11-23T19:43:02Z";
  approved.as_object()["lastTransitionTime"] = "2026-11-22T19:44:02Z";
  const auto skewed = RequestFacts::Decode(csr, {"calico-system"});
  ASSERT_TRUE(skewed.ok() && skewed->has_value()) << skewed.status();
  EXPECT_EQ((*skewed)->approved_at - (*skewed)->created, absl::Minutes(2));

  csr["spec"].as_object()["username"] = "system:serviceaccount:calico-system-2:calico-node";
  EXPECT_EQ(RequestFacts::Decode(csr, {"calico-system"})->has_value(), false);
}

}  // namespace
}  // namespace calico::status
