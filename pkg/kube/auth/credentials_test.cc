#include "pkg/kube/auth/credentials.h"

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/testing/eventually.h"
#include "pkg/aio/timer.h"
#include "pkg/base/testing/fake_clock.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::kube {
namespace {

using ::calico::base::IsOk;
using ::calico::base::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

auto HoldsSecret(std::string_view text) {
  return base::IsOkAndHolds(testing::Property(&base::SharedSecret::view, text));
}

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest()
      : logger_(base::LogLevel::kDebug,
                [this](base::LogLevel, std::string_view line) { log_.emplace_back(line); }) {}

  std::shared_ptr<Credentials> Make(CredentialSources sources) {
    base::FileReader read = [this](const std::string& path) -> absl::StatusOr<base::SecretString> {
      const auto found = files_.find(path);
      if (found == files_.end()) return absl::NotFoundError("read " + path + ": not there");
      return base::SecretString(std::string_view(found->second));
    };
    return MakeCredentials(std::move(sources), std::move(read), clock_, logger_);
  }

  std::map<std::string, std::string> files_;
  base::FakeClock clock_;
  std::vector<std::string> log_;
  base::Logger logger_;
};

TEST_F(CredentialsTest, StaticKinds) {
  EXPECT_THAT(Make({})->Authorization(), HoldsSecret(""));
  EXPECT_THAT(Make({.token = base::SharedSecret("t")})->Authorization(), HoldsSecret("Bearer t"));
  EXPECT_THAT(Make({.username = "me", .password = base::SharedSecret("p:w")})->Authorization(),
              HoldsSecret("Basic bWU6cDp3"));
  EXPECT_FALSE(Make({.token = base::SharedSecret("t")})->Invalidate());
}

TEST_F(CredentialsTest, TokensThatCannotTravelAreRefusedWithoutQuotingThem) {
  for (const char* token : {"s3cret\r\nX: y", "s3cret x", "s3cret\xC3\xA4"}) {
    EXPECT_THAT(Make({.token = base::SharedSecret(token)})->Authorization(),
                StatusIs(absl::StatusCode::kUnauthenticated, Not(HasSubstr("s3cret"))));
  }
}

TEST_F(CredentialsTest, TokenFileIsTrimmedAndCachedForAMinute) {
  files_["token"] = " one\n";
  const auto credentials = Make({.token_file = "token"});
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  files_["token"] = "two";
  clock_.Advance(absl::Seconds(59));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer two"));
}

TEST_F(CredentialsTest, OldTokenIsKeptWhileTheFileIsAway) {
  files_["token"] = "one";
  const auto credentials = Make({.token_file = "token"});
  EXPECT_THAT(credentials->Authorization(), IsOk());
  files_.erase("token");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Minutes(2));
    EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  }
  EXPECT_THAT(log_, SizeIs(1)) << "one warning, not one a minute";
  files_["token"] = "  \n";
  clock_.Advance(absl::Minutes(2));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one")) << "an empty file, too";
}

TEST_F(CredentialsTest, TokenFileThatWasNeverThereIsAnError) {
  EXPECT_THAT(Make({.token_file = "token"})->Authorization(),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("not there")));
  EXPECT_THAT(Make({.token = base::SharedSecret("first"), .token_file = "token"})->Authorization(),
              HoldsSecret("Bearer first"));
  files_["token"] = "\n";
  EXPECT_THAT(Make({.token_file = "token"})->Authorization(),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("empty")));
}

TEST_F(CredentialsTest, RefusedTokenIsReadAgainAtOnce) {
  files_["token"] = "one";
  const auto credentials = Make({.token_file = "token"});
  EXPECT_THAT(credentials->Authorization(), IsOk());
  EXPECT_FALSE(credentials->Invalidate()) << "the file has not changed";
  files_["token"] = "two";
  EXPECT_TRUE(credentials->Invalidate());
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer two"));
}

