#include "pkg/kube/testing/api_state.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/base/testing/fake_clock.h"

namespace calico::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ApiStateTest : public testing::Test {
 protected:
  ApiReply Send(std::string method, std::string_view target, json::object body = {},
                std::string content_type = "application/json") {
    ApiRequest request{.method = std::move(method),
                       .content_type = std::move(content_type),
                       .body = body.empty() ? "" : codec::Serialize(body),
                       .user_agent = "test/1 (linux)"};
    EXPECT_TRUE(ParseTarget(target, request)) << target;
    return state_.Handle(request);
  }
  ApiReply Create(std::string_view name) {
    return Send("POST", "/api/v1/namespaces/ns/configmaps", ConfigMap(name));
  }
  ApiState::Watch Open(std::string_view target) {
    ApiRequest request{.method = "GET"};
    EXPECT_TRUE(ParseTarget(target, request));
    ApiState::Watch watch;
    EXPECT_FALSE(state_.OpenWatch(request, watch).has_value());
    return watch;
  }
  // `TYPE name` of each event so far.
  static std::vector<std::string> Events(ApiState::Watch& watch) {
    std::vector<std::string> events;
    for (const std::string& line : watch.Next()) {
      const json::object event = *codec::ParseJsonObject(line);
      events.push_back(std::string(TextAt(event, {"type"})) + " " +
                       std::string(TextAt(event, {"object", "metadata", "name"})));
    }
    return events;
  }
  static json::object ConfigMap(std::string_view name, std::string_view value = "1") {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"labels", {{"value", value}}}}},
            {"data", {{"key", value}}}};
  }
  static json::object DaemonSet(int spec) {
    return {{"apiVersion", "apps/v1"},
            {"kind", "DaemonSet"},
            {"metadata", {{"name", "d"}}},
            {"spec", {{"n", spec}}},
            {"status", {{"s", spec}}}};
  }

  base::FakeClock clock_;
  ApiState state_{clock_};
};

TEST_F(ApiStateTest, CreationSetsMetadata) {
  const ApiReply reply = Create("a");
  ASSERT_EQ(reply.code, 201);
  const json::object& metadata = reply.body.at("metadata").as_object();
  EXPECT_EQ(TextAt(metadata, {"namespace"}), "ns");
  EXPECT_EQ(TextAt(metadata, {"creationTimestamp"}), "2027-01-15T08:00:00Z");
  EXPECT_EQ(TextAt(metadata, {"resourceVersion"}), "2");
  EXPECT_EQ(TextAt(metadata.at("managedFields").at(0).as_object(), {"manager"}), "test");
  EXPECT_FALSE(metadata.contains("generation")) << "a ConfigMap has none";
  EXPECT_EQ(Create("a").code, 409);
}

TEST_F(ApiStateTest, CreationIsChecked) {
  EXPECT_EQ(Create("Bad_Name").code, 422);
  EXPECT_EQ(Create("").code, 422);
  json::object other = ConfigMap("a");
  other["kind"] = "Secret";
  EXPECT_EQ(Send("POST", "/api/v1/namespaces/ns/configmaps", other).code, 400);
  json::object elsewhere = ConfigMap("a");
  elsewhere["metadata"].as_object()["namespace"] = "other";
  EXPECT_EQ(Send("POST", "/api/v1/namespaces/ns/configmaps", elsewhere).code, 400);
  EXPECT_EQ(Send("POST", "/api/v1/configmaps", ConfigMap("a")).code, 404);
  EXPECT_EQ(Send("POST", "/api/v1/namespaces/ns/nothings", ConfigMap("a")).code, 404);
  EXPECT_EQ(Send("POST", "/api/v1/namespaces/ns/configmaps/a", ConfigMap("a")).code, 405);
}

TEST_F(ApiStateTest, NamesAreGenerated) {
  json::object object = ConfigMap("");
  object["metadata"] = {{"generateName", "a-"}};
  EXPECT_EQ(
      TextAt(Send("POST", "/api/v1/namespaces/ns/configmaps", object).body, {"metadata", "name"}),
      "a-00001");
}

TEST_F(ApiStateTest, GenerationCountsChangesOfTheSpec) {
  const std::string_view path = "/apis/apps/v1/namespaces/ns/daemonsets/d";
  const auto generation = [this, path] {
    return Send("GET", path).body.at("metadata").at("generation").to_number<int>();
  };
  const ApiReply created = Send("POST", "/apis/apps/v1/namespaces/ns/daemonsets", DaemonSet(1));
  EXPECT_FALSE(created.body.contains("status")) << "status comes through its subresource only";
  EXPECT_EQ(generation(), 1);
  EXPECT_EQ(Send("PUT", path, DaemonSet(2)).code, 200);
  EXPECT_EQ(generation(), 2);
  EXPECT_FALSE(Send("GET", path).body.contains("status"));
  EXPECT_EQ(Send("PUT", std::string(path) + "/status", DaemonSet(3)).code, 200);
  EXPECT_EQ(generation(), 2);
  const json::object now = Send("GET", path).body;
  EXPECT_EQ(now.at("spec").at("n"), 2);
  EXPECT_EQ(now.at("status").at("s"), 3);
}

