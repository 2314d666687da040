#include "operator/controllers/csr/signer.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/csr/csr_test_world.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"

namespace calico::csr {
namespace {

// The whole program, but for its main().
class SignerTest : public CsrTest {
 protected:
  SignerTest() : group_(executor()), stop_(executor()) {}

  SignerOptions Options() {
    SignerOptions options;
    options.config.signer_names = {kSigner};
    options.config.ca_cert_file = Path("ca.crt");
    options.config.ca_key_file = Path("ca.key");
    options.config.lease_namespace = "csr-signer";
    options.api = server().Config();
    options.refresh_interval = absl::Milliseconds(10);
    return options;
  }
  void Start(SignerOptions options) { group_.Spawn(Main(std::move(options))); }
  aio::Task<int> Stop() {
    stop_.Notify();
    co_await group_.Join();
    co_await group_.Stop();
    co_return exit_code_.value_or(-1);
  }

 private:
  aio::Task<void> Main(SignerOptions options) {
    exit_code_ =
        co_await RunSigner(std::move(options), WaitForStop(), base::SystemClock(), logger());
  }
  aio::Task<void> WaitForStop() { (void)co_await stop_.Wait(); }

  aio::TaskGroup group_;
  aio::Notifier stop_;
  std::optional<int> exit_code_;
};

ASYNC_TEST_F(SignerTest, SignsUntilStopped) {
  PutPod({});
  const std::string name = PutCsr({});
  Start(Options());
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(co_await Stop(), kExitOk);
  EXPECT_EQ(server().Count("", "/leases"), 0);
}

ASYNC_TEST_F(SignerTest, LeadsByLeaseAndGivesItUp) {
  SignerOptions options = Options();
  options.config.leader_elect = true;
  PutPod({});
  const std::string name = PutCsr({});
  Start(std::move(options));
  EXPECT_TRUE(co_await Issued(name));
  const api::ObjectKey key{"csr-signer", "csr-signer"};
  auto lease = server().Find(api::kLeases, key);
  EXPECT_TRUE(lease.has_value());
  EXPECT_EQ(co_await Stop(), kExitOk);
  lease = server().Find(api::kLeases, key);
  EXPECT_EQ(lease->at("spec").at("holderIdentity").as_string(), "");
}

ASYNC_TEST_F(SignerTest, RefusesToStartWithBadFiles) {
  SignerOptions options = Options();
  options.config.policy_file = Path("none.yaml");
  PutFile("ca.key", "nothing");
  Start(std::move(options));
  EXPECT_EQ(co_await Stop(), kExitBadInput);
  EXPECT_EQ(Logged("bad policy"), 1);
  EXPECT_EQ(Logged("no usable CA"), 1) << "both are told";
  EXPECT_EQ(server().Count(""), 0);
}

ASYNC_TEST_F(SignerTest, WithoutAUsableCaRequestsWaitUntilItIsMended) {
  PutPod({});
  const std::string name = PutCsr({});
  PutFile("ca.key", "nothing");
  Start(Options());
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request has to wait") == 1; }));
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("POST", "/events") == 1; }));
  EXPECT_EQ(Logged("no usable CA"), 1) << "once, not at every look";
  EXPECT_EQ(Writes(), 0) << "neither approved nor denied";
  PutFile("ca.key", ca().key_pem());
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_EQ(co_await Stop(), kExitOk);
}

