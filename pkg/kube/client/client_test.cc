// Every verb, in order.

#include "pkg/kube/client/client.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ClientTest = FakeApiServerTest;

constexpr char kCsrName[] = "calico-system:calico-node-5ckvq:9a3a10";

json::object ConfigMap(std::string_view name, std::string_view value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"data", {{"key", value}}}};
}

json::object Request(std::string_view name) {
  return {{"apiVersion", "certificates.k8s.io/v1"},
          {"kind", "CertificateSigningRequest"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"request", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K"},
            {"signerName", "example.com/signer"},
            {"usages", {"server auth", "client auth"}}}}};
}

ASYNC_TEST_F(ClientTest, CreatesAndGets) {
  CO_ASSERT_OK_AND_ASSIGN(const json::object created,
                          co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  EXPECT_EQ(TextAt(created, {"metadata", "uid"}), "00000000-0000-4000-8000-000000000001");
  CO_ASSERT_OK_AND_ASSIGN(const json::object got,
                          co_await client().Get(api::kConfigMaps, {"default", "a"}));
  EXPECT_EQ(got, created);
  EXPECT_EQ(server().requests().back().path, "/api/v1/namespaces/default/configmaps/a");
  EXPECT_EQ(server().requests().back().user_agent, "calico-operator");
}

ASYNC_TEST_F(ClientTest, ErrorsNameVerbKindAndObject) {
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, {"default", "gone"}),
              StatusIs(absl::StatusCode::kNotFound,
                       "get ConfigMap default/gone: configmaps \"gone\" not found"));
  CO_ASSERT_OK(co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  const auto again = co_await client().Create(api::kConfigMaps, ConfigMap("a", "1"));
  EXPECT_THAT(
      again, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("create ConfigMap default/a: ")));
  EXPECT_EQ(StatusReason(again.status()), "AlreadyExists");
}

