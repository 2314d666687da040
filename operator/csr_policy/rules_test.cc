#include "operator/csr_policy/rules.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/csr_policy/rules_test_world.h"
#include "pkg/pki/key.h"

namespace calico::csr_policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// --- What passes ---

TEST(CsrRulesTest, Approves) {
  const Case cases[] = {
      {"all as it should be", [](World&) {}, Kind::kApprove},
      {"pod found live", [](World& w) { w.facts.pod_lookup = Lookup::kLive; }, Kind::kApprove},
      {"typha",
       [](World& w) {
         SetRequest(w.facts, {.common_name = "typha-server", .dns_names = {"typha-server"}});
         w.facts.csr.username = "system:serviceaccount:calico-system:calico-typha";
         w.facts.requester = RequesterOf(w.facts.csr);
         w.facts.pod.service_account = "calico-typha";
       },
       Kind::kApprove},
      {"no DNS names", Template([](auto& t) { t.dns_names.clear(); }), Kind::kApprove},
      {"the reference's request, with its empty DNS name",
       [](World& w) {
         SetRequestFile(w.facts, "reference-empty-dns.pem");
         w.policy.entries[0].drop_subject_attributes = {"C=US", "ST=California", "L=San Francisco",
                                                        "O=Tigera", "OU=Engineering"};
         w.facts.pod.ips = {Ip("10.1.2.3")};
       },
       Kind::kApprove},
      {"one of two addresses", Template([](auto& t) { t.ip_addresses.pop_back(); }),
       Kind::kApprove},
      {"no addresses, the pod has none yet",
       [](World& w) {
         pki::CertificateRequestTemplate request = GoodTemplate();
         request.ip_addresses.clear();
         SetRequest(w.facts, request);
         w.facts.pod.ips.clear();
       },
       Kind::kApprove},
      {"only client auth",
       [](World& w) {
         Template([](auto& t) { t.extended_key_usages = {std::string(pki::kOidClientAuth)}; })(w);
         w.facts.csr.usages = {"client auth"};
       },
       Kind::kApprove},
      {"ten minutes", [](World& w) { w.facts.csr.expiration_seconds = 600; }, Kind::kApprove},
      {"more than the entry's maximum is cut, not denied",
       [](World& w) {
         w.policy.entries[0].max_duration = absl::Hours(1);
         w.facts.csr.expiration_seconds = 1'000'000;
       },
       Kind::kApprove},
      {"host network, address of the pod's status",
       [](World& w) { w.facts.pod.host_network = true; }, Kind::kApprove},
      {"host network, status still empty, address of the node",
       [](World& w) {
         w.facts.pod.host_network = true;
         w.facts.pod.ips.clear();
         w.facts.node_lookup = Lookup::kCached;
         w.facts.node_addresses = {Ip("10.0.0.5"), Ip("fd00::5")};
       },
       Kind::kApprove},
      {"namespace:pod where the entry takes it",
       [](World& w) {
         w.policy.entries[0].csr_names = {CsrNameShape::kNamespacePodUid,
                                          CsrNameShape::kNamespacePod};
         w.facts.csr.meta.name = "calico-system:calico-node-x7";
       },
       Kind::kApprove},
      {"secret:pod where the entry takes it",
       [](World& w) {
         w.policy.entries[0].csr_names = {CsrNameShape::kSecretPod};
         w.policy.entries[0].secret_names = {"other", "node-certs"};
         w.facts.csr.meta.name = "node-certs:calico-node-x7";
       },
       Kind::kApprove},
      {"an entry for this signer name",
       [](World& w) { w.policy.entries[0].signer_names = {"a.b/c", "example.com/signer"}; },
       Kind::kApprove},
      {"the second entry allows what the first does not",
       [](World& w) {
         w.policy.entries.insert(w.policy.entries.begin(), w.policy.entries[0]);
         w.policy.entries[0].common_names = {"something-else"};
       },
       Kind::kApprove},
  };
  for (const Case& c : cases) Check(c);
}

TEST(CsrRulesTest, ApprovesEveryKindOfKey) {
  for (const auto algorithm : {pki::KeyAlgorithm::kRsa2048, pki::KeyAlgorithm::kEcdsaP256,
                               pki::KeyAlgorithm::kEcdsaP384, pki::KeyAlgorithm::kEcdsaP521}) {
    SCOPED_TRACE(pki::ToString(algorithm));
    CsrFacts facts = GoodFacts();
    SetRequest(facts, GoodTemplate(), pki::PrivateKey::Generate(algorithm).value());
    EXPECT_EQ(Evaluate(facts, GoodPolicy()).kind, Kind::kApprove);
  }
}

// --- What is denied without any look-up ---

