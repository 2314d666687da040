#include "operator/controllers/csr/csr_controller.h"

#include <algorithm>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/controllers/csr/csr_test_world.h"
#include "pkg/aio/task_group.h"
#include "pkg/api/meta/resources.h"
#include "pkg/codec/json.h"

namespace calico::csr {
namespace {

using ::testing::HasSubstr;

// The controller with its caches, as the program runs it.
class CsrControllerTest : public CsrTest {
 protected:
  struct Running {
    Running(CsrControllerTest& test, CsrControllerOptions options)
        : policies(PolicySource::Open("", {kSigner}, test.logger()).value()),
          ca(FileCaSource::Open(test.Path("ca.crt"), test.Path("ca.key"), test.clock_,
                                test.logger())),
          client(test.executor(), test.server().Config(), test.logger(), {.max_connections = 64}),
          events(client, "csr-signer", test.clock_, test.logger(), test.executor()),
          metrics(registry, {kSigner}),
          cluster(test.executor(), client, test.clock_, test.logger()),
          controller(test.executor(),
                     {client, *policies, *ca, cluster, events, metrics, test.clock_, test.logger()},
                     std::move(options)),
          group(test.executor()) {
      cluster.SetPolicy(*policies->Current());
    }

    metrics::Registry registry;
    std::unique_ptr<PolicySource> policies;
    std::unique_ptr<CaSource> ca;
    kube::Client client;
    kube::EventRecorder events;
    Metrics metrics;
    ClusterFacts cluster;
    CsrController controller;
    aio::TaskGroup group;
  };

  static CsrControllerOptions Options() { return {.signer_names = {kSigner}, .concurrency = 8}; }

  // Starts, and makes a request whose address a pod has that is gone: until that look-up ends, the
  // cluster can change. Returns the request's name.
  aio::Task<std::string> AskWhileAnOwnerIsLookedUp() {
    PutPod({});
    PutPod({.name = "gone", .ips = {"10.0.0.5"}, .ns = "shop"});
    server().Inject({.method = "GET",
                     .path_contains = "/shop/pods/gone",
                     .delay = absl::Milliseconds(200),
                     .status = 404});
    co_await Start();
    EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
    std::string name = PutCsr({});
    EXPECT_TRUE(co_await Eventually([this] { return server().Count("GET", "/shop/pods/") == 1; }));
    co_return name;
  }

  // Starts all parts, caches first.
  aio::Task<void> Start(CsrControllerOptions options = Options()) {
    running_ = std::make_unique<Running>(*this, std::move(options));
    running_->group.Spawn(running_->cluster.Run());
    EXPECT_TRUE((co_await running_->cluster.WaitForSync(absl::Seconds(3))).ok());
    for (const CsrController::Cache& cache : running_->controller.Caches()) {
      running_->group.Spawn(cache.run());
      EXPECT_TRUE((co_await cache.wait_for_sync(absl::Seconds(3))).ok());
    }
    running_->group.Spawn(running_->events.Run());
    running_->group.Spawn(running_->controller.Run());
  }
  aio::Task<void> Stop() {
    co_await running_->group.Stop();
    running_.reset();
  }
  // Nothing is left to do: what was to be ignored has been.
  aio::Task<void> Settle() {
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE((co_await aio::Sleep(absl::Milliseconds(2))).ok());
    }
  }
  // How often the pods of calico-system were to be watched.
  int PodWatches() {
    return static_cast<int>(std::count_if(server().requests().begin(), server().requests().end(),
                                          [](const kube::RecordedRequest& request) {
                                            return request.path.ends_with("/calico-system/pods") &&
                                                   !request.Query("watch").empty();
                                          }));
  }
  std::string Metrics() const { return running_->registry.Expose(); }
  // The counts of all Events that there are.
  std::vector<int64_t> EventCounts() {
    std::vector<int64_t> counts;
    for (const json::object& event : server().state().List(api::kEvents)) {
      counts.push_back(event.at("count").as_int64());
    }
    return counts;
  }

