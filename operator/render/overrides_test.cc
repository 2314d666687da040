#include "operator/render/overrides.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

json::object Yaml(std::string_view text) { return codec::ParseYaml(text)->as_object(); }

// `object` after what `spec` says.
json::object Overridden(std::string_view object, std::string_view spec, bool has_annotation = true,
                        std::string_view api_server = "{}") {
  json::object result = Yaml(object);
  const json::object installation = Yaml(spec);
  const json::object server = Yaml(api_server);
  ApplyOverrides(result,
                 {.spec = installation, .api_server = &server, .has_annotation = has_annotation});
  return result;
}

constexpr std::string_view kNodeSet = R"(
kind: DaemonSet
metadata: {name: calico-node, labels: {a: ours}}
spec:
  template:
    metadata: {labels: {k8s-app: calico-node}, annotations: {hash: x}}
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{operator: Exists}]
      initContainers:
        - {name: ebpf-bootstrap}
        - {name: install-cni, resources: {limits: {cpu: 1}}}
      containers:
        - name: calico-node
          readinessProbe: {exec: {command: [a]}, periodSeconds: 10, timeoutSeconds: 5}
          livenessProbe: {periodSeconds: 60}
)";

constexpr std::string_view kTyphaDeployment = R"(
kind: Deployment
metadata: {name: calico-typha}
spec:
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 100%, maxUnavailable: 1}}
  template:
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      terminationGracePeriodSeconds: 300
      affinity: {podAntiAffinity: {x: 1}}
      tolerations: [{key: own, operator: Exists}]
      containers: [{name: calico-typha}]
)";

constexpr std::string_view kControllers = R"(
kind: Deployment
metadata: {name: calico-kube-controllers}
spec:
  template:
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{key: own}]
      containers: [{name: calico-kube-controllers}]
)";

std::string ApiServer(std::string_view host_network) {
  return fmt::format(R"(
kind: Deployment
metadata: {{name: calico-apiserver}}
spec:
  template:
    spec:
      hostNetwork: {}
      tolerations: [{{key: own}}]
      containers: [{{name: calico-apiserver}}]
)",
                     host_network);
}

struct Case {
  const char* name;
  std::string object;
  const char* spec;
  const char* path;  // what is looked at
  const char* want;  // "none" or YAML
};

void Check(const Case& c) {
  const json::value object = Overridden(c.object, c.spec);
  const json::value* found = &object;
  std::string_view path = c.path;
  while (found != nullptr && !path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view step = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (found->is_array()) {
      const size_t index = static_cast<size_t>(step.front() - '0');
      found = index < found->get_array().size() ? &found->get_array()[index] : nullptr;
    } else {
      found = found->is_object() ? found->get_object().if_contains(step) : nullptr;
    }
  }
  if (std::string_view(c.want) == "none") {
    EXPECT_EQ(found, nullptr) << c.name;
    return;
  }
  ASSERT_NE(found, nullptr) << c.name;
  EXPECT_EQ(*found, *codec::ParseYaml(c.want)) << c.name;
}

