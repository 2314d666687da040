#include "operator/render/render.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/finish.h"
#include "operator/render/names.h"
#include "operator/render/releases.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/objects.h"
#include "pkg/base/testing/golden.h"
#include "pkg/codec/yaml.h"
#include "pkg/codec/yaml_writer.h"

namespace calico::render {
namespace {

using base::MatchesGolden;
using testing::HasSubstr;

std::vector<json::object> RenderCase(const ReferenceCase& c) {
  return RenderDefault(c.installation, c.inputs);
}

std::string Yaml(const std::vector<json::object>& objects) {
  std::vector<json::value> documents(objects.begin(), objects.end());
  return codec::ToYaml(documents);
}

json::object* Find(std::vector<json::object>& objects, std::string_view kind,
                   std::string_view name) {
  for (json::object& object : objects) {
    if (KindOf(object) == kind && NameOf(object) == name) return &object;
  }
  return nullptr;
}

json::object Only(std::vector<json::object> objects, std::string_view kind, std::string_view name) {
  json::object* const found = Find(objects, kind, name);
  EXPECT_NE(found, nullptr) << kind << " " << name;
  return found == nullptr ? json::object() : *found;
}

std::string_view Variable(json::object& container, std::string_view name) {
  json::object* const entry = FindNamed(ArrayAt(container, {"env"}), name);
  return entry == nullptr ? "absent" : TextAt(*entry, "value");
}

TEST(RenderTest, Goldens) {
  for (const std::string name : {"b-cm-default", "c-cm-ecdsa"}) {
    EXPECT_THAT(Yaml(RenderCase(LoadReferenceCase(name))),
                MatchesGolden(fmt::format("render/{}.yaml", name)));
  }
}

TEST(RenderTest, EqualInputsGiveEqualBytes) {
  const auto text = [] {
    std::string all;
    for (const json::object& object : RenderCase(LoadReferenceCase("c-cm-ecdsa"))) {
      all += codec::Serialize(object);
    }
    return all;
  };
  EXPECT_EQ(text(), text());
}

TEST(RenderTest, AnotherCaRollsBothWorkloadsAndNothingElseOfTheirs) {
  const ReferenceCase before = LoadReferenceCase("b-cm-default");
  ReferenceCase after = LoadReferenceCase("b-cm-default");
  after.inputs.ca_certificates.push_back(after.inputs.ca_certificates.front());
  for (const auto& [kind, name] :
       {std::pair{"DaemonSet", kNode}, std::pair{"Deployment", kTypha}}) {
    EXPECT_NE(Only(RenderCase(before), kind, name), Only(RenderCase(after), kind, name));
  }
  json::object bundle = Only(RenderCase(after), "ConfigMap", kCaBundle);
  const std::string_view text = TextAt(ObjectAt(bundle, {"data"}), "ca.crt");
  EXPECT_NE(text.find("BEGIN CERTIFICATE"), text.rfind("BEGIN CERTIFICATE"));
}

// A second rendering for the same Installation would restart every pod.
TEST(RenderTest, ReplicasDoNotTouchThePodTemplate) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  json::object few = Only(RenderCase(c), "Deployment", kTypha);
  c.inputs.typha_replicas = 7;
  json::object many = Only(RenderCase(c), "Deployment", kTypha);
  EXPECT_EQ(ObjectAt(few, {"spec", "template"}), ObjectAt(many, {"spec", "template"}));
  EXPECT_EQ(ObjectAt(many, {"spec"}).at("replicas"), 7);
}

TEST(RenderTest, EveryContainerThatTalksToTheApiServerIsToldWhere) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  c.inputs.api_endpoint = ApiEndpoint{"fd00::1", "6443"};
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  json::object typha = Only(RenderCase(c), "Deployment", kTypha);
  for (json::object* container : {&Container(node, kNode), &InitContainer(node, kNodeProvisioner),
                                  &InitContainer(node, "install-cni"), &Container(typha, kTypha),
                                  &InitContainer(typha, kTyphaProvisioner)}) {
    EXPECT_EQ(Variable(*container, "KUBERNETES_SERVICE_HOST"), "fd00::1");
    EXPECT_EQ(Variable(*container, "KUBERNETES_SERVICE_PORT"), "6443");
  }
  json::object config = Only(RenderCase(c), "ConfigMap", kCniConfig);
  EXPECT_THAT(std::string(TextAt(ObjectAt(config, {"data"}), "config")),
              HasSubstr(R"("k8s_api_root":"https://[fd00::1]:6443")"));

  c.inputs.api_endpoint.reset();
  node = Only(RenderCase(c), "DaemonSet", kNode);
  EXPECT_EQ(Variable(Container(node, kNode), "KUBERNETES_SERVICE_HOST"), "absent");
}

TEST(RenderTest, TheProvisionerComesFirst) {
  json::object node = Only(RenderCase(LoadReferenceCase("b-cm-default")), "DaemonSet", kNode);
  json::array& init = ArrayAt(PodSpec(node), {"initContainers"});
  EXPECT_EQ(TextAt(init.front().as_object(), "name"), kNodeProvisioner);
}

TEST(RenderTest, DnsOfTheOperatorIsTakenOver) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  c.inputs.node_dns = {.policy = "None", .config = json::object{{"nameservers", {"192.0.2.53"}}}};
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  EXPECT_EQ(TextAt(PodSpec(node), "dnsPolicy"), "None");
  EXPECT_EQ(ArrayAt(PodSpec(node), {"dnsConfig", "nameservers"}).front(), "192.0.2.53");
  json::object typha = Only(RenderCase(c), "Deployment", kTypha);
  EXPECT_EQ(TextAt(PodSpec(typha), "dnsPolicy"), "ClusterFirst");
}

TEST(RenderTest, OptionalObjects) {
  ReferenceCase c = LoadReferenceCase("c-cm-ecdsa");
  std::vector<json::object> objects = RenderCase(c);
  EXPECT_NE(Find(objects, "Service", kTyphaMetrics), nullptr);
  EXPECT_NE(Find(objects, "Secret", "my-pull"), nullptr);
  for (const char* name : {"calico-system-csr-names", "calico-system-status"}) {
    EXPECT_NE(Find(objects, "ValidatingAdmissionPolicy", name), nullptr) << name;
    EXPECT_NE(Find(objects, "ValidatingAdmissionPolicyBinding", name), nullptr) << name;
  }

  SetField(c, "typhaMetricsPort", nullptr);
  SetField(c, "imagePullSecrets", nullptr);
  c.inputs.pull_secrets.clear();
  c.inputs.has_admission_policies = false;
  objects = RenderCase(c);
  EXPECT_EQ(Find(objects, "Service", kTyphaMetrics), nullptr);
  EXPECT_EQ(Find(objects, "Secret", "my-pull"), nullptr);
  for (const char* name : {"calico-system-csr-names", "calico-system-status"}) {
    EXPECT_EQ(Find(objects, "ValidatingAdmissionPolicy", name), nullptr) << name;
    EXPECT_EQ(Find(objects, "ValidatingAdmissionPolicyBinding", name), nullptr) << name;
  }
}

TEST(RenderTest, ImagePullPolicyReachesEveryContainer) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  SetField(c, "imagePullPolicy", "Always");
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (json::value& container : ArrayAt(PodSpec(node), {list})) {
      EXPECT_EQ(TextAt(container.as_object(), "imagePullPolicy"), "Always");
    }
  }
}

