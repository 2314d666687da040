#include "operator/controllers/status/status_writer.h"

#include <memory>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/object_meta.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::status {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const api::ObjectKey kCalico = {"", "calico"};
const api::ObjectKey kDefault = {"", "default"};

Decision Make(bool available, bool progressing, bool degraded, std::string message = "m") {
  Decision decision;
  const auto add = [&](std::string_view type, bool is_true) {
    decision.conditions.push_back({.type = std::string(type),
                                   .status = is_true ? "True" : "False",
                                   .reason = "R",
                                   .message = is_true ? message : "",
                                   .observed_generation = 1});
  };
  add(api::kAvailable, available);
  add(api::kProgressing, progressing);
  add(api::kDegraded, degraded);
  return decision;
}

class StatusWriterTest : public kube::FakeApiServerTest {
 protected:
  StatusWriterTest() {
    server().Put({{"apiVersion", "operator.tigera.io/v1"},
                  {"kind", "Installation"},
                  {"metadata", {{"name", "default"}}},
                  {"spec", {{"mine", "kept"}}},
                  {"status", {{"mtu", 1440}}}});
  }
  void Start() {
    events_ = std::make_unique<kube::EventRecorder>(client(), "test", base::SystemClock(), logger(),
                                                    executor());
    writer_ = std::make_unique<StatusWriter>(
        StatusSubject{.name = "calico", .owner = &api::kInstallations, .owner_name = "default"},
        client(), *events_, clock_);
  }
  // The cache as it is now.
  void Refresh() {
    const auto status = server().Find(api::kTigeraStatuses, kCalico);
    target_.tigera_status =
        status.has_value()
            ? std::make_shared<const api::TigeraStatus>(*api::TigeraStatus::Decode(*status))
            : nullptr;
    const json::object installation = *server().Find(api::kInstallations, kDefault);
    const api::ObjectMeta meta = api::ObjectIdentity::Decode(installation)->meta;
    target_.owner_uid = meta.uid;
    target_.owner_version = meta.resource_version;
    target_.owner_status =
        installation.contains("status") ? installation.at("status").as_object() : json::object();
    target_.when_available = {{"variant", "Calico"}, {"calicoVersion", "v1"}};
  }
  int Writes() {
    int writes = 0;
    for (const kube::RecordedRequest& request : server().requests()) {
      if (request.method != "GET") ++writes;
    }
    return writes;
  }
  aio::Task<std::multiset<std::string>> Events() {
    aio::TaskGroup group(executor());
    group.Spawn(events_->Run());
    for (int i = 0; i < 300 && events_->queued() > 0; ++i) {
      EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(10)), base::IsOk());
    }
    co_await group.Stop();
    std::multiset<std::string> reasons;
    for (const json::object& event : server().state().List(api::kEvents)) {
      reasons.emplace(event.at("reason").as_string());
    }
    co_return reasons;
  }

  base::FakeClock clock_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<StatusWriter> writer_;
  StatusTarget target_;
};

