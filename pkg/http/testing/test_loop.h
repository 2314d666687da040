// TestLoop: an event loop on which a test talks to HTTP servers of its own.
//
//   TestLoop t;
//   http::Server& server = t.Serve(handler);
//   t.Run([&]() -> aio::Task<void> { ... co_await client.Do(...) ... }());
#ifndef CALICO_PKG_HTTP_TESTING_TEST_LOOP_H_
#define CALICO_PKG_HTTP_TESTING_TEST_LOOP_H_

#include "pkg/http/server.h"
#include "pkg/net/testing/test_loop.h"

namespace calico::http {

class TestLoop : public net::TestLoop {
 public:
  // A real server on a free loopback port. Lifetime: the TestLoop's.
  Server& Serve(Handler handler, ServerOptions options = {});
};

}  // namespace calico::http

#endif  // CALICO_PKG_HTTP_TESTING_TEST_LOOP_H_
