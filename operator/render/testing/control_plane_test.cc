// What is rendered besides calico-node and typha: calico-kube-controllers, the CSI driver and
// Calico's API server, by release, certificates and provider.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/render/object_path.h"
#include "operator/render/releases.h"
#include "operator/render/render.h"
#include "operator/render/testing/cases.h"
#include "operator/render/testing/objects.h"
#include "pkg/base/testing/status_matchers.h"
#include "pkg/codec/yaml.h"

namespace calico::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNull;
using testing::NotNull;

// The oldest first.
std::vector<std::string> AllReleases() { return Releases::Embedded().versions(); }
std::string Newest() { return AllReleases().back(); }

constexpr char kCertificateManagement[] =
    "certificateManagement: {caCert: eA==, signerName: example.com/signer}";

// Objects of one rendering.
class Rendered {
 public:
  Rendered(std::string_view release, std::string_view spec, Inputs inputs) {
    const absl::StatusOr<const Release*> found = Releases::Embedded().Find(release);
    EXPECT_THAT(found, base::IsOk());
    const auto given = codec::ParseYaml(spec);
    EXPECT_THAT(given, base::IsOk());
    auto objects = Render(**found, Completed(given->as_object(), release), std::move(inputs));
    EXPECT_THAT(objects, base::IsOk());
    if (objects.ok()) objects_ = *std::move(objects);
  }

  json::object* Find(std::string_view kind, std::string_view name) {
    for (json::object& object : objects_) {
      if (KindOf(object) == kind && NameOf(object) == name) return &object;
    }
    return nullptr;
  }
  json::object& At(std::string_view kind, std::string_view name) {
    json::object* const found = Find(kind, name);
    EXPECT_THAT(found, NotNull()) << kind << " " << name;
    static json::object none;
    return found == nullptr ? none = json::object() : *found;
  }

 private:
  std::vector<json::object> objects_;
};

Inputs WithApiServer(std::string_view spec = "{}") {
  Inputs inputs = LoadReferenceCase("b-cm-default").inputs;
  inputs.has_admission_policies = true;
  inputs.api_server = ApiServerInput{.uid = "api-uid", .spec = codec::ParseYaml(spec)->as_object()};
  return inputs;
}

std::string_view Variable(json::object& container, std::string_view name) {
  json::object* const entry = FindNamed(ArrayAt(container, {"env"}), name);
  return entry == nullptr ? "absent" : TextAt(*entry, "value");
}

std::string_view Namespace(json::object& object) {
  return TextAt(ObjectAt(object, {"metadata"}), "namespace");
}

TEST(ApiServerTest, IsRenderedOnlyForTheKindApiServer) {
  for (const std::string& release : AllReleases()) {
    SCOPED_TRACE(release);
    Rendered without(release, "{}", LoadReferenceCase("b-cm-default").inputs);
    EXPECT_THAT(without.Find("Deployment", "calico-apiserver"), IsNull());
    EXPECT_THAT(without.Find("APIService", "v3.projectcalico.org"), IsNull());
    Rendered with(release, "{}", WithApiServer());
    EXPECT_THAT(with.Find("Deployment", "calico-apiserver"), NotNull());
    EXPECT_THAT(with.Find("APIService", "v3.projectcalico.org"), NotNull());
  }
}

// Deleting the APIServer deletes it.
TEST(ApiServerTest, BelongsToTheApiServer) {
  Rendered objects(Newest(), "{}", WithApiServer());
  json::object& service = ObjectAt(objects.At("Service", "calico-api"), {"metadata"});
  const json::object& owner = service.at("ownerReferences").as_array().front().as_object();
  EXPECT_EQ(owner.at("kind"), "APIServer");
  EXPECT_EQ(owner.at("uid"), "api-uid");
  EXPECT_EQ(TextAt(ObjectAt(service, {"labels"}), "app.kubernetes.io/component"),
            "APIServer.operator.tigera.io");
  json::object& controllers =
      ObjectAt(objects.At("Deployment", "calico-kube-controllers"), {"metadata"});
  EXPECT_EQ(controllers.at("ownerReferences").as_array().front().at("kind"), "Installation");
  EXPECT_EQ(TextAt(ObjectAt(controllers, {"labels"}), "app.kubernetes.io/component"),
            "Installation.operator.tigera.io");
}