  OffsetClock clock_;
  std::unique_ptr<Running> running_;
};

ASYNC_TEST_F(CsrControllerTest, ApprovesAndSignsWithTwoWritesAndNoReads) {
  PutPod({});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(Writes(), 2);
  EXPECT_EQ(server().Count("GET", "/certificatesigningrequests/"), 0);
  EXPECT_EQ(server().Count("GET", "/pods/"), 0);

  const api::CertificateSigningRequest csr = Csr(name);
  EXPECT_EQ(csr.Approved()->reason, "PolicyApproved");
  EXPECT_EQ(csr.Approved()->message, "allowed by policy entry calico-node");
  EXPECT_EQ(csr.meta.labels.at("k8s-app"), "calico-system");
  EXPECT_EQ(csr.meta.annotations.at("note"), "kept");
  const auto object = server().Find(api::kCertificateSigningRequests, {"", name});
  EXPECT_EQ(codec::Serialize(object->at("metadata").at("finalizers")), R"(["example.com/kept"])");

  EXPECT_TRUE(co_await Eventually([this] { return server().Count("POST", "/events") == 1; }));
  EXPECT_EQ(Logged("request approved and signed"), 1);
  EXPECT_EQ(Logged("BEGIN"), 0);
  co_await Settle();
  EXPECT_THAT(Metrics(), HasSubstr("csr_signer_requests_total{signer=\"example.com/signer\","
                                   "result=\"issued\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("csr_signer_duration_seconds_count 1"));
  EXPECT_EQ(Writes(), 2) << "the watch's echoes are no new requests";
  EXPECT_EQ(running_->controller.pending(), 0U);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, SignsWhatComesWhileItRuns) {
  co_await Start();
  for (int i = 0; i < 30; ++i) {
    PutPod({.name = "node-" + std::to_string(i)});
    PutCsr({.pod = "node-" + std::to_string(i), .name = "", .uid = "u" + std::to_string(i)});
  }
  // Several pods share six characters of UID here, not names.
  for (int i = 0; i < 30; ++i) {
    const std::string pod = "node-" + std::to_string(i);
    const std::string name = "calico-system:" + pod + ":" + (pod + "-uid").substr(0, 6);
    EXPECT_TRUE(co_await Issued(name)) << name;
    ExpectGoodCertificate(name);
  }
  EXPECT_EQ(Writes(), 60);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, DeniesWithTheRule) {
  PutPod({});
  const std::string name = PutCsr({.ips = {"10.0.0.9"}});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request has to wait") == 1; }));
  EXPECT_EQ(Writes(), 0) << "the pod's status may be behind";
  clock_.Advance(csr_policy::kAddressGrace);
  EXPECT_TRUE(co_await Denied(name));
  const api::CertificateSigningRequest csr = Csr(name);
  EXPECT_EQ(csr.Denied()->reason, "PolicyViolation");
  EXPECT_EQ(csr.Denied()->message,
            "rule ip-addresses: 10.0.0.9 is not an address of pod calico-system/node-1");
  EXPECT_FALSE(csr.IsIssued());
  EXPECT_EQ(server().Count("GET", "/pods/node-1"), 2) << "no denial on cached facts";
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("POST", "/events") == 1; }));
  EXPECT_EQ(Logged("\"rule\":\"ip-addresses\""), 1);
  EXPECT_THAT(server().requests().back().body, HasSubstr("rule ip-addresses"));
  co_await Settle();
  EXPECT_EQ(Writes(), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, IgnoresWhatIsFinished) {
  PutPod({});
  PutCsr({.name = "denied", .condition = "Denied"});
  PutCsr({.name = "failed", .condition = "Failed"});
  co_await Start();
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  EXPECT_EQ(running_->controller.pending(), 0U);
  co_await Stop();
}

// --- Look-ups ---

ASYNC_TEST_F(CsrControllerTest, FailedPodLookUpsAreRetriedNotDenied) {
  PutPod({});
  // The cache cannot help: pods cannot be listed.
  server().Inject(
      {.method = "GET", .path_contains = "/calico-system/pods?", .times = 1000, .status = 403});
  server().Inject({.method = "GET", .path_contains = "/pods/node-1", .times = 2, .status = 500});
  server().Inject({.method = "GET", .path_contains = "/pods/node-1", .status = 403});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_GE(server().Count("GET", "/pods/node-1"), 4);
  EXPECT_EQ(Writes(), 2);
  EXPECT_GE(Logged("not listed yet"), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AFailedNodeLookUpIsRetriedNotDenied) {
  PutPod({.ips = {}, .host_network = true});
  PutNode("n1", "192.0.2.1");
  server().Inject({.method = "GET", .path_contains = "/nodes/n1", .status = 403});
  server().Inject({.method = "GET", .path_contains = "/nodes/n1", .close = true});
  const std::string name = PutCsr({.ips = {"192.0.2.1"}});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  // The node's addresses are known now.
  const int asked = server().Count("GET", "/nodes/n1");
  PutPod({.name = "node-2", .ips = {}, .host_network = true});
  co_await Settle();
  const std::string second = PutCsr({.pod = "node-2", .ips = {"192.0.2.1"}, .uid = "csr-uid-2"});
  EXPECT_TRUE(co_await Issued(second));
  EXPECT_EQ(server().Count("GET", "/nodes/n1"), asked);
  clock_.Advance(absl::Seconds(31));
  PutPod({.name = "node-3", .ips = {}, .host_network = true});
  co_await Settle();
  EXPECT_TRUE(co_await Issued(PutCsr({.pod = "node-3", .ips = {"192.0.2.1"}, .uid = "csr-uid-3"})));
  EXPECT_EQ(server().Count("GET", "/nodes/n1"), asked + 1) << "not from memory for ever";
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, APodThatIsGoneIsDeniedAfterALiveLookUp) {
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Denied(name));
  EXPECT_THAT(Csr(name).Denied()->message, HasSubstr("rule pod-exists"));
  EXPECT_EQ(server().Count("GET", "/pods/node-1"), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AnOldCacheApprovesNothing) {
  PutPod({});
  PutPod({.name = "node-2"});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  server().Inject(
      {.method = "GET", .path_contains = "/calico-system/pods?", .times = 1000, .status = 403});
  server().DropWatches();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 5; }));
  server().state().Remove(api::kPods, {std::string(kNamespace), "node-1"});
  clock_.Advance(absl::Seconds(31));
  const std::string gone = PutCsr({});
  const std::string there = PutCsr({.pod = "node-2", .uid = "csr-uid-2"});
  EXPECT_TRUE(co_await Denied(gone));
  EXPECT_THAT(Csr(gone).Denied()->message, HasSubstr("rule pod-exists"));
  EXPECT_TRUE(co_await Issued(there));
  EXPECT_EQ(server().Count("GET", "/pods/"), 2);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AReplayAfterAReconnectApprovesNothing) {
  PutPod({});
  co_await Start();
  const kube::Fault refused{
      .method = "GET", .path_contains = "/calico-system/pods?", .times = 1000, .status = 403};
  EXPECT_TRUE(co_await Eventually([this] { return PodWatches() == 1; }));
  server().Inject(refused);
  server().DropWatches();
  EXPECT_TRUE(co_await Eventually([this] { return PodWatches() == 2; }));
  server().state().Remove(api::kPods, {std::string(kNamespace), "node-1"});
  clock_.Advance(absl::Minutes(5));
  // The next watch begins with something that happened soon after the break.
  server().ClearFaults();
  server().Inject({.method = "GET",
                   .path_contains = "/calico-system/pods?",
                   .raw_body = R"({"type":"MODIFIED","object":{"apiVersion":"v1","kind":"Pod",)"
                               R"("metadata":{"name":"old","namespace":"calico-system",)"
                               R"("uid":"old-uid","resourceVersion":"3"}}})"
                               "\n"});
  server().Inject(refused);
  EXPECT_TRUE(co_await Eventually([this] { return server().pending_faults() < 1000; }));
  const std::string name = PutCsr({});
  EXPECT_TRUE(co_await Denied(name));
  EXPECT_THAT(Csr(name).Denied()->message, HasSubstr("rule pod-exists"));
  EXPECT_EQ(server().Count("GET", "/pods/node-1"), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, APodThatTheCacheDoesNotShowYetIsFoundLive) {
  server().Inject(
      {.method = "GET", .path_contains = "/calico-system/pods?", .times = 1000, .status = 403});
  PutPod({});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_EQ(server().Count("GET", "/pods/node-1"), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, WaitsForThePodsAddress) {
  PutPod({.ips = {}});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request has to wait") == 1; }));
  EXPECT_EQ(Writes(), 0);
  PutPod({});
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_THAT(Metrics(), HasSubstr("result=\"retried\"} 1"));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, WaitsForThePodsNewAddress) {
  PutPod({.ips = {"10.0.0.4"}});  // before the node's reboot
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request has to wait") == 1; }));
  EXPECT_EQ(Writes(), 0);
  PutPod({});
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  co_await Stop();
}

// --- Who else has the address ---

ASYNC_TEST_F(CsrControllerTest, AnAddressThatSomethingElseHasIsRefused) {
  // What a thief of the pod's token can write: into its pod's status, and into its node's.
  const char* const others[] = {"10.96.0.1", "198.51.100.1", "198.51.100.2",
                                "192.0.2.2", "10.0.0.77",    "192.0.2.3"};
  PutNode("n1", "192.0.2.1");
  PutService("kubernetes", {{"clusterIP", "10.96.0.1"}, {"clusterIPs", json::array{"10.96.0.1"}}});
  const json::array ingress = {json::object{{"ip", "198.51.100.2"}}};
  PutService("web", {{"externalIPs", json::array{"198.51.100.1"}}},
             {{"loadBalancer", json::object{{"ingress", ingress}}}});
  PutNode("n2", "192.0.2.2");
  PutPod({.name = "shop", .ips = {"10.0.0.77"}, .ns = "shop"});
  PutPod({.name = "proxy", .ips = {"192.0.2.3"}, .host_network = true, .node_name = "n3"});
  PutPod({.ips = {"192.0.2.1", others[0], others[1], others[2], others[3], others[4], others[5]},
          .host_network = true});
  co_await Start();
  const char* const owners[] = {"Service \"default/kubernetes\"",
                                "Service \"default/web\"",
                                "Service \"default/web\"",
                                "Node \"n2\"",
                                "Pod \"shop/shop\"",
                                "Pod \"calico-system/proxy\""};
  for (size_t i = 0; i < std::size(others); ++i) {
    SCOPED_TRACE(others[i]);
    // One at a time: they all have the one name that the pod may use.
    const std::string name = PutCsr({.ips = {others[i]}, .uid = others[i]});
    const int waits = static_cast<int>(i) + 1;
    EXPECT_TRUE(co_await Eventually([&] { return Logged("request has to wait") == waits; }));
    clock_.Advance(csr_policy::kAddressGrace);
    EXPECT_TRUE(co_await Denied(name));
    EXPECT_THAT(Csr(name).Denied()->message,
                HasSubstr(std::string("rule ip-addresses: ") + others[i] +
                          " is also an address of " + owners[i]));
    EXPECT_FALSE(Csr(name).IsIssued());
    server().state().Remove(api::kCertificateSigningRequests, {"", name});
    EXPECT_TRUE(co_await Eventually([this] { return running_->controller.pending() == 0; }));
  }
  // And its own.
  const std::string name = PutCsr({.ips = {"192.0.2.1"}, .uid = "own"});
  EXPECT_TRUE(co_await Issued(name));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ItsNodeAndWhatElseRunsOnItsHostNetworkAreNoOthers) {
  PutNode("n1", "192.0.2.1");
  PutPod({.ips = {"192.0.2.1"}, .host_network = true});
  PutPod({.name = "proxy", .ips = {"192.0.2.1"}, .host_network = true, .ns = "kube-system"});
  PutPod({.name = "done", .ips = {"192.0.2.1"}, .phase = "Succeeded"});
  const std::string name = PutCsr({.ips = {"192.0.2.1"}});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(Writes(), 2);
  for (const char* path : {"/pods/", "/nodes/", "/services/"}) {
    EXPECT_EQ(server().Count("GET", path), 0) << path;
  }
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AnAddressOfAPodThatIsGoneIsFree) {
  PutPod({});
  PutPod({.name = "gone", .ips = {"10.0.0.5"}, .ns = "shop"});
  PutPod({.name = "moved", .ips = {"10.0.0.5"}, .ns = "shop"});
  PutPod({.name = "going", .ips = {"10.0.0.5"}, .ns = "shop", .terminating = true});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  server().Inject({.method = "GET", .path_contains = "/v1/pods?", .times = 1000, .status = 403});
  server().DropWatches();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 5; }));
  server().state().Remove(api::kPods, {"shop", "gone"});
  PutPod({.name = "moved", .ips = {"10.0.0.6"}, .ns = "shop"});
  // Failed look-ups are no verdict, and one that is being deleted may still run.
  server().Inject({.method = "GET", .path_contains = "/shop/pods/", .times = 2, .status = 500});
  const std::string name = PutCsr({});
  EXPECT_TRUE(co_await Eventually([this] { return Logged("which is being deleted") == 1; }));
  clock_.Advance(csr_policy::kAddressGrace);
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  server().state().Remove(api::kPods, {"shop", "going"});
  clock_.Advance(AddressIndex::kHeld);
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AServiceThatDoesNotEndIsADenial) {
  PutPod({});
  PutPod({.name = "going", .ips = {"10.0.0.5"}, .ns = "shop", .terminating = true});
  server().Put({{"apiVersion", "v1"},
                {"kind", "Service"},
                {"metadata",
                 {{"name", "web"},
                  {"namespace", "shop"},
                  {"deletionTimestamp", "2026-11-22T19:42:02Z"},
                  {"finalizers", {"example.com/stuck"}}}},
                {"spec", {{"externalIPs", json::array{"10.0.0.5"}}}}});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request has to wait") == 1; }));
  clock_.Advance(csr_policy::kAddressGrace);
  EXPECT_TRUE(co_await Denied(name));
  EXPECT_THAT(Csr(name).Denied()->message, HasSubstr("Service \"shop/web\""));
  EXPECT_THAT(Csr(name).Denied()->message, HasSubstr("set dropIPAddresses: true in policy entry"));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AnAddressJustTakenFromItsOwnerIsNotFree) {
  PutPod({});
  PutPod({.name = "victim", .ips = {"10.0.0.5"}, .ns = "shop"});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  PutPod({.name = "victim", .ips = {"10.0.0.5"}, .ns = "shop", .phase = "Failed"});
  const std::string name = PutCsr({});
  EXPECT_TRUE(co_await Eventually([this] { return Logged("until a moment ago") == 1; }));
  clock_.Advance(csr_policy::kAddressGrace);
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  clock_.Advance(AddressIndex::kHeld);
  EXPECT_TRUE(co_await Issued(name));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ALongWaitIsToldOnTheRequest) {
  PutPod({.ips = {}});
  PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return Logged("has no address yet") == 1; }));
  co_await Settle();
  EXPECT_EQ(server().Count("POST", "/events"), 0);
  clock_.Advance(absl::Seconds(31));
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("POST", "/events") == 1; }));
  EXPECT_THAT(server().requests().back().body, HasSubstr("\"Waiting\""));
  EXPECT_THAT(server().requests().back().body, HasSubstr("has no address yet"));
  // Another reason is told again.
  PutPod({.name = "other", .ips = {"10.0.0.5"}, .ns = "shop", .terminating = true});
  co_await Settle();
  PutPod({});
  EXPECT_TRUE(co_await Eventually([this] { return Logged("which is being deleted") == 1; }));
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("POST", "/events") == 2; }));
  co_await Settle();
  EXPECT_EQ(Logged("request has to wait"), 2);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AnOwnerThatCameDuringALookUpIsSeen) {
  const std::string name = co_await AskWhileAnOwnerIsLookedUp();
  PutService("web", {{"externalIPs", json::array{"10.0.0.5"}}});
  EXPECT_TRUE(co_await Eventually([this] { return Logged("Service \\\"default/web") >= 1; }));
  EXPECT_EQ(Writes(), 0);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, LookUpsThatTakeLongAreBegunAnew) {
  const std::string name = co_await AskWhileAnOwnerIsLookedUp();
  server().state().Remove(api::kPods, {std::string(kNamespace), "node-1"});
  clock_.Advance(absl::Seconds(31));
  EXPECT_TRUE(co_await Denied(name));
  EXPECT_THAT(Csr(name).Denied()->message, HasSubstr("rule pod-exists"));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AMissingRightIsNamedAndHoldsUpOnlyAddresses) {
  PutPod({});
  PutPod({.name = "node-2"});
  server().Inject({.method = "GET",
                   .path_contains = "/v1/services?",
                   .times = 1000,
                   .status = 403,
                   .raw_body =
                       R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":403,)"
                       R"("reason":"Forbidden","message":"services is forbidden: User )"
                       R"(\"signer\" cannot list resource \"services\""})"});
  const std::string with = PutCsr({});
  const std::string without = PutCsr({.pod = "node-2", .ips = {}, .uid = "csr-uid-2"});
  co_await Start();
  EXPECT_TRUE(co_await Issued(without));
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request has to wait") == 1; }));
  EXPECT_EQ(Logged("\"message\":\"requests with IP addresses have to wait\""), 1);
  EXPECT_GE(Logged("services are not listed yet"), 2);
  EXPECT_GE(Logged("cannot list resource \\\"services\\\""), 2);
  EXPECT_THAT(running_->cluster.AddressHealth().message(), HasSubstr("services"));
  EXPECT_EQ(Writes(), 2);
  server().ClearFaults();
  EXPECT_TRUE(co_await Issued(with));
  EXPECT_TRUE(running_->cluster.AddressHealth().ok());
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, WithoutWordFromAWatchForLongAddressesWait) {
  PutPod({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  clock_.Advance(AddressWatch::kLongestBehind + absl::Seconds(1));
  const std::string name = PutCsr({});
  EXPECT_TRUE(co_await Eventually(
      [this] { return Logged("has told nothing new for more than 180 s") == 1; }));
  EXPECT_EQ(Writes(), 0);
  server().SendBookmarks();
  EXPECT_TRUE(co_await Issued(name));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, WhereNoAddressIsJudgedNobodysAreWatched) {
  csr_policy::CsrPolicy policy = *PolicySource::Open("", {kSigner}, logger()).value()->Current();
  for (csr_policy::CsrPolicyEntry& entry : policy.entries) entry.drop_ip_addresses = true;
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  running_->cluster.SetPolicy(policy);
  // Requests, and the pods of the policy's two namespaces.
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 3; }));
  EXPECT_TRUE(running_->cluster.AddressHealth().ok());
  running_->cluster.SetPolicy(*running_->policies->Current());
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  EXPECT_TRUE(running_->cluster.AddressHealth().ok());
  co_await Stop();
}