TEST(RenderTest, PullPolicyIsSaidEverywhere) {
  for (const json::object& object : RenderCase(LoadReferenceCase("b-cm-default"))) {
    if (!object.contains("spec") || !object.at("spec").as_object().contains("template")) continue;
    json::object copy = object;
    for (json::value& container : ArrayAt(PodSpec(copy), {"containers"})) {
      EXPECT_EQ(TextAt(container.as_object(), "imagePullPolicy"), "IfNotPresent");
    }
  }
}

TEST(RenderTest, ImageSetsGiveDigests) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  const std::string digest = "sha256:" + std::string(64, 'b');
  c.inputs.image_set.emplace();
  c.inputs.image_set->meta.name = "calico-v3.33.1";
  const absl::StatusOr<std::vector<json::object>> missing =
      Render(DefaultRelease(), c.installation, c.inputs);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("calico/"));
  for (const char* name : {"calico/node", "calico/calico", "calico/third-party-cni-plugins"}) {
    c.inputs.image_set->digests[name] = digest;
  }
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  EXPECT_EQ(TextAt(Container(node, kNode), "image"), "quay.io/calico/node@" + digest);
}

TEST(RenderTest, CipherSuitesReachTheContainers) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  SetField(c, "tlsCipherSuites",
           json::array{json::object{{"name", "TLS_AES_256_GCM_SHA384"}},
                       json::object{{"name", "TLS_AES_128_GCM_SHA256"}}});
  json::object typha = Only(RenderCase(c), "Deployment", kTypha);
  EXPECT_EQ(Variable(Container(typha, kTypha), "TLS_CIPHER_SUITES"),
            "TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(Variable(InitContainer(typha, kTyphaProvisioner), "TLS_CIPHER_SUITES"), "absent");
}