TEST_F(CredentialsTest, TlsMaterialIsReadAnewForEachConnection) {
  const pki::TestCa ca("root");
  const pki::TestLeaf first = ca.Leaf({.common_name = "me"});
  const pki::TestLeaf second = ca.Leaf({.common_name = "me"});
  files_ = {{"ca", "CA"}, {"crt", first.chain_pem}, {"key", first.key_pem}};
  const auto credentials = Make({.ca_file = "ca",
                                 .client_certificate_file = "crt",
                                 .client_key_file = "key",
                                 .tls_server_name = "kubernetes"});
  EXPECT_EQ(credentials->Tls()->ca_pem, "CA");
  EXPECT_EQ(credentials->Tls()->identity->certificate_pem(), first.chain_pem);
  EXPECT_EQ(credentials->Tls()->identity->version(), 1u) << "the same files, the same pair";
  EXPECT_EQ(credentials->Tls()->server_name, "kubernetes");
  EXPECT_FALSE(credentials->Tls()->insecure_skip_verify);
  files_["crt"] = second.chain_pem;
  files_["key"] = second.key_pem;
  files_.erase("ca");
  EXPECT_EQ(credentials->Tls()->identity->certificate_pem(), second.chain_pem);
  EXPECT_EQ(credentials->Tls()->identity->version(), 2u);
  EXPECT_EQ(credentials->Tls()->ca_pem, "CA") << "the last good one";
}

TEST_F(CredentialsTest, FilesReplacedOneAfterTheOtherAreTakenAsPairs) {
  const pki::TestCa ca("root");
  const pki::TestLeaf before = ca.Leaf({.common_name = "me"});
  const pki::TestLeaf after = ca.Leaf({.common_name = "me"});
  files_ = {{"crt", before.chain_pem}, {"key", before.key_pem}};
  const auto credentials = Make({.client_certificate_file = "crt", .client_key_file = "key"});
  const auto holds = [&](const pki::TestLeaf& leaf) {
    const absl::StatusOr<net::TlsOptions> tls = credentials->Tls();
    return tls.ok() && tls->identity->certificate_pem() == leaf.chain_pem;
  };
  EXPECT_TRUE(holds(before));
  files_["crt"] = after.chain_pem;
  EXPECT_TRUE(holds(before)) << "the key is still the old one's";
  EXPECT_TRUE(holds(before));
  EXPECT_THAT(log_, SizeIs(1)) << "one warning, not one a connection";
  files_["key"] = after.key_pem.substr(0, after.key_pem.size() / 2);
  EXPECT_TRUE(holds(before)) << "the key is half written";
  files_["key"] = after.key_pem;
  EXPECT_TRUE(holds(after));
}

TEST_F(CredentialsTest, PairThatNeverFittedMayYetBeReplaced) {
  const pki::TestCa ca("root");
  files_ = {{"crt", ca.Leaf({.common_name = "me"}).chain_pem},
            {"key", ca.Leaf({.common_name = "me"}).key_pem}};
  const auto credentials = Make({.client_certificate_file = "crt", .client_key_file = "key"});
  EXPECT_THAT(credentials->Tls(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("crt and key key do not fit")));
}

TEST_F(CredentialsTest, PairThatIsBeingWrittenAtStartIsWaitedFor) {
  const pki::TestLeaf leaf = pki::TestCa("root").Leaf({.common_name = "me"});
  const auto half = [](const std::string& text) { return text.substr(0, text.size() / 2); };
  const auto credentials = Make({.client_certificate_file = "crt", .client_key_file = "key"});
  const std::map<std::string, std::string> states[] = {
      {},
      {{"crt", leaf.chain_pem}},
      {{"crt", ""}, {"key", ""}},
      {{"crt", half(leaf.chain_pem)}, {"key", leaf.key_pem}},
      {{"crt", leaf.chain_pem}, {"key", half(leaf.key_pem)}},
  };
  for (const auto& state : states) {
    files_ = state;
    EXPECT_THAT(credentials->Tls(), StatusIs(absl::StatusCode::kUnavailable));
  }
  files_ = {{"crt", leaf.chain_pem}, {"key", leaf.key_pem}};
  ASSERT_THAT(credentials->Tls(), IsOk());
  EXPECT_EQ(credentials->Tls()->identity->certificate_pem(), leaf.chain_pem);
  files_["crt"] = "";
  ASSERT_THAT(credentials->Tls(), IsOk());
  EXPECT_EQ(credentials->Tls()->identity->certificate_pem(), leaf.chain_pem) << "the one before";
}

