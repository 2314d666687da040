#include "pkg/kube/client/errors.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/status_macros.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::kube {
namespace {

using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

http::Response Answer(int status, std::string_view reason) {
  return {.status = status,
          .body = fmt::format(R"({{"kind":"Status","apiVersion":"v1","status":"Failure",)"
                              R"("message":"it broke","reason":"{}","code":{}}})",
                              reason, status)};
}

TEST(ErrorsTest, WhatAnotherAttemptMayChangeIsNoRefusal) {
  for (const int status : {400, 403, 404, 422}) {
    EXPECT_TRUE(IsRefusal(ErrorFromResponse(Answer(status, "")))) << status;
  }
  for (const int status : {401, 408, 410, 429, 500, 503}) {
    EXPECT_FALSE(IsRefusal(ErrorFromResponse(Answer(status, "")))) << status;
  }
  EXPECT_FALSE(IsRefusal(absl::PermissionDeniedError("not from the server")));
}

TEST(ErrorsTest, CodeOfEachAnswer) {
  using Code = absl::StatusCode;
  const struct {
    int status;
    const char* reason;
    Code want;
  } kCases[] = {
      {400, "BadRequest", Code::kInvalidArgument},
      {401, "Unauthorized", Code::kUnauthenticated},
      {403, "Forbidden", Code::kPermissionDenied},
      {404, "NotFound", Code::kNotFound},
      {405, "MethodNotAllowed", Code::kUnimplemented},
      {406, "NotAcceptable", Code::kInvalidArgument},
      {408, "", Code::kUnavailable},
      {409, "AlreadyExists", Code::kAlreadyExists},
      {409, "Conflict", Code::kAborted},
      {409, "", Code::kAborted},
      {410, "Expired", Code::kOutOfRange},
      {410, "Gone", Code::kOutOfRange},
      {410, "", Code::kOutOfRange},
      {413, "RequestEntityTooLarge", Code::kInvalidArgument},
      {415, "UnsupportedMediaType", Code::kInvalidArgument},
      {418, "", Code::kFailedPrecondition},
      {422, "Invalid", Code::kInvalidArgument},
      {429, "TooManyRequests", Code::kResourceExhausted},
      {500, "InternalError", Code::kUnavailable},
      {500, "Expired", Code::kOutOfRange},
      {501, "", Code::kUnavailable},
      {502, "", Code::kUnavailable},
      {503, "ServiceUnavailable", Code::kUnavailable},
      {504, "Timeout", Code::kUnavailable},
      {302, "", Code::kFailedPrecondition},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(fmt::format("{} {}", c.status, c.reason));
    const absl::Status status = ErrorFromResponse(Answer(c.status, c.reason));
    EXPECT_THAT(status, StatusIs(c.want, "it broke"));
    EXPECT_EQ(StatusReason(status), c.reason);
    EXPECT_EQ(FindApiError(status)->http_status, c.status);
  }
}

TEST(ErrorsTest, DetailsSurviveAnnotation) {
  const absl::Status status = base::Annotate(
      ErrorFromResponse(
          {.status = 422,
           .body = R"({"kind":"Status","apiVersion":"v1","message":"bad","reason":"Invalid",)"
                   R"("details":{"causes":[{"reason":"FieldValueRequired","message":"m",)"
                   R"("field":"spec.x"}],"retryAfterSeconds":3}})"}),
      "create Pod a/b");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "create Pod a/b: bad"));
  const std::optional<ApiError> error = FindApiError(status);
  ASSERT_TRUE(error.has_value());
  ASSERT_THAT(error->causes, SizeIs(1));
  EXPECT_EQ(error->causes[0].reason, "FieldValueRequired");
  EXPECT_EQ(error->causes[0].message, "m");
  EXPECT_EQ(error->causes[0].field, "spec.x");
  EXPECT_EQ(error->retry_after, absl::Seconds(3));
}

