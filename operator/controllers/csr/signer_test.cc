#include "operator/controllers/csr/signer.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/csr/csr_test_world.h"
#include "operator/manifests/manifests.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/clock.h"
#include "pkg/codec/json.h"
#include "pkg/codec/yaml.h"

namespace calico::csr {
namespace {

// The whole program, but for its main().
class SignerTest : public CsrTest {
 protected:
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
  SignerOptions ReplicaOptions() {
    SignerOptions options = Options();
    options.config.leader_elect = true;
    return options;
  }
  void Start(SignerOptions options) {
    running_.push_back(std::make_unique<Running>(executor()));
    running_.back()->group.Spawn(Main(std::move(options), *running_.back()));
  }
  // The one that was started first. Returns its exit code.
  aio::Task<int> Stop() {
    const std::unique_ptr<Running> running = std::move(running_.front());
    running_.erase(running_.begin());
    running->stop.Notify();
    co_await running->group.Join();
    co_await running->group.Stop();
    co_return running->exit_code.value_or(-1);
  }

 private:
  struct Running {
    explicit Running(const aio::Executor& executor) : group(executor), stop(executor) {}
    aio::TaskGroup group;
    aio::Notifier stop;
    std::optional<int> exit_code;
  };

  aio::Task<void> Main(SignerOptions options, Running& running) {
    running.exit_code =
        co_await RunSigner(std::move(options), WaitForStop(running), base::SystemClock(), logger());
  }
  aio::Task<void> WaitForStop(Running& running) { (void)co_await running.stop.Wait(); }

  std::vector<std::unique_ptr<Running>> running_;
};

// `verb group/resource`, and ` in namespace` for what a Role of one namespace allows.
std::string Right(std::string_view verb, std::string_view group, std::string_view resource,
                  std::string_view ns) {
  return fmt::format("{} {}{}{}{}{}", verb, group, group.empty() ? "" : "/", resource,
                     ns.empty() ? "" : " in ", ns);
}

// What the API server would ask about a request.
std::string RightOf(const kube::RecordedRequest& request) {
  std::vector<std::string> parts = absl::StrSplit(request.path, '/', absl::SkipEmpty());
  const bool core = parts[0] == "api";
  const std::string group = core ? "" : parts[1];
  parts.erase(parts.begin(), parts.begin() + (core ? 2 : 3));
  std::string ns;
  if (parts[0] == "namespaces" && parts.size() > 2) {
    ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if (parts[0] != "leases" && parts[0] != "events") ns.clear();
  const std::string resource = parts.size() > 2 ? parts[0] + "/" + parts[2] : parts[0];
  std::string verb = request.method == "POST"    ? "create"
                     : request.method == "PUT"   ? "update"
                     : request.method == "PATCH" ? "patch"
                                                 : "get";
  if (verb == "get" && parts.size() == 1) verb = request.Query("watch").empty() ? "list" : "watch";
  return Right(verb, group, resource, ns);
}

// All rights of the signer's Roles; `approve` and `sign` are asked about beside a write.
std::set<std::string> RightsOfManifest() {
  std::set<std::string> rights;
  for (const base::EmbeddedFile& file : manifests::Manifests()) {
    if (file.name != "signer.yaml") continue;
    const auto documents = codec::ParseYamlDocuments(file.content).value();
    for (const json::value& document : documents) {
      const json::value* rules = document.as_object().if_contains("rules");
      if (rules == nullptr) continue;
      const std::string_view ns = codec::TextAt(document.at("metadata").as_object(), "namespace");
      for (const json::value& rule : rules->as_array()) {
        for (const json::value& resource : rule.at("resources").as_array()) {
          for (const json::value& verb : rule.at("verbs").as_array()) {
            if (resource.as_string() == "signers") continue;
            rights.insert(Right(codec::View(verb.as_string()),
                                codec::View(rule.at("apiGroups").as_array()[0].as_string()),
                                codec::View(resource.as_string()), ns));
          }
        }
      }
    }
  }
  return rights;
}

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

ASYNC_TEST_F(SignerTest, TheSecondReplicaTakesOver) {
  PutPod({});
  PutPod({.name = "node-2"});
  Start(ReplicaOptions());
  const std::string first = PutCsr({});
  EXPECT_TRUE(co_await Issued(first));
  Start(ReplicaOptions());
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6 + 6 + 1; }));
  EXPECT_EQ(Logged("became leader"), 1);
  EXPECT_EQ(co_await Stop(), kExitOk);
  const std::string second = PutCsr({.pod = "node-2", .uid = "csr-uid-2"});
  EXPECT_TRUE(co_await Issued(second));
  EXPECT_EQ(co_await Stop(), kExitOk);
}

// So that its Roles hold what it uses and nothing else.
ASYNC_TEST_F(SignerTest, UsesEveryRightOfItsManifestAndNoOther) {
  PutNode("n1", "192.0.2.1");
  PutService("kubernetes", {{"clusterIP", "10.96.0.1"}});
  PutPod({});
  PutPod({.name = "host", .ips = {"192.0.2.1", "10.96.0.1"}, .host_network = true});
  Start(ReplicaOptions());
  EXPECT_TRUE(co_await Issued(PutCsr({})));
  // Denied twice for the same reason: an Event, and its count. Too large to be kept.
  for (const std::string uid : {"u1", "u2"}) {
    EXPECT_TRUE(co_await Denied(PutCsr({.pod = "a", .uid = uid, .junk_bytes = 200 << 10})));
    server().state().Remove(api::kCertificateSigningRequests, {"", "calico-system:a:a-uid"});
  }
  // No such pod, no address of its node, an address of a Service.
  EXPECT_TRUE(co_await Denied(PutCsr({.pod = "none", .uid = "u3"})));
  PutCsr({.pod = "host", .ips = {"192.0.2.2"}, .uid = "u4"});
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("GET", "/nodes/n1") > 0; }));
  PutCsr({.pod = "host", .ips = {"10.96.0.1"}, .uid = "u5"});
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("GET", "/services/") > 0; }));
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("PATCH", "/events/") > 0; }));
  Start(ReplicaOptions());
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("GET", "/leases") > 2; }));
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6 + 6 + 1; }));
  EXPECT_EQ(co_await Stop(), kExitOk);
  EXPECT_EQ(co_await Stop(), kExitOk);

  std::set<std::string> used;
  for (const kube::RecordedRequest& request : server().requests()) used.insert(RightOf(request));
  EXPECT_EQ(used, RightsOfManifest());
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

ASYNC_TEST_F(SignerTest, AChangedPolicyTriesWaitingRequestsAtOnce) {
  const std::string policy = R"(version: 1
entries:
- name: node
  namespaces: [calico-system]
  serviceAccounts: [calico-node]
  commonNames: [typha-client]
  dnsNames: [typha-client]
)";
  SignerOptions options = Options();
  options.config.policy_file = Path("policy.yaml");
  PutFile("policy.yaml", policy);
  PutPod({.ips = {}});
  const std::string name = PutCsr({});
  Start(std::move(options));
  EXPECT_TRUE(co_await Eventually([this] { return Logged("has no address yet") == 1; }));
  const absl::Time waits_since = absl::Now();
  // It is tried again after one second, and after two more.
  EXPECT_TRUE((co_await aio::Sleep(absl::Milliseconds(1500))).ok());
  PutFile("policy.yaml", policy + "  dropIPAddresses: true\n");
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_LT(absl::Now() - waits_since, absl::Milliseconds(2800));
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