TEST_F(ApiStateTest, WritesThatChangeNothingMakeNoVersion) {
  Create("a");
  const int64_t before = state_.revision();
  EXPECT_EQ(Send("PUT", "/api/v1/namespaces/ns/configmaps/a", ConfigMap("a")).code, 200);
  EXPECT_EQ(Send("PATCH", "/api/v1/namespaces/ns/configmaps/a", {{"data", {{"key", "1"}}}},
                 "application/merge-patch+json")
                .code,
            200);
  EXPECT_EQ(state_.revision(), before);
}

TEST_F(ApiStateTest, UpdatesAreChecked) {
  Create("a");
  const char* path = "/api/v1/namespaces/ns/configmaps/a";
  json::object stale = ConfigMap("a", "2");
  stale["metadata"].as_object()["resourceVersion"] = "1";
  EXPECT_EQ(Send("PUT", path, stale).code, 409);
  json::object reborn = ConfigMap("a", "2");
  reborn["metadata"].as_object()["uid"] = "another";
  EXPECT_EQ(Send("PUT", path, reborn).code, 409);
  EXPECT_EQ(Send("PUT", path, ConfigMap("b")).code, 400);
  EXPECT_EQ(Send("PUT", "/api/v1/namespaces/ns/configmaps/none", ConfigMap("none")).code, 404);
  EXPECT_EQ(Send("PATCH", path, {{"metadata", {{"resourceVersion", "1"}}}},
                 "application/merge-patch+json")
                .code,
            409);
  EXPECT_EQ(Send("PATCH", path, {{"a", 1}}, "application/strategic-merge-patch+json").code, 415);
  EXPECT_EQ(Send("PUT", std::string(path) + "/status", ConfigMap("a")).code, 404);
}

TEST_F(ApiStateTest, ApplyIsChecked) {
  const char* path = "/api/v1/namespaces/ns/configmaps/a";
  const std::string type = "application/apply-patch+yaml";
  EXPECT_EQ(Send("PATCH", path, ConfigMap("a"), type).code, 422) << "without a field manager";
  EXPECT_EQ(Send("PATCH", std::string(path) + "?fieldManager=us", ConfigMap("a"), type).code, 201);
  EXPECT_EQ(Send("PATCH", std::string(path) + "?fieldManager=us", ConfigMap("a"), type).code, 200);
  EXPECT_EQ(Send("PATCH", std::string(path) + "?fieldManager=them", ConfigMap("a", "2"), type).code,
            409);
  json::object managed = ConfigMap("a");
  managed["metadata"].as_object()["managedFields"] = json::array();
  EXPECT_EQ(Send("PATCH", std::string(path) + "?fieldManager=us", managed, type).code, 400);
}

TEST_F(ApiStateTest, DryRunStoresNothing) {
  EXPECT_EQ(Send("POST", "/api/v1/namespaces/ns/configmaps?dryRun=All", ConfigMap("a")).code, 201);
  EXPECT_FALSE(state_.Find(api::kConfigMaps, {"ns", "a"}).has_value());
  Create("a");
  Send("DELETE", "/api/v1/namespaces/ns/configmaps/a?dryRun=All");
  Send("PUT", "/api/v1/namespaces/ns/configmaps/a?dryRun=All", ConfigMap("a", "2"));
  EXPECT_EQ(TextAt(*state_.Find(api::kConfigMaps, {"ns", "a"}), {"data", "key"}), "1");
}

TEST_F(ApiStateTest, FinalizersHoldADeletedObject) {
  json::object object = ConfigMap("a");
  object["metadata"].as_object()["finalizers"] = json::array{"example.com/x"};
  Send("POST", "/api/v1/namespaces/ns/configmaps", object);
  EXPECT_EQ(Send("DELETE", "/api/v1/namespaces/ns/configmaps/a").code, 200);
  EXPECT_TRUE(state_.Find(api::kConfigMaps, {"ns", "a"})
                  ->at("metadata")
                  .as_object()
                  .contains("deletionTimestamp"));
  Send("PATCH", "/api/v1/namespaces/ns/configmaps/a", {{"metadata", {{"finalizers", nullptr}}}},
       "application/merge-patch+json");
  EXPECT_FALSE(state_.Find(api::kConfigMaps, {"ns", "a"}).has_value());
}

