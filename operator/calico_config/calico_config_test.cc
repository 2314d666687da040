#include "operator/calico_config/calico_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::calico_config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

json::object Yaml(std::string_view text) {
  absl::StatusOr<json::value> value = codec::ParseYaml(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? value->as_object() : json::object();
}

// A completed spec with one pool, and what `more` adds to calicoNetwork.
json::object Spec(std::string_view more = "") {
  return Yaml(fmt::format(R"(
cni: {{type: Calico, ipam: {{type: Calico}}}}
calicoNetwork:
  linuxDataplane: Iptables
  ipPools:
  - {{name: default-ipv4-ippool, cidr: 10.0.0.0/16, encapsulation: IPIP, natOutgoing: Enabled,
     blockSize: 26, nodeSelector: all(), allowedUses: [Workload, Tunnel],
     assignmentMode: Automatic, disableNewAllocations: false, disableBGPExport: false}}
{})",
                          more));
}

json::object WithoutPools(json::object spec) {
  spec["calicoNetwork"].as_object()["ipPools"] = json::array();
  return spec;
}

json::object& PoolOf(json::object& spec) {
  return spec["calicoNetwork"].as_object()["ipPools"].as_array()[0].as_object();
}

// The pool of Spec() as it is in the cluster.
json::object LivePool(std::string_view label = "tigera-operator") {
  json::object pool = Yaml(R"(
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: default-ipv4-ippool, resourceVersion: '7'}
spec: {cidr: 10.0.0.0/16, ipipMode: Always, vxlanMode: Never, natOutgoing: true, blockSize: 26,
       nodeSelector: all(), allowedUses: [Workload, Tunnel], assignmentMode: Automatic}
)");
  if (!label.empty()) {
    pool["metadata"].as_object()["labels"] =
        json::object{{"app.kubernetes.io/managed-by", json::string(label)}};
  }
  return pool;
}

json::object LiveFelix(std::string_view spec, std::string_view metadata = "{}") {
  json::object felix{{"apiVersion", kApiVersion}, {"kind", "FelixConfiguration"}};
  felix["metadata"] = Yaml(metadata);
  felix["metadata"].as_object()["name"] = "default";
  felix["metadata"].as_object()["resourceVersion"] = "9";
  felix["spec"] = Yaml(spec);
  return felix;
}

// A FelixConfiguration that needs nothing, so that only pools are written.
json::object DoneFelix() {
  return LiveFelix(
      "{healthPort: 9099, vxlanVNI: 4096, vxlanPort: 4789, nftablesMode: Disabled, "
      "bpfEnabled: false, bpfLogLevel: ''}",
      "{annotations: {operator.tigera.io/bpfEnabled: 'false'}}");
}

Live Cluster(std::vector<json::object> pools, std::vector<json::object> felix = {DoneFelix()}) {
  return {.ip_pools = std::move(pools),
          .felix_configurations = std::move(felix),
          .bgp_configurations = std::vector<json::object>()};
}

Plan PlanOf(const json::object& spec, const Live& live, std::string_view release = "v3.33",
            bool has_ip_pools = true) {
  return MakePlan({.release = release, .spec = spec, .has_ip_pools = has_ip_pools}, live);
}

MATCHER_P2(IsProblem, reason, message, "") {
  return ::testing::ExplainMatchResult(
      AllOf(Field(&Problem::reason, reason), Field(&Problem::message, message)), arg,
      result_listener);
}

MATCHER_P(Patches, yaml, "") {
  if (arg.verb != Write::Verb::kPatch) return false;
  *result_listener << codec::Serialize(arg.object);
  return arg.object == Yaml(yaml);
}

TEST(CalicoConfigTest, RulesOfAReleaseWithoutARowAreThoseOfTheOneBefore) {
  EXPECT_EQ(RulesOf("v3.31").release, "v3.27");
  EXPECT_EQ(RulesOf("v3.32").release, "v3.32");
  EXPECT_EQ(RulesOf("v3.99").release, "v3.33");
}

TEST(IpPoolPlanTest, NothingIsWrittenWhenNothingChanged) {
  const Plan plan = PlanOf(Spec(), Cluster({LivePool()}));
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_THAT(plan.pool_problems, IsEmpty());
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(plan.pools, PoolState::kReady);
}