ASYNC_TEST_F(StatusWriterTest, CreatesAndMirrorsThenWritesNothing) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  const json::object status = *server().Find(api::kTigeraStatuses, kCalico);
  EXPECT_EQ(status.at("status").at("conditions").at(0).at("type"), "Available");
  const json::object installation = *server().Find(api::kInstallations, kDefault);
  EXPECT_EQ(installation.at("spec").at("mine"), "kept");
  EXPECT_EQ(installation.at("status").at("mtu"), 1440);
  EXPECT_EQ(installation.at("status").at("calicoVersion"), "v1");
  EXPECT_EQ(installation.at("status").at("conditions").at(0).at("type"), "Ready");

  server().ClearRequests();
  // The cache is behind: nothing is known of what was written.
  CO_ASSERT_OK_AND_ASSIGN(const absl::Time again,
                          co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_EQ(again, clock_.Now() + absl::Seconds(10));
  Refresh();
  CO_ASSERT_OK_AND_ASSIGN(const absl::Time never,
                          co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_EQ(never, absl::InfiniteFuture());
  EXPECT_EQ(Writes(), 0);
}

ASYNC_TEST_F(StatusWriterTest, WhatAMemberOfTheOwnersStatusLacksGoesAndWhatIsNullGoes) {
  Start();
  Refresh();
  target_.when_available = {{"computed", {{"cni", {{"type", "Calico"}}}, {"port", 9091}}},
                            {"imageSet", "calico-v1"}};
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  target_.when_available = {{"computed", {{"cni", {{"type", "Calico"}}}}}, {"imageSet", nullptr}};
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  const json::object status =
      server().Find(api::kInstallations, kDefault)->at("status").as_object();
  EXPECT_EQ(status.at("computed"), json::value({{"cni", {{"type", "Calico"}}}}));
  EXPECT_FALSE(status.contains("imageSet"));
  EXPECT_EQ(status.at("mtu"), 1440);  // of somebody else
  server().ClearRequests();
  Refresh();
  target_.when_available = {{"computed", {{"cni", {{"type", "Calico"}}}}}, {"imageSet", nullptr}};
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_EQ(Writes(), 0);
}

ASYNC_TEST_F(StatusWriterTest, WhatTheApiServerDoesNotKeepIsNotSentAgainAndAgain) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  Refresh();
  // As a definition does that knows no such field.
  const json::object pruned = *server().Find(api::kInstallations, kDefault);
  server().Inject({.method = "PATCH",
                   .path_contains = "/installations/",
                   .raw_body = codec::Serialize(pruned)});
  const auto with_field = [this] {
    target_.when_available["computed"] = json::object{{"unknown", 1}};
    return writer_->Write(target_, Make(true, false, false));
  };
  CO_ASSERT_OK(co_await with_field());
  clock_.Advance(absl::Minutes(1));
  server().ClearRequests();
  Refresh();
  CO_ASSERT_OK(co_await with_field());
  EXPECT_EQ(Writes(), 0);
  // Something else to say is said.
  target_.when_available = {{"variant", "Other"}};
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_EQ(Writes(), 1);
}

ASYNC_TEST_F(StatusWriterTest, ACacheThatIsBehindIsBehindWhateverTheWallClockSays) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  server().ClearRequests();
  for (const absl::Duration step : {absl::Hours(1), -absl::Hours(3)}) {
    clock_.StepWall(step);
    CO_ASSERT_OK_AND_ASSIGN(const absl::Time again,
                            co_await writer_->Write(target_, Make(true, false, false)));
    EXPECT_EQ(again, clock_.Now() + absl::Seconds(10));
  }
  EXPECT_EQ(Writes(), 0);
}

ASYNC_TEST_F(StatusWriterTest, ACacheThatStaysBehindSilencesNothing) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  Refresh();
  const StatusTarget old = target_;
  for (const char* const message : {"first", "second"}) {
    clock_.Advance(absl::Seconds(30));
    CO_ASSERT_OK(co_await writer_->Write(old, Make(false, false, true, message)));
    const json::object status = *server().Find(api::kTigeraStatuses, kCalico);
    EXPECT_EQ(status.at("status").at("conditions").at(2).at("message"), message);
  }
  // What is there already is not written again, however old the cache.
  clock_.Advance(absl::Seconds(30));
  const auto before = server().Find(api::kTigeraStatuses, kCalico);
  CO_ASSERT_OK(co_await writer_->Write(old, Make(false, false, true, "second")));
  EXPECT_EQ(server().Find(api::kTigeraStatuses, kCalico), before);
}

ASYNC_TEST_F(StatusWriterTest, TransitionTimesAndEvents) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, true, false)));
  EXPECT_THAT(co_await Events(), ElementsAre("Progressing"));
  clock_.Advance(absl::Minutes(1));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  clock_.Advance(absl::Minutes(1));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  clock_.Advance(absl::Minutes(1));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  // Available came twice, which is one event with a count.
  EXPECT_THAT(co_await Events(),
              ElementsAre("Available", "Degraded", "NotAvailable", "Progressing", "Recovered"));
  Refresh();
  const api::Condition* const progressing =
      api::FindCondition(target_.tigera_status->conditions, api::kProgressing);
  EXPECT_EQ(progressing->last_transition_time, clock_.Now() - absl::Minutes(2));
  EXPECT_EQ(
      api::FindCondition(target_.tigera_status->conditions, api::kDegraded)->last_transition_time,
      clock_.Now());
}

ASYNC_TEST_F(StatusWriterTest, TheEndOfARolloutIsToldWhenNothingElseChanges) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, true, true)));
  clock_.Advance(absl::Minutes(1));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  EXPECT_THAT(co_await Events(), ElementsAre("Degraded", "NotProgressing", "Progressing"));
}