TEST(CsrRulesTest, DeniesByTheRequestAlone) {
  const Case cases[] = {
      {"signer name", [](World& w) { w.facts.csr.signer_name = "example.com/other"; }, Kind::kDeny,
       "signer-name", Need::kNothing, "\"example.com/other\" is not served here"},
      {"a user",
       [](World& w) {
         w.facts.csr.username = "alice";
         w.facts.requester = RequesterOf(w.facts.csr);
       },
       Kind::kDeny, "requester", Need::kNothing, "\"alice\" is not a service account"},
      {"foreign service account",
       [](World& w) {
         w.facts.csr.username = "system:serviceaccount:default:calico-node";
         w.facts.requester = RequesterOf(w.facts.csr);
       },
       Kind::kDeny, "requester", Need::kNothing, "no policy entry of example.com/signer expects"},
      {"entry of another signer name",
       [](World& w) { w.policy.entries[0].signer_names = {"example.com/other"}; }, Kind::kDeny,
       "requester"},
      {"unbound token",
       [](World& w) {
         w.facts.csr.extra.clear();
         w.facts.requester = RequesterOf(w.facts.csr);
       },
       Kind::kDeny, "bound-token"},
      {"two pod names",
       [](World& w) {
         w.facts.csr.extra[std::string(api::kExtraPodName)] = {"a", "b"};
         w.facts.requester = RequesterOf(w.facts.csr);
       },
       Kind::kDeny, "bound-token"},
      {"pod name that is a path", PodNamed("calico-node-x7/../y"), Kind::kDeny, "bound-token",
       Need::kNothing, "\"calico-node-x7/../y\" cannot be a pod's name"},
      {"pod name with a capital", PodNamed("Calico"), Kind::kDeny, "bound-token"},
      {"pod name that ends with a hyphen", PodNamed("calico-"), Kind::kDeny, "bound-token"},
      {"pod name with an empty label", PodNamed("calico..node"), Kind::kDeny, "bound-token"},
      {"pod name of 254 characters", PodNamed(std::string(254, 'a')), Kind::kDeny, "bound-token"},
      {"dots in the pod's name", PodNamed("calico-node.x--7"), Kind::kDeny, "csr-name"},
      {"no PEM", [](World& w) { SetRequestPem(w.facts, "garbage"); }, Kind::kDeny,
       "request-format"},
      {"two PEM blocks", File("two-blocks.pem"), Kind::kDeny, "request-format"},
      {"text before", File("text-before.pem"), Kind::kDeny, "request-format"},
      {"cut off", File("cut-off.pem"), Kind::kDeny, "request-format"},
      {"other label", File("new-label.pem"), Kind::kDeny, "request-format"},
      {"signature of somebody else", File("bad-signature.pem"), Kind::kDeny, "proof-of-possession"},
      {"SHA-1", File("sha-1.pem"), Kind::kDeny, "proof-of-possession"},
      {"RSA-1024", File("rsa-1024.pem"), Kind::kDeny, "key-strength"},
      {"RSA exponent 3", File("rsa-exponent-3.pem"), Kind::kDeny, "key-strength"},
      {"P-224", File("p-224.pem"), Kind::kDeny, "key-strength"},
      {"key that the entry does not take",
       [](World& w) { w.policy.entries[0].keys = {"RSA-2048", "RSA-4096"}; }, Kind::kDeny,
       "key-strength", Need::kNothing, "ECDSA-P256 is not one of RSA-2048, RSA-4096"},
      {"CA bit", Template([](auto& t) { t.is_ca = true; }), Kind::kDeny, "no-ca"},
      {"CA by openssl", File("ca.pem"), Kind::kDeny, "no-ca"},
      {"keyCertSign", Template([](auto& t) { t.key_usages.Add(pki::KeyUsage::kCertSign); }),
       Kind::kDeny, "no-ca", Need::kNothing, "keyCertSign"},
      {"cRLSign", Template([](auto& t) { t.key_usages.Add(pki::KeyUsage::kCrlSign); }), Kind::kDeny,
       "no-ca"},
      {"critical extension", File("critical-extension.pem"), Kind::kDeny, "critical-extensions",
       Need::kNothing, "1.2.3.4.5.6"},
      {"e-mail", Template([](auto& t) { t.emails = {"root@example.com"}; }), Kind::kDeny,
       "other-names", Need::kNothing, "root@example.com"},
      {"URI", Template([](auto& t) { t.uris = {"spiffe://example.com/x"}; }), Kind::kDeny,
       "other-names"},
      {"both by openssl", File("email-uri.pem"), Kind::kDeny, "other-names"},
      {"otherName", File("other-name.pem"), Kind::kDeny, "other-names"},
      {"registered id", File("registered-id.pem"), Kind::kDeny, "other-names"},
      {"name of another pod",
       [](World& w) { w.facts.csr.meta.name = "calico-system:calico-node-y8:0a1b2c"; }, Kind::kDeny,
       "csr-name"},
      {"name with another UID",
       [](World& w) { w.facts.csr.meta.name = "calico-system:calico-node-x7:ffffff"; }, Kind::kDeny,
       "csr-name"},
      {"name of another namespace",
       [](World& w) { w.facts.csr.meta.name = "default:calico-node-x7:0a1b2c"; }, Kind::kDeny,
       "csr-name"},
      {"shape that the entry does not take",
       [](World& w) { w.facts.csr.meta.name = "calico-system:calico-node-x7"; }, Kind::kDeny,
       "csr-name", Need::kNothing, "namespace:pod:uid6"},
      {"secret that the entry does not name",
       [](World& w) {
         w.policy.entries[0].csr_names = {CsrNameShape::kSecretPod};
         w.policy.entries[0].secret_names = {"node-certs"};
         w.facts.csr.meta.name = "typha-certs:calico-node-x7";
       },
       Kind::kDeny, "csr-name"},
      {"no CN", Template([](auto& t) { t.common_name.clear(); }), Kind::kDeny, "common-name",
       Need::kNothing, "0 common names"},
      {"two CNs", Template([](auto& t) { t.subject = {{"CN", "typha-server"}}; }), Kind::kDeny,
       "common-name", Need::kNothing, "2 common names"},
      {"CN of typha", Template([](auto& t) { t.common_name = "typha-server"; }), Kind::kDeny,
       "common-name", Need::kNothing, "\"typha-server\" is not one of typha-client"},
      {"extra DNS name", Template([](auto& t) { t.dns_names.push_back("kubernetes.default"); }),
       Kind::kDeny, "dns-names", Need::kNothing, "\"kubernetes.default\" is not one of"},
      {"DNS wildcard", Template([](auto& t) { t.dns_names = {"*"}; }), Kind::kDeny, "dns-names"},
      {"usage beyond", [](World& w) { w.facts.csr.usages.push_back("code signing"); }, Kind::kDeny,
       "usages", Need::kNothing, "\"code signing\" is not one of"},
      {"usage that the entry does not take",
       [](World& w) { w.policy.entries[0].usages = {"client auth", "digital signature"}; },
       Kind::kDeny, "usages", Need::kNothing, "\"server auth\""},
      {"an entry cannot widen the five",
       [](World& w) {
         w.policy.entries[0].usages.push_back("cert sign");
         w.facts.csr.usages.push_back("cert sign");
       },
       Kind::kDeny, "usages"},
      {"required usage missing", [](World& w) { w.facts.csr.usages = {"server auth"}; },
       Kind::kDeny, "usages", Need::kNothing, "client auth is missing"},
      {"neither auth",
       [](World& w) {
         w.policy.entries[0].required_usages.clear();
         w.facts.csr.usages = {"digital signature"};
       },
       Kind::kDeny, "usages", Need::kNothing, "neither"},
      {"too short", [](World& w) { w.facts.csr.expiration_seconds = 599; }, Kind::kDeny, "duration",
       Need::kNothing, "599 s is less than 600 s"},
      {"shorter than the entry's minimum",
       [](World& w) {
         w.policy.entries[0].min_duration = absl::Hours(1);
         w.facts.csr.expiration_seconds = 3599;
       },
       Kind::kDeny, "duration"},
      {"negative", [](World& w) { w.facts.csr.expiration_seconds = -1; }, Kind::kDeny, "duration"},
      {"no policy at all", [](World& w) { w.policy.entries.clear(); }, Kind::kDeny, "requester"},
  };
  for (const Case& c : cases) {
    Check(c);
    // Look-ups would not change it: none is asked for.
    Check({c.name,
           [&](World& w) {
             c.change(w);
             w.facts.pod_lookup = Lookup::kNotDone;
             w.facts.pod = {};
           },
           c.want, c.rule, c.need, c.message});
  }
}

