// List and watch: pages, restarts, bounds, and every way in which a watch ends.

#include <malloc.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/kube/client/client.h"
#include "pkg/kube/client/errors.h"
#include "pkg/kube/testing/async_test.h"
#include "pkg/kube/testing/selectors.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string NameOf(const json::object& object) {
  return std::string(TextAt(object, {"metadata", "name"}));
}

std::string VersionOf(const json::object& object) {
  return std::string(TextAt(object, {"metadata", "resourceVersion"}));
}

json::object ConfigMap(std::string_view name, std::string_view value = "1") {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", "default"}, {"labels", {{"value", value}}}}},
          {"data", {{"key", value}}}};
}

class ClientListWatchTest : public FakeApiServerTest {
 protected:
  void PutMany(int count, size_t bytes = 1) {
    for (int i = 0; i < count; ++i) {
      server().Put(ConfigMap(fmt::format("cm-{:05}", i), std::string(bytes, 'x')));
    }
  }
  ObjectSink CollectNames() {
    return [this](json::object object) {
      names_.push_back(NameOf(object));
      return absl::OkStatus();
    };
  }
  // Starts over, as a cache does.
  std::function<void()> Restart() {
    return [this] {
      ++restarts_;
      names_.clear();
    };
  }
  EventSink CollectEvents() {
    return [this](WatchEvent event) {
      constexpr const char* kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
      events_.push_back(
          fmt::format("{} {}", kTypes[static_cast<int>(event.type)], NameOf(event.object)));
      last_version_ = VersionOf(event.object);
      return absl::OkStatus();
    };
  }
  aio::Task<void> WatchInto(absl::Status* status, WatchOptions options) {
    *status = co_await client().Watch(api::kConfigMaps, std::move(options), CollectEvents());
  }
  // Until the watch has handed out `count` events.
  aio::Task<void> WaitForEvents(size_t count) {
    for (int i = 0; i < 500 && events_.size() < count; ++i) {
      (void)co_await aio::Sleep(absl::Milliseconds(10));
    }
    EXPECT_THAT(events_, SizeIs(count));
  }
  aio::Task<void> WaitForWatch() {
    for (int i = 0; i < 500 && server().watches() == 0; ++i) {
      (void)co_await aio::Sleep(absl::Milliseconds(10));
    }
  }

  std::vector<std::string> names_;
  int restarts_ = 0;
  std::vector<std::string> events_;
  std::string last_version_;
};

ASYNC_TEST_F(ClientListWatchTest, ListsPageByPage) {
  PutMany(7);
  CO_ASSERT_OK_AND_ASSIGN(
      const std::string version,
      co_await client().List(api::kConfigMaps, {.ns = "default", .page_size = 3}, CollectNames(),
                             Restart()));
  EXPECT_THAT(names_, SizeIs(7));
  EXPECT_TRUE(std::is_sorted(names_.begin(), names_.end()));
  EXPECT_EQ(version, fmt::to_string(server().state().revision()));
  EXPECT_EQ(server().Count("GET", "configmaps"), 3);
  EXPECT_EQ(restarts_, 0);
}

ASYNC_TEST_F(ClientListWatchTest, ListedObjectsHaveApiVersionAndKind) {
  server().Put(ConfigMap("a"));
  json::object got;
  CO_ASSERT_OK(co_await client().List(api::kConfigMaps, {}, [&got](json::object object) {
    got = std::move(object);
    return absl::OkStatus();
  }));
  EXPECT_EQ(TextAt(got, {"apiVersion"}), "v1");
  EXPECT_EQ(TextAt(got, {"kind"}), "ConfigMap");
}

ASYNC_TEST_F(ClientListWatchTest, ListSelects) {
  server().Put(ConfigMap("a", "1"));
  server().Put(ConfigMap("b", "2"));
  CO_ASSERT_OK(
      co_await client().List(api::kConfigMaps, {.label_selector = "value=2"}, CollectNames()));
  EXPECT_THAT(names_, ElementsAre("b"));
  names_.clear();
  CO_ASSERT_OK(co_await client().List(api::kConfigMaps, {.field_selector = "metadata.name=a"},
                                      CollectNames()));
  EXPECT_THAT(names_, ElementsAre("a"));
  EXPECT_THAT(
      co_await client().List(api::kConfigMaps, {.field_selector = "data.key=1"}, CollectNames()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("list ConfigMap: field label not supported")));
}