// --- Writes that go wrong ---

ASYNC_TEST_F(CsrControllerTest, AConflictIsReadAgainAndJudgedAgain) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject(
      {.method = "PUT", .path_contains = "/approval", .status = 409, .reason = "Conflict"});
  server().Inject(
      {.method = "PUT", .path_contains = "/status", .status = 409, .reason = "Conflict"});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(server().Count("PUT", "/approval"), 2);
  EXPECT_EQ(server().Count("PUT", "/status"), 2);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ADenialByAnotherMeanwhileStands) {
  PutPod({});
  // Our approval comes too late: it is refused, and the answer of the re-read is a denial.
  server().Inject({.method = "PUT",
                   .path_contains = "/approval",
                   .delay = absl::Milliseconds(100),
                   .status = 409,
                   .reason = "Conflict"});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("PUT", "/approval") == 1; }));
  PutCsr({.condition = "Denied"});
  co_await Eventually([this] { return running_->controller.pending() == 0; });
  co_await Settle();
  EXPECT_FALSE(Csr(name).IsIssued());
  EXPECT_FALSE(Csr(name).IsApproved());
  EXPECT_EQ(Writes(), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, LostAnswersDoNoHarm) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject({.method = "PUT", .path_contains = "/approval", .act_then_close = true});
  server().Inject({.method = "PUT", .path_contains = "/status", .close = true});
  server().Inject({.method = "PUT", .path_contains = "/status", .act_then_close = true});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  co_await Settle();
  ExpectGoodCertificate(name);
  EXPECT_EQ(Csr(name).conditions.size(), 1U);
  EXPECT_TRUE(co_await Eventually([this] { return running_->controller.pending() == 0; }));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AServerThatIsDownForAWhile) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject({.method = "PUT", .times = 3, .status = 503});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ApprovedAndSignedIsSaidOnceAfterBothWrites) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject({.method = "PUT", .path_contains = "/approval", .status = 503});
  server().Inject({.method = "PUT", .path_contains = "/status", .times = 2, .status = 500});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_TRUE(co_await Eventually([this] { return Logged("approved and signed") > 0; }));
  co_await Settle();
  EXPECT_EQ(Logged("request approved and signed"), 1);
  EXPECT_EQ(Logged("approved request signed"), 0);
  // Each serial number that may be out there is in some line.
  EXPECT_EQ(Logged("certificate may have been stored"), 2);
  EXPECT_EQ(Logged("\"serial\""), 3);
  co_await Stop();
}