// --- What rests on look-ups ---

TEST(CsrRulesTest, DeniesOnlyOnLiveFacts) {
  struct LookupCase {
    const char* name;
    Change change;
    const char* rule;
    const char* message;
  };
  const LookupCase cases[] = {
      {"successor of that name", [](World& w) { w.facts.pod.uid = "ffff"; }, "pod-uid",
       "has UID ffff"},
      {"other service account", [](World& w) { w.facts.pod.service_account = "default"; },
       "pod-service-account", "runs under \"default\", not calico-node"},
      {"terminating", [](World& w) { w.facts.pod.terminating = true; }, "pod-alive",
       "is terminating"},
      {"finished", [](World& w) { w.facts.pod.finished = true; }, "pod-alive", "is finished"},
      {"address of another pod",
       [](World& w) {
         pki::CertificateRequestTemplate request = GoodTemplate();
         request.ip_addresses.push_back(Ip("10.0.0.9"));
         SetRequest(w.facts, request);
       },
       "ip-addresses", "10.0.0.9 is not an address of pod calico-system/calico-node-x7"},
      {"address of the node, pod not on the host network",
       [](World& w) {
         pki::CertificateRequestTemplate request = GoodTemplate();
         request.ip_addresses = {Ip("192.0.2.1")};
         SetRequest(w.facts, request);
         w.facts.node_lookup = Lookup::kLive;
         w.facts.node_addresses = {Ip("192.0.2.1")};
       },
       "ip-addresses", "192.0.2.1 is not an address"},
  };
  for (const LookupCase& c : cases) {
    Check({c.name, c.change, Kind::kRetry, c.rule, Need::kPod, c.message});
    Check({c.name,
           [&](World& w) {
             c.change(w);
             w.facts.pod_lookup = Lookup::kLive;
           },
           Kind::kDeny, c.rule, Need::kNothing, c.message});
  }
}

