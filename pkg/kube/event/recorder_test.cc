#include "pkg/kube/event/recorder.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/codec/json.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::kube {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const EventSubject kInstallation{&api::kInstallations, {"", "default"}, "uid-1", "7"};
const EventSubject kPod{&api::kPods, {"ns", "a"}, "uid-2", ""};

class EventRecorderTest : public FakeApiServerTest {
 public:
  void Start(EventRecorderOptions options = {.retry_interval = absl::Milliseconds(5)}) {
    recorder_ = std::make_unique<EventRecorder>(client(), "test-component", clock_, logger(),
                                                executor(), options);
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(recorder_->Run());
  }
  aio::Task<void> Stop() {
    co_await group_->Stop();
    recorder_.reset();
  }
  void Record(std::string_view message, const EventSubject& subject = kPod) {
    recorder_->Record(subject, EventType::kWarning, "Failed", message);
  }
  std::vector<json::object> Events() { return server().state().List(api::kEvents); }
  aio::Task<bool> HasWritten(int requests) {
    return aio::Eventually([this, requests] {
      return server().Count("POST") + server().Count("PATCH") >= requests &&
             recorder_->queued() == 0;
    });
  }
  static std::string Text(const json::object& object, std::string_view key) {
    return std::string(codec::View(object.at(key).get_string()));
  }

  base::FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  std::unique_ptr<EventRecorder> recorder_;
  std::unique_ptr<aio::TaskGroup> group_;
};

ASYNC_TEST_F(EventRecorderTest, WritesWhatKubectlShows) {
  Start();
  Record("it broke", {&api::kPods, {"ns", "a"}, "uid-2", "7"});
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  const json::object event = Events()[0];
  EXPECT_EQ(Text(event, "type"), "Warning");
  EXPECT_EQ(Text(event, "reason"), "Failed");
  EXPECT_EQ(Text(event, "message"), "it broke");
  EXPECT_EQ(event.at("count"), json::value(1));
  EXPECT_EQ(Text(event, "firstTimestamp"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(Text(event, "lastTimestamp"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(Text(event.at("source").get_object(), "component"), "test-component");
  EXPECT_EQ(Text(event, "reportingComponent"), "test-component");
  EXPECT_EQ(event.at("involvedObject"), json::value({{"apiVersion", "v1"},
                                                     {"kind", "Pod"},
                                                     {"name", "a"},
                                                     {"namespace", "ns"},
                                                     {"uid", "uid-2"},
                                                     {"resourceVersion", "7"}}));
  const json::object& metadata = event.at("metadata").get_object();
  EXPECT_EQ(Text(metadata, "namespace"), "ns");
  EXPECT_THAT(Text(metadata, "name"), StartsWith("a."));
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, ClusterScopedSubjectsHaveTheirEventsInDefault) {
  Start();
  recorder_->Record(kInstallation, EventType::kNormal, "Available", "all is well");
  recorder_->Record({&api::kCertificateSigningRequests, {"", "ns:pod:abc123"}, "", ""},
                    EventType::kNormal, "Signed", "signed");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 2; }));
  for (const json::object& event : Events()) {
    EXPECT_EQ(Text(event.at("metadata").get_object(), "namespace"), "default");
    EXPECT_FALSE(event.at("involvedObject").get_object().contains("namespace"));
    EXPECT_EQ(Text(event.at("metadata").get_object(), "name").find(':'), std::string::npos);
  }
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, ARepeatedEventRaisesTheCountOfTheFirst) {
  Start();
  Record("again");
  CO_ASSERT_TRUE(co_await HasWritten(1));
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  clock_.Advance(absl::Minutes(1));
  Record("again");
  CO_ASSERT_TRUE(
      co_await aio::Eventually([&] { return Events()[0].at("count") == json::value(2); }));
  EXPECT_EQ(Events().size(), 1u);
  EXPECT_EQ(Text(Events()[0], "firstTimestamp"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(Text(Events()[0], "lastTimestamp"), "2027-01-15T08:01:00Z");
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, WhatWaitsInTheQueueIsWrittenOnce) {
  Start();
  for (int i = 0; i < 20; ++i) Record("again");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  EXPECT_EQ(Events()[0].at("count"), json::value(20));
  EXPECT_EQ(server().Count("POST"), 1);
  EXPECT_EQ(server().Count("PATCH"), 0);
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, AnEventThatTheServerHasForgottenIsMadeAgain) {
  Start();
  Record("again");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  const std::string name = Text(Events()[0].at("metadata").get_object(), "name");
  server().state().Remove(api::kEvents, {"ns", name});
  Record("again");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  EXPECT_EQ(Events()[0].at("count"), json::value(2));
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, AnOutageIsWaitedFor) {
  server().Inject({.method = "POST", .times = 5, .status = 500});
  Start();
  Record("it broke");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  EXPECT_EQ(server().Count("POST"), 6);
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, ALostAnswerIsNoSecondEvent) {
  server().Inject({.method = "POST", .act_then_close = true});
  Start();
  Record("it broke");
  Record("next");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 2; }));
  EXPECT_TRUE(log().empty());
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, AfterItsLastTryAnEventIsDroppedAndTheNextOneWritten) {
  server().Inject({.method = "POST", .times = 3, .status = 500});
  Start({.tries = 3, .retry_interval = absl::Milliseconds(5)});
  Record("it broke");
  Record("next");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  EXPECT_EQ(Text(Events()[0], "message"), "next");
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("event dropped"), HasSubstr("Failed"))));
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, ARefusedEventIsNotTriedAgain) {
  server().Inject({.method = "POST", .status = 403});
  Start();
  Record("it broke");
  Record("next");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  EXPECT_EQ(server().Count("POST"), 2);
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, AFullQueueDropsTheNewest) {
  server().Inject({.method = "POST", .delay = absl::Milliseconds(100)});
  Start({.max_queued = 3});
  for (int i = 0; i < 8; ++i) {
    Record(fmt::format("m{}", i), {&api::kPods, {"ns", fmt::format("p{}", i)}, "", ""});
  }
  EXPECT_EQ(recorder_->queued(), 3u);
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 3; }));
  EXPECT_EQ(std::count_if(log().begin(), log().end(),
                          [](const std::string& line) {
                            return line.find("queue is full") != std::string::npos;
                          }),
            1);
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, ALongMessageIsCutBetweenCharacters) {
  Start();
  Record(std::string(1023, 'x') + "\xC3\xA9");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return Events().size() == 1; }));
  EXPECT_EQ(Text(Events()[0], "message"), std::string(1023, 'x'));
  co_await Stop();
}

ASYNC_TEST_F(EventRecorderTest, StopsWhileItRetries) {
  server().Inject({.method = "POST", .times = 100, .status = 500});
  Start({.retry_interval = absl::Hours(1)});
  Record("it broke");
  CO_ASSERT_TRUE(co_await aio::Eventually([&] { return server().Count("POST") == 1; }));
  co_await Stop();
  EXPECT_TRUE(Events().empty());
}

}  // namespace
}  // namespace calico::kube