TEST(RenderTest, TemplatesForBirdTakeThePlaceOfTheImages) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  std::vector<json::object> without = RenderCase(c);
  EXPECT_EQ(Find(without, "ConfigMap", "bird-templates"), nullptr);
  c.inputs.bird_templates = {{"bird6.cfg.template", "six\n"}, {"bird.cfg.template", "four"}};
  json::object config = Only(RenderCase(c), "ConfigMap", "bird-templates");
  EXPECT_EQ(config.at("data"),
            (json::value{{"bird6.cfg.template", "six\n"}, {"bird.cfg.template", "four"}}));
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  json::array& mounts = ArrayAt(Container(node, kNode), {"volumeMounts"});
  std::vector<std::string> files;
  for (const json::value& mount : mounts) {
    if (TextAt(mount.as_object(), "name") != "bird-templates") continue;
    EXPECT_EQ(mount.at("readOnly"), true);
    files.push_back(fmt::format("{} {}", TextAt(mount.as_object(), "subPath"),
                                TextAt(mount.as_object(), "mountPath")));
  }
  EXPECT_THAT(files, testing::ElementsAre(
                         "bird.cfg.template /etc/calico/confd/templates/bird.cfg.template",
                         "bird6.cfg.template /etc/calico/confd/templates/bird6.cfg.template"));
  EXPECT_NE(FindNamed(ArrayAt(PodSpec(node), {"volumes"}), "bird-templates"), nullptr);
  const auto hash = [](json::object workload) {
    return std::string(TextAt(ObjectAt(workload, {"spec", "template", "metadata", "annotations"}),
                              "hash.operator.tigera.io/bird-templates"));
  };
  const std::string before = hash(node);
  EXPECT_EQ(before.size(), 40U);
  c.inputs.bird_templates["bird.cfg.template"] = "five";
  EXPECT_NE(hash(Only(RenderCase(c), "DaemonSet", kNode)), before);
}

TEST(RenderTest, ALayoutForEarlyNetworkingIsMounted) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  std::vector<json::object> without = RenderCase(c);
  EXPECT_EQ(Find(without, "ConfigMap", "bgp-layout"), nullptr);
  c.inputs.bgp_layout = {{"earlyNetworkConfiguration", "some: layout"}, {"more", "text"}};
  json::object config = Only(RenderCase(c), "ConfigMap", "bgp-layout");
  EXPECT_EQ(config.at("data"),
            (json::value{{"earlyNetworkConfiguration", "some: layout"}, {"more", "text"}}));
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  json::object& container = Container(node, kNode);
  EXPECT_EQ(Variable(container, "CALICO_EARLY_NETWORKING"), "/etc/calico/early-networking.yaml");
  json::array& mounts = ArrayAt(container, {"volumeMounts"});
  const auto* const mount =
      std::find_if(mounts.begin(), mounts.end(), [](const json::value& candidate) {
        return TextAt(candidate.as_object(), "name") == "bgp-layout";
      });
  ASSERT_NE(mount, mounts.end());
  EXPECT_EQ(mount->at("subPath"), "earlyNetworkConfiguration");
  EXPECT_EQ(mount->at("readOnly"), true);
  EXPECT_NE(FindNamed(ArrayAt(PodSpec(node), {"volumes"}), "bgp-layout"), nullptr);
  EXPECT_EQ(TextAt(ObjectAt(node, {"spec", "template", "metadata", "annotations"}),
                   "hash.operator.tigera.io/bgp-layout")
                .size(),
            40U);
}