TEST(IpPoolPlanTest, FieldsThatCalicoTakesForGrantedAreNoChange) {
  json::object pool = LivePool();
  for (const char* const field : {"vxlanMode", "assignmentMode", "allowedUses", "blockSize"}) {
    pool["spec"].as_object().erase(field);
  }
  EXPECT_THAT(PlanOf(Spec(), Cluster({pool})).writes, IsEmpty());
}

TEST(IpPoolPlanTest, APoolOfTheOperatorFollowsTheInstallation) {
  struct Case {
    const char* field;
    json::value value;
    const char* want;  // of the patched spec
  };
  const Case kCases[] = {
      {"encapsulation", "VXLANCrossSubnet", "{ipipMode: Never, vxlanMode: CrossSubnet}"},
      {"encapsulation", "None", "{ipipMode: Never, vxlanMode: Never}"},
      {"natOutgoing", "Disabled", "{natOutgoing: false}"},
      {"nodeSelector", "zone == 'a'", "{nodeSelector: \"zone == 'a'\"}"},
      {"disableNewAllocations", true, "{disabled: true}"},
      {"disableBGPExport", true, "{disableBGPExport: true}"},
      {"assignmentMode", "Manual", "{assignmentMode: Manual}"},
      {"allowedUses", json::array{"Tunnel"}, "{allowedUses: [Tunnel]}"},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.field);
    json::object spec = Spec();
    PoolOf(spec)[c.field] = c.value;
    EXPECT_THAT(PlanOf(spec, Cluster({LivePool()})).writes,
                ElementsAre(Patches(fmt::format(
                    "{{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {{name: "
                    "default-ipv4-ippool, resourceVersion: '7'}}, spec: {}}}",
                    c.want))));
  }
}

TEST(IpPoolPlanTest, CidrsAreTheSameWhicheverWayTheyAreWritten) {
  json::object spec = Spec();
  PoolOf(spec)["cidr"] = "fd20:5213:94f6:01e9:001f::/96";
  PoolOf(spec)["blockSize"] = 122;
  json::object pool = LivePool();
  pool["spec"].as_object()["cidr"] = "fd20:5213:94f6:1e9:1f::/96";
  pool["spec"].as_object()["blockSize"] = 122;
  EXPECT_THAT(PlanOf(spec, Cluster({pool})).writes, IsEmpty());

  const Plan created = PlanOf(spec, Cluster({}));
  ASSERT_THAT(created.writes, SizeIs(1));
  EXPECT_EQ(created.writes[0].object.at("spec").at("cidr"), "fd20:5213:94f6:1e9:1f::/96");
}

TEST(IpPoolPlanTest, LabelsThatCalicoKeepsInItsOwnAnnotationCount) {
  json::object pool = LivePool("");
  pool["metadata"].as_object()["annotations"] =
      json::object{{"projectcalico.org/metadata",
                    R"({"labels":{"app.kubernetes.io/managed-by":"tigera-operator"}})"}};
  json::object spec = Spec();
  PoolOf(spec)["natOutgoing"] = "Disabled";
  EXPECT_THAT(PlanOf(spec, Cluster({pool})).writes, SizeIs(1));
}

TEST(IpPoolPlanTest, AUsersPoolStaysAsItIs) {
  json::object spec = Spec();
  PoolOf(spec)["natOutgoing"] = "Disabled";
  const Plan plan = PlanOf(spec, Cluster({LivePool("")}));
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_THAT(
      plan.pool_problems,
      ElementsAre(IsProblem("ResourceValidationError",
                            AllOf(HasSubstr("Cannot update an IP pool not owned by the operator"),
                                  HasSubstr("default-ipv4-ippool (10.0.0.0/16)")))));
  EXPECT_EQ(plan.pools, PoolState::kReady);
}

TEST(IpPoolPlanTest, APoolJustAsAskedForBecomesTheOperators) {
  EXPECT_THAT(PlanOf(Spec(), Cluster({LivePool("")})).writes,
              ElementsAre(Patches("{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: "
                                  "{name: default-ipv4-ippool, resourceVersion: '7', labels: "
                                  "{app.kubernetes.io/managed-by: tigera-operator}}}")));
}

