// The client against a real kube-apiserver: what the fake cannot vouch for.
//
//   tools/cluster up --control-plane-only --name kube
//   bazel build //pkg/kube/client:real_server_test
//   KUBECONFIG=$(tools/cluster kubeconfig --name kube) bazel-bin/pkg/kube/client/real_server_test
//
// Without KUBECONFIG every test is skipped. It makes and removes objects named `client-test-*` in
// the namespace default.

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/kube/testing/selectors.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/key.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string NameOf(const json::object& object) {
  return std::string(TextAt(object, {"metadata", "name"}));
}

json::object ConfigMap(std::string_view name, std::string_view value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           {{"name", fmt::format("client-test-{}", name)},
            {"namespace", "default"},
            {"labels", {{"client-test", "yes"}}}}},
          {"data", {{"key", value}}}};
}

api::ObjectKey Key(std::string_view name) {
  return {"default", fmt::format("client-test-{}", name)};
}

class RealServerTest : public testing::Test {
 public:
  void RunTest(aio::Task<void> body) {
    if (std::getenv("KUBECONFIG") == nullptr) GTEST_SKIP() << "KUBECONFIG is not set";
    auto config = LoadRestConfig({}, ProcessEnvironment(), base::SystemClock(), logger_);
    ASSERT_THAT(config, IsOk());
    client_ = std::make_unique<Client>(loop_.executor(), *config, logger_,
                                       ClientOptions{.user_agent = "client-test/1"});
    loop_.Run(CleanAround(std::move(body)));
  }
  Client& client() { return *client_; }
  aio::Executor executor() const { return loop_.executor(); }

 protected:
  aio::Task<void> CleanAround(aio::Task<void> body) {
    co_await Clean();
    co_await std::move(body);
    co_await Clean();
  }
  aio::Task<void> Clean() {
    for (const api::Resource* resource :
         {&api::kConfigMaps, &api::kLeases, &api::kCertificateSigningRequests}) {
      std::vector<api::ObjectKey> keys;
      CO_ASSERT_OK(co_await client().List(
          *resource, {.ns = resource->namespaced ? "default" : ""}, [&keys](json::object object) {
            if (NameOf(object).starts_with("client-test-")) {
              keys.push_back(
                  {std::string(TextAt(object, {"metadata", "namespace"})), NameOf(object)});
            }
            return absl::OkStatus();
          }));
      for (const api::ObjectKey& key : keys) {
        const absl::Status status = co_await client().Delete(*resource, key);
        if (!absl::IsNotFound(status)) EXPECT_THAT(status, IsOk());
      }
    }
  }
  aio::Task<void> WatchInto(absl::Status* status, WatchOptions options,
                            std::vector<std::string>* events) {
    *status =
        co_await client().Watch(api::kConfigMaps, std::move(options), [events](WatchEvent event) {
          constexpr const char* kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
          events->push_back(
              fmt::format("{} {}", kTypes[static_cast<int>(event.type)], NameOf(event.object)));
          return absl::OkStatus();
        });
  }

 private:
  aio::EventLoop loop_;
  base::Logger logger_;
  std::unique_ptr<Client> client_;
};

ASYNC_TEST_F(RealServerTest, Discovery) {
  CO_ASSERT_OK_AND_ASSIGN(const json::object version, co_await client().GetPath("/version"));
  EXPECT_EQ(TextAt(version, {"major"}), "1");
  static constexpr api::Resource kUnknownKind{"apps", "v1", "nothings", "Nothing"};
  static constexpr api::Resource kUnknownGroup{"example.com", "v1", "nothings", "Nothing"};
  EXPECT_THAT(co_await client().Serves(api::kConfigMaps), IsOkAndHolds(true));
  EXPECT_THAT(co_await client().Serves(api::kDaemonSets), IsOkAndHolds(true));
  EXPECT_THAT(co_await client().Serves(kUnknownKind), IsOkAndHolds(false));
  EXPECT_THAT(co_await client().Serves(kUnknownGroup), IsOkAndHolds(false));
}

ASYNC_TEST_F(RealServerTest, CreateGetUpdatePatchDelete) {
  CO_ASSERT_OK_AND_ASSIGN(json::object created,
                          co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")));
  EXPECT_THAT(co_await client().Create(api::kConfigMaps, ConfigMap("a", "1")),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("create ConfigMap default/client-test-a: ")));
  CO_ASSERT_OK_AND_ASSIGN(const json::object got,
                          co_await client().Get(api::kConfigMaps, Key("a")));
  EXPECT_EQ(got, created);
  EXPECT_EQ(TextAt(got.at("metadata").as_object().at("managedFields").as_array()[0].as_object(),
                   {"manager"}),
            "client-test");

  json::object stale = created;
  created["data"].as_object()["key"] = "2";
  CO_ASSERT_OK(co_await client().Update(api::kConfigMaps, created));
  EXPECT_THAT(co_await client().Update(api::kConfigMaps, stale),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("the object has been modified")));
  CO_ASSERT_OK_AND_ASSIGN(const json::object patched,
                          co_await client().Patch(api::kConfigMaps, Key("a"),
                                                  {{"data", {{"key", nullptr}, {"b", "3"}}}}));
  EXPECT_EQ(patched.at("data"), (json::value{{"b", "3"}}));

  const absl::Status precondition =
      co_await client().Delete(api::kConfigMaps, Key("a"), {.uid = "another"});
  EXPECT_THAT(precondition, StatusIs(absl::StatusCode::kAborted, HasSubstr("UID")));
  EXPECT_THAT(
      co_await client().Delete(
          api::kConfigMaps, Key("a"),
          {.uid = std::string(TextAt(patched, {"metadata", "uid"})),
           .resource_version = std::string(TextAt(patched, {"metadata", "resourceVersion"}))}),
      IsOk());
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, Key("a")),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(co_await client().Delete(api::kConfigMaps, Key("a")),
              StatusIs(absl::StatusCode::kNotFound));
}