ASYNC_TEST_F(StatusWriterTest, AStatusDeletedByHandGoesOnWhereItWas) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  const absl::Time since = clock_.Now();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  clock_.Advance(absl::Minutes(1));
  server().state().Remove(api::kTigeraStatuses, kCalico);
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  Refresh();
  CO_ASSERT_TRUE(target_.tigera_status != nullptr);
  CO_ASSERT_TRUE(target_.tigera_status->conditions.size() == 3U);
  for (const api::Condition& condition : target_.tigera_status->conditions) {
    EXPECT_EQ(condition.last_transition_time, since) << condition.type;
  }
  EXPECT_THAT(co_await Events(), ElementsAre("Available"));
  for (const json::object& event : server().state().List(api::kEvents)) {
    EXPECT_EQ(event.at("count"), 1);
  }
}

ASYNC_TEST_F(StatusWriterTest, MessagesAloneAreWrittenOnceASecond) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, true, false, "1 of 100")));
  Refresh();
  server().ClearRequests();
  clock_.Advance(absl::Milliseconds(300));
  CO_ASSERT_OK_AND_ASSIGN(const absl::Time again,
                          co_await writer_->Write(target_, Make(false, true, false, "2 of 100")));
  EXPECT_EQ(again, clock_.Now() + absl::Milliseconds(700));
  EXPECT_EQ(Writes(), 0);
  // A transition does not wait.
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  EXPECT_GT(Writes(), 0);
  Refresh();
  clock_.Advance(absl::Seconds(1));
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true, "other")));
  Refresh();
  EXPECT_EQ(api::FindCondition(target_.tigera_status->conditions, api::kDegraded)->message,
            "other");
}

ASYNC_TEST_F(StatusWriterTest, AnotherOnesStatusIsTakenOver) {
  Start();
  server().Put({{"apiVersion", "operator.tigera.io/v1"},
                {"kind", "TigeraStatus"},
                {"metadata", {{"name", "calico"}}},
                {"status",
                 {{"conditions",
                   {{{"type", "Available"},
                     {"status", "True"},
                     {"lastTransitionTime", "2026-11-22T19:52:37Z"}}}}}}});
  target_.tigera_status = nullptr;  // the cache has not seen it
  target_.owner_version = "old";
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, true, false)));
  Refresh();
  EXPECT_EQ(target_.tigera_status->conditions.size(), 3U);
}

// A printer column takes the first condition that is True.
ASYNC_TEST_F(StatusWriterTest, AnotherOrderOfConditionsIsWrittenAnew) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  clock_.Advance(absl::Minutes(1));
  Refresh();
  Decision decision = Make(true, false, false);
  std::reverse(decision.conditions.begin(), decision.conditions.end());
  server().ClearRequests();
  CO_ASSERT_OK(co_await writer_->Write(target_, decision));
  EXPECT_GT(Writes(), 0);
  Refresh();
  EXPECT_EQ(target_.tigera_status->conditions.back().type, api::kAvailable);
  server().ClearRequests();
  clock_.Advance(absl::Minutes(1));
  CO_ASSERT_OK(co_await writer_->Write(target_, decision));
  EXPECT_EQ(Writes(), 0);
}

ASYNC_TEST_F(StatusWriterTest, RemovesAndForgets) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Remove(target_.tigera_status));
  EXPECT_FALSE(server().Find(api::kTigeraStatuses, kCalico).has_value());
  CO_ASSERT_OK(co_await writer_->Remove(target_.tigera_status));
  CO_ASSERT_OK(co_await writer_->Remove(nullptr));
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_TRUE(server().Find(api::kTigeraStatuses, kCalico).has_value());
}

ASYNC_TEST_F(StatusWriterTest, ErrorsAreReturned) {
  Start();
  Refresh();
  server().Inject({.method = "PUT", .path_contains = "tigerastatuses", .times = 2, .status = 409});
  EXPECT_THAT(co_await writer_->Write(target_, Make(true, false, false)),
              base::StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(co_await Events(), IsEmpty());
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
}

ASYNC_TEST_F(StatusWriterTest, TheStatusIsADependentOfItsInstallation) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  const auto owner = [&] {
    const json::value status = *server().Find(api::kTigeraStatuses, kCalico);
    return std::string(
        status.at("metadata").at("ownerReferences").at(0).at("uid").as_string().c_str());
  };
  EXPECT_EQ(owner(), target_.owner_uid);
  // One that an earlier version has made.
  json::object status = *server().Find(api::kTigeraStatuses, kCalico);
  status["metadata"].as_object().erase("ownerReferences");
  server().Put(status);
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_EQ(owner(), target_.owner_uid);
  server().ClearRequests();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_EQ(Writes(), 0);
}