TEST(ApiServerTest, AsksForTheNamesOfItsService) {
  for (const std::string& release : AllReleases()) {
    SCOPED_TRACE(release);
    const std::string ns = release == "v3.27" ? "calico-apiserver" : "calico-system";
    Inputs inputs = WithApiServer();
    inputs.cluster_domain = "example.org";
    Rendered objects(release, fmt::format("{{{}}}", kCertificateManagement), std::move(inputs));
    json::object& workload = objects.At("Deployment", "calico-apiserver");
    EXPECT_EQ(Namespace(workload), ns);
    json::object& init = InitContainer(workload, "calico-apiserver-certs-key-cert-provisioner");
    EXPECT_EQ(Variable(init, "COMMON_NAME"), "calico-api");
    EXPECT_EQ(Variable(init, "DNS_NAMES"),
              fmt::format("calico-api,calico-api.{0},calico-api.{0}.svc,calico-api.{0}.svc."
                          "example.org",
                          ns));
    EXPECT_EQ(Variable(init, "SIGNER"), "example.com/signer");
    EXPECT_EQ(Variable(init, "EXTENDED_KEY_USAGES"), "server auth");
    const json::object& volume =
        Named(ArrayAt(PodSpec(workload), {"volumes"}), "calico-apiserver-certs");
    EXPECT_TRUE(volume.contains("emptyDir"));
    json::object& binding = objects.At("ClusterRoleBinding", "calico-apiserver:csr-creator");
    EXPECT_EQ(binding.at("subjects").as_array().front().at("namespace"), ns.c_str());
    json::object& service = ObjectAt(objects.At("APIService", "v3.projectcalico.org"), {"spec"});
    EXPECT_EQ(service.at("service").at("namespace"), ns.c_str());
    EXPECT_EQ(service.contains("insecureSkipTLSVerify"), false);
    EXPECT_FALSE(TextAt(service, "caBundle").empty());
  }
}

TEST(ApiServerTest, MountsASecretWithoutCertificateManagement) {
  for (const std::string& release : AllReleases()) {
    SCOPED_TRACE(release);
    Rendered objects(release, "{}", WithApiServer());
    json::object& workload = objects.At("Deployment", "calico-apiserver");
    EXPECT_FALSE(PodSpec(workload).contains("initContainers"));
    const json::object& volume =
        Named(ArrayAt(PodSpec(workload), {"volumes"}), "calico-apiserver-certs");
    EXPECT_EQ(volume.at("secret").at("secretName"), "calico-apiserver-certs");
    EXPECT_THAT(objects.Find("ClusterRoleBinding", "calico-apiserver:csr-creator"), IsNull());
  }
}

TEST(ApiServerTest, ListensWhereTheOverrideSays) {
  Rendered objects(Newest(), "{}",
                   WithApiServer("{logging: {apiServer: {logSeverity: Debug}}, "
                                 "apiServerDeployment: {spec: {template: {spec: {containers: [{"
                                 "name: calico-apiserver, ports: [{containerPort: 7443}]}]}}}}}"));
  json::object& container =
      Container(objects.At("Deployment", "calico-apiserver"), "calico-apiserver");
  EXPECT_EQ(container.at("args").as_array().front(), "--secure-port=7443");
  EXPECT_EQ(container.at("readinessProbe").at("httpGet").at("port"), 7443);
  EXPECT_EQ(Variable(container, "LOG_LEVEL"), "debug");
  EXPECT_EQ(
      ArrayAt(objects.At("Service", "calico-api"), {"spec", "ports"}).front().at("targetPort"),
      7443);
}

// The control plane of EKS and TKG reaches no pods of Calico's network.
TEST(ApiServerTest, RunsOnTheHostsNetworkWhereTheControlPlaneHasNoCalico) {
  for (const std::string& release : AllReleases()) {
    for (const char* provider : {"EKS", "TKG", "None"}) {
      SCOPED_TRACE(fmt::format("{} {}", release, provider));
      const std::string_view kind = provider == std::string("None") ? "" : provider;
      Rendered objects(release,
                       fmt::format("{{kubernetesProvider: '{}', cni: {{type: Calico}}}}", kind),
                       WithApiServer());
      json::object& workload = objects.At("Deployment", "calico-apiserver");
      const bool is_host = !kind.empty();
      EXPECT_EQ(PodSpec(workload).contains("hostNetwork"), is_host);
      EXPECT_EQ(TextAt(PodSpec(workload), "dnsPolicy"),
                is_host ? "ClusterFirstWithHostNet" : "ClusterFirst");
      // Two of them cannot listen on one node's port at a time.
      if (is_host) {
        EXPECT_EQ(TextAt(ObjectAt(workload, {"spec", "strategy"}), "type"), "Recreate");
      }
    }
  }
}

TEST(ApiServerTest, DoesNotWatchWhatIsNotServed) {
  for (const bool served : {true, false}) {
    SCOPED_TRACE(served);
    Inputs inputs = WithApiServer();
    inputs.has_admission_policies = served;
    Rendered objects(Newest(), "{}", std::move(inputs));
    const std::string role = codec::Serialize(objects.At("ClusterRole", "calico-crds"));
    EXPECT_EQ(role.find("validatingadmissionpolicies") != std::string::npos, served);
    const std::string args = codec::Serialize(
        Container(objects.At("Deployment", "calico-apiserver"), "calico-apiserver").at("args"));
    EXPECT_EQ(args.find("--enable-validating-admission-policy=false") == std::string::npos, served);
  }
}

