// `calico typha-check` beside what the stand-ins of Typha and Felix do with the same files, all of
// them made by `calico typha-tls`.
#include <stdlib.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/calicert/calico/typha/typha_commands.h"
#include "operator/calicert/command/testing/run.h"
#include "operator/standin/handshake.h"
#include "operator/standin/mutual_tls.h"
#include "pkg/base/testing/status_matchers.h"

namespace calico::calicert {
namespace {

using ::calico::base::IsOk;
using ::testing::HasSubstr;

// What a side has: whose files, which pair of them, whom it demands.
struct Side {
  std::string files = "good";
  std::string pair;
  std::string trusts = "good";
  standin::PeerIdentity demands;
};

struct Case {
  const char* name;
  Side typha;
  Side felix;
  bool typha_refuses = false;
  bool felix_refuses = false;
};

class TyphaPeersTest : public ::testing::Test {
 protected:
  TyphaPeersTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string pattern = ::testing::TempDir() + "/peers.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    Make("good", {}, absl::Now());
    Make("other", {}, absl::Now());
    Make("ended", {"--expiry=24h"}, absl::Now() - absl::Hours(48));
    Make("early", {}, absl::Now() + absl::Hours(48));
    Make("uri", {"--typha-uri=spiffe://a/typha", "--client-uri=spiffe://a/node"}, absl::Now());
  }
  ~TyphaPeersTest() override { std::filesystem::remove_all(folder_); }

  void Make(const std::string& name, std::vector<std::string> more, absl::Time now) const {
    more.insert(more.begin(), {"calico", "typha-tls", folder_ + "/" + name});
    const RunResult made = RunWords(TyphaCommands(), more, {.now = now});
    EXPECT_EQ(made.code, 0) << made.err;
  }
  standin::MutualTlsFiles FilesOf(const Side& side) const {
    return {.certificate = folder_ + "/" + side.files + "/" + side.pair + ".crt",
            .key = folder_ + "/" + side.files + "/" + side.pair + ".key",
            .ca = folder_ + "/" + side.trusts + "/typhaca.crt"};
  }
  standin::HandshakeEnds Connect(const Case& c) const {
    auto typha =
        standin::MutualTls::Load(standin::TlsSide::kServer, FilesOf(c.typha), c.typha.demands);
    auto felix =
        standin::MutualTls::Load(standin::TlsSide::kClient, FilesOf(c.felix), c.felix.demands);
    EXPECT_THAT(typha, IsOk());
    EXPECT_THAT(felix, IsOk());
    return standin::Handshake(**typha, **felix);
  }
  RunResult Check(const Case& c) const {
    const standin::MutualTlsFiles typha = FilesOf(c.typha);
    const standin::MutualTlsFiles felix = FilesOf(c.felix);
    return RunWords(TyphaCommands(), {"calico",       "typha-check",
                                      "--ca",         typha.ca,
                                      "--felix-ca",   felix.ca,
                                      "--typha-cert", typha.certificate,
                                      "--typha-key",  typha.key,
                                      "--node-cert",  felix.certificate,
                                      "--node-key",   felix.key,
                                      "--client-cn",  c.typha.demands.common_name,
                                      "--client-uri", c.typha.demands.uri_san,
                                      "--typha-cn",   c.felix.demands.common_name,
                                      "--typha-uri",  c.felix.demands.uri_san,
                                      "-o",           "json"},
                    {.now = absl::Now()});
  }

  std::string folder_;
};

// Who has looked at its peer and does not want it; the other one only sees the connection end.
bool Refuses(const absl::Status& status) {
  const std::string text(status.message());
  return text.find("certificate verify failed") != std::string::npos ||
         text.find("does not have required CN") != std::string::npos;
}

const standin::PeerIdentity kNode = {.common_name = "calico-node"};
const standin::PeerIdentity kTypha = {.common_name = "calico-typha"};

TEST_F(TyphaPeersTest, SaysWhatTheProgramsDo) {
  const Side typha = {.pair = "typha", .demands = kNode};
  const Side felix = {.pair = "calico-node", .demands = kTypha};
  const auto with = [](Side side, std::string files) {
    side.files = std::move(files);
    return side;
  };
  const auto demanding = [](Side side, standin::PeerIdentity identity) {
    side.demands = std::move(identity);
    return side;
  };
  const auto paired = [](Side side, std::string pair) {
    side.pair = std::move(pair);
    return side;
  };
  const auto trusting = [](Side side, std::string files) {
    side.trusts = std::move(files);
    return side;
  };
  const standin::PeerIdentity node_uri = {.uri_san = "spiffe://a/node"};
  const standin::PeerIdentity typha_uri = {.uri_san = "spiffe://a/typha"};
  const standin::PeerIdentity node_either = {"somebody", "spiffe://a/node"};
  const Case kCases[] = {
      {"good", typha, felix},
      {"another client demanded", demanding(typha, {.common_name = "typha-client"}), felix, true},
      {"another server demanded", typha, demanding(felix, {.common_name = "typha-server"}), false,
       true},
      {"letters of another size", demanding(typha, {.common_name = "Calico-Node"}), felix, true},
      {"client of a foreign CA", typha, with(felix, "other"), true},
      {"server of a foreign CA", with(typha, "other"), felix, false, true},
      {"Felix trusts another CA", typha, trusting(felix, "other"), false, true},
      {"Typha trusts another CA", trusting(typha, "other"), felix, true},
      {"client has ended", trusting(typha, "ended"), with(felix, "ended"), true},
      {"server has ended", with(typha, "ended"), trusting(felix, "ended"), false, true},
      {"server of tomorrow", with(typha, "early"), trusting(felix, "early"), false, true},
      {"client shows a server's pair", demanding(typha, kTypha), paired(felix, "typha"), true},
      {"server shows a client's pair", paired(typha, "calico-node"), demanding(felix, kNode), false,
       true},
      {"by URI", trusting(demanding(with(typha, "uri"), node_uri), "uri"),
       trusting(demanding(with(felix, "uri"), typha_uri), "uri")},
      {"URI in place of a wrong name", trusting(demanding(with(typha, "uri"), node_either), "uri"),
       trusting(demanding(with(felix, "uri"), typha_uri), "uri")},
      {"URI that is not there", demanding(typha, node_uri), felix, true},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const standin::HandshakeEnds ends = Connect(c);
    // Typha says no only to a client that has said yes.
    EXPECT_EQ(Refuses(ends.client), c.felix_refuses) << ends.client;
    if (!c.felix_refuses) EXPECT_EQ(Refuses(ends.server), c.typha_refuses) << ends.server;
    EXPECT_EQ(ends.server.ok() && ends.client.ok(), !c.typha_refuses && !c.felix_refuses);
    const RunResult check = Check(c);
    EXPECT_EQ(check.code, c.typha_refuses || c.felix_refuses ? 1 : 0) << check.out << check.err;
    EXPECT_EQ(check.out.find("\"refusedBy\": \"Typha\"") != std::string::npos, c.typha_refuses)
        << check.out;
    EXPECT_EQ(check.out.find("\"refusedBy\": \"Felix on every node\"") != std::string::npos,
              c.felix_refuses)
        << check.out;
  }
}

}  // namespace
}  // namespace calico::calicert