// It would be taken for the API server's word on the object of the call.
TEST_F(CredentialsTest, NoFileThatIsMissingIsNotFound) {
  const CredentialSources sources[] = {
      {.ca_file = "none"},
      {.client_certificate_file = "none", .client_key_file = "none"},
      {.client_certificate_data = "x", .client_key_file = "none"},
      {.token_file = "none"},
  };
  for (const CredentialSources& source : sources) {
    const auto credentials = Make(source);
    absl::Status status = credentials->Tls().status();
    if (status.ok()) status = credentials->Authorization().status();
    EXPECT_THAT(status, testing::AnyOf(StatusIs(absl::StatusCode::kUnavailable),
                                       StatusIs(absl::StatusCode::kUnauthenticated)));
  }
}

TEST_F(CredentialsTest, MissingOrEmptyCaNeverMeansTheSystemsAuthorities) {
  const auto credentials = Make({.ca_file = "ca"});
  EXPECT_THAT(credentials->Tls(), StatusIs(absl::StatusCode::kUnavailable));
  files_["ca"] = "";
  EXPECT_THAT(credentials->Tls(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(Make({})->Tls()->ca_pem, "");
}

TEST_F(CredentialsTest, InsecureIsHandedOnOnlyWhenAsked) {
  EXPECT_TRUE(Make({.insecure_skip_tls_verify = true})->Tls()->insecure_skip_verify);
}

// Counts its runs and hands out what the test says.
struct FakePlugin {
  ExecRunner Runner() {
    return [this](const std::atomic<bool>&) -> absl::StatusOr<ExecCredential> {
      ++runs;
      return next;
    };
  }
  absl::StatusOr<ExecCredential> next = ExecCredential{};
  int runs = 0;
};

TEST_F(CredentialsTest, PluginRunsOnceUntilItsCredentialsExpire) {
  const pki::TestLeaf leaf = pki::TestCa("root").Leaf({.common_name = "me"});
  FakePlugin plugin{.next = ExecCredential{.token = base::SharedSecret("one"),
                                           .client_certificate_pem = leaf.chain_pem,
                                           .client_key_pem = base::SharedSecret(leaf.key_pem),
                                           .expires = clock_.Now() + absl::Minutes(5)}};
  const auto credentials = Make({.exec = plugin.Runner()});
  EXPECT_EQ(plugin.runs, 0) << "not before it is needed";
  EXPECT_EQ(credentials->Tls()->identity->certificate_pem(), leaf.chain_pem);
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  EXPECT_EQ(plugin.runs, 1);
  plugin.next->token = base::SharedSecret("two");
  clock_.Advance(absl::Minutes(5));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer two"));
  EXPECT_EQ(plugin.runs, 2);
}

TEST_F(CredentialsTest, PluginThatGivesExpiredCredentialsDoesNotRunForEachCall) {
  FakePlugin plugin{
      .next = ExecCredential{.token = base::SharedSecret("old"), .expires = clock_.Now()}};
  const auto credentials = Make({.exec = plugin.Runner()});
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer old"));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer old"));
  EXPECT_EQ(plugin.runs, 1);
  clock_.Advance(absl::Seconds(5));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer old"));
  EXPECT_EQ(plugin.runs, 2);
}

TEST_F(CredentialsTest, PluginRunsAgainWhenRefusedButNotWithoutPause) {
  FakePlugin plugin{.next = ExecCredential{.token = base::SharedSecret("one")}};
  const auto credentials = Make({.exec = plugin.Runner()});
  clock_.Advance(absl::Hours(1000));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  EXPECT_FALSE(credentials->Invalidate());
  clock_.Advance(absl::Seconds(5));
  EXPECT_TRUE(credentials->Invalidate());
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  EXPECT_EQ(plugin.runs, 2);
}