TEST(CsrRulesTest, AForeignAddressDeniesAfterAWhileOnly) {
  const auto after = [](absl::Duration waited, Lookup lookup) {
    return [waited, lookup](World& w) {
      w.facts.pod.ips = {Ip("10.0.0.4"), Ip("fd00::5")};  // as before the reboot
      w.facts.pod_lookup = lookup;
      w.facts.waited = waited;
    };
  };
  const absl::Duration almost = kAddressGrace - absl::Milliseconds(1);
  const Case cases[] = {
      {"at first, cached", after(absl::ZeroDuration(), Lookup::kCached), Kind::kRetry,
       "ip-addresses", Need::kPod},
      {"at first, live", after(absl::ZeroDuration(), Lookup::kLive), Kind::kRetry, "ip-addresses",
       Need::kTime, "10.0.0.5 is not an address of pod"},
      {"almost", after(almost, Lookup::kLive), Kind::kRetry, "ip-addresses", Need::kTime},
      {"later, cached", after(kAddressGrace, Lookup::kCached), Kind::kRetry, "ip-addresses",
       Need::kPod},
      {"later, live", after(kAddressGrace, Lookup::kLive), Kind::kDeny, "ip-addresses"},
      {"other rules do not wait",
       [](World& w) {
         w.facts.pod.terminating = true;
         w.facts.pod_lookup = Lookup::kLive;
         w.facts.waited = absl::ZeroDuration();
       },
       Kind::kDeny, "pod-alive"},
  };
  for (const Case& c : cases) Check(c);
}

Change HostNetwork(Lookup pod, Lookup node) {
  return [=](World& w) {
    w.facts.pod.host_network = true;
    w.facts.pod.ips.clear();
    w.facts.pod_lookup = pod;
    w.facts.node_lookup = node;
    if (node == Lookup::kLive || node == Lookup::kCached) {
      w.facts.node_addresses = {Ip("192.0.2.7")};
    }
  };
}

TEST(CsrRulesTest, AsksForMissingFacts) {
  const Case cases[] = {
      {"pod not looked up",
       [](World& w) {
         w.facts.pod_lookup = Lookup::kNotDone;
         w.facts.pod = {};
       },
       Kind::kRetry, "pod-exists", Need::kPod},
      {"pod is gone",
       [](World& w) {
         w.facts.pod_lookup = Lookup::kAbsent;
         w.facts.pod = {};
       },
       Kind::kDeny, "pod-exists", Need::kNothing, "there is no pod"},
      {"pod has no address yet, says the cache", [](World& w) { w.facts.pod.ips.clear(); },
       Kind::kRetry, "ip-addresses", Need::kPod},
      {"pod has no address yet",
       [](World& w) {
         w.facts.pod.ips.clear();
         w.facts.pod_lookup = Lookup::kLive;
       },
       Kind::kRetry, "ip-addresses", Need::kTime, "has no address yet"},
      {"host network, cached", HostNetwork(Lookup::kCached, Lookup::kNotDone), Kind::kRetry,
       "ip-addresses", Need::kPod},
      {"host network, node not looked up", HostNetwork(Lookup::kLive, Lookup::kNotDone),
       Kind::kRetry, "ip-addresses", Need::kNode},
      {"host network, node cached", HostNetwork(Lookup::kLive, Lookup::kCached), Kind::kRetry,
       "ip-addresses", Need::kNode},
      {"host network, not the node's, the pod's status still empty",
       HostNetwork(Lookup::kLive, Lookup::kLive), Kind::kRetry, "ip-addresses", Need::kTime,
       "has no address yet"},
      {"host network, another node's address",
       [](World& w) {
         HostNetwork(Lookup::kLive, Lookup::kLive)(w);
         w.facts.pod.ips = {Ip("192.0.2.7")};
       },
       Kind::kDeny, "ip-addresses", Need::kNothing, "or of its node \"node-1\""},
      {"host network, node is gone",
       [](World& w) {
         HostNetwork(Lookup::kLive, Lookup::kAbsent)(w);
         w.facts.pod.ips = {Ip("192.0.2.7")};
       },
       Kind::kDeny, "ip-addresses"},
      {"host network, not on a node yet",
       [](World& w) {
         HostNetwork(Lookup::kLive, Lookup::kNotDone)(w);
         w.facts.pod.node_name.clear();
       },
       Kind::kRetry, "ip-addresses", Need::kTime, "not on a node yet"},
      {"an entry that fails anyway does not keep another one from asking",
       [](World& w) {
         w.policy.entries.insert(w.policy.entries.begin(), w.policy.entries[0]);
         w.policy.entries[0].common_names = {"something-else"};
         w.facts.pod_lookup = Lookup::kNotDone;
       },
       Kind::kRetry, "pod-exists", Need::kPod},
  };
  for (const Case& c : cases) Check(c);
}

