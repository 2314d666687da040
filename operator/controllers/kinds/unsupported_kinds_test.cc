#include "operator/controllers/kinds/unsupported_kinds.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/kinds/kinds_view.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/event/recorder.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/metrics/registry.h"

namespace calico::kinds {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class UnsupportedKindsTest : public kube::FakeApiServerTest {
 protected:
  void Start() {
    events_ = std::make_unique<kube::EventRecorder>(client(), "test", base::SystemClock(), logger(),
                                                    executor());
    view_ =
        std::make_unique<KindsView>(client(), "v3.33.1", base::SystemClock(), logger(), executor());
    controller_ = std::make_unique<UnsupportedKinds>(executor(), client(), *view_, *events_,
                                                     registry_, base::SystemClock(), logger());
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(view_->Run());
    group_->Spawn(controller_->Run());
  }
  aio::Task<void> Stop() { co_await group_->Stop(); }
  aio::Task<void> Until(const char* what, std::function<bool()> condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), base::IsOk());
    }
    EXPECT_TRUE(condition()) << what;
  }
  void Put(std::string_view kind) {
    server().Put({{"apiVersion", "operator.tigera.io/v1"},
                  {"kind", kind},
                  {"metadata", {{"name", "default"}, {"generation", 3}}}});
  }
  // The condition `type` of TigeraStatus `name`, or an empty object.
  json::object Condition(std::string_view name, std::string_view type) {
    const auto status = server().Find(api::kTigeraStatuses, {"", std::string(name)});
    if (!status.has_value() || !status->contains("status")) return {};
    for (const json::value& condition : status->at("status").at("conditions").as_array()) {
      if (condition.at("type").as_string() == type) return condition.as_object();
    }
    return {};
  }
  bool Has(std::string_view name) {
    return server().Find(api::kTigeraStatuses, {"", std::string(name)}).has_value();
  }
  int Writes() {
    return static_cast<int>(
        std::count_if(server().requests().begin(), server().requests().end(),
                      [](const auto& request) { return request.method != "GET"; }));
  }

  metrics::Registry registry_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<KindsView> view_;
  std::unique_ptr<UnsupportedKinds> controller_;
  std::unique_ptr<aio::TaskGroup> group_;
};

ASYNC_TEST_F(UnsupportedKindsTest, AGoldmaneIsToldToBeKeptAndNotRun) {
  Put("Goldmane");
  Start();
  co_await Until("the status", [&] { return !Condition("goldmane", "Degraded").empty(); });
  const json::object degraded = Condition("goldmane", "Degraded");
  EXPECT_EQ(degraded.at("status"), "True");
  EXPECT_EQ(degraded.at("reason"), "NotApplicable");
  EXPECT_EQ(degraded.at("observedGeneration"), 3);
  EXPECT_THAT(std::string(degraded.at("message").as_string()),
              AllOf(HasSubstr("Goldmane is not run by this version"),
                    HasSubstr("kubectl delete goldmane default"), HasSubstr("do not need it")));
  EXPECT_EQ(Condition("goldmane", "Available").at("status"), "False");
  EXPECT_FALSE(Has("whisker"));
  co_await Until("the mirror", [&] {
    return server().Find(api::kGoldmanes, {"", "default"})->contains("status");
  });
  EXPECT_THAT(registry_.Expose(),
              AllOf(HasSubstr("{component=\"goldmane\",condition=\"degraded\"} 1\n"),
                    HasSubstr("{component=\"goldmane\",condition=\"available\"} 0\n"),
                    Not(HasSubstr("whisker"))));
  co_await Stop();
}

ASYNC_TEST_F(UnsupportedKindsTest, TheStatusBelongsToItsObjectAndGoesWithIt) {
  Put("Whisker");
  Start();
  co_await Until("the status", [&] { return !Condition("whisker", "Degraded").empty(); });
  const json::object owner = server()
                                 .Find(api::kTigeraStatuses, {"", "whisker"})
                                 ->at("metadata")
                                 .at("ownerReferences")
                                 .at(0)
                                 .as_object();
  EXPECT_EQ(owner.at("kind"), "Whisker");
  EXPECT_EQ(owner.at("name"), "default");
  server().state().Remove(api::kWhiskers, {"", "default"});
  co_await Until("no status", [&] { return !Has("whisker"); });
  EXPECT_THAT(registry_.Expose(), Not(HasSubstr("{component=\"whisker\"")));
  co_await Stop();
}

ASYNC_TEST_F(UnsupportedKindsTest, NothingIsWrittenAgain) {
  Put("Goldmane");
  Put("Whisker");
  Start();
  co_await Until("both", [&] {
    return !Condition("goldmane", "Degraded").empty() && !Condition("whisker", "Degraded").empty();
  });
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(500)), base::IsOk());
  const int writes = Writes();
  EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(500)), base::IsOk());
  EXPECT_EQ(Writes(), writes);
  co_await Stop();
}

ASYNC_TEST_F(UnsupportedKindsTest, StatusesOfOtherPartsAreLeftAlone) {
  server().Put({{"apiVersion", "operator.tigera.io/v1"},
                {"kind", "TigeraStatus"},
                {"metadata", {{"name", "log-storage"}}}});
  server().Put({{"apiVersion", "operator.tigera.io/v1"},
                {"kind", "TigeraStatus"},
                {"metadata", {{"name", "goldmane"}}}});
  Start();
  co_await Until("the status of a Goldmane that is not there removed",
                 [&] { return !Has("goldmane"); });
  EXPECT_TRUE(Has("log-storage"));
  co_await Stop();
}

}  // namespace
}  // namespace calico::kinds
