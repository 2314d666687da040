#include "operator/calicert/requests/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/testing/cluster_test.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert::requests {
namespace {

using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Csr = api::CertificateSigningRequest;

Csr OfAnotherKey(std::string name) {
  Csr csr = ServingRequest(std::move(name));
  csr.request_pem = pki::CreateCertificateRequest(
                        pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value(),
                        {.common_name = "b.example", .dns_names = {"b.example"}})
                        .value();
  return csr;
}

TEST(RequestProblemsTest, FindsWhatNobodyCouldSign) {
  EXPECT_THAT(RequestProblems(ServingRequest("my-svc.my-namespace")), IsEmpty());
  EXPECT_THAT(RequestProblems(ServingRequest("calico-system:a:b")), IsEmpty());
  Csr csr = ServingRequest("a/b");
  csr.signer_name = "nodomain";
  csr.usages = {"server auth", "server auth", "Server Auth"};
  csr.expiration_seconds = 599;
  csr.request_pem = "x";
  EXPECT_THAT(RequestProblems(csr),
              ElementsAre(HasSubstr("\"a/b\" is no name"), HasSubstr("signer name \"nodomain\""),
                          HasSubstr("\"server auth\" is given twice"),
                          HasSubstr("\"Server Auth\" is not known"), HasSubstr("no less than 600"),
                          HasSubstr("request: ")));
}

TEST(DifferencesTest, LooksAtWhatIsAskedNotAtTheBytes) {
  // The signature of an ECDSA key is another one each time.
  EXPECT_NE(ServingRequest("a").request_pem, ServingRequest("a").request_pem);
  EXPECT_THAT(Differences(ServingRequest("a"), ServingRequest("a")), IsEmpty());
  Csr other = OfAnotherKey("a");
  other.signer_name = "example.com/other";
  other.usages = {"client auth"};
  other.expiration_seconds = 3600;
  EXPECT_THAT(Differences(ServingRequest("a"), other),
              ElementsAre(HasSubstr("another key"), HasSubstr("its subject is"),
                          HasSubstr("its names are DNS:a.example IP:10.0.0.1, not DNS:b.example"),
                          HasSubstr("its signer is example.com/serving"), HasSubstr("its usages"),
                          HasSubstr("no duration, not 3600 seconds")));
}

class SubmitTest : public ClusterTest {
 protected:
  aio::Task<absl::StatusOr<Submission>> How(Csr wanted,
                                            IfDifferent if_different = IfDifferent::kFail) {
    absl::StatusOr<Submitted> submitted =
        co_await Submit(cluster(), std::move(wanted), if_different);
    if (!submitted.ok()) co_return submitted.status();
    co_return submitted->how;
  }
};

ASYNC_TEST_F(SubmitTest, CreatesOnce) {
  CO_ASSERT_OK_AND_ASSIGN(const Submission first, co_await How(ServingRequest("a")));
  EXPECT_EQ(first, Submission::kCreated);
  CO_ASSERT_OK_AND_ASSIGN(const Submission second, co_await How(ServingRequest("a")));
  EXPECT_EQ(second, Submission::kUnchanged);
}

ASYNC_TEST_F(SubmitTest, TellsAnotherRequestOfThatName) {
  CO_ASSERT_OK(co_await How(ServingRequest("a")));
  const auto result = co_await How(OfAnotherKey("a"));
  EXPECT_THAT(result.status(),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       AllOf(HasSubstr("it was made with another key"),
                             HasSubstr("calicert csr delete a"), HasSubstr("--replace"))));
}

ASYNC_TEST_F(SubmitTest, ReplacesWhenTold) {
  CO_ASSERT_OK(co_await How(ServingRequest("a")));
  CO_ASSERT_OK_AND_ASSIGN(const Submission how,
                          co_await How(OfAnotherKey("a"), IfDifferent::kReplace));
  EXPECT_EQ(how, Submission::kReplaced);
}

ASYNC_TEST_F(SubmitTest, ReplacesOnlyItsOwn) {
  Csr own = ServingRequest("own");
  own.meta.labels["by"] = "me";
  CO_ASSERT_OK(co_await How(own));
  CO_ASSERT_OK(co_await How(ServingRequest("foreign")));
  Csr next = OfAnotherKey("own");
  next.meta.labels["by"] = "me";
  CO_ASSERT_OK_AND_ASSIGN(const Submission how, co_await How(next, IfDifferent::kReplaceOwn));
  EXPECT_EQ(how, Submission::kReplaced);
  next.meta.name = "foreign";
  const auto refused = co_await How(next, IfDifferent::kReplaceOwn);
  EXPECT_THAT(refused.status(), StatusIs(absl::StatusCode::kAlreadyExists));
}

ASYNC_TEST_F(SubmitTest, SendsNothingThatCannotWork) {
  Csr csr = ServingRequest("a");
  csr.usages.clear();
  const auto result = co_await How(csr);
  EXPECT_THAT(result.status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(server().Count(""), 0);
}

}  // namespace
}  // namespace calico::calicert::requests