// --- Who else has an address ---

Change Owner(std::string kind, std::string name, bool live,
             absl::Duration waited = absl::InfiniteDuration()) {
  return [=](World& w) {
    w.facts.address_owners = {{Ip("10.0.0.5"), kind, name, live}};
    w.facts.waited = waited;
  };
}

TEST(CsrRulesTest, AnAddressThatSomethingElseHasIsRefused) {
  const Case cases[] = {
      {"not known yet", [](World& w) { w.facts.address_lookup = Lookup::kNotDone; }, Kind::kRetry,
       "ip-addresses", Need::kAddresses, "not known yet"},
      {"nobody else, asked just now", [](World& w) { w.facts.address_lookup = Lookup::kLive; },
       Kind::kApprove},
      {"a Service, says a cache", Owner("Service", "default/kubernetes", false), Kind::kRetry,
       "ip-addresses", Need::kAddressOwner},
      {"a Service", Owner("Service", "default/kubernetes", true), Kind::kDeny, "ip-addresses",
       Need::kNothing, "10.0.0.5 is also an address of Service \"default/kubernetes\""},
      {"another node", Owner("Node", "node-2", true), Kind::kDeny, "ip-addresses", Need::kNothing,
       "of Node \"node-2\""},
      {"another pod", Owner("Pod", "kube-system/etcd-1", true), Kind::kDeny, "ip-addresses",
       Need::kNothing, "of Pod \"kube-system/etcd-1\""},
      {"another pod, which may just be going",
       Owner("Pod", "kube-system/etcd-1", true, absl::ZeroDuration()), Kind::kRetry, "ip-addresses",
       Need::kTime},
      {"a pod that is being deleted",
       [](World& w) {
         w.facts.address_owners = {{Ip("10.0.0.5"), "Pod", "a/b", true, true}};
         w.facts.waited = absl::Seconds(119);
       },
       Kind::kRetry, "ip-addresses", Need::kTime, "of Pod \"a/b\", which is being deleted"},
      {"a pod that is being deleted without end",
       [](World& w) {
         w.facts.address_owners = {{Ip("10.0.0.5"), "Pod", "a/b", true, true}};
         w.facts.waited = kTerminationGrace;
       },
       Kind::kDeny, "ip-addresses", Need::kNothing, "which is being deleted"},
      {"a pod that is being deleted, and a node that stays",
       [](World& w) {
         w.facts.address_owners = {{Ip("10.0.0.5"), "Pod", "a/b", true, true},
                                   {Ip("10.0.0.5"), "Node", "node-2", true}};
         w.facts.waited = absl::Seconds(60);
       },
       Kind::kDeny, "ip-addresses", Need::kNothing, "of Node \"node-2\""},
      {"all are asked before one is waited for",
       [](World& w) {
         w.facts.address_owners = {{Ip("10.0.0.5"), "Pod", "a/b", true, true},
                                   {Ip("10.0.0.5"), "Node", "node-2", false}};
         w.facts.waited = absl::Seconds(60);
       },
       Kind::kRetry, "ip-addresses", Need::kAddressOwner, "of Node \"node-2\""},
      {"one that had it a moment ago",
       [](World& w) {
         w.facts.address_owners = {
             {.address = Ip("10.0.0.5"), .kind = "Node", .name = "node-2", .left = true}};
       },
       Kind::kRetry, "ip-addresses", Need::kTime,
       "10.0.0.5 was an address of Node \"node-2\" until a moment ago"},
      {"one cached, one live: the live one decides",
       [](World& w) {
         w.facts.address_owners = {{Ip("10.0.0.5"), "Pod", "a/b", false},
                                   {Ip("fd00::5"), "Node", "node-2", true}};
       },
       Kind::kDeny, "ip-addresses", Need::kNothing, "fd00::5"},
      {"an address that is not asked",
       [](World& w) { w.facts.address_owners = {{Ip("10.0.0.6"), "Pod", "a/b", true}}; },
       Kind::kApprove},
      {"the pod's own addresses come first",
       [](World& w) {
         w.facts.pod.ips = {Ip("10.0.0.9")};
         w.facts.pod_lookup = Lookup::kLive;
         w.facts.address_lookup = Lookup::kNotDone;
       },
       Kind::kDeny, "ip-addresses", Need::kNothing, "is not an address of pod"},
  };
  for (const Case& c : cases) Check(c);
}