TEST_F(ApiStateTest, ListsAndContinues) {
  for (const char* name : {"a", "b", "c"}) Create(name);
  ApiReply page = Send("GET", "/api/v1/configmaps?limit=2");
  EXPECT_EQ(TextAt(page.body, {"kind"}), "ConfigMapList");
  EXPECT_THAT(page.body.at("items").as_array(), SizeIs(2));
  EXPECT_FALSE(page.body.at("items").at(0).as_object().contains("kind"));
  const std::string token(TextAt(page.body, {"metadata", "continue"}));
  page = Send("GET", "/api/v1/configmaps?limit=2&continue=" + token);
  EXPECT_THAT(page.body.at("items").as_array(), SizeIs(1));
  EXPECT_EQ(TextAt(page.body, {"metadata", "continue"}), "");
  Create("d");
  state_.Compact();
  EXPECT_EQ(Send("GET", "/api/v1/configmaps?limit=2&continue=" + token).code, 410);
  EXPECT_EQ(Send("GET", "/api/v1/configmaps?limit=2&continue=nonsense").code, 400);
  EXPECT_EQ(Send("GET", "/api/v1/configmaps?fieldSelector=data.x=1").code, 400);
}

TEST_F(ApiStateTest, WatchFollowsSelectorsAndNamespaces) {
  state_.Put({{"apiVersion", "v1"},
              {"kind", "ConfigMap"},
              {"metadata", {{"name", "elsewhere"}, {"namespace", "other"}}}});
  ApiState::Watch all = Open("/api/v1/configmaps?watch=1");
  ApiState::Watch selected =
      Open("/api/v1/namespaces/ns/configmaps?watch=1&labelSelector=value%3D1&resourceVersion=" +
           std::to_string(state_.revision()));
  EXPECT_THAT(Events(all), ElementsAre("ADDED elsewhere"));
  Create("a");
  Send("PUT", "/api/v1/namespaces/ns/configmaps/a", ConfigMap("a", "2"));
  Send("PUT", "/api/v1/namespaces/ns/configmaps/a", ConfigMap("a", "1"));
  Send("DELETE", "/api/v1/namespaces/ns/configmaps/a");
  EXPECT_THAT(Events(all), ElementsAre("ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a"));
  EXPECT_THAT(Events(selected), ElementsAre("ADDED a", "DELETED a", "ADDED a", "DELETED a"));
  EXPECT_THAT(Events(all), IsEmpty());
  EXPECT_THAT(all.Bookmark(),
              HasSubstr("\"resourceVersion\":\"" + std::to_string(state_.revision()) + "\""));
}

TEST_F(ApiStateTest, WatchOfACompactedVersionExpires) {
  Create("a");
  ApiState::Watch behind = Open("/api/v1/configmaps?watch=1&resourceVersion=1");
  ApiState::Watch current =
      Open("/api/v1/configmaps?watch=1&resourceVersion=" + std::to_string(state_.revision()));
  state_.Compact();
  EXPECT_THAT(Events(behind), ElementsAre("ERROR "));
  EXPECT_TRUE(behind.expired());
  EXPECT_THAT(Events(current), IsEmpty());
  EXPECT_FALSE(current.expired());
}

TEST_F(ApiStateTest, DiscoveryShowsWhatIsServed) {
  EXPECT_EQ(Send("GET", "/apis/apps/v1").code, 200);
  EXPECT_EQ(Send("GET", "/apis/example.com/v1").code, 404);
  static constexpr api::Resource kWidgets{"example.com", "v1", "widgets", "Widget"};
  state_.AddResource(kWidgets);
  EXPECT_THAT(codec::Serialize(Send("GET", "/apis/example.com/v1").body),
              HasSubstr("\"name\":\"widgets/status\""));
  state_.SetServed(kWidgets, false);
  EXPECT_EQ(Send("GET", "/apis/example.com/v1").code, 404);
  EXPECT_EQ(Send("GET", "/apis/example.com/v1/widgets").code, 404);
}

TEST(ApiRequestTest, PathsAreTakenApart) {
  const struct {
    const char* target;
    const char* want;  // group/version/namespace/plural/name/subresource
  } kCases[] = {
      {"/api/v1/pods", "/v1//pods//"},
      {"/api/v1/namespaces", "/v1//namespaces//"},
      {"/api/v1/namespaces/a", "/v1//namespaces/a/"},
      {"/api/v1/namespaces/a/status", "/v1//namespaces/a/status"},
      {"/api/v1/namespaces/a/pods", "/v1/a/pods//"},
      {"/api/v1/namespaces/a/pods/b/status", "/v1/a/pods/b/status"},
      {"/apis/certificates.k8s.io/v1/certificatesigningrequests/a%3Ab/approval",
       "certificates.k8s.io/v1//certificatesigningrequests/a:b/approval"},
      {"/version", "/////"},
      {"/apis/apps/v1", "/////"},
  };
  for (const auto& c : kCases) {
    ApiRequest r;
    ASSERT_TRUE(ParseTarget(c.target, r)) << c.target;
    EXPECT_EQ(r.group + "/" + r.version + "/" + r.ns + "/" + r.plural + "/" + r.name + "/" +
                  r.subresource,
              c.want)
        << c.target;
  }
  ApiRequest bad;
  EXPECT_FALSE(ParseTarget("/a%zz", bad));
  EXPECT_FALSE(ParseTarget("/a?b=%2", bad));
  EXPECT_FALSE(ParseTarget("a", bad));
}

}  // namespace
}  // namespace calico::kube