ASYNC_TEST_F(StatusWriterTest, WhatCannotBeReadIsWrittenAllTheSame) {
  Start();
  Refresh();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  Start();
  Refresh();
  target_.tigera_status = nullptr;
  target_.is_status_known = false;
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  const auto available = [&] {
    const json::value status = *server().Find(api::kTigeraStatuses, kCalico);
    return std::string(status.at("status").at("conditions").at(0).at("status").as_string().c_str());
  };
  EXPECT_EQ(available(), "False");
  // Also when there is none.
  server().state().Remove(api::kTigeraStatuses, kCalico);
  Start();
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  EXPECT_EQ(available(), "False");
}

ASYNC_TEST_F(StatusWriterTest, WhatCannotBeReadIsWrittenOnce) {
  Start();
  Refresh();
  target_.tigera_status = nullptr;
  target_.is_status_known = false;
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  Refresh();
  target_.tigera_status = nullptr;
  server().ClearRequests();
  clock_.Advance(absl::Seconds(12));
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  EXPECT_EQ(Writes(), 0);
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(true, false, false)));
  EXPECT_GT(Writes(), 0);
}

ASYNC_TEST_F(StatusWriterTest, AnInstallationThatIsNotToBeWrittenIsLeftAlone) {
  Start();
  Refresh();
  const json::object before = *server().Find(api::kInstallations, kDefault);
  target_.may_write_owner = false;
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  EXPECT_TRUE(server().Find(api::kTigeraStatuses, kCalico).has_value());
  EXPECT_EQ(*server().Find(api::kInstallations, kDefault), before);
}

ASYNC_TEST_F(StatusWriterTest, OneOfAPartLeavesTheOwnersStatusAlone) {
  Start();
  Refresh();
  target_.tigera_status = nullptr;
  StatusWriter pools({.name = "ippools",
                      .owner = &api::kInstallations,
                      .owner_name = "default",
                      .is_mirrored = false},
                     client(), *events_, clock_);
  EXPECT_TRUE((co_await pools.Write(target_, Make(true, false, false))).ok());
  const auto status = server().Find(api::kTigeraStatuses, {"", "ippools"});
  CO_ASSERT_TRUE(status.has_value());
  EXPECT_EQ(api::TigeraStatus::Decode(*status)->meta.owner_references.at(0).uid, target_.owner_uid);
  EXPECT_FALSE(server().Find(api::kTigeraStatuses, kCalico).has_value());
  const json::object installation = *server().Find(api::kInstallations, kDefault);
  EXPECT_FALSE(installation.at("status").as_object().contains("conditions"));
}

ASYNC_TEST_F(StatusWriterTest, WithoutAnInstallationItAndEventsAreLeftAlone) {
  Start();
  Refresh();
  const json::object before = *server().Find(api::kInstallations, kDefault);
  target_.owner_uid = "";
  CO_ASSERT_OK(co_await writer_->Write(target_, Make(false, false, true)));
  EXPECT_TRUE(server().Find(api::kTigeraStatuses, kCalico).has_value());
  EXPECT_EQ(*server().Find(api::kInstallations, kDefault), before);
  EXPECT_TRUE((co_await Events()).empty());
}

// The Installation and its Events say it when TigeraStatus may not be written.
ASYNC_TEST_F(StatusWriterTest, ARefusedStatusIsStillToldByTheInstallation) {
  Start();
  Refresh();
  server().Inject({.method = "POST", .path_contains = "tigerastatuses", .status = 403});
  EXPECT_FALSE((co_await writer_->Write(target_, Make(false, false, true))).ok());
  const json::value installation = *server().Find(api::kInstallations, kDefault);
  EXPECT_EQ(installation.at("status").at("conditions").at(2).at("status"), "True");
  EXPECT_EQ((co_await Events()).count("Degraded"), 1U);
}

}  // namespace
}  // namespace calico::status