// PATCH nodes/status or pods/status with the token of calico-node, then ask for that address.
TEST(CsrRulesTest, AStatusThatTheRequesterWroteIsNoProof) {
  const auto stolen = [](bool in_node) {
    return [in_node](World& w) {
      pki::CertificateRequestTemplate request = GoodTemplate();
      request.ip_addresses = {Ip("10.96.0.1")};
      SetRequest(w.facts, request);
      w.facts.pod.host_network = true;
      w.facts.pod_lookup = Lookup::kLive;
      w.facts.node_lookup = Lookup::kLive;
      (in_node ? w.facts.node_addresses : w.facts.pod.ips).push_back(Ip("10.96.0.1"));
      w.facts.address_owners = {{Ip("10.96.0.1"), "Service", "default/kubernetes", true}};
    };
  };
  for (const bool in_node : {false, true}) {
    Check({"a Service's address", stolen(in_node), Kind::kDeny, "ip-addresses", Need::kNothing,
           "Service \"default/kubernetes\"; if nothing of yours checks addresses in certificates, "
           "set dropIPAddresses: true in policy entry "});
  }
}

TEST(CsrRulesTest, DroppedAddressesAreNotJudged) {
  World world;
  world.policy.entries[0].drop_ip_addresses = true;
  world.facts.address_lookup = Lookup::kNotDone;
  world.facts.pod.ips.clear();
  const Decision decision = Evaluate(world.facts, world.policy);
  ASSERT_EQ(decision.kind, Kind::kApprove) << decision.Text();
  EXPECT_THAT(PlanCertificate(world.facts, *decision.entry, absl::Hours(1)).ip_addresses,
              IsEmpty());
}

TEST(CsrRulesTest, ARequestWithoutAddressesNeedsNoLookUpOfThem) {
  World world;
  pki::CertificateRequestTemplate request = GoodTemplate();
  request.ip_addresses.clear();
  SetRequest(world.facts, request);
  world.facts.address_lookup = Lookup::kNotDone;
  EXPECT_EQ(Evaluate(world.facts, world.policy).kind, Kind::kApprove);
}

TEST(CsrRulesTest, AStrangersRequestIsNotParsed) {
  const Change strangers[] = {
      [](World& w) { w.facts.csr.signer_name = "example.com/other"; },
      [](World& w) { w.facts.csr.username = "alice"; },
      [](World& w) { w.facts.csr.username = "system:serviceaccount:default:calico-node"; },
      [](World& w) { w.facts.csr.extra.clear(); },
  };
  for (const Change& change : strangers) {
    World world;
    change(world);
    world.facts = FactsOf(world.facts.csr, kNow);
    EXPECT_EQ(Evaluate(world.facts, world.policy).kind, Kind::kDeny);
    EXPECT_FALSE(world.facts.request_parsed);
  }
  World expected;
  expected.facts = FactsOf(expected.facts.csr, kNow);
  EXPECT_EQ(Evaluate(expected.facts, expected.policy).need, Need::kPod);
  EXPECT_TRUE(expected.facts.request_parsed);
}

TEST(CsrRulesTest, DenialsQuoteAFewValuesOfThePolicy) {
  World world;
  world.policy.entries[0].dns_names.clear();
  for (int i = 0; i < 15; ++i) {
    world.policy.entries[0].dns_names.push_back("n" + std::to_string(i) + ".example.com");
  }
  EXPECT_EQ(Evaluate(world.facts, world.policy).message,
            "\"typha-client\" is not one of n0.example.com, n1.example.com, n2.example.com, and 12 "
            "more");
}

TEST(CsrRulesTest, NamesTheEntryThatGotFurthest) {
  World world;
  world.policy.entries.push_back(world.policy.entries[0]);
  world.policy.entries[0].common_names = {"a"};  // fails at common-name
  world.policy.entries[2].dns_names = {"b"};     // fails at dns-names
  EXPECT_EQ(Evaluate(world.facts, world.policy).rule, "dns-names");
}

