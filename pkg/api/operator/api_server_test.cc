#include "pkg/api/operator/api_server.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"

namespace calico::api {
namespace {

using base::IsOk;
using base::IsOkAndHolds;
using base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ApiServer Named(std::string_view name) { return {.meta = {.name = std::string(name)}}; }

absl::StatusOr<ApiServer> FromSpec(std::string_view spec) {
  return ApiServer::Decode(
      {{"metadata", {{"name", "default"}}}, {"spec", codec::ParseJson(spec).value()}});
}

TEST(ApiServerTest, TheStockOneHasAnEmptySpec) {
  const absl::StatusOr<ApiServer> server = FromSpec("{}");
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(server->meta.name, kApiServerName);
  EXPECT_EQ(server->log_severity, "");
  EXPECT_THAT(server->spec, IsEmpty());
  EXPECT_THAT(server->ignored_fields, IsEmpty());
  EXPECT_THAT(ApiServer::Decode({{"metadata", {{"name", "default"}}}}), IsOk());
}

TEST(ApiServerTest, DecodesSeverityOverridesAndConditions) {
  const absl::StatusOr<ApiServer> server = ApiServer::Decode(
      codec::ParseJsonObject(R"({"metadata": {"name": "tigera-secure", "generation": 3},
        "spec": {"logging": {"apiServer": {"logSeverity": "Debug"},
                             "queryServer": {"logSeverity": "Info"}},
                 "apiServerDeployment": {"spec": {"minReadySeconds": 5}}},
        "status": {"state": "Ready", "conditions": [{"type": "Ready", "status": "True"}]}})")
          .value());
  ASSERT_THAT(server, IsOk());
  EXPECT_EQ(server->meta.generation, 3);
  EXPECT_EQ(server->log_severity, "Debug");
  EXPECT_EQ(codec::Serialize(server->spec.at("apiServerDeployment")),
            R"({"spec":{"minReadySeconds":5}})");
  EXPECT_THAT(server->ignored_fields, IsEmpty());
  ASSERT_NE(FindCondition(server->conditions, "Ready"), nullptr);
}

TEST(ApiServerTest, NamesWhatHasNoEffect) {
  const absl::StatusOr<ApiServer> server =
      FromSpec(R"({"logging": {"queryServer": {"logSeverity": "Trace"}},
                   "calicoWebhooksDeployment": {"spec": {}}, "apiServerDeployments": 1,
                   "apiServerDeployment": null})");
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(server->ignored_fields,
              ElementsAre("spec.apiServerDeployments", "spec.calicoWebhooksDeployment",
                          "spec.logging.queryServer"));
}

TEST(ApiServerTest, TellsEveryProblem) {
  EXPECT_THAT(
      FromSpec(R"({"apiServerDeployment": [], "logging": {"apiServer": {"logSeverity": "Warning"},
                   "queryServer": {"logSeverity": 1}}})"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               testing::AllOf(
                   HasSubstr("APIServer.spec.apiServerDeployment: expected object, got array"),
                   HasSubstr("APIServer.spec.logging.apiServer.logSeverity: unsupported value "
                             "\"Warning\""),
                   HasSubstr("APIServer.spec.logging.queryServer.logSeverity: expected string"))));
}

TEST(FindApiServerTest, OneOfEitherNameCounts) {
  EXPECT_THAT(FindApiServer({}), IsOkAndHolds(nullptr));
  for (const std::string_view name : {kApiServerName, kLegacyApiServerName}) {
    const std::vector<ApiServer> servers = {Named("other"), Named(name)};
    EXPECT_THAT(FindApiServer(servers), IsOkAndHolds(&servers[1]));
  }
}

TEST(FindApiServerTest, TwoAreContradictory) {
  const std::vector<ApiServer> servers = {Named("tigera-secure"), Named("default")};
  EXPECT_THAT(FindApiServer(servers),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("`kubectl delete apiserver tigera-secure`")));
}

}  // namespace
}  // namespace calico::api
