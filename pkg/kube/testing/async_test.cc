#include "pkg/kube/testing/async_test.h"

#include "pkg/base/check.h"

namespace calico::kube {

FakeApiServerTest::FakeApiServerTest(FakeApiServerOptions options)
    : logger_(base::LogLevel::kDebug,
              [this](base::LogLevel, std::string_view line) { log_.emplace_back(line); }),
      server_(loop_.executor(), std::move(options)) {}

Client& FakeApiServerTest::client() {
  if (client_ == nullptr) {
    client_ = std::make_unique<Client>(executor(), server_.Config(), logger_);
  }
  return *client_;
}

void FakeApiServerTest::RunTest(aio::Task<void> body) { loop_.Run(StartAndStop(std::move(body))); }

aio::Task<void> FakeApiServerTest::StartAndStop(aio::Task<void> body) {
  CALICO_CHECK(server_.Start().ok());
  co_await std::move(body);
  co_await server_.Stop();
}

}  // namespace calico::kube
