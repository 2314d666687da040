#include "pkg/net/survey/tls_survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/thread_pool.h"
#include "pkg/net/testing/test_identity.h"
#include "pkg/net/testing/test_loop.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::net {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TlsSurveyTest : public ::testing::Test {
 protected:
  TlsSurveyTest()
      : ca_("survey-ca", absl::Now()),
        leaf_(ca_.Leaf({.common_name = "server", .dns_names = {"server"}})) {}

  std::shared_ptr<const TlsContext> Server(bool demands_certificate) const {
    auto context =
        TlsContext::NewServer({.identity = IdentityOf(leaf_),
                               .client_ca_pem = demands_certificate ? ca_.certificate_pem() : ""});
    return *std::move(context);
  }

  // One survey of a server that answers after the handshake.
  absl::StatusOr<TlsSurvey> Survey(std::shared_ptr<const TlsContext> server,
                                   std::shared_ptr<const TlsIdentity> identity = nullptr) {
    TestLoop t;
    const uint16_t port = t.ServeScripts({[server](Connection& client) -> aio::Task<void> {
      if (!(co_await client.StartTls(server, "")).ok()) co_return;
      (void)co_await ReadUntil(client);
      (void)co_await client.Write("HTTP/1.1 200 OK\r\n\r\n");
    }});
    absl::StatusOr<TlsSurvey> result = absl::UnknownError("not run");
    aio::ThreadPool pool(1);
    t.Run([](aio::ThreadPool& pool, TlsSurveyOptions options,
             absl::StatusOr<TlsSurvey>& result) -> aio::Task<void> {
      result = co_await aio::RunOnPool(pool, [&options] { return SurveyTls(options); });
    }(pool,
                                                {.host = "127.0.0.1",
                                                 .port = port,
                                                 .identity = std::move(identity),
                                                 .request = "GET / HTTP/1.1\r\n\r\n"},
                                                result));
    return result;
  }

  pki::TestCa ca_;
  pki::TestLeaf leaf_;
};

TEST_F(TlsSurveyTest, TellsWhatAServerPresents) {
  const auto survey = Survey(Server(false));
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_EQ(survey->chain_pem, leaf_.chain_pem);
  EXPECT_EQ(survey->protocol, "TLSv1.3");
  EXPECT_FALSE(survey->asks_for_certificate);
  EXPECT_THAT(survey->accepted_issuers, IsEmpty());
  EXPECT_TRUE(survey->after.ok()) << survey->after;
}

TEST_F(TlsSurveyTest, TellsThatACertificateIsDemanded) {
  const auto survey = Survey(Server(true));
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_FALSE(survey->chain_pem.empty());
  EXPECT_TRUE(survey->asks_for_certificate);
  EXPECT_EQ(survey->after.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(survey->after.message()), HasSubstr("certificate required"));
}

TEST_F(TlsSurveyTest, TellsWhetherACertificateIsTaken) {
  const auto taken = Survey(Server(true), IdentityOf(ca_.Leaf({.common_name = "alice"})));
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_TRUE(taken->after.ok()) << taken->after;
  const pki::TestCa other("other", absl::Now());
  const auto refused = Survey(Server(true), IdentityOf(other.Leaf({.common_name = "alice"})));
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->after.code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(TlsSurveyTest, NoServerAndNoTlsAreTold) {
  const auto nobody = SurveyTls({.host = "127.0.0.1", .port = 1});
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(nobody.status().message()),
              HasSubstr("connect to 127.0.0.1:1: Connection refused"));
  TestLoop t;
  const uint16_t port = t.ServeScripts({AnswerAndClose("HTTP/1.0 400 Bad Request\r\n\r\n")});
  absl::StatusOr<TlsSurvey> result = absl::UnknownError("not run");
  aio::ThreadPool pool(1);
  t.Run([](aio::ThreadPool& pool, uint16_t port,
           absl::StatusOr<TlsSurvey>& result) -> aio::Task<void> {
    result = co_await aio::RunOnPool(pool, [port] {
      return SurveyTls({.host = "127.0.0.1", .port = port, .timeout = absl::Milliseconds(300)});
    });
  }(pool, port, result));
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("TLS with 127.0.0.1:"));
}

}  // namespace
}  // namespace calico::net