TEST(ErrorsTest, RetryAfterHeaderWins) {
  http::Response response = Answer(429, "TooManyRequests");
  response.headers = {{"retry-after", "7"}};
  EXPECT_EQ(FindApiError(ErrorFromResponse(response))->retry_after, absl::Seconds(7));
}

TEST(ErrorsTest, RetryAfterIsWholeSeconds) {
  EXPECT_EQ(RetryAfter({{"Retry-After", "0"}}), absl::ZeroDuration());
  for (const char* text :
       {"", "-1", "1.5", "x", "5s", "999999999999", "100000", "Wed, 21 Oct 2015 07:28:00 GMT"}) {
    EXPECT_EQ(RetryAfter({{"Retry-After", text}}), std::nullopt) << text;
  }
  EXPECT_EQ(RetryAfter({}), std::nullopt);
}

TEST(ErrorsTest, OtherBodiesAreQuotedBounded) {
  EXPECT_THAT(
      ErrorFromResponse({.status = 502, .body = "bad\ngateway\x1b[31m\n"}),
      StatusIs(absl::StatusCode::kUnavailable, "the server answered 502: bad gateway [31m"));
  EXPECT_THAT(ErrorFromResponse({.status = 502}),
              StatusIs(absl::StatusCode::kUnavailable, "the server answered 502"));
  std::string umlauts;
  for (int i = 0; i < 3000; ++i) umlauts += "\xC3\xA4";
  const absl::Status status = ErrorFromResponse({.status = 502, .body = "x" + umlauts});
  EXPECT_LT(status.message().size(), 2100u);
  const std::string message(status.message());
  EXPECT_TRUE(message.ends_with("\xC3\xA4 ...")) << message;
}

TEST(ErrorsTest, StatusWithoutMessageSaysItsReason) {
  EXPECT_EQ(ErrorFromApiStatus({.code = 410, .reason = "Expired"}).message(), "Expired");
  EXPECT_EQ(ErrorFromApiStatus({.code = 500}).message(),
            "the server answered 500 without a message");
}

TEST(ErrorsTest, OtherErrorsHaveNoApiError) {
  EXPECT_FALSE(FindApiError(absl::UnavailableError("refused")).has_value());
  EXPECT_EQ(StatusReason(absl::OkStatus()), "");
}

TEST(ErrorsTest, CausesAreBounded) {
  api::ApiStatus status{.code = 422, .message = "many"};
  status.causes.resize(1000);
  EXPECT_THAT(FindApiError(ErrorFromApiStatus(status))->causes, SizeIs(64));
}

TEST(ErrorsTest, Warnings) {
  EXPECT_THAT(Warnings({{"Warning", R"(299 - "one \"quoted\" \\ text")"},
                        {"X", "299 - \"no\""},
                        {"warning", R"(299 - "two", 299 k8s "three" "Wed, 01 Jan 2020")"}}),
              ElementsAre(R"(one "quoted" \ text)", "two", "three"));
  for (const char* text : {"", "299 - ", "299 - \"open", "199 - \"other\"", "299"}) {
    EXPECT_THAT(Warnings({{"Warning", text}}), IsEmpty()) << text;
  }
}

// The API server's word about a request and a page of some proxy are different things.
TEST(UndecodableTest, WhatCannotBeReadIsNoVerdictOnTheRequest) {
  EXPECT_THAT(Undecodable(absl::InvalidArgumentError("parse JSON: syntax error"), "item"),
              StatusIs(absl::StatusCode::kDataLoss, "item: parse JSON: syntax error"));
  EXPECT_THAT(Undecodable(absl::ResourceExhaustedError("too large"), "item"),
              StatusIs(absl::StatusCode::kResourceExhausted, "item: too large"));
  EXPECT_THAT(Undecodable(absl::OkStatus(), "item"), base::IsOk());
}

}  // namespace
}  // namespace calico::kube