TEST(CsrRulesTest, MessagesAreClippedAndEscaped) {
  World world;
  world.facts.csr.signer_name = "evil\n\x1b[31m" + std::string(1000, 'x');
  const Decision decision = Evaluate(world.facts, world.policy);
  EXPECT_LT(decision.message.size(), 200U);
  EXPECT_THAT(decision.Text(), HasSubstr("rule signer-name: \"evil\\n\\x1b[31mxxx"));
}

// --- Properties ---

// Every string that a rule compares, by pointer, so that each can be damaged.
std::vector<std::string*> ComparedStrings(CsrFacts& facts) {
  std::vector<std::string*> strings = {&facts.csr.signer_name, &facts.csr.username,
                                       &facts.csr.meta.name, &facts.pod.uid,
                                       &facts.pod.service_account};
  for (auto& [key, values] : facts.csr.extra) strings.push_back(&values[0]);
  for (std::string& usage : facts.csr.usages) strings.push_back(&usage);
  return strings;
}

TEST(CsrRulesTest, NeverApprovesWithOneCharacterOff) {
  const CsrPolicy policy = GoodPolicy();
  const CsrFacts good = GoodFacts();
  CsrFacts facts = good;
  const size_t strings = ComparedStrings(facts).size();
  int tried = 0;
  for (size_t s = 0; s < strings; ++s) {
    const size_t length = ComparedStrings(facts)[s]->size();
    for (size_t at = 0; at <= length; ++at) {
      for (int damage = 0; damage < 3; ++damage) {
        if (at == length && damage != 0) continue;
        facts = good;
        std::string& text = *ComparedStrings(facts)[s];
        if (damage == 0) text.insert(at, 1, 'a');
        if (damage == 1) text.erase(at, 1);
        if (damage == 2) text[at] = text[at] == 'z' ? 'y' : 'z';
        facts.requester = RequesterOf(facts.csr);
        for (const Lookup lookup : {Lookup::kCached, Lookup::kLive}) {
          facts.pod_lookup = lookup;
          EXPECT_NE(Evaluate(facts, policy).kind, Kind::kApprove) << text;
          ++tried;
        }
      }
    }
  }
  EXPECT_GT(tried, 1000);
}

TEST(CsrRulesTest, NeverApprovesWithOneFactOff) {
  const Change changes[] = {
      [](World& w) { w.facts.csr.extra.erase(w.facts.csr.extra.begin()); },
      [](World& w) { w.facts.csr.extra.begin()->second.push_back("more"); },
      [](World& w) { w.facts.csr.extra.begin()->second.clear(); },
      [](World& w) { w.facts.csr.usages.clear(); },
      [](World& w) { w.facts.csr.usages.push_back("any"); },
      [](World& w) { w.facts.csr.expiration_seconds = 0; },
      [](World& w) { w.facts.request = absl::InvalidArgumentError("not PEM"); },
      [](World& w) { w.facts.pod_lookup = Lookup::kNotDone; },
      [](World& w) {
        w.facts.pod_lookup = Lookup::kAbsent;
        w.facts.pod = {};
      },
      [](World& w) { w.facts.pod = {}; },
      [](World& w) { w.facts.pod.terminating = true; },
      [](World& w) { w.facts.pod.finished = true; },
      [](World& w) { w.facts.pod.ips.pop_back(); },
      [](World& w) { w.facts.pod.ips.clear(); },
      Template([](auto& t) { t.common_name = "typha-clienT"; }),
      Template([](auto& t) { t.dns_names.push_back("typha-client."); }),
      Template([](auto& t) { t.ip_addresses.push_back(Ip("0.0.0.0")); }),
      Template([](auto& t) { t.ip_addresses.push_back(Ip("127.0.0.1")); }),
      Template([](auto& t) { t.is_ca = true; }),
      Template([](auto& t) { t.emails = {"a@b"}; }),
      Template([](auto& t) { t.uris = {"x:y"}; }),
      File("bad-signature.pem"),
      [](World& w) { w.policy.signer_names.clear(); },
      [](World& w) { w.policy.entries[0].namespaces.clear(); },
      [](World& w) { w.policy.entries[0].service_accounts.clear(); },
      [](World& w) { w.policy.entries[0].common_names.clear(); },
      [](World& w) { w.policy.entries[0].dns_names.clear(); },
      [](World& w) { w.policy.entries[0].csr_names.clear(); },
      [](World& w) { w.policy.entries[0].usages.clear(); },
      [](World& w) { w.policy.entries[0].keys.clear(); },
  };
  int index = 0;
  for (const Change& change : changes) {
    SCOPED_TRACE(index++);
    for (const Lookup lookup : {Lookup::kCached, Lookup::kLive}) {
      World world;
      world.facts.pod_lookup = lookup;
      ASSERT_EQ(Evaluate(world.facts, world.policy).kind, Kind::kApprove);
      change(world);
      world.facts.requester = RequesterOf(world.facts.csr);
      EXPECT_NE(Evaluate(world.facts, world.policy).kind, Kind::kApprove);
    }
  }
}

