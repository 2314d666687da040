#include "operator/provision/provisioner.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
using ::testing::AllOf;
using ::testing::ElementsAre;
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

  // A client with the pod's own token.
  kube::Client& pod() {
    if (pod_ == nullptr) {
      const std::string token =
          server().AddToken({.username = "system:serviceaccount:calico-system:calico-node",
                             .groups = {"system:serviceaccounts"},
                             .extra = {{std::string(api::kExtraPodName), {config_.pod_name}},
                                       {std::string(api::kExtraPodUid), {config_.pod_uid}}}});
      pod_ = std::make_unique<kube::Client>(executor(), server().Config(token), logger());
    }
    return *pod_;
  }
  int Posts() {
    int posts = 0;
    for (const kube::RecordedRequest& request : server().requests()) {
      posts += request.method == "POST" ? 1 : 0;
    }
    return posts;
  }
  bool Kept() const { return std::filesystem::exists(config_.directory + "/..request"); }
  // A run that nobody answers.
  aio::Task<void> RunUntilTimeout() {
    const absl::Duration timeout = std::exchange(config_.timeout, absl::Milliseconds(400));
    const Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
    EXPECT_EQ(outcome.code, ExitCode::kTimeout) << outcome.message;
    config_.timeout = timeout;
  }
  aio::Task<void> Deny(Csr csr, absl::Time when = absl::Now()) {
    csr.conditions = {TrueCondition(api::kCsrDenied, "rule dns-names: no")};
    csr.conditions.front().last_update_time = when;
    co_await Put(std::move(csr), "approval");
  }

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
    Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
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
  aio::Task<void> Issue(Csr csr, const pki::TestCa& ca,
                        std::optional<std::vector<std::string>> usages = std::nullopt) {
    csr.conditions = {TrueCondition(api::kCsrApproved, "yes")};
    co_await Put(csr, "approval");
    const absl::StatusOr<pki::CertificateRequest> request =
        pki::CertificateRequest::ParsePem(csr.request_pem);
    EXPECT_THAT(request.status(), IsOk());
    pki::CertificateTemplate wanted;
    wanted.common_name = request->common_name();
    wanted.dns_names = request->dns_names();
    wanted.ip_addresses = request->ip_addresses();
    wanted.extended_key_usages = usages.value_or(request->extended_key_usages());
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

 private:
  std::unique_ptr<kube::Client> pod_;
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
  const Outcome second = co_await Provision(config_, pod(), base::SystemClock(), logger());
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
  EXPECT_THAT(outcome.message, HasSubstr("check chain to the CA"));
  EXPECT_FALSE(std::filesystem::exists(config_.directory + "/tls.key"));
}

ASYNC_TEST_F(ProvisionTest, TimeRunsOutWhenNobodyApproves) {
  config_.timeout = absl::Milliseconds(1200);
  const Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
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
  const Outcome outcome = co_await Provision(config_, pod(), clock, logger());
  co_await deciding.Join();
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
}

// Something that deletes our request at once must not make us ask at full speed.
ASYNC_TEST_F(ProvisionTest, ARequestThatIsAlwaysDeletedIsMadeAgainWithWaitsUntilTimeIsUp) {
  config_.timeout = absl::Seconds(2);
  aio::TaskGroup deleting(executor());
  deleting.Spawn(DeleteWhatIsSubmitted());
  const Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
  co_await deleting.Stop();
  EXPECT_EQ(outcome.code, ExitCode::kTimeout) << outcome.message;
  EXPECT_GE(Posts(), 2);
  EXPECT_LE(Posts(), 7);  // at 0, 0, 0.5, 1.5 s or later
}

ASYNC_TEST_F(ProvisionTest, AnApprovalBetweenTwoStartsCounts) {
  co_await RunUntilTimeout();
  const Csr asked = *Submitted();
  co_await Issue(asked, ca_);
  const int posts = Posts();
  const Outcome second = co_await Provision(config_, pod(), base::SystemClock(), logger());
  EXPECT_EQ(second.code, ExitCode::kOk) << second.message;
  EXPECT_EQ(Submitted()->meta.uid, asked.meta.uid);
  EXPECT_EQ(Posts(), posts);
  EXPECT_THAT(VerifyExistingSet(config_, absl::Now()), IsOk());
  EXPECT_FALSE(Kept());
}

