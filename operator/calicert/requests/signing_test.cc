#include "operator/calicert/requests/signing.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_test.h"
#include "operator/calicert/requests/builtin_signers.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/compose/composition.h"
#include "pkg/pki/pem.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::calicert::requests {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Csr = api::CertificateSigningRequest;
const absl::Time kNow = pki::TestTime();

struct Planned {
  pki::CertificateTemplate plan;
  std::vector<std::string> notes;
};

Planned Plan(const Csr& csr, absl::Duration longest = kControllerDuration) {
  Planned planned;
  planned.plan = PlanAsController(csr, pki::CertificateRequest::ParsePem(csr.request_pem).value(),
                                  longest, kNow, planned.notes)
                     .value();
  return planned;
}

TEST(PlanAsControllerTest, CopiesTheRequestAndTakesUsagesOfTheSpec) {
  Csr csr = ServingRequest("a");
  csr.usages = {"server auth", "digital signature", "client auth", "server auth"};
  const Planned planned = Plan(csr);
  EXPECT_EQ(planned.plan.common_name, "a.example");
  EXPECT_THAT(planned.plan.subject, ElementsAre(pki::NameAttribute{"O", "Example"}));
  EXPECT_THAT(planned.plan.dns_names, ElementsAre("a.example"));
  EXPECT_EQ(planned.plan.ip_addresses.size(), 1u);
  EXPECT_EQ(planned.plan.key_usages, pki::KeyUsages{pki::KeyUsage::kDigitalSignature});
  EXPECT_THAT(planned.plan.extended_key_usages,
              ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  EXPECT_FALSE(planned.plan.is_ca);
  EXPECT_THAT(planned.notes, IsEmpty());
}

TEST(PlanAsControllerTest, DurationsAreKubeControllerManagers) {
  struct Case {
    const char* name;
    std::optional<int32_t> asked;
    absl::Duration longest;
    absl::Duration end;  // from now
  };
  const absl::Duration year = absl::Hours(8760);
  const Case kCases[] = {
      {"not asked", std::nullopt, year, year - absl::Minutes(5)},
      {"asked for less", 86400, year, absl::Hours(24) - absl::Minutes(5)},
      {"asked for more", 86400 * 3, absl::Hours(24), absl::Hours(24) - absl::Minutes(5)},
      {"short ones lose nothing to the backdating", 3600, year, absl::Hours(1)},
      {"eight hours are long", 8 * 3600, year, absl::Hours(8) - absl::Minutes(5)},
      {"no less than ten minutes", 600, absl::Minutes(1), absl::Minutes(10)}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    Csr csr = ServingRequest("a");
    csr.expiration_seconds = c.asked;
    const Planned planned = Plan(csr, c.longest);
    EXPECT_EQ(planned.plan.not_before, kNow - absl::Minutes(5));
    EXPECT_EQ(planned.plan.not_after, kNow + c.end);
  }
}

TEST(PlanAsControllerTest, TellsWhatIsLeftOut) {
  Csr csr = ServingRequest("a");
  // As Calico's init container writes it when there is no DNS name to ask for.
  csr.request_pem = pki::EncodePem(
      "CERTIFICATE REQUEST", pki::ComposeRequest(RequestKey(), {.subject = {{{"CN", "a"}}},
                                                                .names = {.dns_names = {"", "a"}},
                                                                .constraints = {{.is_ca = true}}})
                                 .value());
  const Planned planned = Plan(csr);
  EXPECT_THAT(planned.plan.dns_names, ElementsAre("a"));
  EXPECT_FALSE(planned.plan.is_ca);
  EXPECT_THAT(planned.notes, ElementsAre(HasSubstr("empty DNS name"), HasSubstr("asks for a CA")));
}

TEST(CheckSignableTest, OnlyApprovedOnes) {
  const auto check = [](std::string_view conditions, bool unapproved) {
    return CheckSignable(*Csr::Decode(StoredRequest("a", conditions)), unapproved);
  };
  EXPECT_THAT(check("Approved", false), IsOk());
  EXPECT_THAT(check("", false),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("calicert csr approve a")));
  EXPECT_THAT(check("", true), IsOk());
  EXPECT_THAT(check("Denied", true),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is Denied (Because")));
  EXPECT_THAT(check("Approved,Failed", true), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(BuiltinSignersTest, RulesAreKubeControllerManagers) {
  struct Case {
    const char* signer;
    std::vector<std::string> usages;
    pki::CertificateRequestTemplate request;
    const char* message;  // empty: allowed
  };
  const pki::CertificateRequestTemplate node = {.common_name = "system:node:n",
                                                .subject = {{"O", "system:nodes"}}};
  pki::CertificateRequestTemplate serving = node;
  serving.dns_names = {"n"};
  const std::vector<std::string> client = {"digital signature", "key encipherment", "client auth"};
  const std::vector<std::string> server = {"digital signature", "server auth"};
  const std::string prefix = "kubernetes.io/";
  const Case kCases[] = {
      {"kube-apiserver-client", client, {.common_name = "jane"}, ""},
      {"kube-apiserver-client",
       server,
       {.common_name = "jane"},
       "invalid usage for client certificate: server auth"},
      {"kube-apiserver-client",
       {"digital signature"},
       {.common_name = "jane"},
       "missing required usage for client certificate: client auth"},
      {"kube-apiserver-client-kubelet", client, node, ""},
      {"kube-apiserver-client-kubelet", client, serving, "DNS subjectAltNames are not allowed"},
      {"kube-apiserver-client-kubelet",
       client,
       {.common_name = "system:node:n"},
       "subject organization is not system:nodes"},
      {"kube-apiserver-client-kubelet", server, node,
       "usages did not match [client auth digital signature key encipherment]"},
      {"kubelet-serving", server, serving, ""},
      {"kubelet-serving", server, node, "DNS or IP subjectAltName is required"},
      {"kubelet-serving",
       server,
       {.common_name = "n", .subject = {{"O", "system:nodes"}}, .dns_names = {"n"}},
       "subject common name does not begin with system:node:"},
      {"of-nobody", server, serving, "nobody serves kubernetes.io/of-nobody"}};
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.message);
    Csr csr;
    csr.signer_name = prefix + c.signer;
    csr.usages = c.usages;
    const auto request = pki::CertificateRequest::ParsePem(
        pki::CreateCertificateRequest(RequestKey(), c.request).value());
    const absl::Status status = CheckBuiltinSigner(csr, *request);
    EXPECT_EQ(status.ok(), std::string_view(c.message).empty()) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

class SignInClusterTest : public ClusterTest {
 protected:
  // Signs with `ca_` for a year.
  Issuer MakeIssuer() {
    return [this](const Csr& csr,
                  const pki::CertificateRequest& request) -> absl::StatusOr<std::string> {
      std::vector<std::string> notes;
      ++issued_;
      const auto plan =
          PlanAsController(csr, request, kControllerDuration, absl::Now(), notes).value();
      return ca_.authority().ChainPem(
          ca_.authority().Issue(request.public_key(), plan, absl::Now()).value());
    };
  }
  static bool Never(const pki::Certificate&) { return false; }
  static bool Always(const pki::Certificate&) { return true; }
  Csr Stored(const std::string& name) {
    return *Csr::Decode(*server().Find(api::kCertificateSigningRequests, {"", name}));
  }

  pki::TestCa ca_{"test-ca", absl::Now()};
  int issued_ = 0;
};

ASYNC_TEST_F(SignInClusterTest, StoresTheCertificate) {
  server().Put(StoredRequest("a", "Approved"));
  CO_ASSERT_OK_AND_ASSIGN(const Signed result,
                          co_await SignInCluster(cluster(), "a", {}, MakeIssuer(), Never));
  EXPECT_TRUE(result.is_new);
  EXPECT_EQ(Stored("a").certificate_pem, result.certificate_pem);
  EXPECT_EQ(IssuedLeaf(Stored("a"))->common_name(), "a.example");
}

ASYNC_TEST_F(SignInClusterTest, AnotherObjectOfTheNameIsNotSigned) {
  server().Put(StoredRequest("a", "Approved"));
  const SignOptions first{.uid = "of the one that was made"};
  const auto result = co_await SignInCluster(cluster(), "a", first, MakeIssuer(), Never);
  EXPECT_THAT(result.status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("was replaced")));
  EXPECT_EQ(issued_, 0);
  const SignOptions same{.uid = Stored("a").meta.uid};
  CO_ASSERT_OK(co_await SignInCluster(cluster(), "a", same, MakeIssuer(), Never));
}

ASYNC_TEST_F(SignInClusterTest, BeginsAnewAfterAConflict) {
  server().Put(StoredRequest("a", "Approved"));
  server().Inject({.method = "PUT", .status = 409, .reason = "Conflict"});
  CO_ASSERT_OK(co_await SignInCluster(cluster(), "a", {}, MakeIssuer(), Never));
  EXPECT_EQ(issued_, 2);
}

ASYNC_TEST_F(SignInClusterTest, LeavesACertificateAloneThatWillDo) {
  server().Put(StoredRequest("a", "Approved"));
  CO_ASSERT_OK(co_await SignInCluster(cluster(), "a", {}, MakeIssuer(), Never));
  CO_ASSERT_OK_AND_ASSIGN(const Signed again,
                          co_await SignInCluster(cluster(), "a", {}, MakeIssuer(), Always));
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(issued_, 1);
  const auto other = co_await SignInCluster(cluster(), "a", {}, MakeIssuer(), Never);
  EXPECT_THAT(other.status(), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("another")));
}

ASYNC_TEST_F(SignInClusterTest, RefusesACertificateForAnotherKey) {
  server().Put(StoredRequest("a", "Approved"));
  const Issuer stranger = [this](const Csr&, const pki::CertificateRequest&) {
    return absl::StatusOr<std::string>(ca_.Leaf({.common_name = "x"}).chain_pem);
  };
  const auto result = co_await SignInCluster(cluster(), "a", {}, stranger, Never);
  EXPECT_THAT(result.status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another key")));
  EXPECT_FALSE(Stored("a").IsIssued());
}

ASYNC_TEST_F(SignInClusterTest, WaitsForTheApprovalUnlessTold) {
  server().Put(StoredRequest("a"));
  const auto result = co_await SignInCluster(cluster(), "a", {}, MakeIssuer(), Never);
  EXPECT_THAT(result.status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(issued_, 0);
  CO_ASSERT_OK(co_await SignInCluster(cluster(), "a", {.unapproved = true}, MakeIssuer(), Never));
  EXPECT_TRUE(Stored("a").IsIssued());
}

}  // namespace
}  // namespace calico::calicert::requests