TEST(RenderTest, AnAnnotationNamesTheAppArmorProfileOfCalicoNode) {
  constexpr std::string_view kAnnotation =
      "container.apparmor.security.beta.kubernetes.io/calico-node";
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  const auto profile = [&] {
    json::object node = Only(RenderCase(c), "DaemonSet", kNode);
    return std::string(
        TextAt(ObjectAt(node, {"spec", "template", "metadata", "annotations"}), kAnnotation));
  };
  EXPECT_EQ(profile(), "");
  std::string& given = c.installation.meta.annotations[std::string(api::kNodeAppArmorAnnotation)];
  EXPECT_EQ(profile(), "");
  given = "localhost/calico";
  EXPECT_EQ(profile(), "localhost/calico");
}

TEST(RenderTest, AnMtuOfZeroIsOneThatTheUserHasWritten) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  SetField(c, "calicoNetwork.mtu", 0);
  json::object node = Only(RenderCase(c), "DaemonSet", kNode);
  for (const std::string_view name : {"FELIX_IPINIPMTU", "FELIX_VXLANMTU", "FELIX_WIREGUARDMTU"}) {
    EXPECT_EQ(Variable(Container(node, kNode), name), "0") << name;
  }
}

TEST(RenderTest, AServiceForMetricsHasTheNameOfItsWorkload) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  c.inputs.kube_controllers_metrics_port = 9094;
  json::object service = Only(RenderCase(c), "Service", "calico-kube-controllers-metrics");
  const json::object& labels = ObjectAt(service, {"metadata", "labels"});
  EXPECT_EQ(TextAt(labels, "k8s-app"), "calico-kube-controllers");
  EXPECT_EQ(TextAt(labels, "app.kubernetes.io/name"), "calico-kube-controllers");
}

TEST(RenderTest, WorkloadsAreOverridden) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  SetField(c, "typhaDeployment.spec.template.spec.terminationGracePeriodSeconds", 123);
  json::object typha = Only(RenderCase(c), "Deployment", kTypha);
  EXPECT_EQ(PodSpec(typha).at("terminationGracePeriodSeconds"), 123);
}

// The user applies it with the operator: who may bind a role may give himself any.
TEST(RenderTest, TheOperatorBindsNoRightsToItself) {
  for (const json::object& object : RenderCase(LoadReferenceCase("c-cm-ecdsa"))) {
    const json::value* const subjects = object.if_contains("subjects");
    if (subjects == nullptr) continue;
    for (const json::value& subject : subjects->as_array()) {
      EXPECT_EQ(TextAt(subject.as_object(), "namespace"), kCalicoNamespace) << NameOf(object);
    }
  }
}

TEST(RenderTest, EveryObjectIsLabelledAndOwned) {
  const ReferenceCase c = LoadReferenceCase("c-cm-ecdsa");
  std::vector<std::string> outliving;
  for (json::object& object : RenderCase(c)) {
    SCOPED_TRACE(NameOf(object));
    EXPECT_EQ(TextAt(ObjectAt(object, {"metadata", "labels"}), kManagedByLabel), kManagedBy);
    EXPECT_EQ(TextAt(ObjectAt(object, {"metadata", "labels"}), kInstanceLabel), "default");
    if (OutlivesInstallation(object)) {
      EXPECT_FALSE(object.at("metadata").as_object().contains("ownerReferences"));
      outliving.emplace_back(KindOf(object));
      continue;
    }
    json::array& owners = ArrayAt(object, {"metadata", "ownerReferences"});
    ASSERT_EQ(owners.size(), 1U);
    EXPECT_EQ(TextAt(owners.front().as_object(), "uid"), c.inputs.owner_uid);
  }
  // What the CNI plugin needs to take down the last pod's network.
  EXPECT_THAT(outliving, testing::UnorderedElementsAre("Namespace", "ServiceAccount", "ClusterRole",
                                                       "ClusterRoleBinding"));
}

// Another value would restart every pod of a cluster that is taken over.
TEST(RenderTest, PodsSayWhoManagesThemAsTigerasOperatorDoes) {
  std::vector<json::object> objects = RenderCase(LoadReferenceCase("b-cm-default"));
  for (const auto& [kind, name] :
       {std::pair("DaemonSet", kNode), std::pair("Deployment", kTypha)}) {
    json::object workload = Only(objects, kind, name);
    EXPECT_EQ(TextAt(ObjectAt(workload, {"metadata", "labels"}), kManagedByLabel), kManagedBy);
    EXPECT_EQ(
        TextAt(ObjectAt(workload, {"spec", "template", "metadata", "labels"}), kManagedByLabel),
        "tigera-operator");
  }
}