// 10,000 objects of 2 KiB are 25 MB of text; a page of them is a twentieth.
ASYNC_TEST_F(ClientListWatchTest, HoldsOneObjectOfTenThousand) {
  PutMany(10'000, 1000);
  const size_t before = mallinfo2().uordblks;
  size_t most = 0;
  int count = 0;
  CO_ASSERT_OK(co_await client().List(api::kConfigMaps, {}, [&](json::object) {
    most = std::max(most, mallinfo2().uordblks - before);
    ++count;
    return absl::OkStatus();
  }));
  EXPECT_EQ(count, 10'000);
  // The server's page is part of it: it lives in this process.
  EXPECT_LT(most, 6u << 20);
  EXPECT_EQ(server().Count("GET", "configmaps"), 20);
}

ASYNC_TEST_F(ClientListWatchTest, ExpiredContinueTokenStartsOver) {
  PutMany(6);
  bool compacted = false;
  const ObjectSink sink = [&](json::object object) {
    names_.push_back(NameOf(object));
    if (names_.size() == 3 && !compacted) {
      compacted = true;
      server().Put(ConfigMap("late"));
      server().state().Compact();
    }
    return absl::OkStatus();
  };
  CO_ASSERT_OK(co_await client().List(api::kConfigMaps, {.page_size = 2}, sink, Restart()));
  EXPECT_EQ(restarts_, 1);
  EXPECT_THAT(names_, SizeIs(7));
}

ASYNC_TEST_F(ClientListWatchTest, ExpiredContinueTokenWithoutRestartIsAnError) {
  PutMany(6);
  const ObjectSink sink = [&](json::object) {
    server().Put(ConfigMap("late"));
    server().state().Compact();
    return absl::OkStatus();
  };
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {.page_size = 2}, sink),
              StatusIs(absl::StatusCode::kOutOfRange));
}

ASYNC_TEST_F(ClientListWatchTest, ListThatExpiresForEverEnds) {
  PutMany(6);
  const ObjectSink sink = [&](json::object) {
    server().Put(ConfigMap("late"));
    server().state().Compact();
    return absl::OkStatus();
  };
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {.page_size = 2}, sink, Restart()),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(restarts_, 3);
}

ASYNC_TEST_F(ClientListWatchTest, ListThatBreaksOffStartsOver) {
  PutMany(6);
  server().Inject({.method = "GET", .cut_after = 900});
  CO_ASSERT_OK(co_await client().List(api::kConfigMaps, {}, CollectNames(), Restart()));
  EXPECT_EQ(restarts_, 1);
  EXPECT_THAT(names_, SizeIs(6));
}

ASYNC_TEST_F(ClientListWatchTest, ListThatBreaksOffWithoutRestartIsAnError) {
  PutMany(6);
  server().Inject({.method = "GET", .cut_after = 900});
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {}, CollectNames()),
              StatusIs(absl::StatusCode::kUnavailable));
}

ASYNC_TEST_F(ClientListWatchTest, SinkEndsTheList) {
  PutMany(6);
  int calls = 0;
  const ObjectSink sink = [&calls](json::object) {
    ++calls;
    return absl::UnavailableError("enough");
  };
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {.page_size = 2}, sink, Restart()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("enough")));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(restarts_, 0);
}