TEST(IpPoolPlanTest, WhatCannotBeChangedIsTold) {
  json::object spec = Spec();
  PoolOf(spec)["blockSize"] = 28;
  const Plan block = PlanOf(spec, Cluster({LivePool()}));
  EXPECT_THAT(block.writes, IsEmpty());
  EXPECT_THAT(block.pool_problems,
              ElementsAre(IsProblem("ResourceValidationError", HasSubstr("blockSize 26"))));

  spec = Spec();
  PoolOf(spec)["cidr"] = "10.1.0.0/16";
  const Plan cidr = PlanOf(spec, Cluster({LivePool()}), "v3.33", false);
  EXPECT_THAT(cidr.writes, IsEmpty());
  EXPECT_THAT(cidr.pool_problems,
              ElementsAre(IsProblem("ResourceValidationError", HasSubstr("name of its own"))));
}

TEST(IpPoolPlanTest, OverlappingPoolsAreNotCreated) {
  json::object spec = Spec();
  PoolOf(spec)["name"] = "second";
  PoolOf(spec)["cidr"] = "10.0.128.0/17";
  json::object users = LivePool("");
  users["metadata"].as_object()["name"] = "users";
  const Plan plan = PlanOf(spec, Cluster({users}));
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_THAT(plan.pool_problems,
              ElementsAre(IsProblem("ResourceValidationError",
                                    HasSubstr("second (10.0.128.0/17) is not created: it overlaps "
                                              "IPPool users (10.0.0.0/16)"))));
}

TEST(IpPoolPlanTest, APoolThatIsNoLongerAskedForIsDeletedThroughCalicosApi) {
  json::object spec = WithoutPools(Spec());
  Live live = Cluster({LivePool()});
  Plan plan = PlanOf(spec, live);
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_THAT(plan.pool_problems,
              ElementsAre(IsProblem(
                  "ResourceNotReady",
                  HasSubstr("Unable to delete IP pools while Calico API server is unavailable"))));
  EXPECT_EQ(plan.pools, PoolState::kReady);

  live.is_calico_api_served = true;
  plan = PlanOf(spec, live);
  ASSERT_THAT(plan.writes, SizeIs(1));
  EXPECT_EQ(plan.writes[0].verb, Write::Verb::kDelete);
  EXPECT_EQ(plan.writes[0].object, Yaml("{apiVersion: projectcalico.org/v3, kind: IPPool, "
                                        "metadata: {name: default-ipv4-ippool}}"));
  EXPECT_EQ(plan.pools, PoolState::kNone);
}

TEST(IpPoolPlanTest, PoolsAreNeverDeletedWhereTheInstallationSaysNothing) {
  Live live = Cluster({LivePool(), LivePool("")});
  live.is_calico_api_served = true;
  const Plan silent = PlanOf(WithoutPools(Spec()), live, "v3.33", false);
  EXPECT_THAT(silent.writes, IsEmpty());
  EXPECT_THAT(silent.pool_problems, IsEmpty());
  EXPECT_EQ(silent.pools, PoolState::kReady);

  const Plan users = PlanOf(WithoutPools(Spec()), Cluster({LivePool("")}));
  EXPECT_THAT(users.writes, IsEmpty());
  EXPECT_THAT(users.pool_problems, IsEmpty());
}

TEST(IpPoolPlanTest, NothingIsDeletedWhileAPoolCannotBeRead) {
  json::object spec = Spec();
  PoolOf(spec)["cidr"] = "10.0.0.0";
  Live live = Cluster({LivePool()});
  live.is_calico_api_served = true;
  const Plan plan = PlanOf(spec, live);
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_THAT(
      plan.pool_problems,
      ElementsAre(IsProblem("InvalidConfigurationError",
                            AllOf(HasSubstr("error validating IP pool configuration"),
                                  HasSubstr("spec.calicoNetwork.ipPools[0]"), HasSubstr("CIDR")))));
}