// Whatever becomes of the answer, a certificate that is stored has a line with its serial number.
ASYNC_TEST_F(CsrControllerTest, ACertificateWhoseAnswerCannotBeReadHasItsLine) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject({.method = "PUT", .path_contains = "/status", .act_then_answer = "<html>"});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_TRUE(
      co_await Eventually([this] { return Logged("certificate may have been stored") > 0; }));
  EXPECT_GE(Logged("\"serial\""), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ACertificateWhoseAnswerIsTooLargeHasItsLine) {
  PutPod({});
  const std::string name = PutCsr({});
  const std::string large(kube::ClientOptions().max_object_bytes + 1, ' ');
  server().Inject({.method = "PUT", .path_contains = "/status", .act_then_answer = large});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  EXPECT_TRUE(
      co_await Eventually([this] { return Logged("certificate may have been stored") > 0; }));
  EXPECT_GE(Logged("\"serial\""), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, WhatTheServerCallsInvalidIsTriedAgain) {
  // A webhook that refuses, a proxy that answers 400: all may be mended while the request waits.
  server().Inject(
      {.method = "GET", .path_contains = "/calico-system/pods?", .times = 1000, .status = 403});
  server().Inject({.method = "GET", .path_contains = "/pods/node-1", .status = 400});
  server().Inject({.method = "PUT", .path_contains = "/approval", .times = 2, .status = 422});
  server().Inject({.method = "PUT", .path_contains = "/status", .status = 422});
  PutPod({});
  const std::string name = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(server().Count("PUT", "/approval"), 3);
  EXPECT_EQ(server().Count("PUT", "/status"), 2);
  EXPECT_EQ(Logged("reconcile failed"), 4);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, IssuedByAnotherMeanwhileIsDone) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject(
      {.method = "PUT",
       .path_contains = "/status",
       .status = 422,
       .raw_body = R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":422,)"
                   R"("reason":"Invalid","message":"CertificateSigningRequest is invalid: )"
                   R"(status.certificate: updates may not modify existing certificate content"})"});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("PUT", "/status") == 1; }));
  co_await Settle();
  EXPECT_EQ(server().Count("PUT", "/status"), 1);
  EXPECT_EQ(Logged("reconcile failed"), 0);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ARequestDeletedMeanwhileIsNoError) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject({.method = "PUT", .path_contains = "/approval", .status = 404});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("PUT", "/approval") == 1; }));
  co_await Settle();
  EXPECT_EQ(Logged("reconcile failed"), 0);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ARestartInTheMiddleGoesOn) {
  PutPod({});
  const std::string name = PutCsr({});
  server().Inject({.method = "PUT", .path_contains = "/status", .times = 1000, .status = 403});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([&] { return Csr(name).IsApproved(); }));
  co_await Stop();
  EXPECT_FALSE(Csr(name).IsIssued());
  server().ClearFaults();
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(server().Count("PUT", "/approval"), 1);
  EXPECT_TRUE(co_await Eventually([this] { return Logged("request approved and signed") == 1; }));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ClosedAndCutWatchesLoseNothing) {
  co_await Start();
  for (int round = 0; round < 4; ++round) {
    const std::string pod = "pod" + std::to_string(round);
    PutPod({.name = pod});
    const std::string name = PutCsr({.pod = pod, .uid = "u" + std::to_string(round)});
    if (round % 2 == 0) {
      server().DropWatches();
    } else {
      server().CloseWatches();
    }
    EXPECT_TRUE(co_await Issued(name)) << round;
  }
  co_await Stop();
}

