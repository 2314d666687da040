// TestLoop: an event loop on which a test talks to scripted servers of its own.
//
//   TestLoop t;
//   const uint16_t port = t.ServeScripts({AnswerAndClose("hello")});
//   t.Run([&]() -> aio::Task<void> { ... co_await Connection::Connect("127.0.0.1", port) ... }());
//
// Servers and other tasks are stopped when the test's coroutine has ended.
#ifndef CALICO_PKG_NET_TESTING_TEST_LOOP_H_
#define CALICO_PKG_NET_TESTING_TEST_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/net/connection.h"

namespace calico::net {

class TestLoop {
 public:
  // What a scripted server does with one connection.
  using Script = std::function<aio::Task<void>(Connection& connection)>;

  TestLoop() : tasks_(loop_.executor()) {}

  aio::Executor executor() const { return loop_.executor(); }

  // A listener that runs script i for its i-th connection, the last script for all further ones.
  // Returns its port. `connections`, if any, counts.
  uint16_t ServeScripts(std::vector<Script> scripts, int* connections = nullptr,
                        const std::string& address = "127.0.0.1", uint16_t port = 0);

  // Runs `test` to its end, then stops all servers and tasks. Once.
  void Run(aio::Task<void> test);

 protected:
  // Runs `task` until the test has ended. `owner`, if any, lives longer than it.
  void Spawn(aio::Task<void> task, std::shared_ptr<void> owner = nullptr);

 private:
  aio::Task<void> RunAndStop(aio::Task<void> test);

  aio::EventLoop loop_;
  std::vector<std::shared_ptr<void>> owners_;
  aio::TaskGroup tasks_;
};

// Reads until `end` has been seen; what was read, or what came before the connection closed.
aio::Task<std::string> ReadUntil(Connection& connection, std::string_view end = "\r\n\r\n");

// A script: reads a request head, answers with `bytes` and closes.
TestLoop::Script AnswerAndClose(std::string bytes);
// A script: answers every request head with `bytes`, until the client closes.
TestLoop::Script AnswerAll(std::string bytes);
// A script: reads and never answers.
TestLoop::Script Silence();

}  // namespace calico::net

#endif  // CALICO_PKG_NET_TESTING_TEST_LOOP_H_