TEST(ApiServerTest, OneAloneKeepsAwayFromNobody) {
  for (const int replicas : {1, 3}) {
    Rendered objects(Newest(), fmt::format("{{controlPlaneReplicas: {}}}", replicas),
                     WithApiServer());
    json::object& workload = objects.At("Deployment", "calico-apiserver");
    EXPECT_EQ(ObjectAt(workload, {"spec"}).at("replicas"), replicas);
    EXPECT_EQ(PodSpec(workload).contains("affinity"), replicas > 1);
  }
}

TEST(KubeControllersTest, EveryReleaseHasOneThatFollowsTheTrust) {
  for (const std::string& release : AllReleases()) {
    SCOPED_TRACE(release);
    Rendered objects(release, "{}", LoadReferenceCase("b-cm-default").inputs);
    json::object& workload = objects.At("Deployment", "calico-kube-controllers");
    EXPECT_EQ(ObjectAt(workload, {"spec"}).at("replicas"), 1);
    EXPECT_THAT(codec::Serialize(ObjectAt(workload, {"spec", "template", "metadata"})),
                HasSubstr("hash.operator.tigera.io/"));
    // It asks for no certificate.
    EXPECT_THAT(objects.Find("ClusterRoleBinding", "calico-kube-controllers:csr-creator"),
                IsNull());
  }
}

TEST(KubeControllersTest, MetricsHaveAServiceWhereTheSettingsHaveAPort) {
  Inputs inputs = LoadReferenceCase("b-cm-default").inputs;
  Rendered without(Newest(), "{}", inputs);
  EXPECT_THAT(without.Find("Service", "calico-kube-controllers-metrics"), IsNull());
  inputs.kube_controllers_metrics_port = 9094;
  Rendered with(Newest(), "{}", inputs);
  json::object& service = with.At("Service", "calico-kube-controllers-metrics");
  EXPECT_EQ(TextAt(ObjectAt(service, {"spec"}), "clusterIP"), "None");
  EXPECT_EQ(ArrayAt(service, {"spec", "ports"}).front().at("port"), 9094);
  EXPECT_EQ(TextAt(ObjectAt(service, {"metadata", "annotations"}), "prometheus.io/port"), "9094");
}

TEST(KubeControllersTest, IsToldWhereItsPodsReachTheApiServer) {
  Inputs inputs = LoadReferenceCase("b-cm-default").inputs;
  inputs.pod_api_endpoint = ApiEndpoint{"192.0.2.7", "6443"};
  for (const std::string& release : AllReleases()) {
    if (release == "v3.27") continue;  // it knows only one address for all pods
    Rendered objects(release, "{}", inputs);
    json::object& container =
        Container(objects.At("Deployment", "calico-kube-controllers"), "calico-kube-controllers");
    EXPECT_EQ(Variable(container, "KUBERNETES_SERVICE_HOST"), "192.0.2.7");
    EXPECT_EQ(Variable(container, "KUBERNETES_SERVICE_PORT"), "6443");
  }
}

TEST(CsiTest, FollowsTheKubeletsFolder) {
  for (const std::string& release : AllReleases()) {
    SCOPED_TRACE(release);
    const Inputs inputs = LoadReferenceCase("b-cm-default").inputs;
    Rendered objects(release, "{kubeletVolumePluginPath: /data/kubelet}", inputs);
    json::object& workload = objects.At("DaemonSet", "csi-node-driver");
    json::object& registrar = Container(workload, "csi-node-driver-registrar");
    EXPECT_EQ(Variable(registrar, "DRIVER_REG_SOCK_PATH"),
              "/data/kubelet/plugins/csi.tigera.io/csi.sock");
    const json::object& volume = Named(ArrayAt(PodSpec(workload), {"volumes"}), "kubelet-dir");
    EXPECT_EQ(volume.at("hostPath").at("path"), "/data/kubelet");
    EXPECT_THAT(objects.Find("CSIDriver", "csi.tigera.io"), NotNull());

    Rendered none(release, "{kubeletVolumePluginPath: None}", inputs);
    EXPECT_THAT(none.Find("DaemonSet", "csi-node-driver"), IsNull());
    EXPECT_THAT(none.Find("CSIDriver", "csi.tigera.io"), IsNull());
  }
}

TEST(OpenShiftTest, PodsMayRunAsTheyDo) {
  for (const std::string& release : AllReleases()) {
    SCOPED_TRACE(release);
    Rendered objects(release, "{kubernetesProvider: OpenShift}", WithApiServer());
    EXPECT_EQ(TextAt(ObjectAt(objects.At("CSIDriver", "csi.tigera.io"), {"metadata", "labels"}),
                     "security.openshift.io/csi-ephemeral-volume-profile"),
              "restricted");
    EXPECT_THAT(objects.Find("RoleBinding", "csi-node-driver"), NotNull());
    for (const char* role : {"calico-kube-controllers", "calico-extension-apiserver-auth-access"}) {
      EXPECT_THAT(codec::Serialize(objects.At("ClusterRole", role)),
                  HasSubstr("securitycontextconstraints"));
    }
  }
}

}  // namespace
}  // namespace calico::render
