// Informer and RunReflector against a server that misbehaves.
#include "pkg/kube/cache/informer.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/json.h"
#include "pkg/kube/testing/async_test.h"

namespace calico::kube {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// What these tests keep of a pod.
struct TinyPod {
  std::string node;
};

json::object Pod(const std::string& name, const std::string& node) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"namespace", "ns"}}},
          {"spec", {{"nodeName", node}}}};
}

// Node `bad` is undecodable, node `other` is not of interest.
absl::StatusOr<std::optional<TinyPod>> DecodeTiny(const json::object& object) {
  const json::value* spec = object.if_contains("spec");
  const json::value* node = spec == nullptr ? nullptr : spec->get_object().if_contains("nodeName");
  if (node == nullptr || node->get_string() == "bad") {
    return absl::InvalidArgumentError("Pod.spec.nodeName: bad");
  }
  if (node->get_string() == "other") return std::nullopt;
  return TinyPod{std::string(codec::View(node->get_string()))};
}

class InformerTest : public FakeApiServerTest {
 public:
  using Tiny = Informer<TinyPod>;

  void Start(std::string field_selector = "") {
    pods_ = std::make_unique<Tiny>(reads_little_ ? *reads_little_ : client(), api::kPods,
                                   ReflectorOptions{.ns = "ns", .field_selector = field_selector},
                                   &DecodeTiny, *clock_, logger(), executor());
    pods_->AddObserver([this](const api::ObjectKey& key) { seen_.push_back(key.name); });
    group_ = std::make_unique<aio::TaskGroup>(executor());
    group_->Spawn(pods_->Run());
  }
  aio::Task<void> StartAndSync(std::string field_selector = "") {
    Start(std::move(field_selector));
    EXPECT_THAT(co_await pods_->WaitForSync(absl::Seconds(30)), base::IsOk());
    CO_ASSERT_TRUE(co_await Eventually([this] { return server().watches() == 1; }));
  }
  aio::Task<void> Stop() {
    co_await group_->Stop();
    group_.reset();
  }
  template <class Condition>
  aio::Task<bool> Eventually(Condition condition) {
    return aio::Eventually(std::move(condition));
  }

  void Put(const std::string& name, const std::string& node) { server().Put(Pod(name, node)); }
  void Remove(const std::string& name) { server().state().Remove(api::kPods, {"ns", name}); }
  // The node of each pod in the store, as `name=node`.
  std::vector<std::string> Nodes() const {
    std::vector<std::string> nodes;
    for (const api::ObjectKey& key : pods_->store().Keys()) {
      nodes.push_back(key.name + "=" + pods_->store().Get(key)->node);
    }
    return nodes;
  }
  bool Has(const std::string& name) const { return pods_->store().Get({"ns", name}) != nullptr; }
  // How often the server was asked for a list, and for a watch.
  int Requests(bool watch) {
    int count = 0;
    for (const RecordedRequest& request : server().requests()) {
      count +=
          request.path == "/api/v1/namespaces/ns/pods" && request.Query("watch").empty() != watch;
    }
    return count;
  }
  int Lists() { return Requests(false); }
  int Watches() { return Requests(true); }
  int Logged(std::string_view text) const {
    int count = 0;
    for (const std::string& line : log()) count += line.find(text) != std::string::npos;
    return count;
  }