std::string CaFile(const std::string& name) {
  std::ifstream file("testdata/pki/ca_files/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Its name constraints permit 10.0.0.0/8 only.
ASYNC_TEST_F(SignerTest, WhatTheCaItselfForbidsIsDeniedByItsConstraint) {
  PutFile("ca.crt", CaFile("signer_ten.crt"));
  PutFile("ca.key", CaFile("signer_ten.key"));
  PutPod({});
  PutPod({.name = "b", .ips = {"192.168.1.5"}});
  PutPod({.name = "c", .ips = {"fd00::5"}});
  const std::string inside = PutCsr({});
  const std::string outside = PutCsr({.pod = "b", .ips = {"192.168.1.5"}, .uid = "u2"});
  const std::string other_family = PutCsr({.pod = "c", .ips = {"fd00::5"}, .uid = "u3"});
  Start(Options());
  EXPECT_TRUE(co_await Issued(inside));
  EXPECT_TRUE(co_await Denied(outside));
  EXPECT_TRUE(co_await Denied(other_family));
  EXPECT_THAT(Csr(outside).Denied()->message,
              testing::AllOf(testing::HasSubstr("rule ca-constraints"),
                             testing::HasSubstr("permit only the IP addresses 10.0.0.0/8, not "
                                                "192.168.1.5")));
  EXPECT_THAT(Csr(other_family).Denied()->message, testing::HasSubstr("not fd00::5"));
  EXPECT_EQ(co_await Stop(), kExitOk);
}

ASYNC_TEST_F(SignerTest, AChangedPolicyTakesEffectWithoutARestart) {
  SignerOptions options = Options();
  options.config.policy_file = Path("policy.yaml");
  PutFile("policy.yaml", "version: 1\nentries: []\n");
  PutPod({});
  const std::string first = PutCsr({});
  Start(std::move(options));
  EXPECT_TRUE(co_await Denied(first));
  EXPECT_EQ(server().Count("GET", "/pods"), 0) << "no namespace, no watch";
  PutFile("policy.yaml", R"(version: 1
entries:
- name: node
  namespaces: [calico-system]
  serviceAccounts: [calico-node]
  commonNames: [typha-client]
  dnsNames: [typha-client]
)");
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("GET", "/pods") > 0; }));
  const std::string second = PutCsr({.uid = "csr-uid-2"});  // asked again
  EXPECT_TRUE(co_await Issued(second));
  PutFile("policy.yaml", "version: 1\nentries: []\n");
  EXPECT_TRUE(co_await Eventually([this] { return Logged("\"entries\":0") == 1; }));
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 1; }));
  EXPECT_EQ(co_await Stop(), kExitOk);
}

ASYNC_TEST_F(SignerTest, LargeRequestsStopNobody) {
  constexpr size_t kLarge = 800 << 10;  // 1.1 MB as JSON; the server stores it
  PutPod({});
  for (const std::string pod : {"a", "b", "c"}) PutPod({.name = pod});
  const std::string denied = PutCsr({.pod = "a", .uid = "u1", .junk_bytes = kLarge});
  const std::string honest = PutCsr({});
  Start(Options());
  EXPECT_TRUE(co_await Issued(honest));
  EXPECT_TRUE(co_await Denied(denied));
  EXPECT_THAT(Csr(denied).Denied()->message, testing::HasSubstr("rule request-format"));

  // The same in a watch, two at once.
  const std::string second = PutCsr({.pod = "a", .uid = "u3", .junk_bytes = kLarge});
  const std::string third = PutCsr({.pod = "b", .uid = "u4", .junk_bytes = kLarge});
  const std::string next = PutCsr({.pod = "c", .uid = "u6"});
  EXPECT_TRUE(co_await Issued(next));
  EXPECT_TRUE(co_await Denied(second));
  EXPECT_TRUE(co_await Denied(third));
  EXPECT_EQ(Logged("object skipped"), 0);
  EXPECT_EQ(Logged("list failed") + Logged("watch ended"), 0);
  EXPECT_EQ(co_await Stop(), kExitOk);
}

ASYNC_TEST_F(SignerTest, ServesSeveralSignerNames) {
  SignerOptions options = Options();
  options.config.signer_names = {"example.com/other", kSigner};
  PutPod({});
  const std::string name = PutCsr({});
  Start(std::move(options));
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_EQ(co_await Stop(), kExitOk);
  int lists = 0;
  for (const kube::RecordedRequest& request : server().requests()) {
    if (request.path.ends_with("/certificatesigningrequests") && request.Query("watch").empty()) {
      EXPECT_THAT(request.Query("fieldSelector"), testing::StartsWith("spec.signerName=example."));
      ++lists;
    }
  }
  EXPECT_EQ(lists, 2);
}

}  // namespace
}  // namespace calico::csr