TEST(CsrRulesTest, RuleNamesAreDistinct) {
  const std::set<std::string_view> names(RuleNames().begin(), RuleNames().end());
  EXPECT_EQ(names.size(), RuleNames().size());
  EXPECT_EQ(names.size(), 22U);
}

// --- The certificate ---

TEST(PlanCertificateTest, HoldsOnlyWhatWasJudged) {
  World world;
  pki::CertificateRequestTemplate request = GoodTemplate();
  request.subject = {{"O", "system:masters"}};
  world.policy.entries[0].drop_subject_attributes = {"O"};
  request.dns_names = {"typha-client", "typha-client"};
  request.ip_addresses = {Ip("10.0.0.5"), Ip("10.0.0.5")};
  SetRequest(world.facts, request);
  world.facts.csr.usages = {"client auth", "digital signature", "server auth"};
  const Decision decision = Evaluate(world.facts, world.policy);
  ASSERT_EQ(decision.kind, Kind::kApprove) << decision.Text();
  const pki::CertificateTemplate plan =
      PlanCertificate(world.facts, *decision.entry, absl::Hours(8760));
  EXPECT_EQ(plan.common_name, "typha-client");
  EXPECT_THAT(plan.subject, IsEmpty());
  EXPECT_THAT(plan.dns_names, ElementsAre("typha-client"));
  EXPECT_THAT(plan.ip_addresses, ElementsAre(Ip("10.0.0.5")));
  EXPECT_THAT(plan.emails, IsEmpty());
  EXPECT_THAT(plan.uris, IsEmpty());
  EXPECT_EQ(plan.key_usages, (pki::KeyUsages{pki::KeyUsage::kDigitalSignature}));
  EXPECT_THAT(plan.extended_key_usages, ElementsAre(pki::kOidServerAuth, pki::kOidClientAuth));
  EXPECT_FALSE(plan.is_ca);
}

TEST(PlanCertificateTest, DropsTheEmptyDnsName) {
  CsrFacts facts = GoodFacts();
  SetRequestFile(facts, "reference-empty-dns.pem");
  ASSERT_THAT(facts.request->dns_names(), ElementsAre(""));
  const pki::CertificateTemplate plan =
      PlanCertificate(facts, GoodPolicy().entries[0], absl::Hours(1));
  EXPECT_THAT(plan.dns_names, IsEmpty());
  EXPECT_THAT(plan.ip_addresses, ElementsAre(Ip("10.1.2.3")));
}

TEST(PlanCertificateTest, Validity) {
  const absl::Duration kBack = absl::Minutes(5);
  struct Validity {
    const char* name;
    std::optional<std::int32_t> asked;
    absl::Duration longest;
    absl::Duration entry_maximum;
    absl::Duration want;  // from now
  };
  const absl::Duration no_maximum = absl::InfiniteDuration();
  const Validity cases[] = {
      {"default", std::nullopt, absl::Hours(8760), no_maximum, absl::Hours(8760) - kBack},
      {"asked for less", 86400, absl::Hours(8760), no_maximum, absl::Hours(24) - kBack},
      {"asked for more", 864000, absl::Hours(24), no_maximum, absl::Hours(24) - kBack},
      {"entry's maximum", 864000, absl::Hours(8760), absl::Hours(48), absl::Hours(48) - kBack},
      {"entry's maximum is the default too", std::nullopt, absl::Hours(8760), absl::Hours(48),
       absl::Hours(48) - kBack},
      {"eight hours", 8 * 3600, absl::Hours(8760), no_maximum, absl::Hours(8) - kBack},
      {"below eight hours the five minutes come on top", 8 * 3600 - 1, absl::Hours(8760),
       no_maximum, absl::Hours(8) - absl::Seconds(1)},
      {"shortest", 600, absl::Hours(8760), no_maximum, absl::Minutes(10)},
  };
  for (const Validity& c : cases) {
    SCOPED_TRACE(c.name);
    World world;
    world.facts.csr.expiration_seconds = c.asked;
    world.policy.entries[0].max_duration = c.entry_maximum;
    const pki::CertificateTemplate plan =
        PlanCertificate(world.facts, world.policy.entries[0], c.longest);
    EXPECT_EQ(plan.not_before, kNow - kBack);
    EXPECT_EQ(plan.not_after - kNow, c.want);
  }
}

}  // namespace
}  // namespace calico::csr_policy
