#include "operator/validation/workload_overrides.h"

#include "operator/validation/spec_rules_test_cases.h"

namespace calico::validation {
namespace {

std::vector<Problem> ProblemsOfTyphasPod(std::string_view pod) {
  return ProblemsOf(fmt::format("typhaDeployment: {{spec: {{template: {{spec: {}}}}}}}", pod));
}

struct BadPod {
  const char* pod;
  const char* path;  // behind spec.typhaDeployment.spec.template.spec
  const char* text;
};

template <size_t N>
void ExpectOneProblemOfThePod(const BadPod (&cases)[N]) {
  for (const BadPod& c : cases) {
    SCOPED_TRACE(c.pod);
    const std::vector<Problem> problems = ProblemsOfTyphasPod(c.pod);
    ASSERT_EQ(problems.size(), 1U) << TextOf(problems);
    EXPECT_EQ(problems[0].path, fmt::format("spec.typhaDeployment.spec.template.spec{}", c.path));
    EXPECT_THAT(problems[0].text, testing::HasSubstr(c.text));
  }
}

TEST(WorkloadOverridesTest, ContainersAreThoseOfTheWorkload) {
  constexpr const char* kInit =
      "calicoNodeDaemonSet: {{spec: {{template: {{spec: {{initContainers: [{}]}}}}}}}}";
  const std::string path = "spec.calicoNodeDaemonSet.spec.template.spec.initContainers[0].name";
  struct Case {
    const char* name;
    const char* first;  // the release that has it first
  };
  for (const Case& c : {Case{"install-cni", "v3.27"}, Case{"mount-bpffs", "v3.27"},
                        Case{"ebpf-bootstrap", "v3.32"}, Case{"cni-plugins", "v3.33"}}) {
    bool is_there = false;
    for (const std::string release : {"v3.27", "v3.32", "v3.33"}) {
      SCOPED_TRACE(release + " " + c.name);
      is_there = is_there || release == c.first;
      const std::vector<Problem> problems = ProblemsOf(
          fmt::format(fmt::runtime(kInit), fmt::format("{{name: {}}}", c.name)), release);
      if (is_there) {
        EXPECT_EQ(TextOf(problems), "");
      } else {
        ASSERT_EQ(problems.size(), 1U);
        EXPECT_EQ(problems[0].path, path);
      }
    }
  }
  const BadSpec cases[] = {
      {"calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: x}]}}}}",
       "spec.calicoNodeDaemonSet.spec.template.spec.containers[0].name",
       "\"x\" is no container here: write one of calico-node"},
      {"calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{resources: {}}]}}}}",
       "spec.calicoNodeDaemonSet.spec.template.spec.containers[0].name", "nothing is no container"},
      {"calicoNodeDaemonSet: {spec: {template: {spec: {containers: [{name: calico-node}, {name: "
       "calico-node}]}}}}",
       "spec.calicoNodeDaemonSet.spec.template.spec.containers[1].name", "is there twice"},
      {"calicoNodeDaemonSet: {spec: {template: {spec: {initContainers: [{name: mount-bpffs}, "
       "{name: ebpf-bootstrap}]}}}}",
       "spec.calicoNodeDaemonSet.spec.template.spec.initContainers[0].name", "is the old name"},
      {"csiNodeDriverDaemonSet: {spec: {template: {spec: {containers: [{name: calico-csi}]}}}}",
       "spec.csiNodeDriverDaemonSet.spec.template.spec.containers[0].name", "cannot be changed",
       "v3.27"},
      {"calicoKubeControllersDeployment: {spec: {template: {spec: {initContainers: [{name: a}]}}}}",
       "spec.calicoKubeControllersDeployment.spec.template.spec.initContainers[0].name",
       "cannot be changed"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"csiNodeDriverDaemonSet: {spec: {template: {spec: {containers: [{name: calico-csi}]}}}}"},
      // Nothing is rendered for Windows.
      {"calicoNodeWindowsDaemonSet: {spec: {template: {spec: {containers: [{name: felix}]}}}}"},
  };
  ExpectNoProblem(good);
}

TEST(WorkloadOverridesTest, LabelsAnnotationsAndNumbers) {
  const BadSpec cases[] = {
      {"typhaDeployment: {metadata: {labels: {'a b': c}}}",
       "spec.typhaDeployment.metadata.labels[a b]", "is no label's key"},
      {"typhaDeployment: {metadata: {labels: {a: 'b c'}}}",
       "spec.typhaDeployment.metadata.labels[a]", "is no label's value"},
      {"typhaDeployment: {metadata: {labels: {a: true}}}",
       "spec.typhaDeployment.metadata.labels[a]", "is no text: put it in quotes"},
      {"typhaDeployment: {metadata: {annotations: {a//b: c}}}",
       "spec.typhaDeployment.metadata.annotations[a//b]", "is no annotation's key"},
      {"typhaDeployment: {spec: {template: {metadata: {annotations: {a: 5}}}}}",
       "spec.typhaDeployment.spec.template.metadata.annotations[a]", "put it in quotes"},
      {"typhaDeployment: {metadata: {annotations: {deprecated.daemonset.template.generation: x}}}",
       "spec.typhaDeployment.metadata.annotations[deprecated.daemonset.template.generation]",
       "is Kubernetes' own"},
      {"typhaDeployment: {spec: {template: {metadata: {annotations: {kubernetes.io/config.mirror: "
       "''}}}}}",
       "spec.typhaDeployment.spec.template.metadata.annotations[kubernetes.io/config.mirror]",
       "is Kubernetes' own"},
      {"typhaDeployment: {spec: {template: {metadata: {annotations: "
       "{controller.kubernetes.io/pod-deletion-cost: high}}}}}",
       "spec.typhaDeployment.spec.template.metadata.annotations[controller.kubernetes.io/"
       "pod-deletion-cost]",
       "write a whole number in quotes"},
      {"typhaDeployment: {spec: {template: {metadata: {annotations: "
       "{container.apparmor.security.beta.kubernetes.io/typha: unconfined}}}}}",
       "spec.typhaDeployment.spec.template.metadata.annotations[container.apparmor.security.beta."
       "kubernetes.io/typha]",
       "write one of calico-typha"},
      {"typhaDeployment: {spec: {template: {metadata: {annotations: "
       "{seccomp.security.alpha.kubernetes.io/pod: x}}}}}",
       "spec.typhaDeployment.spec.template.metadata.annotations[seccomp.security.alpha."
       "kubernetes.io/pod]",
       "is no profile"},
      {"typhaDeployment: {spec: {minReadySeconds: -1}}",
       "spec.typhaDeployment.spec.minReadySeconds", "at least 0"},
      {"typhaDeployment: {spec: {minReadySeconds: 600}}",
       "spec.typhaDeployment.spec.minReadySeconds", "gives up after 600 seconds"},
      {"typhaDeployment: {spec: {minReadySeconds: 1200, template: {spec: "
       "{terminationGracePeriodSeconds: 1000}}}}",
       "spec.typhaDeployment.spec.minReadySeconds", "gives up after 1200 seconds"},
      {"typhaDeployment: {spec: {template: {spec: {terminationGracePeriodSeconds: 2147483647}}}}",
       "spec.typhaDeployment.spec.template.spec.terminationGracePeriodSeconds",
       "from 0 to 1789569705"},
      {"calicoKubeControllersDeployment: {spec: {minReadySeconds: 2147483647}}",
       "spec.calicoKubeControllersDeployment.spec.minReadySeconds", "gives up after 600 seconds"},
      {"typhaDeployment: {spec: {strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 0%}}}}",
       "spec.typhaDeployment.spec.strategy.rollingUpdate.maxUnavailable", "no pod could ever"},
      {"typhaDeployment: {spec: {strategy: {rollingUpdate: {maxUnavailable: 101%}}}}",
       "spec.typhaDeployment.spec.strategy.rollingUpdate.maxUnavailable", "at most 100%"},
      {"typhaDeployment: {spec: {strategy: {rollingUpdate: {maxSurge: '2'}}}}",
       "spec.typhaDeployment.spec.strategy.rollingUpdate.maxSurge", "is no number of pods"},
      {"typhaDeployment: {spec: {strategy: {rollingUpdate: {maxSurge: -2}}}}",
       "spec.typhaDeployment.spec.strategy.rollingUpdate.maxSurge", "is no number of pods"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"typhaDeployment: {metadata: {labels: {team: net, example.com/a: ''}, annotations: "
       "{Example.com/B: 'any text at all'}}}"},
      {"typhaDeployment: {spec: {strategy: {rollingUpdate: {maxSurge: 150%, maxUnavailable: 0}}}}"},
      {"typhaDeployment: {spec: {template: {metadata: {annotations: "
       "{container.apparmor.security.beta.kubernetes.io/calico-typha: localhost/a, "
       "controller.kubernetes.io/pod-deletion-cost: '-5'}}}}}"},
      {"typhaDeployment: {spec: {minReadySeconds: 1199, template: {spec: "
       "{terminationGracePeriodSeconds: 1000}}}}"},
      {"typhaDeployment: {spec: {template: {spec: {terminationGracePeriodSeconds: 1789569705}}}}"},
      {"calicoKubeControllersDeployment: {spec: {minReadySeconds: 599}}"},
      // A DaemonSet does not give up.
      {"calicoNodeDaemonSet: {spec: {minReadySeconds: 2147483647}}"},
  };
  ExpectNoProblem(good);
  const std::string large(300 << 10, 'x');
  const std::vector<Problem> problems =
      ProblemsOf(fmt::format("typhaDeployment: {{metadata: {{annotations: {{a: {}}}}}}}", large));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_LT(problems[0].text.size(), 300U);
}

TEST(WorkloadOverridesTest, Resources) {
  const BadPod cases[] = {
      {"{containers: [{name: calico-typha, resources: {limits: {cpu: lots}}}]}",
       ".containers[0].resources.limits[cpu]", "is no quantity"},
      {"{containers: [{name: calico-typha, resources: {limits: {cpu: -1}}}]}",
       ".containers[0].resources.limits[cpu]", "is negative"},
      {"{containers: [{name: calico-typha, resources: {requests: {memory: 2Gi}, limits: {memory: "
       "1Gi}}}]}",
       ".containers[0].resources.requests[memory]", "is more than the limit, \"1Gi\""},
      {"{containers: [{name: calico-typha, resources: {requests: {gpu: 1}}}]}",
       ".containers[0].resources.requests[gpu]", "is no resource"},
      {"{containers: [{name: calico-typha, resources: {requests: {example.com/gpu: 1}}}]}",
       ".containers[0].resources.requests[example.com/gpu]", "needs a limit"},
      {"{containers: [{name: calico-typha, resources: {requests: {example.com/gpu: 1}, limits: "
       "{example.com/gpu: 2}}}]}",
       ".containers[0].resources.requests[example.com/gpu]", "as much as the limit"},
      {"{containers: [{name: calico-typha, resources: {limits: {example.com/gpu: 1500m}}}]}",
       ".containers[0].resources.limits[example.com/gpu]", "no whole number"},
      {"{containers: [{name: calico-typha, resources: {limits: {cpu: 1, hugepages-2Mi: 3Mi}}}]}",
       ".containers[0].resources.limits[hugepages-2Mi]", "no whole number of pages of 2Mi"},
      {"{containers: [{name: calico-typha, resources: {limits: {cpu: 1, hugepages-x: 2Mi}}}]}",
       ".containers[0].resources.limits[hugepages-x]", "is no size of pages"},
      {"{containers: [{name: calico-typha, resources: {limits: {hugepages-2Mi: 2Mi}}}]}",
       ".containers[0].resources.limits[hugepages-2Mi]", "needs cpu or memory beside it"},
      {"{containers: [{name: calico-typha, resources: {claims: [{name: gpu}]}}]}",
       ".containers[0].resources.claims", "have no resourceClaims"},
      {"{containers: [{name: calico-typha, readinessProbe: {periodSeconds: 0}}]}",
       ".containers[0].readinessProbe.periodSeconds", "at least 1"},
      {"{containers: [{name: calico-typha, livenessProbe: {initialDelaySeconds: -3}}]}",
       ".containers[0].livenessProbe.initialDelaySeconds", "at least 0"},
      {"{terminationGracePeriodSeconds: -1}", ".terminationGracePeriodSeconds", "at least 0"},
  };
  ExpectOneProblemOfThePod(cases);
  EXPECT_EQ(TextOf(ProblemsOfTyphasPod(
                "{containers: [{name: calico-typha, resources: {requests: {cpu: '0.1', memory: "
                "104857600}, limits: {cpu: 100m, memory: 100Mi, hugepages-2Mi: 4Mi}}}]}")),
            "");
}

TEST(WorkloadOverridesTest, Scheduling) {
  const BadPod cases[] = {
      {"{nodeSelector: {a: 1}}", ".nodeSelector[a]", "put it in quotes"},
      {"{tolerations: [{key: a, operator: Exists, value: b}]}", ".tolerations[0].value",
       "has no place with Exists"},
      {"{tolerations: [{operator: Equal, value: b}]}", ".tolerations[0].operator",
       "must be Exists where there is no key"},
      {"{tolerations: [{key: a, operator: Like}]}", ".tolerations[0].operator", "Equal, Exists"},
      // Only where a feature of the API server that is off by default is on.
      {"{tolerations: [{key: a, operator: Lt, value: '5'}]}", ".tolerations[0].operator",
       "Equal, Exists"},
      {"{tolerations: [{key: a, operator: Exists, effect: Never}]}", ".tolerations[0].effect",
       "NoSchedule, PreferNoSchedule, NoExecute"},
      {"{tolerations: [{key: a, value: true}]}", ".tolerations[0].value", "put it in quotes"},
      {"{tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]}",
       ".tolerations[0].tolerationSeconds", "needs the effect NoExecute"},
      {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}}",
       ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
       "at least one term"},
      {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}}",
       ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
       ".matchExpressions[0].values",
       "is required with In"},
      {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]}}}}",
       ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
       ".matchExpressions[0].values",
       "has no place with Exists"},
      {"{affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 500, "
       "preference: {}}]}}}",
       ".affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight",
       "from 1 to 100"},
      {"{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "[{labelSelector: {}}]}}}",
       ".affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
       "is required"},
      {"{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "[{topologyKey: a, labelSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]"
       "}}]}}}",
       ".affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector"
       ".matchExpressions[0].operator",
       "In, NotIn, Exists, DoesNotExist"},
      {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchFields: [{key: '', operator: In, values: [node-1]}]}]}}}}",
       ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
       ".matchFields[0].key",
       "is required: write metadata.name"},
      {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "{nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: NotIn, values: ['a b']}]"
       "}]}}}}",
       ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
       ".matchFields[0].values[0]",
       "cannot be the name of a node"},
      {"{affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "[{topologyKey: a, matchLabelKeys: [b]}]}}}",
       ".affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys",
       "needs labelSelector beside it"},
      {"{affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "[{topologyKey: a, labelSelector: {}, matchLabelKeys: [b], mismatchLabelKeys: [c, b]}]}}}",
       ".affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys["
       "1]",
       "is in matchLabelKeys too"},
      {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: "
       "DoNotSchedule, matchLabelKeys: [b]}]}",
       ".topologySpreadConstraints[0].matchLabelKeys", "needs labelSelector beside it"},
      {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: "
       "DoNotSchedule, labelSelector: {matchLabels: {b: c}}, matchLabelKeys: [b]}]}",
       ".topologySpreadConstraints[0].matchLabelKeys[0]", "is in labelSelector too"},
      {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: "
       "DoNotSchedule, labelSelector: {}, matchLabelKeys: ['b c']}]}",
       ".topologySpreadConstraints[0].matchLabelKeys[0]", "is no label's key"},
      {"{topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: "
       "DoNotSchedule}]}",
       ".topologySpreadConstraints[0].maxSkew", "at least 1"},
      {"{topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]}",
       ".topologySpreadConstraints[0].topologyKey", "is required"},
      {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: Never}]}",
       ".topologySpreadConstraints[0].whenUnsatisfiable", "DoNotSchedule, ScheduleAnyway"},
      {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: "
       "DoNotSchedule}, {maxSkew: 2, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]}",
       ".topologySpreadConstraints[1]", "is there twice"},
      {"{dnsPolicy: Sometimes}", ".dnsPolicy", "ClusterFirst, ClusterFirstWithHostNet"},
      {"{dnsPolicy: None}", ".dnsConfig.nameservers", "is required with dnsPolicy None"},
      {"{dnsConfig: {nameservers: [dns.example.com]}}", ".dnsConfig.nameservers[0]",
       "is no IP address"},
  };
  ExpectOneProblemOfThePod(cases);
  EXPECT_EQ(TextOf(ProblemsOfTyphasPod(
                "{nodeSelector: {kubernetes.io/os: linux}, tolerations: [{operator: Exists}, {key: "
                "a, operator: Equal, value: '', effect: NoExecute, tolerationSeconds: 0}], "
                "topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: "
                "DoNotSchedule, labelSelector: {matchLabels: {b: c}}, matchLabelKeys: [d]}], "
                "dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.10], searches: [cluster.local.]}"
                ", affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
                "[{weight: 1, preference: {matchFields: [{key: metadata.name, operator: In, values:"
                " [node-1]}]}}]}}}")),
            "");
}

TEST(WorkloadOverridesTest, WrongShapesOfAffinityAreNamed) {
  const BadSpec cases[] = {
      {"typhaAffinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
       "[{nodeSelectorTerms: []}]}}",
       "spec.typhaAffinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
       "must be an object with nodeSelectorTerms, not a list"},
      {"typhaAffinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: {weight: "
       "1}}}",
       "spec.typhaAffinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution",
       "must be a list"},
  };
  ExpectOneProblemEach(cases);
  const GoodSpec good[] = {
      {"typhaAffinity: {}"},
      {"typhaAffinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "
       "1, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}"},
  };
  ExpectNoProblem(good);
}

}  // namespace
}  // namespace calico::validation