TEST_F(CredentialsTest, PluginFailureIsReportedAndTriedAgainAfterAPause) {
  FakePlugin plugin{.next = absl::UnauthenticatedError("exec: failed")};
  const auto credentials = Make({.exec = plugin.Runner()});
  EXPECT_THAT(credentials->Authorization(), StatusIs(absl::StatusCode::kUnauthenticated));
  plugin.next = ExecCredential{.token = base::SharedSecret("one")};
  clock_.Advance(absl::Seconds(4));
  EXPECT_THAT(credentials->Authorization(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(plugin.runs, 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
}

// A plug-in that takes its time: until the test lets it go on, or it is stopped.
struct SlowPlugin {
  ExecRunner Runner() {
    return [this](const std::atomic<bool>& stop) -> absl::StatusOr<ExecCredential> {
      ++runs;
      while (!go_on && !stop) std::this_thread::yield();
      if (stop) return absl::CancelledError("stopped");
      if (fails) return absl::UnauthenticatedError("exec: failed");
      return ExecCredential{.token = base::SharedSecret("one")};
    };
  }
  std::atomic<int> runs = 0;
  std::atomic<bool> go_on = false;
  std::atomic<bool> fails = false;
};

aio::Task<void> PrepareInto(Credentials* credentials, absl::Status* status,
                            absl::Duration timeout = absl::Minutes(1)) {
  *status = co_await credentials->Prepare(timeout);
}

TEST_F(CredentialsTest, PluginRunsBesideTheLoopAndOnceForAllThatWait) {
  SlowPlugin plugin;
  aio::EventLoop loop;
  const auto credentials = Make({.exec = plugin.Runner()});
  loop.Run([](aio::Executor executor, Credentials* made, SlowPlugin* slow) -> aio::Task<void> {
    absl::Status first = absl::UnknownError("");
    absl::Status second = absl::UnknownError("");
    absl::Status late;
    aio::TaskGroup group(executor);
    group.Spawn(PrepareInto(made, &first));
    group.Spawn(PrepareInto(made, &second));
    // The loop turns while the plug-in runs, or this would never come to its end.
    EXPECT_TRUE(co_await aio::Eventually([&] { return slow->runs > 0; }));
    co_await PrepareInto(made, &late, absl::Milliseconds(1));
    EXPECT_THAT(late, StatusIs(absl::StatusCode::kDeadlineExceeded));
    EXPECT_THAT(made->Authorization(), StatusIs(absl::StatusCode::kUnauthenticated));
    slow->go_on = true;
    co_await group.Join();
    EXPECT_THAT(first, IsOk());
    EXPECT_THAT(second, IsOk());
  }(loop.executor(), credentials.get(), &plugin));
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  EXPECT_EQ(plugin.runs, 1);
}

// Its end has been told, but who waited for it has not run yet.
TEST_F(CredentialsTest, CallerThatComesAsThePluginEndsDoesNotWaitForIt) {
  aio::EventLoop loop;
  aio::Notifier ending(loop.executor());
  const auto credentials =
      Make({.exec = [&](const std::atomic<bool>&) -> absl::StatusOr<ExecCredential> {
        ending.NotifyFromThread();
        absl::SleepFor(absl::Milliseconds(50));
        return ExecCredential{.token = base::SharedSecret("one")};
      }});
  loop.Run([](aio::Executor executor, Credentials* made, aio::Notifier* end) -> aio::Task<void> {
    absl::Status first = absl::UnknownError("");
    absl::Status late = absl::UnknownError("");
    aio::TaskGroup group(executor);
    group.Spawn(PrepareInto(made, &first));
    EXPECT_THAT(co_await end->Wait(absl::Minutes(1)), IsOk());
    // The loop stands still until the end of the plug-in is the next thing that it will hear of.
    absl::SleepFor(absl::Milliseconds(200));
    co_await aio::Yield();
    co_await PrepareInto(made, &late, absl::Seconds(2));
    EXPECT_THAT(late, IsOk());
    co_await group.Join();
    EXPECT_THAT(first, IsOk());
  }(loop.executor(), credentials.get(), &ending));
}

TEST_F(CredentialsTest, PluginGoesOnForTheOthersWhenWhoStartedItIsCancelled) {
  SlowPlugin plugin;
  aio::EventLoop loop;
  const auto credentials = Make({.exec = plugin.Runner()});
  loop.Run([](aio::Executor executor, Credentials* made, SlowPlugin* slow) -> aio::Task<void> {
    absl::Status first;
    absl::Status second = absl::UnknownError("");
    aio::TaskGroup starter(executor);
    aio::TaskGroup group(executor);
    starter.Spawn(PrepareInto(made, &first));
    EXPECT_TRUE(co_await aio::Eventually([&] { return slow->runs > 0; }));
    group.Spawn(PrepareInto(made, &second));
    co_await aio::Yield();
    co_await starter.Stop();
    EXPECT_THAT(first, StatusIs(absl::StatusCode::kCancelled));
    slow->go_on = true;
    co_await group.Join();
    EXPECT_THAT(second, IsOk());
  }(loop.executor(), credentials.get(), &plugin));
  EXPECT_EQ(plugin.runs, 1);
}

TEST_F(CredentialsTest, FailureBesideTheLoopIsRememberedForAWhile) {
  SlowPlugin plugin;
  plugin.go_on = true;
  plugin.fails = true;
  aio::EventLoop loop;
  const auto credentials = Make({.exec = plugin.Runner()});
  const auto prepare = [&] {
    absl::Status status;
    loop.Run(PrepareInto(credentials.get(), &status));
    return status;
  };
  EXPECT_THAT(prepare(), StatusIs(absl::StatusCode::kUnauthenticated));
  plugin.fails = false;
  clock_.Advance(absl::Seconds(4));
  EXPECT_THAT(prepare(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(plugin.runs, 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(prepare(), IsOk());
  EXPECT_EQ(plugin.runs, 2);
}

TEST_F(CredentialsTest, RefusedCredentialsServeUntilTheNextPrepare) {
  SlowPlugin plugin;
  plugin.go_on = true;
  aio::EventLoop loop;
  const auto credentials = Make({.exec = plugin.Runner()});
  absl::Status status;
  loop.Run(PrepareInto(credentials.get(), &status));
  clock_.Advance(absl::Seconds(5));
  EXPECT_TRUE(credentials->Invalidate());
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer one"));
  EXPECT_EQ(plugin.runs, 1) << "a call without Prepare does not block";
  loop.Run(PrepareInto(credentials.get(), &status));
  EXPECT_EQ(plugin.runs, 2);
}

TEST_F(CredentialsTest, CancelledWaitEndsAtOnceAndTheEndStopsThePlugin) {
  SlowPlugin plugin;  // never goes on
  aio::EventLoop loop;
  auto credentials = Make({.exec = plugin.Runner()});
  absl::Status status;
  loop.Run([](aio::Executor executor, Credentials* made, SlowPlugin* slow,
              absl::Status* out) -> aio::Task<void> {
    aio::TaskGroup group(executor);
    group.Spawn(PrepareInto(made, out));
    EXPECT_TRUE(co_await aio::Eventually([&] { return slow->runs > 0; }));
    co_await group.Stop();
  }(loop.executor(), credentials.get(), &plugin, &status));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
  credentials.reset();  // or the test would never end
}

TEST_F(CredentialsTest, PluginDoesNotRunBesideAnotherWayToAuthorize) {
  FakePlugin plugin;
  const auto credentials = Make({.token = base::SharedSecret("t"), .exec = plugin.Runner()});
  EXPECT_THAT(credentials->Authorization(), HoldsSecret("Bearer t"));
  EXPECT_THAT(credentials->Tls(), IsOk());
  EXPECT_EQ(plugin.runs, 0);
}

}  // namespace
}  // namespace calico::kube
