#include "pkg/net/testing/test_loop.h"

#include <algorithm>
#include <utility>

#include "pkg/base/check.h"

namespace calico::net {
namespace {

aio::Task<void> RunScript(TestLoop::Script script, std::unique_ptr<Connection> connection) {
  co_await script(*connection);
}

aio::Task<void> AcceptScripts(std::unique_ptr<Listener> listener,
                              std::vector<TestLoop::Script> scripts, int* connections,
                              aio::TaskGroup& tasks) {
  for (size_t i = 0;; ++i) {
    auto connection = co_await listener->Accept();
    if (!connection.ok()) co_return;
    if (connections != nullptr) ++*connections;
    tasks.Spawn(RunScript(scripts[std::min(i, scripts.size() - 1)], *std::move(connection)));
  }
}

}  // namespace

void TestLoop::Spawn(aio::Task<void> task, std::shared_ptr<void> owner) {
  owners_.push_back(std::move(owner));
  tasks_.Spawn(std::move(task));
}

uint16_t TestLoop::ServeScripts(std::vector<Script> scripts, int* connections,
                                const std::string& address, uint16_t port) {
  auto listener = Listener::Listen(loop_.executor(), address, port);
  CALICO_CHECK(listener.ok());
  const uint16_t bound = (*listener)->port();
  tasks_.Spawn(AcceptScripts(*std::move(listener), std::move(scripts), connections, tasks_));
  return bound;
}

void TestLoop::Run(aio::Task<void> test) { loop_.Run(RunAndStop(std::move(test))); }

aio::Task<void> TestLoop::RunAndStop(aio::Task<void> test) {
  co_await std::move(test);
  co_await tasks_.Stop();
}

aio::Task<std::string> ReadUntil(Connection& connection, std::string_view end) {
  const std::string wanted(end);
  std::string text;
  while (text.find(wanted) == text.npos) {
    const absl::StatusOr<std::string> piece = co_await connection.Read();
    if (!piece.ok() || piece->empty()) break;
    text += *piece;
  }
  co_return text;
}

TestLoop::Script AnswerAndClose(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) -> aio::Task<void> {
    (void)co_await ReadUntil(connection);
    (void)co_await connection.Write(bytes);
  };
}

TestLoop::Script AnswerAll(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) -> aio::Task<void> {
    while (!(co_await ReadUntil(connection)).empty()) {
      if (!(co_await connection.Write(bytes)).ok()) co_return;
    }
  };
}

TestLoop::Script Silence() {
  return [](Connection& connection) -> aio::Task<void> {
    (void)co_await ReadUntil(connection, "never sent");
  };
}

}  // namespace calico::net