ASYNC_TEST_F(ProvisionTest, APendingRequestIsTakenUpAndWaitedFor) {
  co_await RunUntilTimeout();
  EXPECT_TRUE(Kept());
  const std::string uid = Submitted()->meta.uid;
  co_await RunUntilTimeout();
  EXPECT_EQ(Submitted()->meta.uid, uid);
  const Outcome third = co_await ProvisionAnd(Sign());
  EXPECT_EQ(third.code, ExitCode::kOk) << third.message;
  EXPECT_EQ(Submitted()->meta.uid, uid);
  EXPECT_EQ(Posts(), 1);
}

ASYNC_TEST_F(ProvisionTest, AKeptRequestThatIsGoneIsMadeAgainWithTheSameKey) {
  co_await RunUntilTimeout();
  const std::string request_pem = Submitted()->request_pem;
  CO_ASSERT_OK(co_await client().Delete(api::kCertificateSigningRequests, {"", kName}));
  const Outcome outcome = co_await ProvisionAnd(Sign());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
  EXPECT_EQ(Submitted()->request_pem, request_pem);
}

ASYNC_TEST_F(ProvisionTest, AnotherAlgorithmMakesAnotherKeyAndReplacesTheRequest) {
  co_await RunUntilTimeout();
  const std::string uid = Submitted()->meta.uid;
  config_.key_algorithm = pki::KeyAlgorithm::kEcdsaP384;
  co_await RunUntilTimeout();
  EXPECT_NE(Submitted()->meta.uid, uid);
}

ASYNC_TEST_F(ProvisionTest, ADenialStandsOverRestartsAndIsAskedAboutAgainLater) {
  co_await RunUntilTimeout();
  const Csr asked = *Submitted();
  co_await Deny(asked);
  for (int start = 0; start < 2; ++start) {
    const Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
    EXPECT_EQ(outcome.code, ExitCode::kRejected);
    EXPECT_THAT(outcome.message, HasSubstr("rule dns-names: no"));
    EXPECT_THAT(outcome.message, HasSubstr("kubectl delete csr calico-system:calico-node-5ckvq"));
  }
  EXPECT_EQ(Posts(), 1);
  EXPECT_EQ(Submitted()->meta.uid, asked.meta.uid);

  SetClock later;
  later.ahead = absl::Minutes(3);
  aio::TaskGroup deciding(executor());
  deciding.Spawn([](ProvisionTest& test, std::string old) -> aio::Task<void> {
    while (test.Submitted().has_value() && test.Submitted()->meta.uid == old) {
      if (!(co_await aio::Sleep(absl::Milliseconds(2))).ok()) co_return;
    }
    co_await test.WhenAsked(test.Sign());
  }(*this, asked.meta.uid));
  const Outcome outcome = co_await Provision(config_, pod(), later, logger());
  co_await deciding.Join();
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
  EXPECT_EQ(Posts(), 2);
}

ASYNC_TEST_F(ProvisionTest, ADeniedRequestThatIsDeletedIsMadeAgainAtTheNextStart) {
  co_await RunUntilTimeout();
  co_await Deny(*Submitted());
  CO_ASSERT_OK(co_await client().Delete(api::kCertificateSigningRequests, {"", kName}));
  const Outcome outcome = co_await ProvisionAnd(Sign());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
}

// A signer that is mended must not be stopped by what it issued before.
ASYNC_TEST_F(ProvisionTest, ACertificateThatDoesNotServeIsAskedForAgainAtTheNextStart) {
  const pki::TestCa other("root", absl::Now());
  const Outcome first =
      co_await ProvisionAnd([this, &other](Csr csr) { return Issue(std::move(csr), other); });
  EXPECT_EQ(first.code, ExitCode::kCertificateRefused);
  std::string uid = Submitted()->meta.uid;
  co_await RunUntilTimeout();
  EXPECT_NE(Submitted()->meta.uid, uid);
  // Issued between two starts: first the reason, then a new request.
  co_await Issue(*Submitted(), other);
  uid = Submitted()->meta.uid;
  const Outcome second = co_await Provision(config_, pod(), base::SystemClock(), logger());
  EXPECT_EQ(second.code, ExitCode::kCertificateRefused);
  EXPECT_EQ(Submitted()->meta.uid, uid);
  co_await RunUntilTimeout();
  EXPECT_NE(Submitted()->meta.uid, uid);
}