TEST(IpPoolPlanTest, WithoutAPoolTheStatusSaysThatPodsGetNoAddress) {
  const Plan plan = PlanOf(WithoutPools(Spec()), Cluster({}));
  EXPECT_EQ(plan.pools, PoolState::kNone);
  EXPECT_THAT(
      plan.problems,
      ElementsAre(IsProblem("ResourceNotFound",
                            AllOf(HasSubstr("waiting for enabled IP pools to be created"),
                                  HasSubstr("pods get no address"), HasSubstr("asks for none")))));
}

TEST(IpPoolPlanTest, APoolThatGivesPodsNothingIsNoPool) {
  json::object disabled = LivePool("");
  disabled["spec"].as_object()["disabled"] = true;
  EXPECT_EQ(PlanOf(WithoutPools(Spec()), Cluster({disabled})).pools, PoolState::kNone);
  json::object tunnel = LivePool("");
  tunnel["spec"].as_object()["allowedUses"] = json::array{"Tunnel"};
  EXPECT_EQ(PlanOf(WithoutPools(Spec()), Cluster({tunnel})).pools, PoolState::kNone);
  EXPECT_EQ(PlanOf(WithoutPools(Spec()), Cluster({tunnel, LivePool("")})).pools, PoolState::kReady);
}

TEST(IpPoolPlanTest, AnotherPlugInNeedsNoPool) {
  json::object spec = WithoutPools(Spec());
  spec["cni"] = Yaml("{type: AmazonVPC, ipam: {type: AmazonVPC}}");
  Live live = Cluster({});
  EXPECT_EQ(PlanOf(spec, live).pools, PoolState::kNotNeeded);
  live.ip_pools.reset();
  EXPECT_THAT(PlanOf(spec, live).pool_problems, IsEmpty());
}

TEST(IpPoolPlanTest, WithoutDefinitionsTheStatusSaysWhatToDo) {
  const Plan plan = PlanOf(Spec(), Live{});
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_THAT(
      plan.pool_problems,
      ElementsAre(IsProblem("ResourceNotFound", AllOf(HasSubstr("ippools.crd.projectcalico.org"),
                                                      HasSubstr("--manage-crds")))));
  EXPECT_THAT(plan.problems,
              ElementsAre(IsProblem("ResourceNotFound", HasSubstr("ippools")),
                          IsProblem("ResourceNotFound", HasSubstr("felixconfigurations"))));
}

TEST(IpPoolPlanTest, CalicoNodeMakesThePoolsOfOldReleases) {
  const Plan plan = PlanOf(Spec(), Cluster({}), "v3.27");
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_EQ(plan.pools, PoolState::kAskedFor);
  EXPECT_EQ(PlanOf(WithoutPools(Spec()), Cluster({}), "v3.27").pools, PoolState::kNone);
  EXPECT_EQ(PlanOf(WithoutPools(Spec()), Cluster({LivePool("")}), "v3.27").pools,
            PoolState::kReady);
  // Whatever they are like now.
  json::object pool = LivePool();
  pool["spec"].as_object()["natOutgoing"] = false;
  EXPECT_THAT(PlanOf(Spec(), Cluster({pool}), "v3.27").writes, IsEmpty());
}

