// TestLoop: an event loop on which a test talks to servers of its own.
//
//   TestLoop t;
//   http::Server& server = t.Serve(handler);
//   t.Run([&]() -> aio::Task<void> { ... co_await client.Do(...) ... }());
//
// Servers and other tasks are stopped when the test's coroutine has ended.
#ifndef CALICO_PKG_HTTP_TESTING_TEST_LOOP_H_
#define CALICO_PKG_HTTP_TESTING_TEST_LOOP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/http/connection.h"
#include "pkg/http/server.h"

namespace calico::http {

class TestLoop {
 public:
  // What a scripted server does with one connection.
  using Script = std::function<aio::Task<void>(Connection& connection)>;

  TestLoop() : tasks_(loop_.executor()) {}

  aio::Executor executor() const { return loop_.executor(); }

  // A real server on a free loopback port. Lifetime: the TestLoop's.
  Server& Serve(Handler handler, ServerOptions options = {});
  // A listener that runs script i for its i-th connection, the last script for all further ones.
  // Returns its port. `connections`, if any, counts.
  uint16_t ServeScripts(std::vector<Script> scripts, int* connections = nullptr,
                        const std::string& address = "127.0.0.1", uint16_t port = 0);

  // Runs `test` to its end, then stops all servers and tasks. Once.
  void Run(aio::Task<void> test);

 private:
  aio::Task<void> RunAndStop(aio::Task<void> test);

  aio::EventLoop loop_;
  std::vector<std::unique_ptr<Server>> servers_;
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

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_TESTING_TEST_LOOP_H_