ASYNC_TEST_F(RealServerTest, Apply) {
  json::object object = ConfigMap("a", "1");
  object["data"].as_object()["second"] = "2";
  CO_ASSERT_OK_AND_ASSIGN(const json::object dry,
                          co_await client().Apply(api::kConfigMaps, object, {.dry_run = true}));
  EXPECT_EQ(NameOf(dry), "client-test-a");
  EXPECT_THAT(co_await client().Get(api::kConfigMaps, Key("a")),
              StatusIs(absl::StatusCode::kNotFound));

  CO_ASSERT_OK(co_await client().Apply(api::kConfigMaps, object));
  object["data"].as_object().erase("second");
  CO_ASSERT_OK_AND_ASSIGN(const json::object second,
                          co_await client().Apply(api::kConfigMaps, object));
  EXPECT_EQ(second.at("data"), (json::value{{"key", "1"}}));
  CO_ASSERT_OK_AND_ASSIGN(const json::object third,
                          co_await client().Apply(api::kConfigMaps, object));
  EXPECT_EQ(TextAt(third, {"metadata", "resourceVersion"}),
            TextAt(second, {"metadata", "resourceVersion"}));

  object["data"].as_object()["key"] = "other";
  const auto conflict =
      co_await client().Apply(api::kConfigMaps, object, {.field_manager = "somebody"});
  EXPECT_THAT(conflict,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("conflict with \"calico-operator\"")));
  EXPECT_THAT(std::string(conflict.status().message()), HasSubstr(".data.key"));
  EXPECT_EQ(FindApiError(conflict.status())->causes.at(0).reason, "FieldManagerConflict");
  CO_ASSERT_OK_AND_ASSIGN(const json::object forced,
                          co_await client().Apply(api::kConfigMaps, object,
                                                  {.field_manager = "somebody", .force = true}));
  EXPECT_EQ(TextAt(forced, {"data", "key"}), "other");
}

ASYNC_TEST_F(RealServerTest, InvalidObjectsHaveCauses) {
  json::object bad = ConfigMap("Bad_Name", "1");
  const auto result = co_await client().Create(api::kConfigMaps, bad);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(StatusReason(result.status()), "Invalid");
  EXPECT_EQ(FindApiError(result.status())->causes.at(0).field, "metadata.name");
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {.field_selector = "data.key=1"},
                                     [](json::object) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kInvalidArgument));
  static constexpr api::Resource kUnknown{"example.com", "v1", "nothings", "Nothing"};
  EXPECT_THAT(co_await client().Get(kUnknown, Key("a")), StatusIs(absl::StatusCode::kNotFound));
}

ASYNC_TEST_F(RealServerTest, ListsInPages) {
  for (int i = 0; i < 10; ++i) {
    CO_ASSERT_OK(co_await client().Create(api::kConfigMaps, ConfigMap(fmt::format("{}", i), "1")));
  }
  std::vector<std::string> names;
  const ObjectSink sink = [&names](json::object object) {
    names.push_back(NameOf(object));
    EXPECT_EQ(TextAt(object, {"kind"}), "ConfigMap");
    EXPECT_EQ(TextAt(object, {"apiVersion"}), "v1");
    return absl::OkStatus();
  };
  CO_ASSERT_OK_AND_ASSIGN(
      const std::string version,
      co_await client().List(api::kConfigMaps,
                             {.ns = "default", .label_selector = "client-test=yes", .page_size = 3},
                             sink));
  EXPECT_THAT(names, SizeIs(10));
  EXPECT_FALSE(version.empty());
  names.clear();
  CO_ASSERT_OK(co_await client().List(
      api::kConfigMaps, {.ns = "default", .field_selector = "metadata.name=client-test-3"}, sink));
  EXPECT_THAT(names, ElementsAre("client-test-3"));
}