  // From now on, objects of more than 10 kB are too large.
  void ReadLittle() {
    reads_little_.emplace(executor(), server().Config(), logger(),
                          ClientOptions{.max_object_bytes = 10'000});
  }
  void PutFat(const std::string& name) {
    json::object pod = Pod(name, "fat");
    pod["status"] = {{"message", std::string(100'000, 'x')}};
    server().Put(std::move(pod));
  }

  const base::Clock* clock_ = &base::SystemClock();
  std::optional<Client> reads_little_;
  std::unique_ptr<Tiny> pods_;
  std::unique_ptr<aio::TaskGroup> group_;
  std::vector<std::string> seen_;
};

ASYNC_TEST_F(InformerTest, ListsThenFollows) {
  Put("a", "n1");
  Put("b", "n1");
  co_await StartAndSync();
  EXPECT_THAT(Nodes(), UnorderedElementsAre("a=n1", "b=n1"));
  EXPECT_THAT(seen_, UnorderedElementsAre("a", "b"));
  seen_.clear();
  Put("c", "n2");
  Put("a", "n3");
  Remove("b");
  CO_ASSERT_TRUE(co_await Eventually([this] { return !Has("b"); }));
  EXPECT_THAT(Nodes(), UnorderedElementsAre("a=n3", "c=n2"));
  EXPECT_THAT(seen_, ElementsAre("c", "a", "b"));
  EXPECT_EQ(Lists(), 1);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, KnowsHowCurrentItIs) {
  absl::Time last = base::SystemClock().SteadyNow();
  const auto is_newer = [&] { return pods_->current_at() > last; };
  Start();
  EXPECT_EQ(pods_->current_at(), absl::InfinitePast());
  CO_ASSERT_TRUE(co_await Eventually(is_newer));
  CO_ASSERT_TRUE(co_await Eventually([this] { return server().watches() == 1; }));
  last = pods_->current_at();
  server().SendBookmarks();
  CO_ASSERT_TRUE(co_await Eventually(is_newer));
  last = pods_->current_at();
  Put("a", "other");
  CO_ASSERT_TRUE(co_await Eventually(is_newer));
  // A watch that cannot be opened tells nothing.
  last = pods_->current_at();
  server().Inject({.method = "GET", .path_contains = "/pods?", .times = 1000, .status = 403});
  server().DropWatches();
  const int watches = Watches();
  CO_ASSERT_TRUE(co_await Eventually([&] { return Watches() > watches; }));
  EXPECT_EQ(pods_->current_at(), last);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AReplayAfterAReconnectMakesNothingCurrent) {
  Put("a", "n1");
  co_await StartAndSync();
  server().SendBookmarks();
  const absl::Time listed = pods_->current_at();
  CO_ASSERT_TRUE(co_await Eventually([&] { return pods_->current_at() > listed; }));
  for (const bool orderly : {true, false}) {
    SCOPED_TRACE(orderly);
    const int watches = Watches();
    orderly ? server().CloseWatches() : server().DropWatches();
    CO_ASSERT_TRUE(co_await Eventually([&] { return Watches() > watches; }));
    CO_ASSERT_TRUE(co_await Eventually([this] { return server().watches() == 1; }));
    const absl::Time before = pods_->current_at();
    const std::string name = orderly ? "orderly" : "broken";
    Put(name, "n2");
    CO_ASSERT_TRUE(co_await Eventually([&] { return Has(name); }));
    EXPECT_EQ(pods_->current_at(), before) << "it may have been made long ago, and more may follow";
    server().SendBookmarks();
    CO_ASSERT_TRUE(co_await Eventually([&] { return pods_->current_at() > before; }));
    const absl::Time bookmark = pods_->current_at();
    Put(name, "n3");
    CO_ASSERT_TRUE(co_await Eventually([&] { return pods_->current_at() > bookmark; }));
  }
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AWatchThatTakesLongToOpenBringsAReplay) {
  base::FakeClock clock;
  clock_ = &clock;
  const absl::Time listed = clock.SteadyNow();
  server().Inject(
      {.method = "GET", .path_contains = "watch=true", .delay = absl::Milliseconds(300)});
  Start();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Watches() == 1; }));
  clock.Advance(absl::Seconds(11));
  CO_ASSERT_TRUE(co_await Eventually([this] { return server().watches() == 1; }));
  Put("a", "n1");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("a"); }));
  EXPECT_EQ(pods_->current_at(), listed);
  server().SendBookmarks();
  CO_ASSERT_TRUE(co_await Eventually([&] { return pods_->current_at() > listed; }));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, IsInSyncWithNothing) {
  co_await StartAndSync();
  EXPECT_TRUE(pods_->HasSynced());
  EXPECT_EQ(pods_->store().size(), 0u);
  EXPECT_THAT(co_await pods_->WaitForSync(absl::ZeroDuration()), base::IsOk());
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, WaitForSyncEndsInTime) {
  server().Inject({.method = "GET", .times = 1000, .status = 503});
  Start();
  EXPECT_THAT(co_await pods_->WaitForSync(absl::Milliseconds(20)),
              base::StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(pods_->HasSynced());
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ResetForgetsWhatItKnewUntilTheNextList) {
  Put("a", "n1");
  co_await StartAndSync();
  co_await group_->Stop();
  seen_.clear();
  pods_->Reset();
  EXPECT_FALSE(pods_->HasSynced());
  EXPECT_FALSE(Has("a"));
  EXPECT_THAT(seen_, ElementsAre("a"));
  EXPECT_EQ(pods_->current_at(), absl::InfinitePast());
  EXPECT_THAT(co_await pods_->WaitForSync(absl::Milliseconds(20)),
              base::StatusIs(absl::StatusCode::kDeadlineExceeded));
  Remove("a");
  Put("b", "n2");
  group_ = std::make_unique<aio::TaskGroup>(executor());
  group_->Spawn(pods_->Run());
  EXPECT_THAT(co_await pods_->WaitForSync(absl::Seconds(30)), base::IsOk());
  EXPECT_THAT(Nodes(), ElementsAre("b=n2"));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, KeepsWhatTheDecoderWantsOnly) {
  Put("a", "n1");
  Put("b", "other");
  co_await StartAndSync();
  EXPECT_THAT(Nodes(), ElementsAre("a=n1"));
  EXPECT_THAT(seen_, ElementsAre("a"));
  seen_.clear();
  Put("a", "other");
  Put("b", "n2");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("b"); }));
  EXPECT_THAT(Nodes(), ElementsAre("b=n2"));
  EXPECT_THAT(seen_, ElementsAre("a", "b"));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, SelectsAtTheServer) {
  Put("a", "n1");
  Put("b", "n2");
  co_await StartAndSync("metadata.name=b");
  EXPECT_THAT(Nodes(), ElementsAre("b=n2"));
  Put("c", "n2");
  Put("b", "n3");
  CO_ASSERT_TRUE(
      co_await Eventually([this] { return pods_->store().Get({"ns", "b"})->node == "n3"; }));
  EXPECT_THAT(Nodes(), ElementsAre("b=n3"));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ClosedWatchesGoOnWhereTheyWere) {
  Put("a", "n1");
  co_await StartAndSync();
  for (int i = 0; i < 5; ++i) {
    const std::string name = fmt::format("p{}", i);
    Put(name, "n");
    CO_ASSERT_TRUE(co_await Eventually([&] { return Has(name); }));
    const int before = Watches();
    server().CloseWatches();
    CO_ASSERT_TRUE(co_await Eventually([&] { return Watches() > before; }));
    Put(name + "-late", "n");
    CO_ASSERT_TRUE(co_await Eventually([&] { return Has(name + "-late"); }));
  }
  EXPECT_EQ(Lists(), 1);
  EXPECT_GE(Watches(), 6);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, CutWatchesGoOnWhereTheyWere) {
  Put("a", "n1");
  co_await StartAndSync();
  server().DropWatches();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Watches() == 2; }));
  Put("b", "n");
  Remove("a");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("b") && !Has("a"); }));
  EXPECT_EQ(Lists(), 1);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ExpiredWatchListsAgainAndFindsWhatIsGone) {
  Put("a", "n1");
  Put("b", "n1");
  co_await StartAndSync();
  co_await server().Stop();
  Remove("a");
  Put("b", "n2");
  Put("c", "n3");
  server().state().Compact();
  seen_.clear();
  CO_ASSERT_OK(server().Start());
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("c") && !Has("a"); }));
  EXPECT_THAT(Nodes(), UnorderedElementsAre("b=n2", "c=n3"));
  EXPECT_THAT(seen_, UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(Lists(), 2);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AnErrorEventThatSaysExpiredListsAgainAtOnce) {
  Put("a", "n1");
  server().Inject({.method = "GET",
                   .path_contains = "watch=true",
                   .raw_body = R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1",)"
                               R"("status":"Failure","code":410,"reason":"Expired",)"
                               R"("message":"too old resource version"}})"
                               "\n"});
  const absl::Time start = absl::Now();
  co_await StartAndSync();
  EXPECT_EQ(Lists(), 2);
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(700)) << "the shortest backoff is 800 ms";
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, BookmarksKeepTheWatchFromExpiring) {
  Put("a", "n1");
  co_await StartAndSync();
  server().Put({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "x"}, {"namespace", "ns"}}}});
  server().SendBookmarks();
  const std::string now = std::to_string(server().state().revision());
  (co_await aio::Sleep(absl::Milliseconds(50))).IgnoreError();
  server().state().Compact();
  server().DropWatches();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Watches() == 2; }));
  Put("b", "n1");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("b"); }));
  EXPECT_EQ(Lists(), 1);
  EXPECT_EQ(server().requests().back().Query("resourceVersion"), now);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AServerRestartLosesNothing) {
  Put("a", "n1");
  co_await StartAndSync();
  co_await server().Stop();
  Remove("a");
  Put("b", "n2");
  (co_await aio::Sleep(absl::Milliseconds(100))).IgnoreError();
  CO_ASSERT_OK(server().Start());
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("b") && !Has("a"); }));
  EXPECT_EQ(Lists(), 1);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ASlowServerIsWaitedFor) {
  Put("a", "n1");
  server().Inject({.method = "GET", .times = 2, .delay = absl::Milliseconds(200)});
  co_await StartAndSync();
  EXPECT_THAT(Nodes(), ElementsAre("a=n1"));
  EXPECT_EQ(Lists(), 1);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AListThatIsCutInTheMiddleIsMadeAgain) {
  for (int i = 0; i < 20; ++i) Put(fmt::format("p{}", i), "n");
  server().Inject({.method = "GET", .path_contains = "/pods", .cut_after = 900});
  co_await StartAndSync();
  EXPECT_EQ(pods_->store().size(), 20u);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AnUndecodableObjectIsLoggedOncePerVersionAndDoesNotStopTheRest) {
  Put("a", "bad");
  Put("b", "n1");
  co_await StartAndSync();
  EXPECT_THAT(Nodes(), ElementsAre("b=n1"));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("object skipped"), HasSubstr(R"("name":"a")"),
                                    HasSubstr("Pod.spec.nodeName: bad"))));
  EXPECT_EQ(Logged("object skipped"), 1);
  co_await server().Stop();
  Put("c", "n1");
  server().state().Compact();
  CO_ASSERT_OK(server().Start());
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("c"); }));
  EXPECT_EQ(Lists(), 2);
  EXPECT_EQ(Logged("object skipped"), 1) << "the same version again";
  server().Put(Pod("a", "bad"));
  Put("d", "n1");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("d"); }));
  EXPECT_EQ(Logged("object skipped"), 2) << "a new version";
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, TheLastGoodStateIsKept) {
  Put("a", "n1");
  co_await StartAndSync();
  Put("a", "bad");
  Put("b", "n1");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("b"); }));
  EXPECT_THAT(Nodes(), UnorderedElementsAre("a=n1", "b=n1"));
  co_await server().Stop();
  Put("c", "n1");
  server().state().Compact();
  CO_ASSERT_OK(server().Start());
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("c"); }));
  EXPECT_THAT(Nodes(), UnorderedElementsAre("a=n1", "b=n1", "c=n1"));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AsksForWatchesOfFiveToTenMinutes) {
  co_await StartAndSync();
  const RecordedRequest& watch = server().requests().back();
  const int seconds = std::stoi("0" + watch.Query("timeoutSeconds"));
  EXPECT_GE(seconds, 300);
  EXPECT_LE(seconds, 600);
  EXPECT_EQ(watch.Query("allowWatchBookmarks"), "true");
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, StopsWhateverItWaitsFor) {
  server().Inject({.method = "GET", .delay = absl::Seconds(60)});
  Start();
  (co_await aio::Sleep(absl::Milliseconds(20))).IgnoreError();
  co_await Stop();
  EXPECT_FALSE(pods_->HasSynced());
  server().ClearFaults();
  server().Inject({.method = "GET", .times = 1000, .status = 403});
  Start();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Logged("list failed") > 0; }));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AnObjectThatIsTooLargeIsAClearError) {
  ReadLittle();
  PutFat("a");
  Start();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Logged("list failed") > 0; }));
  EXPECT_THAT(log(), Contains(HasSubstr("an item of more bytes than 10000")));
  EXPECT_FALSE(pods_->HasSynced());
  Put("a", "n1");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("a"); }));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, AnEventThatIsTooLargeIsPassedOnceItsObjectHasShrunk) {
  ReadLittle();
  Put("a", "n1");
  co_await StartAndSync();
  PutFat("a");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Logged("watch ended") > 0; }));
  // The large event is still in the server's history.
  Put("a", "n2");
  Put("b", "n1");
  CO_ASSERT_TRUE(co_await Eventually([this] { return Has("b"); }));
  EXPECT_THAT(Nodes(), UnorderedElementsAre("a=n2", "b=n1"));
  EXPECT_GE(Lists(), 2);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ARefusedListIsToldAndHeals) {
  server().Inject({.method = "GET", .path_contains = "/pods", .times = 1, .status = 403});
  Start();
  int told = 0;
  pods_->AddHealthObserver([&] { ++told; });
  CO_ASSERT_TRUE(co_await Eventually([this] { return pods_->trouble().has_value(); }));
  EXPECT_EQ(told, 1);
  EXPECT_THAT(pods_->trouble()->error,
              base::StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("list Pod in ns")));
  EXPECT_EQ(pods_->trouble()->resource->kind, "Pod");
  EXPECT_FALSE(pods_->HasSynced());
  CO_ASSERT_TRUE(co_await Eventually([this] { return !pods_->trouble().has_value(); }));
  EXPECT_TRUE(pods_->HasSynced());
  EXPECT_GE(told, 3);
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ARefusedWatchIsToldAndHeals) {
  server().Inject({.method = "GET", .path_contains = "watch=", .times = 2, .status = 403});
  Start();
  CO_ASSERT_TRUE(co_await Eventually([this] { return pods_->trouble().has_value(); }));
  EXPECT_TRUE(pods_->HasSynced());
  EXPECT_THAT(pods_->trouble()->error,
              base::StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("watch Pod in ns")));
  CO_ASSERT_TRUE(co_await Eventually([this] { return !pods_->trouble().has_value(); }));
  co_await Stop();
}

ASYNC_TEST_F(InformerTest, ACutWatchIsNoTrouble) {
  co_await StartAndSync();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Watches() == 1; }));
  server().CloseWatches();
  CO_ASSERT_TRUE(co_await Eventually([this] { return Watches() == 2; }));
  EXPECT_FALSE(pods_->trouble().has_value());
  co_await Stop();
}

}  // namespace
}  // namespace calico::kube