ASYNC_TEST_F(ClientListWatchTest, ListRefusesTooLargeAndTooDeepItems) {
  server().Put(ConfigMap("large", std::string(20'000, 'x')));
  Client small(executor(), server().Config(), logger(), {.max_object_bytes = 10'000});
  EXPECT_THAT(co_await small.List(api::kConfigMaps, {}, CollectNames()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  server().Inject(
      {.raw_body = R"({"kind":"ConfigMapList","apiVersion":"v1","items":[{"a":)" + deep + "}]}"});
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {}, CollectNames()),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

ASYNC_TEST_F(ClientListWatchTest, ListRefusesWhatIsNoList) {
  server().Inject({.raw_body = R"({"kind":"Status","apiVersion":"v1","metadata":{}})"});
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {}, CollectNames()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected a list")));
  server().Inject({.raw_body = "<html>gateway</html>"});
  EXPECT_THAT(co_await client().List(api::kConfigMaps, {}, CollectNames()),
              StatusIs(absl::StatusCode::kDataLoss));
}

ASYNC_TEST_F(ClientListWatchTest, WatchDeliversEventsAndBookmarks) {
  absl::Status status;
  aio::TaskGroup group(executor());
  group.Spawn(WatchInto(
      &status, {.ns = "default", .resource_version = fmt::to_string(server().state().revision())}));
  co_await WaitForWatch();
  server().Put(ConfigMap("a", "1"));
  server().Put(ConfigMap("a", "2"));
  server().state().Remove(api::kConfigMaps, {"default", "a"});
  co_await WaitForEvents(3);
  server().SendBookmarks();
  co_await WaitForEvents(4);
  EXPECT_THAT(events_, ElementsAre("ADDED a", "MODIFIED a", "DELETED a", "BOOKMARK "));
  EXPECT_EQ(last_version_, fmt::to_string(server().state().revision()));
  server().CloseWatches();
  co_await group.Join();
  EXPECT_THAT(status, IsOk());
  const RecordedRequest& request = server().requests().back();
  EXPECT_EQ(request.Query("allowWatchBookmarks"), "true");
  EXPECT_EQ(request.Query("timeoutSeconds"), "480");
}

ASYNC_TEST_F(ClientListWatchTest, WatchEndsWithItsDurationAfterABookmark) {
  const absl::Status status = co_await client().Watch(
      api::kConfigMaps, {.resource_version = "1", .duration = absl::Seconds(1)}, CollectEvents());
  EXPECT_THAT(status, IsOk());
  EXPECT_THAT(events_, ElementsAre("BOOKMARK "));
}

ASYNC_TEST_F(ClientListWatchTest, CompactedVersionIsOutOfRange) {
  server().Put(ConfigMap("a"));
  server().state().Compact();
  const absl::Status event =
      co_await client().Watch(api::kConfigMaps, {.resource_version = "1"}, CollectEvents());
  EXPECT_THAT(event, StatusIs(absl::StatusCode::kOutOfRange,
                              HasSubstr("watch ConfigMap: too old resource version: 1")));
  EXPECT_EQ(StatusReason(event), "Expired");

  server().Inject({.status = 410, .reason = "Gone"});
  EXPECT_THAT(co_await client().Watch(api::kConfigMaps, {.resource_version = "1"}, CollectEvents()),
              StatusIs(absl::StatusCode::kOutOfRange));
}

ASYNC_TEST_F(ClientListWatchTest, DroppedWatchIsUnavailable) {
  absl::Status status;
  aio::TaskGroup group(executor());
  group.Spawn(WatchInto(&status, {.resource_version = "1"}));
  co_await WaitForWatch();
  server().DropWatches();
  co_await group.Join();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("watch ConfigMap: ")));
}

ASYNC_TEST_F(ClientListWatchTest, EventCutInTheMiddleIsUnavailableAndNotDelivered) {
  server().Put(ConfigMap("a"));
  server().Inject({.method = "GET", .cut_after = 100});
  EXPECT_THAT(co_await client().Watch(api::kConfigMaps, {}, CollectEvents()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(events_, SizeIs(0));
}

ASYNC_TEST_F(ClientListWatchTest, SilentWatchIsUnavailable) {
  const absl::Status status = co_await client().Watch(
      api::kConfigMaps, {.resource_version = "1", .idle_limit = absl::Milliseconds(100)},
      CollectEvents());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("idle limit")));
}

ASYNC_TEST_F(ClientListWatchTest, SinkEndsTheWatch) {
  server().Put(ConfigMap("a"));
  server().Put(ConfigMap("b"));
  int calls = 0;
  const absl::Status status = co_await client().Watch(api::kConfigMaps, {}, [&](WatchEvent) {
    ++calls;
    return absl::AbortedError("enough");
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, HasSubstr("enough")));
  EXPECT_EQ(calls, 1);
}

ASYNC_TEST_F(ClientListWatchTest, OversizedEventIsAnError) {
  server().Put(ConfigMap("large", std::string(20'000, 'x')));
  Client small(executor(), server().Config(), logger(), {.max_object_bytes = 10'000});
  EXPECT_THAT(co_await small.Watch(api::kConfigMaps, {}, CollectEvents()),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

ASYNC_TEST_F(ClientListWatchTest, WatchIsNotRetried) {
  server().Inject({.times = 2, .status = 503, .retry_after = 0});
  EXPECT_THAT(co_await client().Watch(api::kConfigMaps, {}, CollectEvents()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(server().pending_faults(), 1);
}

ASYNC_TEST_F(ClientListWatchTest, WatchesLeaveTheConnectionsOfCallsAlone) {
  Client one(executor(), server().Config(), logger(), {.max_connections = 1});
  const auto watch = [](Client& client) -> aio::Task<void> {
    (void)co_await client.Watch(api::kConfigMaps, {.resource_version = "1"},
                                [](WatchEvent) { return absl::OkStatus(); });
  };
  aio::TaskGroup group(executor());
  for (int i = 0; i < 3; ++i) group.Spawn(watch(one));
  for (int i = 0; i < 500 && server().watches() < 3; ++i) {
    (void)co_await aio::Sleep(absl::Milliseconds(10));
  }
  EXPECT_EQ(server().watches(), 3u);
  CO_ASSERT_OK(co_await one.GetPath("/version", absl::Seconds(5)));
  co_await group.Stop();
}

ASYNC_TEST_F(ClientListWatchTest, CancelledWatchEndsAtOnce) {
  absl::Status status;
  aio::TaskGroup group(executor());
  group.Spawn(WatchInto(&status, {.resource_version = "1"}));
  co_await WaitForWatch();
  co_await group.Stop();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

ASYNC_TEST_F(ClientListWatchTest, ErrorEventsAreMapped) {
  const struct {
    const char* event;
    absl::StatusCode want;
  } kCases[] = {
      {R"({"kind":"Status","apiVersion":"v1","reason":"Expired","code":410})",
       absl::StatusCode::kOutOfRange},
      {R"({"kind":"Status","apiVersion":"v1","reason":"Gone","code":410})",
       absl::StatusCode::kOutOfRange},
      {R"({"kind":"Status","apiVersion":"v1","reason":"InternalError","code":500})",
       absl::StatusCode::kUnavailable},
      {R"({"kind":"Status","apiVersion":"v1","reason":"Timeout","code":504})",
       absl::StatusCode::kUnavailable},
      {R"({"kind":"Status","apiVersion":"v1","message":"what"})", absl::StatusCode::kUnavailable},
      {R"({"kind":"Other","apiVersion":"v1"})", absl::StatusCode::kDataLoss},
  };
  for (const auto& c : kCases) {
    server().Inject({.raw_body = fmt::format(R"({{"type":"ERROR","object":{}}})"
                                             "\n",
                                             c.event)});
    EXPECT_THAT(co_await client().Watch(api::kConfigMaps, {}, CollectEvents()), StatusIs(c.want))
        << c.event;
  }
}

// Its watch and a call that takes long, both at once.
class PatientWatchTest : public ClientListWatchTest {
 protected:
  void Start(absl::Duration patience, absl::Duration call) {
    ClientOptions options;
    options.watch_patience = patience;
    client_ = std::make_unique<Client>(executor(), server().Config(), logger(), options);
    server().Inject({.path_contains = "/version", .delay = call});
    group_.Spawn(Call());
    group_.Spawn(Watch());
  }

  aio::TaskGroup group_{executor()};
  bool has_ended_ = false;

 private:
  aio::Task<void> Call() {
    const auto ignored = co_await client_->GetPath("/version");
    has_ended_ = true;
  }
  aio::Task<void> Watch() {
    (void)co_await client_->Watch(api::kConfigMaps, {.resource_version = "1"}, CollectEvents());
  }
  std::unique_ptr<Client> client_;
};

ASYNC_TEST_F(PatientWatchTest, IsOpenedAfterTheCallsThatAreUnderWay) {
  Start(absl::Seconds(20), absl::Milliseconds(300));
  while (!has_ended_) {
    EXPECT_EQ(server().watches(), 0);
    (void)co_await aio::Sleep(absl::Milliseconds(10));
  }
  co_await WaitForWatch();
  EXPECT_EQ(server().watches(), 1);
  co_await group_.Stop();
}

ASYNC_TEST_F(PatientWatchTest, DoesNotWaitForThemForEver) {
  Start(absl::Milliseconds(100), absl::Seconds(20));
  co_await WaitForWatch();
  EXPECT_EQ(server().watches(), 1);
  EXPECT_FALSE(has_ended_);
  co_await group_.Stop();
}

}  // namespace
}  // namespace calico::kube