// --- Approved by somebody else ---

ASYNC_TEST_F(CsrControllerTest, SignsWhatAnotherApproved) {
  PutPod({});
  const std::string name = PutCsr({.condition = "Approved"});
  co_await Start();
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(Writes(), 1);
  EXPECT_EQ(Csr(name).Approved()->reason, "ByHand");
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, FailsWhatAnotherApprovedAgainstThePolicy) {
  PutPod({});
  const std::string name = PutCsr({.common_name = "typha-server", .condition = "Approved"});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([&] { return Csr(name).IsFailed(); }));
  EXPECT_EQ(Csr(name).Failed()->reason, "SignerValidationFailure");
  EXPECT_THAT(Csr(name).Failed()->message, HasSubstr("rule common-name"));
  EXPECT_FALSE(Csr(name).IsIssued());
  EXPECT_TRUE(Csr(name).IsApproved());
  EXPECT_TRUE(co_await Eventually(
      [this] { return Metrics().find("result=\"failed\"} 1") != std::string::npos; }));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, OfAllThatWasApprovedByHandOnlyTheHonestIsSigned) {
  struct Case {
    CsrSpec csr;
    const char* rule;
    const char* value;
  };
  // `kubectl get csr -o name | xargs kubectl certificate approve`
  const std::vector<Case> cases = {
      {{.name = "calico-system:calico-typha-aaaaa-bbbbb:c0ffee"}, "requester", "kubernetes-admin"},
      {{.name = "calico-system:calico-node-aaaaa:c0ffee", .organization = "system:masters"},
       "subject",
       "system:masters"},
      {{.name = "web", .common_name = "www.example.com"}, "common-name", "www.example.com"},
      {{.name = "calico-system:calico-node-aaaaa:c0ffe1",
        .usages = {"digital signature", "client auth", "cert sign"}},
       "usages",
       "cert sign"},
  };
  PutPod({});
  const std::string honest = PutCsr({.condition = "Approved"});
  for (Case c : cases) {
    c.csr.uid = c.csr.name;
    c.csr.ips = {};
    c.csr.username = "kubernetes-admin";
    c.csr.is_bound = false;
    c.csr.condition = "Approved";
    PutCsr(c.csr);
  }
  co_await Start();
  EXPECT_TRUE(co_await Issued(honest));
  ExpectGoodCertificate(honest);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.rule);
    EXPECT_TRUE(co_await Eventually([&] { return Csr(c.csr.name).IsFailed(); }));
    const api::CertificateSigningRequest csr = Csr(c.csr.name);
    EXPECT_EQ(csr.Failed()->reason, "SignerValidationFailure");
    EXPECT_THAT(csr.Failed()->message, HasSubstr(std::string("rule ") + c.rule + ": "));
    EXPECT_THAT(csr.Failed()->message, HasSubstr(c.value));
    EXPECT_TRUE(csr.IsApproved());
    EXPECT_FALSE(csr.IsIssued());
  }
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, SignApprovedOnlyNeitherApprovesNorDenies) {
  CsrControllerOptions options = Options();
  options.sign_approved_only = true;
  PutPod({});
  const std::string good = PutCsr({});
  const std::string bad = PutCsr({.name = "bad", .uid = "csr-uid-2"});
  co_await Start(std::move(options));
  co_await Settle();
  EXPECT_EQ(Writes(), 0);
  PutCsr({.condition = "Approved"});
  PutCsr({.name = "bad", .uid = "csr-uid-2", .condition = "Approved"});
  EXPECT_TRUE(co_await Issued(good));
  EXPECT_TRUE(co_await Eventually([&] { return Csr(bad).IsFailed(); }));
  EXPECT_EQ(server().Count("PUT", "/approval"), 0);
  co_await Stop();
}