ASYNC_TEST_F(RealServerTest, WatchDeliversEventsAndABookmarkAtItsEnd) {
  const ObjectSink ignore = [](json::object) { return absl::OkStatus(); };
  CO_ASSERT_OK_AND_ASSIGN(const std::string version,
                          co_await client().List(api::kConfigMaps, {.ns = "default"}, ignore));
  absl::Status status = absl::UnknownError("still running");
  std::vector<std::string> events;
  aio::TaskGroup group(executor());
  group.Spawn(WatchInto(&status,
                        {.ns = "default",
                         .label_selector = "client-test=yes",
                         .resource_version = version,
                         .duration = absl::Seconds(5)},
                        &events));
  CO_ASSERT_OK_AND_ASSIGN(json::object object,
                          co_await client().Create(api::kConfigMaps, ConfigMap("w", "1")));
  CO_ASSERT_OK(co_await client().Patch(api::kConfigMaps, Key("w"), {{"data", {{"key", "2"}}}}));
  CO_ASSERT_OK(co_await client().Delete(api::kConfigMaps, Key("w")));
  co_await group.Join();
  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(events, testing::IsSupersetOf({"ADDED client-test-w", "MODIFIED client-test-w",
                                             "DELETED client-test-w"}));
  EXPECT_THAT(events, Contains("BOOKMARK "));
}

ASYNC_TEST_F(RealServerTest, WatchFromThePastEnds) {
  const EventSink ignore = [](WatchEvent) { return absl::OkStatus(); };
  const absl::Status past = co_await client().Watch(
      api::kConfigMaps, {.ns = "default", .resource_version = "1", .duration = absl::Seconds(2)},
      ignore);
  // A young server still has version 1 in its cache.
  EXPECT_TRUE(past.ok() || absl::IsOutOfRange(past)) << past;
}

ASYNC_TEST_F(RealServerTest, Leases) {
  json::object lease{{"apiVersion", "coordination.k8s.io/v1"},
                     {"kind", "Lease"},
                     {"metadata", {{"name", "client-test-l"}, {"namespace", "default"}}},
                     {"spec", {{"holderIdentity", "a"}, {"leaseDurationSeconds", 15}}}};
  CO_ASSERT_OK_AND_ASSIGN(lease, co_await client().Create(api::kLeases, lease));
  lease["spec"].as_object()["holderIdentity"] = "b";
  CO_ASSERT_OK_AND_ASSIGN(lease, co_await client().Update(api::kLeases, lease));
  EXPECT_EQ(TextAt(lease, {"spec", "holderIdentity"}), "b");
}

ASYNC_TEST_F(RealServerTest, SigningRequestIsApprovedAndIssuedOnce) {
  const pki::TestCa ca("client-test-ca", absl::Now());
  CO_ASSERT_OK_AND_ASSIGN(const pki::PrivateKey key,
                          pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256));
  CO_ASSERT_OK_AND_ASSIGN(const std::string request_pem,
                          pki::CreateCertificateRequest(key, {.common_name = "client-test"}));
  json::object csr{{"apiVersion", "certificates.k8s.io/v1"},
                   {"kind", "CertificateSigningRequest"},
                   {"metadata", {{"name", "client-test-ns:pod-5ckvq:9a3a10"}}},
                   {"spec",
                    {{"request", base::Base64Encode(request_pem)},
                     {"signerName", "example.com/client-test"},
                     {"usages", {"digital signature", "server auth", "client auth"}}}}};
  CO_ASSERT_OK_AND_ASSIGN(csr, co_await client().Create(api::kCertificateSigningRequests, csr));
  EXPECT_NE(TextAt(csr, {"spec", "username"}), "");

  csr["status"] = {
      {"conditions",
       {{{"type", "Approved"}, {"status", "True"}, {"reason", "Test"}, {"message", "test"}}}}};
  EXPECT_THAT(co_await client().Update(api::kCertificateSigningRequests, csr, "status"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("updates may not add a condition of type \"Approved\"")));
  CO_ASSERT_OK_AND_ASSIGN(
      csr, co_await client().Update(api::kCertificateSigningRequests, csr, "approval"));

  const pki::TestLeaf leaf = ca.Leaf({.common_name = "client-test"});
  csr["status"].as_object()["certificate"] = base::Base64Encode(leaf.certificate_pem);
  CO_ASSERT_OK_AND_ASSIGN(
      csr, co_await client().Update(api::kCertificateSigningRequests, csr, "status"));
  const pki::TestLeaf other = ca.Leaf({.common_name = "client-test"});
  csr["status"].as_object()["certificate"] = base::Base64Encode(other.certificate_pem);
  EXPECT_THAT(co_await client().Update(api::kCertificateSigningRequests, csr, "status"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("updates may not modify existing certificate content")));

  std::vector<std::string> names;
  CO_ASSERT_OK(co_await client().List(api::kCertificateSigningRequests,
                                      {.field_selector = "spec.signerName=example.com/client-test"},
                                      [&names](json::object object) {
                                        names.push_back(NameOf(object));
                                        return absl::OkStatus();
                                      }));
  EXPECT_THAT(names, ElementsAre("client-test-ns:pod-5ckvq:9a3a10"));
  CO_ASSERT_OK(co_await client().Delete(api::kCertificateSigningRequests, {"", names[0]},
                                        {.uid = std::string(TextAt(csr, {"metadata", "uid"}))}));
}

}  // namespace
}  // namespace calico::kube
