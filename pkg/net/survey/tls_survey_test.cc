#include "pkg/net/survey/tls_survey.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/net/connection.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/net/testing/test_loop.h"
#include "pkg/net/tls.h"
#include "pkg/net/tls_context.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::net {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kRequest[] = "GET / HTTP/1.1\r\n\r\n";

// What a survey of the server that runs `script` gives.
absl::StatusOr<TlsSurvey> SurveyOf(TestLoop::Script script, TlsSurveyOptions options) {
  TestLoop loop;
  options.host = "127.0.0.1";
  options.port = loop.ServeScripts({std::move(script)});
  absl::StatusOr<TlsSurvey> result = absl::InternalError("not run");
  loop.Run([&]() -> aio::Task<void> { result = co_await SurveyTls(options); }());
  return result;
}

// The same of a server that shakes hands, and then answers a request.
absl::StatusOr<TlsSurvey> SurveyOf(const TlsServerOptions& server, TlsSurveyOptions options) {
  const auto context = TlsContext::NewServer(server);
  EXPECT_THAT(context, IsOk());
  return SurveyOf(
      [context = *context](Connection& client) -> aio::Task<void> {
        if (!(co_await client.StartTls(context, "")).ok()) co_return;
        (void)co_await ReadUntil(client);
        (void)co_await client.Write("HTTP/1.1 200 OK\r\n\r\n");
      },
      std::move(options));
}

class TlsSurveyTest : public ::testing::Test {
 protected:
  TlsSurveyTest()
      : ca_("survey-ca", absl::Now()),
        leaf_(ca_.Leaf({.common_name = "server", .dns_names = {"server"}})) {}

  TlsServerOptions Open() const { return {.identity = IdentityOf(leaf_)}; }
  TlsServerOptions Demanding() const {
    return {.identity = IdentityOf(leaf_), .client_ca_pem = ca_.certificate_pem()};
  }

  pki::TestCa ca_;
  pki::TestLeaf leaf_;
};

TEST_F(TlsSurveyTest, TellsWhatAServerPresents) {
  const auto survey = SurveyOf(Open(), {.request = kRequest});
  ASSERT_THAT(survey, IsOk());
  EXPECT_THAT(survey->certificates, ElementsAre(leaf_.certificate.der()));
  EXPECT_EQ(survey->protocol, "TLSv1.3");
  EXPECT_THAT(survey->peer, HasSubstr("127.0.0.1:"));
  EXPECT_FALSE(survey->asks_for_certificate);
  EXPECT_THAT(survey->accepted_issuers, IsEmpty());
  EXPECT_THAT(survey->after, IsOk());
}

TEST_F(TlsSurveyTest, ShowsTheChainWhoeverIssuedItExpiredAndForAnotherName) {
  const pki::TestCa unknown("unknown-ca", absl::Now());
  const pki::TestLeaf leaf = unknown.Intermediate("middle").Leaf(
      {.common_name = "typha", .dns_names = {"elsewhere"}, .valid_until_now = absl::Hours(-0.5)});
  const auto survey = SurveyOf({.identity = IdentityOf(leaf)}, {});
  ASSERT_THAT(survey, IsOk());
  ASSERT_THAT(survey->certificates, SizeIs(2));
  EXPECT_EQ(survey->certificates[0], leaf.certificate.der());
  EXPECT_THAT(survey->after, IsOk());
}

TEST_F(TlsSurveyTest, TellsThatACertificateIsDemandedAndOfWhichCas) {
  const auto survey = SurveyOf(Demanding(), {.request = kRequest});
  ASSERT_THAT(survey, IsOk());
  EXPECT_THAT(survey->certificates, SizeIs(1));
  EXPECT_TRUE(survey->asks_for_certificate);
  EXPECT_THAT(survey->accepted_issuers, ElementsAre("CN=survey-ca"));
  EXPECT_THAT(survey->after,
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("certificate required")));
}

TEST_F(TlsSurveyTest, TellsWhetherACertificateIsTaken) {
  const auto taken = SurveyOf(
      Demanding(), {.identity = IdentityOf(ca_.Leaf({.common_name = "a"})), .request = kRequest});
  ASSERT_THAT(taken, IsOk());
  EXPECT_THAT(taken->after, IsOk());
  const pki::TestCa other("other", absl::Now());
  const auto refused = SurveyOf(
      Demanding(), {.identity = IdentityOf(other.Leaf({.common_name = "a"})), .request = kRequest});
  ASSERT_THAT(refused, IsOk());
  EXPECT_EQ(refused->after.code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(TlsSurveyTest, AServerThatFallsSilentHasShownItsCertificateAllTheSame) {
  const auto context = *TlsContext::NewServer(Open());
  const auto survey = SurveyOf(
      [context](Connection& client) -> aio::Task<void> {
        (void)co_await client.StartTls(context, "");
        while (true) {
          const auto piece = co_await client.Read();
          if (!piece.ok() || piece->empty()) co_return;
        }
      },
      {.request = kRequest, .timeout = absl::Milliseconds(700)});
  ASSERT_THAT(survey, IsOk());
  EXPECT_THAT(survey->certificates, SizeIs(1));
  EXPECT_EQ(survey->after.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(TlsSurveyTest, AServerThatGoesAwayAfterwardsIsTold) {
  const auto context = *TlsContext::NewServer(Open());
  const auto survey = SurveyOf(
      [context](Connection& client) -> aio::Task<void> {
        (void)co_await client.StartTls(context, "");
      },
      {.request = kRequest});
  ASSERT_THAT(survey, IsOk());
  EXPECT_EQ(survey->after.code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsSurveyTest, SaysWhyThereIsNothing) {
  const auto plain = SurveyOf(AnswerAndClose("HTTP/1.0 400 Bad Request\r\n\r\n"),
                              {.timeout = absl::Milliseconds(500)});
  EXPECT_THAT(plain.status().message(), HasSubstr("ask 127.0.0.1:"));
  EXPECT_FALSE(plain.ok());
  const auto silent = SurveyOf(Silence(), {.timeout = absl::Milliseconds(200)});
  EXPECT_EQ(silent.status().code(), absl::StatusCode::kDeadlineExceeded);
  TestLoop loop;
  loop.Run([]() -> aio::Task<void> {
    const auto nobody = co_await SurveyTls({.host = "127.0.0.1", .port = 1});
    EXPECT_THAT(nobody, StatusIs(absl::StatusCode::kUnavailable,
                                 AllOf(HasSubstr("ask 127.0.0.1:1"), HasSubstr("refused"))));
  }());
}

TEST_F(TlsSurveyTest, ANameThatNoServerHasIsRefused) {
  TestLoop loop;
  loop.Run([]() -> aio::Task<void> {
    for (const std::string& name : {std::string(256, 'a'), std::string("a\0b", 3)}) {
      const auto survey = co_await SurveyTls({.host = "127.0.0.1", .port = 1, .server_name = name});
      EXPECT_EQ(survey.status().code(), absl::StatusCode::kInvalidArgument);
    }
  }());
}

}  // namespace
}  // namespace calico::net