ASYNC_TEST_F(ClientTest, RefusesToSendWhatAddressesTheWrongThing) {
  EXPECT_THAT(co_await client().Delete(api::kConfigMaps, {"default", ""}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, {"", "a"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(server().requests(), IsEmpty());
}

ASYNC_TEST_F(ClientTest, NamesOfRequestsAreEncoded) {
  CO_ASSERT_OK(co_await client().Create(api::kCertificateSigningRequests, Request(kCsrName)));
  CO_ASSERT_OK_AND_ASSIGN(const json::object got,
                          co_await client().Get(api::kCertificateSigningRequests, {"", kCsrName}));
  EXPECT_EQ(TextAt(got, {"metadata", "name"}), kCsrName);
  EXPECT_EQ(TextAt(got, {"spec", "username"}), "kubernetes-admin");
}

ASYNC_TEST_F(ClientTest, UpdateNeedsTheLatestVersion) {
  CO_ASSERT_OK_AND_ASSIGN(json::object first,
                          co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  json::object stale = first;
  first["data"].as_object()["key"] = "2";
  CO_ASSERT_OK_AND_ASSIGN(const json::object second,
                          co_await client().Update(api::kConfigMaps, first));
  EXPECT_EQ(TextAt(second, {"data", "key"}), "2");
  stale["data"].as_object()["key"] = "3";
  EXPECT_THAT(co_await client().Update(api::kConfigMaps, stale),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("the object has been modified")));
}

ASYNC_TEST_F(ClientTest, UpdateKeepsManagedFieldsAndUnknownFields) {
  json::object object = ConfigMap("a", "1");
  object["somethingNew"] = "kept";
  CO_ASSERT_OK(co_await client().Create(api::kConfigMaps, object));
  CO_ASSERT_OK_AND_ASSIGN(json::object got,
                          co_await client().Get(api::kConfigMaps, {"default", "a"}));
  CO_ASSERT_OK_AND_ASSIGN(const json::object updated,
                          co_await client().Update(api::kConfigMaps, got));
  EXPECT_EQ(updated, got);
  EXPECT_EQ(TextAt(updated, {"somethingNew"}), "kept");
  EXPECT_TRUE(updated.at("metadata").as_object().contains("managedFields"));
}

ASYNC_TEST_F(ClientTest, MergePatchRemovesWithNull) {
  CO_ASSERT_OK(co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  CO_ASSERT_OK_AND_ASSIGN(const json::object patched,
                          co_await client().Patch(api::kConfigMaps, {"default", "a"},
                                                  {{"data", {{"key", nullptr}, {"other", "2"}}}}));
  EXPECT_EQ(patched.at("data"), (json::value{{"other", "2"}}));
}

ASYNC_TEST_F(ClientTest, ATriedUpdateWritesNothing) {
  CO_ASSERT_OK_AND_ASSIGN(json::object object,
                          co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  object["data"].as_object()["key"] = "2";
  CO_ASSERT_OK_AND_ASSIGN(const json::object tried,
                          co_await client().DryRunUpdate(api::kConfigMaps, object));
  EXPECT_EQ(TextAt(tried, {"data", "key"}), "2");
  CO_ASSERT_OK_AND_ASSIGN(const json::object got,
                          co_await client().Get(api::kConfigMaps, {"default", "a"}));
  EXPECT_EQ(TextAt(got, {"data", "key"}), "1");
}

ASYNC_TEST_F(ClientTest, ApplyCreatesUpdatesAndRemoves) {
  json::object object = ConfigMap("a", "1");
  object["data"].as_object()["second"] = "2";
  CO_ASSERT_OK_AND_ASSIGN(const json::object first,
                          co_await client().Apply(api::kConfigMaps, object));
  object["data"].as_object().erase("second");
  CO_ASSERT_OK_AND_ASSIGN(const json::object second,
                          co_await client().Apply(api::kConfigMaps, object));
  EXPECT_EQ(second.at("data"), (json::value{{"key", "1"}}));
  CO_ASSERT_OK_AND_ASSIGN(const json::object third,
                          co_await client().Apply(api::kConfigMaps, second));
  EXPECT_EQ(third, second) << "an apply that changes nothing must not make a new version";
  EXPECT_EQ(server().requests().back().Query("fieldManager"), "calico-operator");
  EXPECT_EQ(server().requests().back().content_type, "application/apply-patch+yaml");
}

ASYNC_TEST_F(ClientTest, ApplyConflictNamesManagerAndField) {
  CO_ASSERT_OK(co_await client().Apply(api::kConfigMaps, ConfigMap("a", "1"),
                                       {.field_manager = "somebody"}));
  const auto conflict = co_await client().Apply(api::kConfigMaps, ConfigMap("a", "2"));
  EXPECT_THAT(conflict, StatusIs(absl::StatusCode::kAborted,
                                 HasSubstr("conflict with \"somebody\" using v1: .data.key")));
  const std::optional<ApiError> error = FindApiError(conflict.status());
  CO_ASSERT_TRUE(error.has_value());
  CO_ASSERT_TRUE(error->causes.size() == 1);
  EXPECT_EQ(error->causes[0].reason, "FieldManagerConflict");
  EXPECT_EQ(error->causes[0].field, ".data.key");

  CO_ASSERT_OK_AND_ASSIGN(
      const json::object forced,
      co_await client().Apply(api::kConfigMaps, ConfigMap("a", "2"), {.force = true}));
  EXPECT_EQ(TextAt(forced, {"data", "key"}), "2");
}

ASYNC_TEST_F(ClientTest, DryRunStoresNothing) {
  CO_ASSERT_OK(co_await client().Apply(api::kConfigMaps, ConfigMap("a", "1"), {.dry_run = true}));
  EXPECT_FALSE(server().Find(api::kConfigMaps, {"default", "a"}).has_value());
}

ASYNC_TEST_F(ClientTest, DeleteHonoursPreconditions) {
  CO_ASSERT_OK_AND_ASSIGN(const json::object object,
                          co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  EXPECT_THAT(co_await client().Delete(api::kConfigMaps, {"default", "a"}, {.uid = "another"}),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("the UID in the precondition")));
  EXPECT_THAT(co_await client().Delete(api::kConfigMaps, {"default", "a"},
                                       {.uid = std::string(TextAt(object, {"metadata", "uid"}))}),
              IsOk());
  EXPECT_THAT(co_await client().Delete(api::kConfigMaps, {"default", "a"}),
              StatusIs(absl::StatusCode::kNotFound));
}

ASYNC_TEST_F(ClientTest, ApprovalAndStatusAreSeparate) {
  CO_ASSERT_OK_AND_ASSIGN(
      json::object csr,
      co_await client().Create(api::kCertificateSigningRequests, Request(kCsrName)));
  csr["status"] = {{"conditions", {{{"type", "Approved"}, {"status", "True"}}}}};
  EXPECT_THAT(co_await client().Update(api::kCertificateSigningRequests, csr, "status"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("update CertificateSigningRequest/status")));
  CO_ASSERT_OK_AND_ASSIGN(
      csr, co_await client().Update(api::kCertificateSigningRequests, csr, "approval"));
  csr["status"].as_object()["certificate"] = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";
  CO_ASSERT_OK_AND_ASSIGN(
      csr, co_await client().Update(api::kCertificateSigningRequests, csr, "status"));
  csr["status"].as_object()["certificate"] = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCgo=";
  const auto again = co_await client().Update(api::kCertificateSigningRequests, csr, "status");
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kInvalidArgument,
                              HasSubstr("may not modify existing certificate content")));
  EXPECT_EQ(StatusReason(again.status()), "Invalid");
}

ASYNC_TEST_F(ClientTest, StatusCanBePatchedAndApplied) {
  CO_ASSERT_OK(
      co_await client().Create(api::kTigeraStatuses, {{"apiVersion", "operator.tigera.io/v1"},
                                                      {"kind", "TigeraStatus"},
                                                      {"metadata", {{"name", "calico"}}}}));
  CO_ASSERT_OK_AND_ASSIGN(json::object patched,
                          co_await client().Patch(api::kTigeraStatuses, {"", "calico"},
                                                  {{"status", {{"a", 1}}}}, "status"));
  EXPECT_EQ(patched.at("status"), (json::value{{"a", 1}}));
  CO_ASSERT_OK_AND_ASSIGN(const json::object applied,
                          co_await client().Apply(api::kTigeraStatuses,
                                                  {{"apiVersion", "operator.tigera.io/v1"},
                                                   {"kind", "TigeraStatus"},
                                                   {"metadata", {{"name", "calico"}}},
                                                   {"status", {{"b", 2}}}},
                                                  {}, "status"));
  EXPECT_EQ(applied.at("status"), (json::value{{"a", 1}, {"b", 2}}));
}

ASYNC_TEST_F(ClientTest, ServesAsksOnceForWhatIsThere) {
  EXPECT_THAT(co_await client().Serves(api::kInstallations), IsOkAndHolds(true));
  EXPECT_THAT(co_await client().Serves(api::kTigeraStatuses), IsOkAndHolds(true));
  EXPECT_EQ(server().Count("GET", "/apis/operator.tigera.io/v1"), 1);
}

ASYNC_TEST_F(ClientTest, ServesAsksAgainForWhatIsNotThereYet) {
  server().state().SetServed(api::kInstallations, false);
  EXPECT_THAT(co_await client().Serves(api::kInstallations), IsOkAndHolds(false));
  server().state().SetServed(api::kTigeraStatuses, false);
  EXPECT_THAT(co_await client().Serves(api::kInstallations), IsOkAndHolds(false));
  server().state().SetServed(api::kInstallations, true);
  EXPECT_THAT(co_await client().Serves(api::kInstallations), IsOkAndHolds(true));
}

ASYNC_TEST_F(ClientTest, GetPathReadsTheVersion) {
  CO_ASSERT_OK_AND_ASSIGN(const json::object version, co_await client().GetPath("/version"));
  EXPECT_EQ(TextAt(version, {"major"}), "1");
}

ASYNC_TEST_F(ClientTest, ImpersonationHeadersAreSent) {
  RestConfig config = server().Config();
  config.headers = {{"Impersonate-User", "jane"}, {"Impersonate-Group", "dev"}};
  Client jane(executor(), config, logger(), {.user_agent = "test/1"});
  CO_ASSERT_OK(co_await jane.GetPath("/version"));
  const RecordedRequest& request = server().requests().back();
  EXPECT_EQ(http::FindHeader(request.headers, "Impersonate-User"), "jane");
  EXPECT_EQ(http::FindHeader(request.headers, "Impersonate-Group"), "dev");
  EXPECT_EQ(request.user_agent, "test/1");
}

ASYNC_TEST_F(ClientTest, WarningsAreLoggedOnce) {
  server().SetWarning("v1 Endpoints is deprecated");
  CO_ASSERT_OK(co_await client().GetPath("/version"));
  CO_ASSERT_OK(co_await client().GetPath("/version"));
  EXPECT_THAT(log(), ElementsAre(HasSubstr("v1 Endpoints is deprecated")));
}

}  // namespace
}  // namespace calico::kube
