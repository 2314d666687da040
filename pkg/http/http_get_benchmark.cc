// What one HTTPS request costs a small static program: time, memory, bytes.
//
//   http_get_benchmark https://host:port/path [CA_FILE [CERTIFICATE_FILE KEY_FILE [TIMES]]]
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "pkg/aio/event_loop.h"
#include "pkg/http/client.h"
#include "pkg/net/tls.h"
#include "pkg/net/tls_identity.h"

namespace calico::http {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Resident bytes of this process by /proc/self/status.
std::string Resident() {
  std::ifstream in("/proc/self/status");
  std::string line;
  std::string out;
  while (std::getline(in, line)) {
    if (line.starts_with("VmHWM") || line.starts_with("VmRSS")) out += line + " ";
  }
  return out;
}

aio::Task<int> Main(aio::EventLoop& loop, int argc, char** argv) {
  const std::string url = argv[1];
  const size_t path = url.find('/', url.find("://") + 3);
  net::TlsOptions tls;
  if (argc > 2) tls.ca_pem = ReadFile(argv[2]);
  if (argc > 4) {
    auto identity = net::TlsIdentity::Create(ReadFile(argv[3]), ReadFile(argv[4]));
    if (!identity.ok()) {
      fmt::print("{}\n", identity.status().ToString());
      co_return 1;
    }
    tls.identity = *std::move(identity);
  }
  const int times = argc > 5 ? std::atoi(argv[5]) : 1;

  Client client(loop.executor(), {.origin = url.substr(0, path), .tls = [&tls] { return tls; }});
  for (int i = 0; i < times; ++i) {
    const absl::Time start = absl::Now();
    const auto response = co_await client.Do({.target = path == url.npos ? "/" : url.substr(path)},
                                             absl::Seconds(10));
    const std::string took = absl::FormatDuration(absl::Now() - start);
    if (!response.ok()) {
      fmt::print("{} after {}\n", response.status().ToString(), took);
      co_return 1;
    }
    if (i == 0 || i == times - 1) {
      fmt::print("status {}, body {} bytes, received {} bytes, {}, {}\n", response->status,
                 response->body.size(), client.bytes_received(), took, Resident());
    }
  }
  co_return 0;
}

}  // namespace
}  // namespace calico::http

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s URL [CA [CERTIFICATE KEY [TIMES]]]\n", argv[0]);
    return 2;
  }
  calico::aio::EventLoop loop;
  return loop.Run(calico::http::Main(loop, argc, argv));
}