// As in Tigera's operator; but what the operator and the workload itself find by labels stays.
TEST(RenderTest, LabelsOfTheUsersWinWhereNothingIsFoundByThem) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  const json::object mine{{"k8s-app", "x"},
                          {"app.kubernetes.io/name", "mine"},
                          {"app.kubernetes.io/part-of", "all"},
                          {"app.kubernetes.io/instance", "one"},
                          {"app.kubernetes.io/managed-by", "me"}};
  for (const char* const field : {"calicoNodeDaemonSet", "typhaDeployment"}) {
    SetField(c, field,
             {{"metadata", {{"labels", mine}}},
              {"spec", {{"template", {{"metadata", {{"labels", mine}}}}}}}});
  }
  std::vector<json::object> objects = RenderCase(c);
  for (const auto& [kind, name] :
       {std::pair("DaemonSet", kNode), std::pair("Deployment", kTypha)}) {
    json::object workload = Only(objects, kind, name);
    json::object& labels = ObjectAt(workload, {"metadata", "labels"});
    const bool is_deployment = workload.at("kind") == "Deployment";
    EXPECT_EQ(TextAt(labels, "k8s-app"), is_deployment ? name : "x");
    EXPECT_EQ(TextAt(labels, "app.kubernetes.io/name"), is_deployment ? name : "mine");
    EXPECT_EQ(TextAt(labels, "app.kubernetes.io/part-of"), "all");
    EXPECT_EQ(TextAt(labels, kInstanceLabel), "default");
    EXPECT_EQ(TextAt(labels, kManagedByLabel), kManagedBy);
    json::object& of_pods = ObjectAt(workload, {"spec", "template", "metadata", "labels"});
    EXPECT_EQ(TextAt(of_pods, "k8s-app"), name);
    EXPECT_EQ(TextAt(of_pods, "app.kubernetes.io/name"), "mine");
    EXPECT_EQ(TextAt(of_pods, kInstanceLabel), "one");
    EXPECT_EQ(TextAt(of_pods, kManagedByLabel), "me");
  }
}

// A Service has a port that is known.
TEST(RenderTest, MetricsOnAnyPortHaveNoService) {
  ReferenceCase c = LoadReferenceCase("c-cm-ecdsa");
  SetField(c, "typhaMetricsPort", 0);
  std::vector<json::object> objects = RenderCase(c);
  EXPECT_EQ(Find(objects, "Service", kTyphaMetrics), nullptr);
  json::object typha = Only(objects, "Deployment", kTypha);
  EXPECT_EQ(TextAt(Named(ArrayAt(Container(typha, kTypha), {"env"}), "TYPHA_PROMETHEUSMETRICSPORT"),
                   "value"),
            "0");
}

// The API server refuses a label of more than 63 characters; the name of a Secret may have 253.
TEST(RenderTest, LongNamesAreCutInLabels) {
  ReferenceCase c = LoadReferenceCase("b-cm-default");
  const std::string name = std::string(62, 'a') + ".-" + std::string(100, 'b');
  SetField(c, "imagePullSecrets", json::array{json::object{{"name", name}}});
  c.inputs.pull_secrets = {{name, "kubernetes.io/dockerconfigjson", {}}};
  json::object secret = Only(RenderCase(c), "Secret", name);
  json::object& labels = ObjectAt(secret, {"metadata", "labels"});
  EXPECT_EQ(TextAt(labels, "k8s-app"), std::string(62, 'a'));
  EXPECT_EQ(TextAt(labels, "app.kubernetes.io/name"), std::string(62, 'a'));
}

// What a release makes of a spec on a plain cluster, with Calico's API server.
std::vector<json::object> RenderIn(std::string_view release, json::object spec,
                                   Inputs inputs = {}) {
  inputs.operator_namespace = "tigera-operator";
  inputs.api_server.emplace();
  absl::StatusOr<std::vector<json::object>> objects =
      Render(**Releases::Embedded().Find(release), Completed(std::move(spec), release), inputs);
  EXPECT_TRUE(objects.ok()) << objects.status();
  return objects.ok() ? *std::move(objects) : std::vector<json::object>();
}

constexpr const char* kReleases[] = {"v3.27", "v3.32", "v3.33"};