// --- Many, and again and again ---

ASYNC_TEST_F(CsrControllerTest, BeyondTheMemoryBudgetRequestsAreReadAgain) {
  CsrControllerOptions options = Options();
  options.pending_bytes = 0;
  PutPod({});
  const std::string name = PutCsr({});
  co_await Start(std::move(options));
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  EXPECT_EQ(server().Count("GET", "/certificatesigningrequests/"), 1);
  EXPECT_EQ(Writes(), 2);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, TheSameDenialIsNewsOnce) {
  PutPod({});
  co_await Start();
  // Calico's init container deletes a denied request and makes it anew.
  for (int i = 0; i < 5; ++i) {
    const std::string name =
        PutCsr({.common_name = "typha-server", .uid = "csr-uid-" + std::to_string(i)});
    EXPECT_TRUE(co_await Denied(name)) << i;
    server().state().Remove(api::kCertificateSigningRequests, {"", name});
  }
  EXPECT_EQ(Writes(), 5);
  EXPECT_EQ(Logged("\"level\":\"warning\",\"message\":\"request denied\""), 1);
  EXPECT_TRUE(co_await Eventually(
      [this] { return Logged("\"level\":\"debug\",\"message\":\"request denied\"") == 4; }));
  EXPECT_TRUE(co_await Eventually([this] { return EventCounts() == std::vector<int64_t>{5}; }));
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, WhoVariesWhatIsAskedIsOneLineAndOneEvent) {
  PutPod({});
  co_await Start();
  for (int i = 0; i < 5; ++i) {
    const std::string number = std::to_string(i);
    const std::string name = PutCsr({.common_name = "name-" + number, .uid = "csr-uid-" + number});
    EXPECT_TRUE(co_await Denied(name)) << i;
    EXPECT_THAT(Csr(name).Denied()->message, HasSubstr("name-" + number));
    server().state().Remove(api::kCertificateSigningRequests, {"", name});
  }
  EXPECT_TRUE(co_await Eventually([this] { return EventCounts() == std::vector<int64_t>{5}; }));
  EXPECT_EQ(Logged("\"level\":\"warning\",\"message\":\"request denied\""), 1);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AStormOfOneRequesterIsOneLineAndOneEvent) {
  for (int i = 0; i < 20; ++i) {
    PutCsr(
        {.name = "s" + std::to_string(i), .uid = "u" + std::to_string(i), .username = "mallory"});
  }
  PutCsr({.name = "other", .uid = "u", .username = "trudy"});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return running_->controller.pending() == 0; }));
  EXPECT_EQ(Writes(), 21);
  EXPECT_TRUE(co_await Eventually([this] {
    const std::vector<int64_t> counts = EventCounts();
    return counts == std::vector<int64_t>{1, 20} || counts == std::vector<int64_t>{20, 1};
  }));
  EXPECT_EQ(Logged("\"level\":\"warning\",\"message\":\"request denied\""), 2);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AStormOfOneRequesterDoesNotDelayAnother) {
  PutPod({});
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i);
    PutCsr({.name = "a" + number, .uid = "u" + number, .username = "mallory"});
  }
  const std::string honest = PutCsr({});
  co_await Start();
  EXPECT_TRUE(co_await Issued(honest));
  int before = 0;
  for (const kube::RecordedRequest& request : server().requests()) {
    if (request.method != "PUT") continue;
    if (request.path.ends_with(honest + "/approval")) break;
    ++before;
  }
  EXPECT_LE(before, 2 * Options().concurrency);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, ARecreatedRequestIsJudgedAnew) {
  PutPod({});
  co_await Start();
  const std::string name = PutCsr({.common_name = "typha-server"});
  EXPECT_TRUE(co_await Denied(name));
  PutCsr({.uid = "csr-uid-2"});  // replaced within one watch event
  EXPECT_TRUE(co_await Issued(name));
  ExpectGoodCertificate(name);
  co_await Stop();
}

