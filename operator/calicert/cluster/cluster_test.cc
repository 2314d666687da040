#include "operator/calicert/cluster/cluster.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/cluster/cluster_flags.h"
#include "operator/calicert/cluster/testing/cluster_program.h"
#include "operator/calicert/cluster/testing/cluster_test.h"
#include "operator/calicert/command/testing/run.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert {
namespace {

using ::calico::base::IsOk;
using ::calico::base::IsOkAndHolds;
using ::calico::base::StatusIs;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string NoEnvironment(const std::string&) { return ""; }

struct Parsed {
  ClusterFlags flags;
  config::ParsedFlags result;
};

std::unique_ptr<Parsed> Parse(std::vector<const char*> words) {
  auto parsed = std::make_unique<Parsed>();
  words.insert(words.begin(), "calicert");
  config::Flags flags("calicert", "x");
  AddClusterFlags(flags, &parsed->flags);
  parsed->result = flags.Parse(static_cast<int>(words.size()), words.data(), NoEnvironment);
  return parsed;
}

TEST(ClusterFlagsTest, TakesKubectlsFlags) {
  const auto parsed =
      Parse({"-n", "shop", "--context=c", "--cluster", "d", "--user", "e", "-s", "https://f",
             "--token", "t", "--as", "jane", "--as-group", "dev", "--request-timeout", "5"});
  ASSERT_FALSE(parsed->result.exit_code.has_value()) << parsed->result.text;
  EXPECT_EQ(parsed->flags.load.context, "c");
  const kube::KubeconfigOverrides& overrides = parsed->flags.overrides;
  EXPECT_EQ(overrides.ns, "shop");
  EXPECT_EQ(overrides.cluster, "d");
  EXPECT_EQ(overrides.user, "e");
  EXPECT_EQ(overrides.server, "https://f");
  EXPECT_EQ(overrides.token.view(), "t");
  EXPECT_EQ(overrides.as, "jane");
  EXPECT_EQ(parsed->flags.request_timeout, absl::Seconds(5));
}

TEST(ClusterFlagsTest, SaysPlainlyWhatIsNotSupported) {
  const auto parsed = Parse({"--password", "secret"});
  EXPECT_EQ(parsed->result.exit_code, 2);
  EXPECT_THAT(parsed->result.text, HasSubstr("--password is not supported: write username"));
  EXPECT_THAT(parsed->result.text, testing::Not(HasSubstr("secret")));
}

TEST(ClusterFlagsTest, ReadsTimeouts) {
  EXPECT_THAT(ParseRequestTimeout("30"), IsOkAndHolds(absl::Seconds(30)));
  EXPECT_THAT(ParseRequestTimeout("1m30s"), IsOkAndHolds(absl::Seconds(90)));
  EXPECT_THAT(ParseRequestTimeout("0"), IsOkAndHolds(absl::Hours(24)));
  EXPECT_THAT(ParseRequestTimeout("-1s"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseRequestTimeout("soon"), StatusIs(absl::StatusCode::kInvalidArgument));
}

ASYNC_TEST_F(ClusterTest, ChangesAgainAfterAConflict) {
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", json::object{{"name", "a"}, {"namespace", "default"}}},
                {"data", json::object{{"n", "0"}}}});
  int calls = 0;
  const ObjectChange change = [&](json::object& object) -> absl::StatusOr<bool> {
    if (++calls == 1) server().Put(object);  // somebody else was faster
    object["data"] = json::object{{"n", "1"}};
    return true;
  };
  CO_ASSERT_OK(co_await ChangeObject(cluster(), api::kConfigMaps, {"default", "a"}, "", change));
  EXPECT_EQ(calls, 2);
  const auto stored = server().Find(api::kConfigMaps, {"default", "a"});
  EXPECT_EQ(codec::TextAt(stored->at("data").as_object(), "n"), "1");
}

TEST(FieldSelectorTest, NamesMayHoldWhatSelectorsAreMadeOf) {
  EXPECT_EQ(FieldSelector("metadata.name", "calico-system:node-a:123456"),
            "metadata.name=calico-system:node-a:123456");
  EXPECT_EQ(FieldSelector("metadata.name", "a,b=c\\d"), "metadata.name=a\\,b\\=c\\\\d");
}

// A kubeconfig that leads to a port where nobody listens.
class NobodyThereTest : public ClusterProgramTest {
 protected:
  RunResult Try(bool patient) {
    const std::string nobody = Write("nobody", R"({"apiVersion": "v1", "kind": "Config",
      "current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
      "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
      "users": [{"name": "a", "user": {}}]})");
    const auto declare = [patient](config::Flags& flags) -> calicert::Run {
      const auto options = std::make_shared<ClusterFlags>();
      AddClusterFlags(flags, options.get());
      return [options, patient](Terminal& terminal) {
        return RunInCluster(*options, terminal, [patient](Cluster& cluster) {
          cluster.is_patient = patient;
          return Get(cluster);
        });
      };
    };
    return RunWords({{.path = "get", .summary = "x", .declare = declare}},
                    {"get", "--kubeconfig", nobody, "--request-timeout", patient ? "1s" : "5m"});
  }

 private:
  static aio::Task<absl::StatusOr<int>> Get(Cluster& cluster) {
    const auto object = co_await cluster.client.Get(api::kConfigMaps, {"a", "b"}, cluster.timeout);
    co_return object.status();
  }
};

TEST_F(NobodyThereTest, EndsAtOnceWithTheNextStep) {
  const RunResult result = Try(false);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(
      result.err,
      EndsWith(
          "error: the API server cannot be reached (http://127.0.0.1:1): 127.0.0.1:1: connect "
          "127.0.0.1:1: connect: connection refused; check that kube-apiserver runs there, and "
          "that address and port are right\n"));
}

TEST_F(NobodyThereTest, WhoWaitsIsToldAndGoesOn) {
  const RunResult result = Try(true);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("\nthe API server cannot be reached ("),
                                HasSubstr("\nerror: get ConfigMap a/b: ")));
}

ASYNC_TEST_F(ClusterTest, AKindThatIsNotThereIsNoObjectThatIsNotThere) {
  server().Inject({.status = 404, .raw_body = "404 page not found\n"});
  const auto object =
      co_await cluster().client.Get(api::kInstallations, {"", "default"}, cluster().timeout);
  EXPECT_THAT(ErrorText(object.status()),
              HasSubstr("this cluster does not know the kind: its CustomResourceDefinition"));
}

ASYNC_TEST_F(ClusterTest, NamesTheServersReason) {
  const auto object = co_await cluster().client.Get(api::kConfigMaps, {"default", "none"});
  EXPECT_THAT(ErrorText(object.status()), StartsWith("Error from server (NotFound): "));
  EXPECT_EQ(ErrorText(absl::InternalError("broken")), "broken");
}

}  // namespace
}  // namespace calico::calicert
