#include "operator/provision/provisioner.h"

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/provision/issued_certificate.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/certificates/certificate_signing_request.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::provision {
namespace {

using ::calico::base::IsOk;
using ::testing::HasSubstr;
using Csr = api::CertificateSigningRequest;

constexpr char kName[] = "calico-system:calico-node-5ckvq:9a3a10";

class ProvisionTest : public kube::FakeApiServerTest {
 public:
  ProvisionTest() : ca_("root", absl::Now()) {
    std::string pattern = testing::TempDir() + "/provisionXXXXXX";
    config_.directory = mkdtemp(pattern.data());
    config_.signer_name = "example.com/signer";
    config_.common_name = "typha-client";
    config_.dns_names = {"typha-client"};
    config_.ip_addresses = {*base::IpAddress::Parse("198.18.0.11")};
    config_.app_name = "calico-system";
    config_.pod_name = "calico-node-5ckvq";
    config_.pod_namespace = "calico-system";
    config_.pod_uid = "9a3a1042-1111-2222-3333-444444444444";
    config_.key_algorithm = pki::KeyAlgorithm::kEcdsaP256;
    config_.signature_algorithm = pki::SignatureAlgorithm::kEcdsaWithSha256;
    config_.ca_pem = ca_.certificate_pem();
    config_.ca_file = "ca.crt";
    config_.ca_certificates = {ca_.certificate()};
    config_.timeout = absl::Seconds(20);
  }
  ~ProvisionTest() override { std::filesystem::remove_all(config_.directory); }

 protected:
  using Decide = std::function<aio::Task<void>(Csr csr)>;

  std::optional<Csr> Submitted() {
    const std::optional<json::object> found =
        server().Find(api::kCertificateSigningRequests, {"", kName});
    if (!found.has_value()) return std::nullopt;
    return *Csr::Decode(*found);
  }

  // Runs the provisioner while `decide` handles its request as soon as it is there.
  aio::Task<Outcome> ProvisionAnd(Decide decide) {
    aio::TaskGroup deciding(executor());
    deciding.Spawn(WhenAsked(std::move(decide)));
    Outcome outcome = co_await Provision(config_, client(), base::SystemClock(), logger());
    co_await deciding.Join();
    co_return outcome;
  }
  aio::Task<void> WhenAsked(Decide decide) {
    while (!Submitted().has_value() || server().watches() == 0) {
      const absl::Status slept = co_await aio::Sleep(absl::Milliseconds(2));
      if (!slept.ok()) co_return;
    }
    co_await decide(*Submitted());
  }

  static api::Condition TrueCondition(std::string_view type, std::string message) {
    api::Condition condition;
    condition.type = std::string(type);
    condition.status = "True";
    condition.reason = "Test";
    condition.message = std::move(message);
    return condition;
  }
  aio::Task<void> Put(Csr csr, std::string subresource) {
    csr.meta.resource_version.clear();
    const auto answer =
        co_await client().Update(api::kCertificateSigningRequests, csr.Encode(), subresource);
    EXPECT_THAT(answer.status(), IsOk());
  }
  aio::Task<void> Issue(Csr csr, const pki::TestCa& ca) {
    csr.conditions = {TrueCondition(api::kCsrApproved, "yes")};
    co_await Put(csr, "approval");
    const absl::StatusOr<pki::CertificateRequest> request =
        pki::CertificateRequest::ParsePem(csr.request_pem);
    EXPECT_THAT(request.status(), IsOk());
    pki::CertificateTemplate wanted;
    wanted.common_name = request->common_name();
    wanted.dns_names = request->dns_names();
    wanted.ip_addresses = request->ip_addresses();
    wanted.extended_key_usages = request->extended_key_usages();
    wanted.not_before = absl::Now() - absl::Minutes(5);
    wanted.not_after = absl::Now() + absl::Hours(24);
    csr.certificate_pem = ca.Issue(request->public_key(), wanted).pem();
    co_await Put(csr, "status");
  }
  aio::Task<void> DeleteWhatIsSubmitted() {
    while ((co_await aio::Sleep(absl::Milliseconds(2))).ok()) {
      if (!Submitted().has_value() || server().watches() == 0) continue;
      (void)co_await client().Delete(api::kCertificateSigningRequests, {"", kName});
    }
  }
  Decide Sign() {
    return [this](Csr csr) { return Issue(std::move(csr), ca_); };
  }

  pki::TestCa ca_;
  Config config_;
};

ASYNC_TEST_F(ProvisionTest, WritesAVerifiedPairAndKeepsItAtTheNextRun) {
  const Outcome first = co_await ProvisionAnd(Sign());
  EXPECT_EQ(first.code, ExitCode::kOk) << first.message;
  EXPECT_THAT(VerifyExistingSet(config_, absl::Now()), IsOk());
  const Csr csr = *Submitted();
  EXPECT_EQ(csr.signer_name, "example.com/signer");
  EXPECT_EQ(csr.meta.Label("k8s-app"), "calico-system");
  EXPECT_EQ(csr.meta.Label("operator.tigera.io/csr"), "calico-system");
  server().ClearRequests();
  const Outcome second = co_await Provision(config_, client(), base::SystemClock(), logger());
  EXPECT_EQ(second.code, ExitCode::kOk);
  EXPECT_TRUE(server().requests().empty());
}

ASYNC_TEST_F(ProvisionTest, AsksForItsOwnNameOnly) {
  const Outcome outcome = co_await ProvisionAnd(Sign());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
  for (const kube::RecordedRequest& request : server().requests()) {
    if (request.method == "GET") {
      EXPECT_EQ(request.Query("fieldSelector"), std::string("metadata.name=") + kName);
    }
  }
}

ASYNC_TEST_F(ProvisionTest, ADenialEndsAtOnceWithItsMessage) {
  const Outcome outcome = co_await ProvisionAnd([this](Csr csr) {
    csr.conditions = {TrueCondition(api::kCsrDenied, "rule dns-names: no")};
    return Put(std::move(csr), "approval");
  });
  EXPECT_EQ(outcome.code, ExitCode::kRejected);
  EXPECT_THAT(outcome.message, HasSubstr("rule dns-names: no"));
  EXPECT_FALSE(std::filesystem::exists(config_.directory + "/tls.key"));
}

ASYNC_TEST_F(ProvisionTest, SurvivesCutWatchesExpiryAndServerErrors) {
  server().Inject({.method = "POST", .status = 503});
  server().Inject({.method = "POST", .act_then_close = true});
  const Outcome outcome = co_await ProvisionAnd([this](Csr csr) -> aio::Task<void> {
    server().DropWatches();
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(50)));
    server().state().Compact();
    server().Inject({.method = "GET", .times = 2, .status = 500});
    server().CloseWatches();
    co_await Issue(std::move(csr), ca_);
  });
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
  EXPECT_THAT(VerifyExistingSet(config_, absl::Now()), IsOk());
}

