#include "pkg/http/testing/test_loop.h"

#include <memory>
#include <utility>

#include "pkg/base/check.h"

namespace calico::http {

Server& TestLoop::Serve(Handler handler, ServerOptions options) {
  auto listening = Server::Listen(executor(), std::move(options), std::move(handler));
  CALICO_CHECK(listening.ok());
  const std::shared_ptr<Server> server = *std::move(listening);
  Spawn(server->Run(), server);
  return *server;
}

}  // namespace calico::http