TEST(FelixPlanTest, OnlyWhatIsNotSetIsWritten) {
  const json::object felix = LiveFelix("{healthPort: 9199, vxlanVNI: 1, logSeverityScreen: Debug}");
  EXPECT_THAT(PlanOf(Spec(), Cluster({LivePool()}, {felix})).writes, ElementsAre(Patches(R"(
apiVersion: crd.projectcalico.org/v1
kind: FelixConfiguration
metadata: {name: default, resourceVersion: '9',
           annotations: {operator.tigera.io/bpfEnabled: 'false'}}
spec: {vxlanPort: 4789, nftablesMode: Disabled, bpfEnabled: false}
)")));
  EXPECT_THAT(PlanOf(Spec(), Cluster({LivePool()}, {felix}), "v3.27").writes,
              ElementsAre(Patches(R"(
apiVersion: crd.projectcalico.org/v1
kind: FelixConfiguration
metadata: {name: default, resourceVersion: '9'}
spec: {bpfLogLevel: ''}
)")));
}

TEST(FelixPlanTest, DefaultsFollowPlatformAndDataPlane) {
  struct Case {
    const char* provider;
    const char* cni;
    const char* network;
    const char* release;
    const char* field;
    json::value want;  // null: not written
  };
  const json::value kAmazon = json::object{{"min", 65}, {"max", 99}};
  const json::value kGoogle = json::object{{"min", 10}, {"max", 250}};
  const Case kCases[] = {
      {"OpenShift", "Calico", "Iptables", "v3.33", "healthPort", 9199},
      {"OpenShift", "Calico", "Iptables", "v3.27", "healthPort", 9199},
      {"", "AmazonVPC", "Iptables", "v3.33", "routeTableRange", kAmazon},
      {"", "AmazonVPC", "Iptables", "v3.27", "routeTableRange", kAmazon},
      {"GKE", "GKE", "Iptables", "v3.32", "routeTableRange", kGoogle},
      {"", "Calico", "Iptables", "v3.32", "routeTableRange", nullptr},
      {"DockerEnterprise", "Calico", "Iptables", "v3.33", "vxlanVNI", 10000},
      {"DockerEnterprise", "Calico", "Iptables", "v3.33", "vxlanPort", 4789},
      {"DockerEnterprise", "Calico", "BPF", "v3.32", "vxlanPort", 8472},
      {"DockerEnterprise", "Calico", "BPF", "v3.32", "bpfHostConntrackBypass", false},
      {"DockerEnterprise", "Calico", "BPF", "v3.27", "vxlanVNI", 4096},
      {"DockerEnterprise", "Calico", "BPF", "v3.27", "bpfHostConntrackBypass", nullptr},
      {"", "Calico", "BPF", "v3.33", "bpfHostConntrackBypass", nullptr},
      {"", "Calico", "BPF", "v3.33", "bpfKubeProxyHealthzPort", 0},
      {"", "Calico", "BPF, kubeProxyManagement: Enabled", "v3.33", "bpfKubeProxyHealthzPort",
       nullptr},
      {"", "Calico", "BPF", "v3.32", "bpfKubeProxyHealthzPort", nullptr},
      {"", "Calico", "Iptables", "v3.33", "bpfKubeProxyHealthzPort", nullptr},
      {"", "Calico", "Nftables", "v3.32", "nftablesMode", "Auto"},
      {"", "Calico", "VPP", "v3.33", "nftablesMode", "Disabled"},
      {"", "Calico", "BPF", "v3.33", "nftablesMode", "Enabled"},
      {"DockerEnterprise", "Calico", "BPF", "v3.33", "nftablesMode", "Disabled"},
      {"DockerEnterprise", "Calico", "BPF", "v3.32", "nftablesMode", "Disabled"},
      {"DockerEnterprise", "Calico", "Nftables", "v3.33", "nftablesMode", "Auto"},
      {"", "Calico", "Nftables", "v3.27", "nftablesMode", nullptr},
      {"", "Calico", "BPF", "v3.27", "bpfEnabled", nullptr},
      {"", "Calico", "Iptables", "v3.27", "vxlanPort", nullptr},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(fmt::format("{} {} {} {} {}", c.release, c.provider, c.cni, c.network, c.field));
    const json::object spec =
        Yaml(fmt::format("{{kubernetesProvider: '{}', cni: {{type: {}, ipam: {{type: {}}}}}, "
                         "calicoNetwork: {{linuxDataplane: {}}}}}",
                         c.provider, c.cni, c.cni, c.network));
    const Plan plan = PlanOf(spec, Cluster({}, {}), c.release);
    ASSERT_THAT(plan.writes, SizeIs(1));
    const json::object& made = plan.writes[0].object.at("spec").as_object();
    const json::value* const value = made.if_contains(c.field);
    EXPECT_EQ(value == nullptr ? json::value() : *value, c.want) << codec::Serialize(made);
  }
}

constexpr std::string_view kNftables =
    "{healthPort: 1, vxlanVNI: 1, vxlanPort: 1, "
    "bpfEnabled: false, nftablesMode: ";

std::string ManagedBy(std::string_view manager) {
  return fmt::format(
      "{{managedFields: [{{manager: {}, fieldsV1: {{'f:spec': {{'f:nftablesMode': {{}}}}}}}}]}}",
      manager);
}

TEST(FelixPlanTest, NftablesModeFollowsTheInstallationUnlessSomebodyElseSetIt) {
  struct Case {
    const char* live;
    std::string metadata;
    bool is_written;
  };
  const Case kCases[] = {
      {"Disabled", ManagedBy("kubectl-edit"), false},  // equal
      {"Auto", ManagedBy("calico-node"), true},        // what the definition puts in
      {"Enabled", ManagedBy("calico-operator"), true},
      {"Enabled", ManagedBy("operator"), true},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.live);
    const json::object felix = LiveFelix(fmt::format("{}{}}}", kNftables, c.live), c.metadata);
    const Plan plan = PlanOf(Spec(), Cluster({LivePool()}, {felix}));
    EXPECT_THAT(plan.problems, IsEmpty());
    EXPECT_EQ(plan.writes.size(), c.is_written ? 1U : 0U);
  }
  for (const std::string& metadata : {ManagedBy("kubectl-edit"), std::string("{}")}) {
    const json::object felix = LiveFelix(fmt::format("{}Enabled}}", kNftables), metadata);
    const Plan plan = PlanOf(Spec(), Cluster({LivePool()}, {felix}));
    EXPECT_THAT(plan.writes, IsEmpty());
    EXPECT_THAT(plan.problems, ElementsAre(IsProblem("ResourceValidationError",
                                                     AllOf(HasSubstr("nftablesMode \"Enabled\""),
                                                           HasSubstr("linuxDataplane Iptables")))));
  }
}

struct BpfCase {
  const char* name;
  const char* data_plane;
  const char* live;        // bpfEnabled; empty: absent
  const char* annotation;  // empty: absent
  std::optional<NodeAgent> node_agent;
  const char* want;  // the value that is written, "refused", "waits", or empty for nothing
};

TEST(FelixPlanTest, SwitchesEbpfOnlyWhereItIsItsOwnAndNodesArePrepared) {
  const NodeAgent kOld{};
  const NodeAgent kPrepared{.is_ready_for_bpf = true};
  const NodeAgent kByEnvironment{.has_bpf_in_environment = true};
  const BpfCase kCases[] = {
      {"fresh", "BPF", "", "", {}, "true"},
      {"fresh, off", "Iptables", "", "", {}, "false"},
      {"on, and no pod is prepared", "BPF", "false", "false", kOld, "waits"},
      {"on, and every pod is prepared", "BPF", "false", "false", kPrepared, "true"},
      {"on before, by the environment", "BPF", "", "", kByEnvironment, "true"},
      {"is on", "BPF", "true", "true", kOld, ""},
      {"is on, by the user", "BPF", "true", "", kOld, ""},
      {"is off", "Iptables", "false", "false", kOld, ""},
      {"is off, by the user", "Iptables", "false", "", {}, ""},
      {"off", "Iptables", "true", "true", kPrepared, "false"},
      {"off, but the user has it on", "Iptables", "true", "", {}, "refused"},
      {"off, but the user changed it", "Iptables", "true", "false", {}, "refused"},
      {"on, but the user has it off", "BPF", "false", "", kPrepared, "refused"},
      {"on, but the user took it away", "BPF", "", "false", kPrepared, "refused"},
  };
  for (const BpfCase& c : kCases) {
    SCOPED_TRACE(c.name);
    json::object spec = Spec();
    spec["calicoNetwork"].as_object()["linuxDataplane"] = c.data_plane;
    json::object felix = LiveFelix(
        "{healthPort: 1, vxlanVNI: 1, vxlanPort: 1, "
        "bpfKubeProxyHealthzPort: 1, nftablesMode: Auto}");
    if (*c.live != 0) felix["spec"].as_object()["bpfEnabled"] = *c.live == 't';
    if (*c.annotation != 0) {
      felix["metadata"].as_object()["annotations"] = json::object{{kBpfAnnotation, c.annotation}};
    }
    Live live = Cluster({LivePool()}, {felix});
    live.node_agent = c.node_agent;
    const Plan plan = PlanOf(spec, live);
    ASSERT_THAT(plan.writes, SizeIs(1));  // nftablesMode at least
    const json::object& written = plan.writes[0].object;
    const json::value* const value = written.at("spec").as_object().if_contains("bpfEnabled");
    std::string got;
    if (value != nullptr) {
      got = value->as_bool() ? "true" : "false";
      EXPECT_EQ(written.at("metadata").at("annotations").at(kBpfAnnotation),
                json::value(json::string(got)));
    } else if (!plan.problems.empty()) {
      got = "refused";
      EXPECT_THAT(plan.problems,
                  ElementsAre(IsProblem(
                      "ResourceValidationError",
                      HasSubstr("has been modified by someone else, refusing to override"))));
    } else if (!plan.waiting.empty()) {
      got = "waits";
    }
    EXPECT_EQ(got, c.want);
  }
}

TEST(FelixPlanTest, CalicosCopyOfTheAnnotationIsKeptInStep) {
  json::object felix = LiveFelix(
      "{healthPort: 1, vxlanVNI: 1, vxlanPort: 1, nftablesMode: Disabled, bpfEnabled: true}");
  felix["metadata"].as_object()["annotations"] =
      json::object{{"projectcalico.org/metadata",
                    R"({"annotations":{"operator.tigera.io/bpfEnabled":"true","other":"x"}})"}};
  EXPECT_THAT(PlanOf(Spec(), Cluster({LivePool()}, {felix})).writes, ElementsAre(Patches(R"(
apiVersion: crd.projectcalico.org/v1
kind: FelixConfiguration
metadata:
  name: default
  annotations:
    operator.tigera.io/bpfEnabled: 'false'
    projectcalico.org/metadata: '{"annotations":{"operator.tigera.io/bpfEnabled":"false","other":"x"}}'
  resourceVersion: '9'
spec: {bpfEnabled: false}
)")));
}

TEST(ClusterRoutingPlanTest, FelixAndBirdShareTheRoutesAsAskedFor) {
  struct Case {
    const char* mode;
    const char* felix;
    const char* bird;
  };
  for (const Case& c : {Case{"BIRD", "Disabled", "Enabled"}, Case{"Felix", "Enabled", "Disabled"},
                        Case{"FelixIPIPOnly", "EnabledIPIPOnly", "EnabledNoEncapOnly"}}) {
    SCOPED_TRACE(c.mode);
    const json::object spec = Spec(fmt::format("  clusterRoutingMode: {}\n", c.mode));
    const Plan plan = PlanOf(spec, Cluster({LivePool()}));
    ASSERT_THAT(plan.writes, SizeIs(2));
    EXPECT_EQ(plan.writes[0].object.at("spec"), (json::object{{"programClusterRoutes", c.felix}}));
    EXPECT_EQ(plan.writes[1].verb, Write::Verb::kCreate);
    EXPECT_EQ(plan.writes[1].object, (json::object{{"apiVersion", "crd.projectcalico.org/v1"},
                                                   {"kind", "BGPConfiguration"},
                                                   {"metadata", {{"name", "default"}}},
                                                   {"spec", {{"programClusterRoutes", c.bird}}}}));
    EXPECT_THAT(PlanOf(spec, Cluster({LivePool()}), "v3.27").writes, IsEmpty());
  }
}

TEST(ClusterRoutingPlanTest, NothingIsSetUnlessAskedForAndNothingOfTheUsersIsChanged) {
  Live live = Cluster({LivePool()});
  live.bgp_configurations = {
      Yaml("{metadata: {name: default, resourceVersion: '3', managedFields: [{manager: kubectl, "
           "fieldsV1: {'f:spec': {'f:programClusterRoutes': {}}}}]}, "
           "spec: {asNumber: 64512, programClusterRoutes: Disabled}}")};
  EXPECT_THAT(PlanOf(Spec(), live).writes, IsEmpty());

  const Plan plan = PlanOf(Spec("  clusterRoutingMode: BIRD\n"), live);
  ASSERT_THAT(plan.writes, SizeIs(1));  // FelixConfiguration
  EXPECT_THAT(plan.problems,
              ElementsAre(IsProblem("ResourceValidationError",
                                    AllOf(HasSubstr("BGPConfiguration default"),
                                          HasSubstr("set by kubectl"), HasSubstr("Enabled")))));
}

}  // namespace
}  // namespace calico::calico_config