ASYNC_TEST_F(CsrControllerTest, AnExpiredCaApprovesNothing) {
  const pki::TestCa brief("brief", absl::Now(), absl::Hours(1));
  PutFile("ca.crt", brief.certificate_pem());
  PutFile("ca.key", brief.key_pem());
  PutPod({});
  co_await Start();
  EXPECT_TRUE(co_await Eventually([this] { return server().watches() == 6; }));
  clock_.Advance(absl::Hours(2));
  server().SendBookmarks();
  const std::string name = PutCsr({});
  EXPECT_TRUE(co_await Eventually([this] { return Logged("reconcile failed") >= 1; }));
  EXPECT_EQ(Writes(), 0);
  EXPECT_TRUE(co_await Eventually([this] { return server().Count("POST", "/events") == 1; }));
  PutFile("ca.crt", ca().certificate_pem());
  PutFile("ca.key", ca().key_pem());
  running_->ca->Refresh();
  EXPECT_TRUE(co_await Issued(name));
  const auto leaf = pki::Certificate::ParsePem(Csr(name).certificate_pem);
  CO_ASSERT_OK(leaf);
  EXPECT_EQ(leaf->authority_key_id(), ca().certificate().subject_key_id());
  co_await Stop();
}

}  // namespace
}  // namespace calico::csr