// What a proxy puts before an API server that starts says nothing about the request.
ASYNC_TEST_F(ProvisionTest, AnAnswerThatIsNoJsonIsNoVerdict) {
  server().Inject({.method = "POST", .raw_body = "<html>starting</html>"});
  const Outcome outcome = co_await ProvisionAnd(Sign());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
}

ASYNC_TEST_F(ProvisionTest, SurvivesARestartOfTheServer) {
  const Outcome outcome = co_await ProvisionAnd([this](Csr csr) -> aio::Task<void> {
    co_await server().Stop();
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(300)));
    EXPECT_THAT(server().Start(), IsOk());
    co_await Issue(std::move(csr), ca_);
  });
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
}

ASYNC_TEST_F(ProvisionTest, ACertificateOfAnotherCaIsRefused) {
  const pki::TestCa other("root", absl::Now());
  const Outcome outcome =
      co_await ProvisionAnd([this, &other](Csr csr) { return Issue(std::move(csr), other); });
  EXPECT_EQ(outcome.code, ExitCode::kCertificateRefused);
  EXPECT_THAT(outcome.message, HasSubstr("check chain to CA_CERT"));
  EXPECT_FALSE(std::filesystem::exists(config_.directory + "/tls.key"));
}

ASYNC_TEST_F(ProvisionTest, TimeRunsOutWhenNobodyApproves) {
  config_.timeout = absl::Milliseconds(1200);
  const Outcome outcome = co_await Provision(config_, client(), base::SystemClock(), logger());
  EXPECT_EQ(outcome.code, ExitCode::kTimeout);
  EXPECT_THAT(outcome.message, HasSubstr("is an approver for signer example.com/signer running?"));
}

// A machine whose wall clock is set forward by hours while it waits.
class SetClock final : public base::Clock {
 public:
  absl::Time Now() const override { return absl::Now() + ahead; }
  absl::Time SteadyNow() const override { return base::SystemClock().SteadyNow(); }
  absl::Duration ahead = absl::ZeroDuration();
};

ASYNC_TEST_F(ProvisionTest, ATimeLimitIsNotUpBecauseTheClockWasSet) {
  SetClock clock;
  aio::TaskGroup deciding(executor());
  deciding.Spawn(WhenAsked([this, &clock](Csr csr) -> aio::Task<void> {
    clock.ahead = absl::Hours(2);
    server().CloseWatches();
    CO_ASSERT_OK(co_await aio::Sleep(absl::Milliseconds(50)));
    co_await Issue(std::move(csr), ca_);
  }));
  const Outcome outcome = co_await Provision(config_, client(), clock, logger());
  co_await deciding.Join();
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
}

// Something that deletes our request at once must not make us ask at full speed.
ASYNC_TEST_F(ProvisionTest, ARequestThatIsAlwaysDeletedIsMadeAgainWithWaitsUntilTimeIsUp) {
  config_.timeout = absl::Seconds(2);
  aio::TaskGroup deleting(executor());
  deleting.Spawn(DeleteWhatIsSubmitted());
  const Outcome outcome = co_await Provision(config_, client(), base::SystemClock(), logger());
  co_await deleting.Stop();
  EXPECT_EQ(outcome.code, ExitCode::kTimeout) << outcome.message;
  int posts = 0;
  for (const kube::RecordedRequest& request : server().requests())
    posts += request.method == "POST";
  EXPECT_GE(posts, 2);
  EXPECT_LE(posts, 7);  // at 0, 0, 0.5, 1.5 s or later
}

ASYNC_TEST_F(ProvisionTest, ANameHeldByAnotherIsLeftAlone) {
  Csr foreign;
  foreign.meta.name = kName;
  foreign.request_pem = *pki::CreateCertificateRequest(
      *pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256), {.common_name = "x"});
  foreign.signer_name = "example.com/other";
  foreign.usages = {"client auth"};
  const auto created =
      co_await client().Create(api::kCertificateSigningRequests, foreign.EncodeNew());
  CO_ASSERT_OK(created.status());
  const std::string uid = Submitted()->meta.uid;
  const Outcome outcome = co_await Provision(config_, client(), base::SystemClock(), logger());
  EXPECT_EQ(outcome.code, ExitCode::kNameHeld);
  EXPECT_EQ(Submitted()->meta.uid, uid);
}

}  // namespace
}  // namespace calico::provision