TEST(OverridesTest, ADaemonSet) {
  const std::string object(kNodeSet);
  const Case cases[] = {
      {"nothing said", object, "{}", "", object.c_str()},
      {"labels are added, ours stay", object,
       "{calicoNodeDaemonSet: {metadata: {labels: {a: theirs, b: new, x.operator.tigera.io/y: "
       "z}}}}",
       "metadata/labels", "{a: ours, b: new}"},
      {"annotations of the object", object,
       "{calicoNodeDaemonSet: {metadata: {annotations: {c: d, operator.tigera.io/custom-overrides: "
       "z}}}}",
       "metadata/annotations", "{c: d}"},
      {"labels of the template", object,
       "{calicoNodeDaemonSet: {spec: {template: {metadata: {labels: {k8s-app: no, c: d}}}}}}",
       "spec/template/metadata/labels", "{k8s-app: calico-node, c: d}"},
      {"annotations of the template", object,
       "{calicoNodeDaemonSet: {spec: {template: {metadata: {annotations: {hash: no, c: d}}}}}}",
       "spec/template/metadata/annotations", "{hash: x, c: d}"},
      {"minReadySeconds", object, "{calicoNodeDaemonSet: {spec: {minReadySeconds: 7}}}",
       "spec/minReadySeconds", "7"},
      {"node selector is added to", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {nodeSelector: {kubernetes.io/os: windows, "
       "a: b}}}}}}",
       "spec/template/spec/nodeSelector", "{kubernetes.io/os: linux, a: b}"},
      {"tolerations are replaced", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {tolerations: [{key: t}]}}}}}",
       "spec/template/spec/tolerations", "[{key: t}]"},
      {"no tolerations at all", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {tolerations: []}}}}}",
       "spec/template/spec/tolerations", "[]"},
      {"dns", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {dnsPolicy: None, dnsConfig: {nameservers: "
       "[a]}}}}}}",
       "spec/template/spec/dnsConfig/nameservers", "[a]"},
      {"resources of a container", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node, "
       "resources: "
       "{limits: {cpu: 2}}}]}}}}}",
       "spec/template/spec/containers/0/resources", "{limits: {cpu: 2}}"},
      {"resources are replaced as a whole", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {initContainers: [{name: install-cni, "
       "resources: {requests: {memory: 5Mi}}}]}}}}}",
       "spec/template/spec/initContainers/1/resources", "{requests: {memory: 5Mi}}"},
      {"the old name of an init container", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {initContainers: [{name: mount-bpffs, "
       "resources: {limits: {cpu: 3}}}]}}}}}",
       "spec/template/spec/initContainers/0/resources", "{limits: {cpu: 3}}"},
      {"a container that is not there", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {initContainers: [{name: cni-plugins, "
       "resources: {limits: {cpu: 3}}}]}}}}}",
       "metadata/annotations", "none"},
      {"times of a probe", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node, "
       "readinessProbe: {timeoutSeconds: 9, initialDelaySeconds: 3}}]}}}}}",
       "spec/template/spec/containers/0/readinessProbe",
       "{exec: {command: [a]}, periodSeconds: 10, timeoutSeconds: 9, initialDelaySeconds: 3}"},
      {"a probe that is not there", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node, "
       "startupProbe: {timeoutSeconds: 9}}]}}}}}",
       "spec/template/spec/containers/0/startupProbe", "none"},
      {"what was overridden is told", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node, "
       "resources: "
       "{}, livenessProbe: {periodSeconds: 9}, readinessProbe: {periodSeconds: 9}}]}}}}}",
       "metadata/annotations",
       "{operator.tigera.io/custom-overrides: 'readinessProbe,livenessProbe,resources'}"},
      {"what init containers have is told to nobody", object,
       "{calicoNodeDaemonSet: {spec: {template: {spec: {initContainers: [{name: install-cni, "
       "resources: {limits: {cpu: 9}}}]}}}}}",
       "metadata/annotations", "none"},
      {"componentResources", object,
       "{componentResources: [{componentName: Typha, resourceRequirements: {limits: {cpu: 9}}}, "
       "{componentName: Node, resourceRequirements: {limits: {cpu: 4}}}]}",
       "spec/template/spec/containers/0/resources", "{limits: {cpu: 4}}"},
      {"the workload's own override is stronger", object,
       "{componentResources: [{componentName: Node, resourceRequirements: {limits: {cpu: 4}}}], "
       "calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node, resources: "
       "{limits: {cpu: 5}}}]}}}}}",
       "spec/template/spec/containers/0/resources", "{limits: {cpu: 5}}"},
      {"the control plane is elsewhere", object,
       "{controlPlaneTolerations: [{key: c}], controlPlaneNodeSelector: {c: d}}",
       "spec/template/spec/tolerations", "[{operator: Exists}]"},
  };
  for (const Case& c : cases) Check(c);
}

TEST(OverridesTest, Typha) {
  const std::string object(kTyphaDeployment);
  const Case cases[] = {
      {"strategy is replaced as a whole", object,
       "{typhaDeployment: {spec: {strategy: {rollingUpdate: {maxSurge: 50%}}}}}", "spec/strategy",
       "{type: RollingUpdate, rollingUpdate: {maxSurge: 50%}}"},
      {"grace period", object,
       "{typhaDeployment: {spec: {template: {spec: {terminationGracePeriodSeconds: 0}}}}}",
       "spec/template/spec/terminationGracePeriodSeconds", "0"},
      {"spread", object,
       "{typhaDeployment: {spec: {template: {spec: {topologySpreadConstraints: [{maxSkew: 1}]}}}}}",
       "spec/template/spec/topologySpreadConstraints", "[{maxSkew: 1}]"},
      {"typhaAffinity is beside the pods' part", object,
       "{typhaAffinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {a: 1}}}}",
       "spec/template/spec/affinity",
       "{podAntiAffinity: {x: 1}, "
       "nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {a: 1}}}"},
      {"typhaAffinity that prefers is beside it too", object,
       "{typhaAffinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [1]}}}",
       "spec/template/spec/affinity",
       "{podAntiAffinity: {x: 1}, "
       "nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [1]}}"},
      {"typhaAffinity without node affinity says nothing", object, "{typhaAffinity: {}}",
       "spec/template/spec/affinity", "{podAntiAffinity: {x: 1}}"},
      {"affinity is replaced as a whole", object,
       "{typhaAffinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {a: 1}}}, "
       "typhaDeployment: {spec: {template: {spec: {affinity: {podAffinity: {y: 1}}}}}}}",
       "spec/template/spec/affinity", "{podAffinity: {y: 1}}"},
      {"controlPlaneTolerations replace its own", object, "{controlPlaneTolerations: [{key: c}]}",
       "spec/template/spec/tolerations", "[{key: c}]"},
      {"none are none", object, "{controlPlaneTolerations: []}", "spec/template/spec/tolerations",
       "[{key: own, operator: Exists}]"},
      {"its own override is stronger", object,
       "{controlPlaneTolerations: [{key: c}], typhaDeployment: {spec: {template: {spec: "
       "{tolerations: [{key: t}]}}}}}",
       "spec/template/spec/tolerations", "[{key: t}]"},
      {"no node selector of the control plane", object, "{controlPlaneNodeSelector: {c: d}}",
       "spec/template/spec/nodeSelector", "{kubernetes.io/os: linux}"},
  };
  for (const Case& c : cases) Check(c);
}

TEST(OverridesTest, ATyphaAffinityThatAsksForNothingIsNoAffinity) {
  for (const std::string_view given :
       {"{}", "{preferredDuringSchedulingIgnoredDuringExecution: []}"}) {
    const json::object typha =
        Overridden(kTyphaDeployment, fmt::format("{{typhaAffinity: {{nodeAffinity: {}}}}}", given));
    EXPECT_FALSE(typha.at("spec").at("template").at("spec").as_object().contains("affinity"));
  }
}

TEST(OverridesTest, AffinitiesAndDnsThatAskForNothingAreNone) {
  const json::object node = Overridden(
      kNodeSet,
      "{calicoNodeDaemonSet: {spec: {template: {spec: {dnsConfig: {}, affinity: {podAntiAffinity: "
      "{}, podAffinity: {z: 1}, nodeAffinity: {}}}}}}}");
  const json::object& pod = node.at("spec").at("template").at("spec").as_object();
  EXPECT_EQ(pod.at("affinity"), json::value({{"podAffinity", {{"z", 1}}}}));
  EXPECT_FALSE(pod.contains("dnsConfig"));
  const json::object none = Overridden(
      kNodeSet,
      "{calicoNodeDaemonSet: {spec: {template: {spec: {affinity: {podAntiAffinity: {}}}}}}}");
  EXPECT_FALSE(none.at("spec").at("template").at("spec").as_object().contains("affinity"));
}

TEST(OverridesTest, MinReadySecondsOfZeroAreNone) {
  const json::object node =
      Overridden(kNodeSet, "{calicoNodeDaemonSet: {spec: {minReadySeconds: 0}}}");
  EXPECT_FALSE(node.at("spec").as_object().contains("minReadySeconds"));
}

TEST(OverridesTest, ArmNodesOfGkeAreStillTolerated) {
  const json::object typha = Overridden(R"(
kind: Deployment
metadata: {name: calico-typha}
spec: {template: {spec: {tolerations: [{key: own}, {key: kubernetes.io/arch, value: arm64}]}}}
)",
                                        "{controlPlaneTolerations: [{key: c}]}");
  EXPECT_EQ(*codec::ParseYaml("[{key: c}, {key: kubernetes.io/arch, value: arm64}]"),
            typha.at("spec").at("template").at("spec").at("tolerations"));
}

TEST(OverridesTest, TheControlPlane) {
  const std::string object(kControllers);
  const Case cases[] = {
      {"tolerations come first", object, "{controlPlaneTolerations: [{key: c}]}",
       "spec/template/spec/tolerations", "[{key: c}, {key: own}]"},
      {"node selector", object, "{controlPlaneNodeSelector: {c: d}}",
       "spec/template/spec/nodeSelector", "{kubernetes.io/os: linux, c: d}"},
      {"its own override is stronger", object,
       "{controlPlaneTolerations: [{key: c}], calicoKubeControllersDeployment: {spec: {template: "
       "{spec: {tolerations: [{key: k}]}}}}}",
       "spec/template/spec/tolerations", "[{key: k}]"},
      {"resources", object,
       "{componentResources: [{componentName: KubeControllers, resourceRequirements: {limits: "
       "{cpu: 4}}}]}",
       "spec/template/spec/containers/0/resources", "{limits: {cpu: 4}}"},
      {"the API server", ApiServer("false"), "{controlPlaneTolerations: [{key: c}]}",
       "spec/template/spec/tolerations", "[{key: c}, {key: own}]"},
      {"the API server in the host's network tolerates what it does", ApiServer("true"),
       "{controlPlaneTolerations: [{key: c}]}", "spec/template/spec/tolerations", "[{key: own}]"},
  };
  for (const Case& c : cases) Check(c);
}

// The override of the API server stands in its own kind.
TEST(OverridesTest, TheApiServersOwnKind) {
  const char* const given =
      "{apiServerDeployment: {spec: {template: {spec: {tolerations: [{key: a}]}}}}}";
  const json::value want = *codec::ParseYaml("[{key: a}]");
  json::object object = Overridden(ApiServer("false"), "{}", true, given);
  EXPECT_EQ(object.at("spec").at("template").at("spec").at("tolerations"), want);
  object = Overridden(ApiServer("false"), given);
  EXPECT_NE(object.at("spec").at("template").at("spec").at("tolerations"), want);
}

// The server listens there, as its arguments say; its Service and its probe follow.
TEST(OverridesTest, TheApiServersPortsAndPriority) {
  const json::object object =
      Overridden(ApiServer("false"), "{}", true,
                 "{apiServerDeployment: {spec: {template: {spec: {priorityClassName: high, "
                 "containers: [{name: "
                 "calico-apiserver, ports: [{name: https, containerPort: 8443}]}]}}}}}");
  const json::value& pod = object.at("spec").at("template").at("spec");
  EXPECT_EQ(pod.at("priorityClassName"), "high");
  EXPECT_EQ(pod.at("containers").at(0).at("ports"),
            *codec::ParseYaml("[{name: https, containerPort: 8443}]"));
  // Neither resources nor probes.
  EXPECT_FALSE(object.at("metadata").as_object().contains("annotations"));
}

TEST(OverridesTest, WhatWasOverriddenIsToldInTheOrderOfTheUser) {
  const json::object object = Overridden(
      "{kind: DaemonSet, metadata: {name: csi-node-driver}, spec: {template: {spec: {containers: "
      "[{name: calico-csi}, {name: csi-node-driver-registrar, livenessProbe: {periodSeconds: "
      "9}}]}}}}",
      "{csiNodeDriverDaemonSet: {spec: {template: {spec: {containers: [{name: calico-csi, "
      "resources: "
      "{}}, {name: csi-node-driver-registrar, resources: {}, livenessProbe: {periodSeconds: "
      "8}}]}}}}}");
  EXPECT_EQ(object.at("metadata").at("annotations").at("operator.tigera.io/custom-overrides"),
            "resources,livenessProbe");
}

// Of a container that this release has not, and a probe that the container has not.
TEST(OverridesTest, WhatWasAskedForIsToldEvenWhereThereIsNone) {
  const json::object object = Overridden(
      kNodeSet,
      "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: other, resources: {}}, "
      "{name: calico-node, startupProbe: {periodSeconds: 1}}]}}}}}");
  EXPECT_EQ(object.at("metadata").at("annotations").at("operator.tigera.io/custom-overrides"),
            "resources,startupProbe");
}

TEST(OverridesTest, Budget) {
  const std::string budget =
      "{kind: PodDisruptionBudget, metadata: {name: calico-typha}, spec: {maxUnavailable: 1, "
      "selector: {a: b}}}";
  const Case cases[] = {
      {"nothing said", budget, "{}", "spec", "{maxUnavailable: 1, selector: {a: b}}"},
      {"the other bound", budget, "{typhaPodDisruptionBudget: {spec: {minAvailable: 2}}}", "spec",
       "{minAvailable: 2, selector: {a: b}}"},
      {"the same bound", budget, "{typhaPodDisruptionBudget: {spec: {maxUnavailable: 20%}}}",
       "spec", "{maxUnavailable: 20%, selector: {a: b}}"},
      {"another policy", budget,
       "{typhaPodDisruptionBudget: {spec: {unhealthyPodEvictionPolicy: AlwaysAllow}}}", "spec",
       "{maxUnavailable: 1, selector: {a: b}, unhealthyPodEvictionPolicy: AlwaysAllow}"},
      {"metadata", budget, "{typhaPodDisruptionBudget: {metadata: {labels: {x: y}}}}",
       "metadata/labels", "{x: y}"},
  };
  for (const Case& c : cases) Check(c);
}

TEST(OverridesTest, OnlySomeReleasesTellWhatWasOverridden) {
  const json::object object = Overridden(
      kNodeSet,
      "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node, resources: "
      "{}}]}}}}}",
      false);
  EXPECT_FALSE(object.at("metadata").as_object().contains("annotations"));
}

// Validation tells about them; here nothing must break.
TEST(OverridesTest, WrongShapesArePassedOver) {
  for (const char* spec :
       {"{calicoNodeDaemonSet: 1}", "{calicoNodeDaemonSet: {spec: [1], metadata: x}}",
        "{calicoNodeDaemonSet: {spec: {template: {spec: {containers: [1, {name: 2}, {name: "
        "calico-node, resources: 3, readinessProbe: []}]}}}}}",
        "{componentResources: [1], controlPlaneTolerations: {}, typhaAffinity: {nodeAffinity: 1}}",
        "{calicoNodeDaemonSet: {spec: {template: {metadata: {labels: 1}}}}}"}) {
    EXPECT_EQ(Overridden(kNodeSet, spec), Yaml(kNodeSet)) << spec;
  }
}

}  // namespace
}  // namespace calico::render