TEST(RenderTest, GkeHasAQuotaForPodsOfTheSystem) {
  for (const char* const release : kReleases) {
    SCOPED_TRACE(release);
    const json::object quota = Only(RenderIn(release, {{"kubernetesProvider", "GKE"}}),
                                    "ResourceQuota", "calico-critical-pods");
    EXPECT_EQ(quota.at("spec"),
              *codec::ParseYaml("{scopeSelector: {matchExpressions: [{scopeName: PriorityClass, "
                                "operator: In, values: [system-node-critical, "
                                "system-cluster-critical]}]}}"));
    std::vector<json::object> others = RenderIn(release, {});
    EXPECT_EQ(Find(others, "ResourceQuota", "calico-critical-pods"), nullptr);
  }
}

TEST(RenderTest, AListOfInitContainersIsNeverEmpty) {
  int without = 0;
  for (const char* const release : kReleases) {
    const std::vector<json::object> objects = RenderIn(
        release,
        {{"kubernetesProvider", "GKE"}, {"cni", {{"type", "GKE"}}}, {"flexVolumePath", "None"}});
    for (json::object object : objects) {
      if (KindOf(object) != "DaemonSet" && KindOf(object) != "Deployment") continue;
      const json::value* const list = PodSpec(object).if_contains("initContainers");
      without += list == nullptr ? 1 : 0;
      EXPECT_TRUE(list == nullptr || !list->as_array().empty()) << release << NameOf(object);
    }
  }
  EXPECT_GT(without, 0);
}

TEST(RenderTest, PodsOfThePodsNetworkAreNotToldOfAProxyOnTheHost) {
  Inputs inputs;
  inputs.api_endpoint = ApiEndpoint{"proxy.local", "6444"};
  std::vector<json::object> objects =
      RenderIn("v3.27", {{"kubernetesProvider", "DockerEnterprise"}}, inputs);
  const auto host = [&](const char* kind, const char* workload) {
    json::object* const found = Find(objects, kind, workload);
    return found == nullptr ? "no workload"
                            : Variable(Container(*found, workload), "KUBERNETES_SERVICE_HOST");
  };
  EXPECT_EQ(host("DaemonSet", "calico-node"), "proxy.local");
  EXPECT_EQ(host("Deployment", "calico-typha"), "proxy.local");
  EXPECT_EQ(host("Deployment", "calico-kube-controllers"), "absent");
  EXPECT_EQ(host("Deployment", "calico-apiserver"), "absent");
}

TEST(RenderTest, ASlashAfterTheKubeletsFolderIsNotDoubled) {
  for (const char* const release : kReleases) {
    json::object driver =
        Only(RenderIn(release, {{"kubeletVolumePluginPath", "/var/lib/kubelet/"}}), "DaemonSet",
             "csi-node-driver");
    EXPECT_EQ(Variable(Container(driver, "csi-node-driver-registrar"), "DRIVER_REG_SOCK_PATH"),
              "/var/lib/kubelet/plugins/csi.tigera.io/csi.sock")
        << release;
  }
}

// With the namespace calico-apiserver of Calico 3.27 goes what is in it.
TEST(RenderTest, PullSecretsGoWithTheirNamespace) {
  Inputs inputs;
  inputs.pull_secrets = {{"pull", "kubernetes.io/dockerconfigjson", {}}};
  std::map<std::string, std::string> owners;
  for (json::object& object : RenderIn("v3.27", {}, inputs)) {
    if (KindOf(object) != "Secret") continue;
    owners.emplace(
        TextAt(ObjectAt(object, {"metadata"}), "namespace"),
        TextAt(ArrayAt(object, {"metadata", "ownerReferences"}).front().as_object(), "kind"));
  }
  EXPECT_THAT(owners,
              testing::UnorderedElementsAre(testing::Pair("calico-system", "Installation"),
                                            testing::Pair("calico-apiserver", "APIServer")));
}

TEST(RenderTest, NoPrivateKeyMaterialAndNoPublicRoots) {
  const std::string text = Yaml(RenderCase(LoadReferenceCase("b-cm-default")));
  EXPECT_THAT(text, testing::Not(HasSubstr("PRIVATE KEY")));
  EXPECT_THAT(text, testing::Not(HasSubstr("cert.pem")));
}

}  // namespace
}  // namespace calico::render