ASYNC_TEST_F(ProvisionTest, AsksForTheUsagesOfItsKeyAndItsSide) {
  config_.usages = {pki::ExtendedKeyUsage::kClientAuth};
  co_await RunUntilTimeout();
  Csr csr = *Submitted();
  EXPECT_THAT(csr.usages, ElementsAre("digital signature", "client auth"));
  absl::StatusOr<pki::CertificateRequest> request =
      pki::CertificateRequest::ParsePem(csr.request_pem);
  CO_ASSERT_OK(request.status());
  EXPECT_EQ(request->key_usages(), (pki::KeyUsages{pki::KeyUsage::kDigitalSignature}));
  EXPECT_THAT(request->extended_key_usages(), ElementsAre(std::string(pki::kOidClientAuth)));

  config_.key_algorithm = pki::KeyAlgorithm::kRsa2048;
  config_.signature_algorithm = pki::SignatureAlgorithm::kSha256WithRsa;
  co_await RunUntilTimeout();
  csr = *Submitted();
  EXPECT_THAT(csr.usages, ElementsAre("digital signature", "key encipherment", "client auth"));
  request = pki::CertificateRequest::ParsePem(csr.request_pem);
  CO_ASSERT_OK(request.status());
  EXPECT_EQ(request->key_usages(),
            (pki::KeyUsages{pki::KeyUsage::kDigitalSignature, pki::KeyUsage::kKeyEncipherment}));
}

ASYNC_TEST_F(ProvisionTest, TheUsageOfItsSideIsEnough) {
  config_.usages = {pki::ExtendedKeyUsage::kClientAuth};
  const Outcome wrong = co_await ProvisionAnd([this](Csr csr) {
    return Issue(std::move(csr), ca_, std::vector<std::string>{std::string(pki::kOidServerAuth)});
  });
  EXPECT_EQ(wrong.code, ExitCode::kCertificateRefused);
  EXPECT_THAT(wrong.message, HasSubstr("clientAuth is missing, which its owner needs to be a TLS "
                                       "client; the certificate has serverAuth"));
  CO_ASSERT_OK(co_await client().Delete(api::kCertificateSigningRequests, {"", kName}));
  const Outcome right = co_await ProvisionAnd([this](Csr csr) {
    return Issue(std::move(csr), ca_, std::vector<std::string>{std::string(pki::kOidClientAuth)});
  });
  EXPECT_EQ(right.code, ExitCode::kOk) << right.message;
}

ASYNC_TEST_F(ProvisionTest, TheReasonWhyThereIsNoAnswerIsToldSoonAndAtTheEnd) {
  config_.server = server().origin();
  config_.timeout = absl::Seconds(6);
  co_await server().Stop();
  const absl::Time began = absl::Now();
  absl::Time told = absl::InfiniteFuture();
  aio::TaskGroup reading(executor());
  reading.Spawn([](ProvisionTest& test, absl::Time& told) -> aio::Task<void> {
    while ((co_await aio::Sleep(absl::Milliseconds(20))).ok()) {
      for (const std::string& line : test.log()) {
        if (line.find("refused") != std::string::npos) told = std::min(told, absl::Now());
      }
    }
  }(*this, told));
  const Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
  co_await reading.Stop();
  EXPECT_LT(told - began, absl::Seconds(5));
  EXPECT_EQ(outcome.code, ExitCode::kApiError);
  EXPECT_THAT(outcome.message,
              AllOf(HasSubstr("API server " + config_.server), HasSubstr("refused")));
}

// Somebody else's request has our pod's name.
class HeldNameTest : public ProvisionTest {
 protected:
  aio::Task<void> Hold() {
    Csr foreign;
    foreign.meta.name = kName;
    foreign.request_pem = *pki::CreateCertificateRequest(
        *pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256), {.common_name = "x"});
    foreign.signer_name = "example.com/other";
    foreign.usages = {"client auth"};
    (void)co_await client().Create(api::kCertificateSigningRequests, foreign.EncodeNew());
  }
};

ASYNC_TEST_F(HeldNameTest, ItsOwnNameIsTakenFromAnother) {
  co_await Hold();
  const std::string uid = Submitted()->meta.uid;
  const Outcome outcome = co_await ProvisionAnd(Sign());
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.message;
  EXPECT_NE(Submitted()->meta.uid, uid);
}

ASYNC_TEST_F(HeldNameTest, AnotherWhoDoesNotGiveUpIsNamed) {
  server().Inject({.method = "DELETE", .times = 100, .status = 403});
  co_await Hold();
  const std::string uid = Submitted()->meta.uid;
  const Outcome outcome = co_await Provision(config_, pod(), base::SystemClock(), logger());
  EXPECT_EQ(outcome.code, ExitCode::kNameHeld) << outcome.message;
  EXPECT_THAT(outcome.message, HasSubstr("made by 'kubernetes-admin'"));
  EXPECT_THAT(outcome.message, HasSubstr("cannot be deleted"));
  EXPECT_EQ(Submitted()->meta.uid, uid);
}

}  // namespace
}  // namespace calico::provision
