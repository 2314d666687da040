#include "operator/controllers/installation/gathering.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <absl/strings/str_join.h>
#include <fmt/format.h>

#include "operator/controllers/kinds/image_choice.h"
#include "operator/defaults/provider.h"
#include "operator/render/names.h"
#include "operator/render/object_path.h"
#include "operator/validation/api_endpoint.h"
#include "operator/validation/bgp_layout.h"
#include "pkg/api/meta/resources.h"
#include "pkg/api/operator/tigera_status.h"
#include "pkg/base/status_macros.h"

namespace calico::installation {
namespace {

constexpr absl::Duration kGapInterval = absl::Seconds(30);
constexpr absl::Duration kSecretsTimeout = absl::Seconds(5);

bool MayChange(const cluster::ClusterSigns& signs) {
  return !signs.gaps.empty() || !signs.manifest_daemon_sets.empty();
}

std::string ManifestInstall(const std::vector<std::string>& daemon_sets) {
  return fmt::format(
      "DaemonSet kube-system/{} is there: Calico was installed from manifests, and two agents on a "
      "node would fight over its network. This operator does not convert such an installation: let "
      "Tigera's operator do it and take over from that (calico-operator adopt), or delete Calico's "
      "workloads in kube-system, which leaves pods as they are but new ones without a network "
      "until calico-system/calico-node runs",
      absl::StrJoin(daemon_sets, ", kube-system/"));
}

// Of a workload.
render::DnsSettings DnsOf(json::object& workload) {
  render::DnsSettings dns;
  json::object& spec = render::EnsureObject(workload, {"spec", "template", "spec"});
  const std::string_view policy = render::TextAt(spec, "dnsPolicy");
  if (!policy.empty()) dns.policy = policy;
  if (spec.contains("dnsConfig")) dns.config = render::EnsureObject(spec, {"dnsConfig"});
  return dns;
}

json::object* FindIn(json::object& parent, std::string_view list, std::string_view name) {
  json::value* const elements = parent.if_contains(list);
  if (elements == nullptr || !elements->is_array()) return nullptr;
  return render::FindNamed(elements->get_array(), name);
}

// What a container is told; nullopt: it goes by the cluster's Service.
std::optional<render::ApiEndpoint> EndpointOf(json::object& workload,
                                              std::string_view container_name) {
  json::object& spec = render::EnsureObject(workload, {"spec", "template", "spec"});
  json::object* const container = FindIn(spec, "containers", container_name);
  if (container == nullptr) return std::nullopt;
  const json::object* const host = FindIn(*container, "env", validation::kServiceHostKey);
  const json::object* const port = FindIn(*container, "env", validation::kServicePortKey);
  if (host == nullptr || port == nullptr) return std::nullopt;
  return render::ApiEndpoint{std::string(render::TextAt(*host, "value")),
                             std::string(render::TextAt(*port, "value"))};
}

}  // namespace

// A ConfigMap that cannot be read is not one that is absent: another address rolls every pod.
void Gathering::GatherEndpoint(render::Inputs& inputs, Pass& pass) const {
  if (!view_.KnowsEndpoint()) {
    const auto live = view_.owned().Get(
        api::kDaemonSets, {std::string(render::kCalicoNamespace), std::string(render::kNode)});
    if (live == nullptr) {
      pass.Stop(api::kReasonResourceReadError,
                fmt::format("nothing is installed before it is known whether namespace {} has a "
                            "ConfigMap kubernetes-services-endpoint: it may say another address of "
                            "the API server",
                            options_.operator_namespace));
      return;
    }
    json::object daemon_set = live->Parse();
    inputs.api_endpoint = EndpointOf(daemon_set, render::kNode);
    const auto controllers = view_.owned().Get(
        api::kDeployments,
        {std::string(render::kCalicoNamespace), std::string(render::kKubeControllers)});
    if (controllers == nullptr) return;
    json::object deployment = controllers->Parse();
    inputs.pod_api_endpoint = EndpointOf(deployment, render::kKubeControllers);
    return;
  }
  absl::StatusOr<std::optional<render::ApiEndpoint>> endpoint = view_.Endpoint();
  absl::StatusOr<std::optional<render::ApiEndpoint>> pod_endpoint = view_.PodEndpoint();
  for (const absl::Status& status : {endpoint.status(), pod_endpoint.status()}) {
    if (status.ok()) continue;
    pass.Stop(api::kReasonInvalidConfiguration, std::string(status.message()));
    return;
  }
  inputs.pod_api_endpoint = *std::move(pod_endpoint);
  inputs.api_endpoint = *std::move(endpoint);
  if (!inputs.api_endpoint.has_value()) inputs.api_endpoint = options_.process_endpoint;
}

void Gathering::GatherImageSet(render::Inputs& inputs, Pass& pass) const {
  const std::string_view in_use = codec::TextAt(pass.record->status, "imageSet");
  kinds::ImageChoice choice = kinds::ChooseImages(
      {.known = kinds_.KnowsImageSets(), .sets = kinds_.ImageSets(), .in_use = in_use},
      options_.release->calico_version());
  if (choice.obstacle.has_value()) pass.Stop(choice.obstacle->reason, choice.obstacle->message);
  if (choice.set.has_value()) pass.installation_status.image_set = choice.set->meta.name;
  inputs.image_set = std::move(choice.set);
}

// It does not go because nobody may look at it.
void Gathering::KeepConfig(std::string_view name, Pass& pass) const {
  const api::ObjectKey copy = {std::string(render::kCalicoNamespace), std::string(name)};
  if (view_.owned().Get(api::kConfigMaps, copy) == nullptr) return;
  pass.Stop(api::kReasonResourceReadError,
            fmt::format("calico-node keeps what it has until ConfigMap {}/{} can be read",
                        options_.operator_namespace, name));
}

void Gathering::GatherBgpLayout(render::Inputs& inputs, Pass& pass) const {
  if (!view_.KnowsBgpLayout()) return KeepConfig(render::kBgpLayout, pass);
  inputs.bgp_layout = view_.BgpLayout();
  if (!inputs.bgp_layout.has_value()) return;
  const absl::Status problem =
      validation::CheckBgpLayout(*inputs.bgp_layout, options_.operator_namespace);
  if (!problem.ok()) {
    pass.Stop(api::kReasonResourceValidationError, std::string(problem.message()));
  }
}

void Gathering::GatherBirdTemplates(render::Inputs& inputs, Pass& pass) const {
  if (!view_.KnowsBirdTemplates()) return KeepConfig(render::kBirdTemplates, pass);
  inputs.bird_templates = view_.BirdTemplates();
}

aio::Task<absl::StatusOr<render::Inputs>> Gathering::Gather(const api::Installation& installation,
                                                            const kinds::ApiServerPart& api_server,
                                                            Pass& pass) {
  render::Inputs inputs;
  inputs.api_server = api_server.Input();
  inputs.owner_uid = pass.record->uid;
  inputs.operator_namespace = options_.operator_namespace;
  GatherEndpoint(inputs, pass);
  GatherImageSet(inputs, pass);
  GatherBgpLayout(inputs, pass);
  GatherBirdTemplates(inputs, pass);
  if (pass.obstacle.has_value()) co_return inputs;
  configuration_.GatherSettings(installation, inputs, pass);
  inputs.typha_replicas = TyphaReplicas(pass);
  CALICO_CO_ASSIGN_OR_RETURN(inputs.node_dns, OperatorDns(pass));
  CALICO_CO_RETURN_IF_ERROR(co_await GatherPullSecrets(installation, inputs, pass));
  if (pass.obstacle.has_value()) co_return inputs;
  // Last: which pairs are needed depends on the other inputs.
  CALICO_CO_RETURN_IF_ERROR(
      co_await GatherCertificates(installation, api_server.Wanted() != nullptr, inputs, pass));
  co_return inputs;
}

// Once: whose cluster it is stays the same. What could not be read is asked for in each pass, what
// may not be and what people put away every now and then.
aio::Task<void> Gathering::AskCluster() {
  const absl::Time now = clock_.SteadyNow();
  if (signs_.ok() && (!MayChange(*signs_) || now < signs_asked_at_ + kGapInterval)) co_return;
  signs_asked_at_ = now;
  signs_ = co_await cluster::ReadClusterSigns(client_, executor_);
}

void Gathering::TellSigns(Pass& pass) const {
  if (!signs_.ok()) {
    pass.Stop(api::kReasonResourceReadError, std::string(signs_.status().message()));
    pass.error = signs_.status();
    return;
  }
  pass.gaps.insert(pass.gaps.end(), signs_->gaps.begin(), signs_->gaps.end());
  if (MayChange(*signs_)) pass.Again(clock_.Now() + kGapInterval);
  if (signs_->manifest_daemon_sets.empty()) return;
  std::string text = ManifestInstall(signs_->manifest_daemon_sets);
  // What runs beside it already is looked after all the same.
  if (view_.FindDaemonSet(render::kNode) != nullptr) {
    pass.gaps.push_back(std::move(text));
  } else {
    pass.Stop(api::kReasonMigrationError, std::move(text));
  }
}

defaults::ClusterFacts Gathering::ClusterFacts() const {
  defaults::ProviderSigns provider = signs_->provider;
  for (const auto& node : view_.Nodes()) {
    if (node->provider_signs.has_value()) provider.nodes.push_back(*node->provider_signs);
  }
  defaults::ClusterFacts facts{.release = options_.release->version(),
                               .detected_provider = defaults::DetectProvider(provider),
                               .has_aws_node_daemon_set = signs_->has_aws_node_daemon_set,
                               .kubeadm_pod_subnet = signs_->kubeadm_pod_subnet,
                               .openshift_pod_networks = signs_->openshift_pod_networks};
  configuration_.AddPools(facts);
  return facts;
}

std::vector<base::IpAddress> Gathering::NodeAddresses() const {
  std::vector<base::IpAddress> addresses;
  for (const auto& node : view_.Nodes()) {
    if (!node->needs_agent()) continue;
    addresses.insert(addresses.end(), node->internal_ips.begin(), node->internal_ips.end());
  }
  return addresses;
}

validation::NodeCount Gathering::CountNodes() const {
  validation::NodeCount count;
  for (const auto& node : view_.Nodes()) {
    if (!node->takes_pods()) continue;
    ++count.all;
    if (node->is_linux) ++count.linux;
  }
  return count;
}

// Nodes that cannot be counted are no reason to have fewer of them.
int Gathering::TyphaReplicas(Pass& pass) {
  const std::shared_ptr<const api::Deployment> typha = view_.FindDeployment(render::kTypha);
  if (!view_.KnowsNodes() && typha != nullptr) return typha->spec_replicas;
  const absl::Time now = clock_.SteadyNow();
  const int replicas = typha_scale_.Decide(CountNodes(), now);
  pass.Again(clock_.Now() + (typha_scale_.recheck_at() - now));
  return replicas;
}

// Read once: a change of the Deployment starts another operator. It must not be guessed at, or the
// guess would be a first rendering and the truth a second one.
aio::Task<void> Gathering::AskOperatorDns() {
  if (operator_dns_.ok()) co_return;
  absl::StatusOr<json::object> deployment = co_await client_.Get(
      api::kDeployments, {options_.operator_namespace, options_.operator_name});
  if (deployment.ok()) {
    operator_dns_ = DnsOf(*deployment);
  } else if (absl::IsNotFound(deployment.status())) {
    operator_dns_ = render::DnsSettings{};
  } else {
    operator_dns_ = deployment.status();
  }
}

absl::StatusOr<render::DnsSettings> Gathering::OperatorDns(Pass& pass) const {
  if (!absl::IsPermissionDenied(operator_dns_.status())) return operator_dns_;
  pass.gaps.emplace_back(operator_dns_.status().message());
  const auto live = view_.owned().Get(
      api::kDaemonSets, {std::string(render::kCalicoNamespace), std::string(render::kNode)});
  if (live == nullptr) return render::DnsSettings{};
  json::object daemon_set = live->Parse();
  return DnsOf(daemon_set);
}

aio::Task<absl::Status> Gathering::GatherPullSecrets(const api::Installation& installation,
                                                     render::Inputs& inputs, Pass& pass) {
  if (installation.image_pull_secrets.empty()) co_return absl::OkStatus();
  CALICO_CO_RETURN_IF_ERROR(
      base::Annotate(co_await view_.secrets().WaitForSync(kSecretsTimeout),
                     fmt::format("read the Secrets of namespace {}", options_.operator_namespace)));
  std::vector<std::string> problems;
  for (const std::string& name : installation.image_pull_secrets) {
    const auto secret = view_.secrets().PullSecret(name);
    if (secret == nullptr) {
      problems.push_back(fmt::format(
          "spec.imagePullSecrets: Secret \"{}\" not found in namespace {}: create it there, or "
          "remove it from the list",
          name, options_.operator_namespace));
    } else if (!secret->is_for_images()) {
      problems.push_back(fmt::format(
          "spec.imagePullSecrets: Secret \"{}\" is of type {}, which is not for images: make it "
          "with `kubectl create secret docker-registry`",
          name, secret->type));
    } else {
      inputs.pull_secrets.push_back({name, secret->type, secret->data});
    }
  }
  if (!problems.empty()) pass.Stop(api::kReasonResourceNotFound, absl::StrJoin(problems, "; "));
  co_return absl::OkStatus();
}

// A problem that pods need not feel is told and kept for later: they go on with what they have.
aio::Task<absl::Status> Gathering::GatherCertificates(const api::Installation& installation,
                                                      bool has_api_server, render::Inputs& inputs,
                                                      Pass& pass) {
  const std::string& release = options_.release->version();
  certificates::Demands demands{
      .release = release,
      .operator_namespace = options_.operator_namespace,
      .key_pairs = {certificates::NodeKeyPair(), certificates::TyphaKeyPair()}};
  if (has_api_server) {
    demands.key_pairs.push_back(certificates::ApiServerKeyPair(
        certificates::ApiServerNamespace(release), inputs.cluster_domain));
  }
  if (installation.certificate_management.has_value()) {
    demands.ca_cert = installation.certificate_management->ca_cert_pem;
  }
  auto plan = co_await certificates_.Prepare(std::move(demands));
  if (absl::IsInvalidArgument(plan.status())) {
    pass.Stop(api::kReasonCertificateError, std::string(plan.status().message()));
    co_return absl::OkStatus();
  }
  if (!plan.ok()) co_return plan.status();
  inputs.certificates = *std::move(plan);
  pass.Again(inputs.certificates->recheck_at);
  pass.notes.insert(pass.notes.end(), inputs.certificates->warnings.begin(),
                    inputs.certificates->warnings.end());
  pass.certificate_problems = inputs.certificates->problems;
  if (!inputs.certificates->is_complete) {
    pass.StopForCertificates();
    pass.Stop(api::kReasonCertificateError, "not every key pair that pods need can be had");
  }
  co_return absl::OkStatus();
}

}  // namespace calico::installation
