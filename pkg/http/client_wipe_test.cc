// Proves that a token is not left in memory by a request over TLS: the other side is another
// process, and this one's whole writable memory is searched.
#include <charconv>
#include <memory>
#include <string>

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pkg/aio/task_group.h"
#include "pkg/aio/thread_pool.h"
#include "pkg/aio/timer.h"
#include "pkg/base/secret_string.h"
#include "pkg/base/testing/memory_search.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/http/client.h"
#include "pkg/net/testing/test_loop.h"
#include "pkg/pki/testing/openssl_command.h"
#include "pkg/pki/testing/test_ca.h"

namespace calico::http {
namespace {

using base::IsOk;

aio::Task<void> RunServer(aio::ThreadPool& pool, const pki::OpensslCommand& openssl) {
  (void)co_await aio::RunOnPool(pool, [&] {
    return openssl.Run("s_server -accept 0 -naccept 1 -www -cert leaf.pem -key leaf.key > out");
  });
}

aio::Task<uint16_t> ServerPort(const pki::OpensslCommand& openssl) {
  while (true) {
    const std::string out = openssl.Read("out");
    const size_t accept = out.find("ACCEPT ");
    const size_t end = out.find('\n', accept == out.npos ? 0 : accept);
    if (accept != out.npos && end != out.npos) {
      uint16_t port = 0;
      std::from_chars(out.data() + out.rfind(':', end) + 1, out.data() + end, port);
      co_return port;
    }
    EXPECT_THAT(co_await aio::Sleep(absl::Milliseconds(2)), IsOk());
  }
}

struct World {
  World() {
    openssl.Write("leaf.pem", leaf.chain_pem);
    openssl.Write("leaf.key", leaf.key_pem);
  }
  pki::TestCa ca{"test-ca", absl::Now()};
  pki::TestLeaf leaf = ca.Leaf({.common_name = "api", .ip_addresses = {"127.0.0.1"}});
  pki::OpensslCommand openssl;
};

aio::Task<void> Send(const World& world, aio::Executor executor, base::SharedSecret authorization) {
  aio::ThreadPool pool(1);
  aio::TaskGroup group(executor);
  group.Spawn(RunServer(pool, world.openssl));
  const uint16_t port = co_await ServerPort(world.openssl);
  {
    Client client(executor, {.origin = fmt::format("https://127.0.0.1:{}", port),
                             .tls = [&world]() -> absl::StatusOr<net::TlsOptions> {
                               return net::TlsOptions{.ca_pem = world.ca.certificate_pem()};
                             }});
    Request request;
    request.authorization = std::move(authorization);
    const auto response = co_await client.Do(std::move(request), absl::Seconds(30));
    EXPECT_THAT(response, IsOk());
    if (response.ok()) EXPECT_EQ(response->status, 200);
  }
  co_await group.Join();
}

[[gnu::noinline]] base::MaskedNeedle SendAndForget(const World& world) {
  base::SecretString token = base::RandomSecret(400);  // a service account's is as long
  const base::MaskedNeedle needle(token.view().data() + 100);
  EXPECT_GT(base::CountInMemory(needle), 0) << "the search does not work";
  net::TestLoop t;
  t.Run(
      Send(world, t.executor(), base::SharedSecret(base::JoinSecrets({"Bearer ", token.view()}))));
  return needle;
}

TEST(ClientWipeTest, NothingOfATokenStaysInMemory) {
  if (!base::kCanSearchMemory) GTEST_SKIP() << "a sanitizer's shadow is terabytes to search";
  const World world;
  const base::MaskedNeedle needle = SendAndForget(world);
  base::WipeStack();
  EXPECT_EQ(base::CountInMemory(needle), 0);
}

}  // namespace
}  // namespace calico::http
