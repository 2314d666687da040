// csr_load: makes CertificateSigningRequests of many pods, and measures who answers them how fast.
//
//   csr_load --mode create --count 1000 ...            pods and their requests, all pending
//   csr_load --mode approve-and-sign --count 1000 ...  the bare client: two writes each, no thought
//   csr_load --mode measure --count 1000 ...           waits until somebody has signed them all
//   csr_load --mode delete ...
//
// Pods are on the host network of a Node that is only an object; requests are made as their service
// account with impersonation, so that they look as if made with tokens bound to these pods. The
// kubeconfig must be an administrator's.

#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <fmt/format.h>

#include "operator/config/flags.h"
#include "pkg/aio/event_loop.h"
#include "pkg/aio/task_group.h"
#include "pkg/aio/timer.h"
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/base/file.h"
#include "pkg/base/log.h"
#include "pkg/base/status_macros.h"
#include "pkg/codec/json.h"
#include "pkg/codec/line_splitter.h"
#include "pkg/http/client.h"
#include "pkg/kube/auth/rest_config.h"
#include "pkg/pki/certificate_request.h"
#include "pkg/pki/issue.h"
#include "pkg/pki/key.h"

namespace calico {
namespace {

constexpr std::string_view kCsrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr std::string_view kLabel = "csr-load";
constexpr std::string_view kSelector = "labelSelector=app%3Dcsr-load";
constexpr std::string_view kNode = "csr-load";
constexpr std::string_view kNodeAddress = "198.51.100.7";  // TEST-NET-2
constexpr absl::Duration kCallTimeout = absl::Seconds(60);

struct Options {
  std::string mode;
  int count = 1000;
  int connections = 64;
  std::string kubeconfig;
  std::string signer_name = "example.com/signer";
  std::string ns = "calico-system";
  std::string service_account = "calico-node";
  std::string common_name = "typha-client";
  std::string key = "rsa";
  std::string ca_cert_file;
  std::string ca_key_file;
};

using Headers = http::Headers;

class Load {
 public:
  Load(aio::Executor executor, Options options, kube::RestConfig config)
      : executor_(executor),
        options_(std::move(options)),
        config_(std::move(config)),
        http_(executor, HttpOptions()) {}

  aio::Task<absl::Status> Create();
  aio::Task<absl::Status> ApproveAndSign();
  aio::Task<absl::Status> Measure();
  aio::Task<absl::Status> Delete();

 private:
  http::ClientOptions HttpOptions() const {
    http::ClientOptions http;
    http.origin = config_.origin;
    http.proxy = config_.proxy;
    http.tls = [credentials = config_.credentials] { return credentials->Tls(); };
    http.max_connections = options_.connections + 1;
    http.max_body_bytes = 256 << 20;
    return http;
  }

  // One call, again while the server is busy. `accept` is a status that is as good as 2xx.
  aio::Task<absl::StatusOr<std::string>> Call(std::string method, std::string target,
                                              std::string body, Headers headers = {},
                                              int accept = 0);
  // Runs `work` for 0 ... count - 1, `connections` at a time. The first error ends it.
  aio::Task<absl::Status> ForAll(int count, std::function<aio::Task<absl::Status>(int)> work);
  aio::Task<void> Worker(int count, const std::function<aio::Task<absl::Status>(int)>& work,
                         int& next, absl::Status& result);

  aio::Task<absl::Status> Prepare();
  aio::Task<absl::Status> CreatePod(int index);
  aio::Task<absl::Status> CreateRequest(int index);
  aio::Task<absl::Status> Answer(std::string name, std::string certificate);
  aio::Task<absl::StatusOr<json::object>> ListRequests();
  absl::StatusOr<std::string> MakeRequest();
  absl::StatusOr<std::string> SignOne() const;
  absl::StatusOr<pki::PrivateKey> MakeKey() const {
    return pki::PrivateKey::Generate(options_.key == "rsa" ? pki::KeyAlgorithm::kRsa2048
                                                           : pki::KeyAlgorithm::kEcdsaP256);
  }

  aio::Executor executor_;
  const Options options_;
  const kube::RestConfig config_;
  http::Client http_;
  std::vector<std::string> uids_;  // of the pods
  std::string request_;            // base64 of the PKCS#10 in PEM, the same for all
};

std::string PodName(int index) { return fmt::format("csr-load-{}", index); }

double Since(absl::Time start) { return absl::ToDoubleSeconds(absl::Now() - start); }

aio::Task<absl::StatusOr<std::string>> Load::Call(std::string method, std::string target,
                                                  std::string body, Headers headers, int accept) {
  CALICO_CO_ASSIGN_OR_RETURN(const base::SharedSecret authorization,
                             config_.credentials->Authorization());
  if (!body.empty() && !http::FindHeader(headers, "Content-Type").has_value()) {
    headers.emplace_back("Content-Type", "application/json");
  }
  headers.emplace_back("Accept", "application/json");
  const http::Request request{method, target, std::move(headers), std::move(body), authorization};
  for (;;) {
    CALICO_CO_ASSIGN_OR_RETURN(http::Response response, co_await http_.Do(request, kCallTimeout));
    if (response.status / 100 == 2 || response.status == accept) co_return std::move(response.body);
    if (response.status != 429 && response.status != 503) {
      co_return absl::InternalError(fmt::format("{} {}: {} {}", method, target, response.status,
                                                response.body.substr(0, 300)));
    }
    CALICO_CO_RETURN_IF_ERROR(co_await aio::Sleep(absl::Milliseconds(200)));
  }
}

aio::Task<void> Load::Worker(int count, const std::function<aio::Task<absl::Status>(int)>& work,
                             int& next, absl::Status& result) {
  while (next < count && result.ok()) {
    const absl::Status status = co_await work(next++);
    if (!status.ok() && result.ok()) result = status;
  }
}

aio::Task<absl::Status> Load::ForAll(int count, std::function<aio::Task<absl::Status>(int)> work) {
  aio::TaskGroup group(executor_);
  int next = 0;
  absl::Status result;
  for (int i = 0; i < options_.connections; ++i) group.Spawn(Worker(count, work, next, result));
  co_await group.Join();
  co_await group.Stop();
  co_return result;
}

absl::StatusOr<std::string> Load::MakeRequest() {
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, MakeKey());
  CALICO_ASSIGN_OR_RETURN(const base::IpAddress address, base::IpAddress::Parse(kNodeAddress));
  CALICO_ASSIGN_OR_RETURN(const std::string pem,
                          pki::CreateCertificateRequest(key, {.common_name = options_.common_name,
                                                              .dns_names = {options_.common_name},
                                                              .ip_addresses = {address}}));
  return base::Base64Encode(pem);
}

aio::Task<absl::Status> Load::Prepare() {
  const std::string& ns = options_.ns;
  const auto post = [this](std::string target, std::string body) {
    return Call("POST", std::move(target), std::move(body), {}, 409);
  };
  CALICO_CO_RETURN_IF_ERROR(
      co_await post("/api/v1/namespaces", fmt::format(R"({{"metadata":{{"name":"{}"}}}})", ns)));
  CALICO_CO_RETURN_IF_ERROR(
      co_await post(fmt::format("/api/v1/namespaces/{}/serviceaccounts", ns),
                    fmt::format(R"({{"metadata":{{"name":"{}"}}}})", options_.service_account)));
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
  CALICO_CO_RETURN_IF_ERROR(co_await post(
      rbac + "clusterroles",
      R"({"metadata":{"name":"csr-load"},"rules":[{"apiGroups":["certificates.k8s.io"],)"
      R"("resources":["certificatesigningrequests"],"verbs":["create"]}]})"));
  CALICO_CO_RETURN_IF_ERROR(co_await post(
      rbac + "clusterrolebindings",
      fmt::format(R"({{"metadata":{{"name":"csr-load"}},"roleRef":{{"apiGroup":)"
                  R"("rbac.authorization.k8s.io","kind":"ClusterRole","name":"csr-load"}},)"
                  R"("subjects":[{{"kind":"ServiceAccount","namespace":"{}","name":"{}"}}]}})",
                  ns, options_.service_account)));
  CALICO_CO_RETURN_IF_ERROR(
      co_await post("/api/v1/nodes", fmt::format(R"({{"metadata":{{"name":"{}"}}}})", kNode)));
  CALICO_CO_RETURN_IF_ERROR(co_await Call(
      "PATCH", fmt::format("/api/v1/nodes/{}/status", kNode),
      fmt::format(R"({{"status":{{"addresses":[{{"type":"InternalIP","address":"{}"}}]}}}})",
                  kNodeAddress),
      {{"Content-Type", "application/merge-patch+json"}}));
  co_return absl::OkStatus();
}

aio::Task<absl::Status> Load::CreatePod(int index) {
  CALICO_CO_ASSIGN_OR_RETURN(
      const std::string answer,
      co_await Call(
          "POST", fmt::format("/api/v1/namespaces/{}/pods", options_.ns),
          fmt::format(R"({{"metadata":{{"name":"{}","labels":{{"app":"{}"}}}},"spec":)"
                      R"({{"nodeName":"{}","hostNetwork":true,"serviceAccountName":"{}",)"
                      R"("automountServiceAccountToken":false,"tolerations":[{{"operator":)"
                      R"("Exists"}}],"containers":[{{"name":"c","image":"none"}}]}}}})",
                      PodName(index), kLabel, kNode, options_.service_account)));
  CALICO_CO_ASSIGN_OR_RETURN(const json::object pod, codec::ParseJsonObject(answer));
  uids_[index] = codec::View(pod.at("metadata").at("uid").as_string());
  co_return absl::OkStatus();
}

aio::Task<absl::Status> Load::CreateRequest(int index) {
  const std::string account =
      fmt::format("system:serviceaccount:{}:{}", options_.ns, options_.service_account);
  const std::string extra = "Impersonate-Extra-authentication.kubernetes.io%2F";
  Headers headers = {
      {"Impersonate-User", account},
      {"Impersonate-Group", "system:serviceaccounts"},
      {"Impersonate-Group", "system:serviceaccounts:" + options_.ns},
      {"Impersonate-Group", "system:authenticated"},
      {extra + "pod-name", PodName(index)},
      {extra + "pod-uid", uids_[index]},
  };
  co_return (
      co_await Call("POST", std::string(kCsrs),
                    fmt::format(R"({{"metadata":{{"name":"{}:{}:{}","labels":{{"app":"{}",)"
                                R"("k8s-app":"calico-system","operator.tigera.io/csr":)"
                                R"("calico-system"}}}},"spec":{{"signerName":"{}","request":"{}",)"
                                R"("usages":["server auth","client auth","digital signature",)"
                                R"("key agreement","key encipherment"]}}}})",
                                options_.ns, PodName(index), uids_[index].substr(0, 6), kLabel,
                                options_.signer_name, request_),
                    std::move(headers)))
      .status();
}

aio::Task<absl::Status> Load::Create() {
  CALICO_CO_ASSIGN_OR_RETURN(request_, MakeRequest());
  CALICO_CO_RETURN_IF_ERROR(co_await Prepare());
  uids_.resize(static_cast<size_t>(options_.count));
  const absl::Time start = absl::Now();
  CALICO_CO_RETURN_IF_ERROR(
      co_await ForAll(options_.count, [this](int i) { return CreatePod(i); }));
  CALICO_CO_RETURN_IF_ERROR(
      co_await ForAll(options_.count, [this](int i) { return CreateRequest(i); }));
  fmt::print("created {} pods and requests in {:.1f} s\n", options_.count, Since(start));
  co_return absl::OkStatus();
}

aio::Task<absl::StatusOr<json::object>> Load::ListRequests() {
  CALICO_CO_ASSIGN_OR_RETURN(const std::string body,
                             co_await Call("GET", fmt::format("{}?{}", kCsrs, kSelector), ""));
  co_return codec::ParseJsonObject(body, {.max_bytes = 256 << 20});
}

bool IsIssued(const json::value& csr) {
  const json::value* status = csr.as_object().if_contains("status");
  return status != nullptr && status->as_object().contains("certificate");
}

std::string NameOf(const json::value& csr) {
  return std::string(codec::View(csr.at("metadata").at("name").as_string()));
}

// A certificate of the CA for a key of the requests' kind, the same one for every request: the
// server does not compare.
absl::StatusOr<std::string> Load::SignOne() const {
  CALICO_ASSIGN_OR_RETURN(const base::SecretString ca_pem,
                          base::ReadSecretFile(options_.ca_cert_file));
  CALICO_ASSIGN_OR_RETURN(std::vector<pki::Certificate> chain,
                          pki::Certificate::ParsePemBundle(ca_pem.view()));
  CALICO_ASSIGN_OR_RETURN(const base::SecretString key_pem,
                          base::ReadSecretFile(options_.ca_key_file));
  CALICO_ASSIGN_OR_RETURN(pki::PrivateKey ca_key, pki::PrivateKey::ParsePem(key_pem.view()));
  CALICO_ASSIGN_OR_RETURN(const pki::CertificateAuthority ca,
                          pki::CertificateAuthority::Create(std::move(chain), std::move(ca_key)));
  CALICO_ASSIGN_OR_RETURN(const pki::PrivateKey key, MakeKey());
  CALICO_ASSIGN_OR_RETURN(const base::IpAddress address, base::IpAddress::Parse(kNodeAddress));
  CALICO_ASSIGN_OR_RETURN(
      const pki::Certificate leaf,
      ca.Issue(key.public_key(),
               {.common_name = options_.common_name,
                .dns_names = {options_.common_name},
                .ip_addresses = {address},
                .key_usages = {pki::KeyUsage::kDigitalSignature, pki::KeyUsage::kKeyEncipherment,
                               pki::KeyUsage::kKeyAgreement},
                .extended_key_usages = {std::string(pki::kOidServerAuth),
                                        std::string(pki::kOidClientAuth)},
                .not_before = absl::Now() - absl::Minutes(5),
                .not_after = absl::Now() + absl::Hours(24)},
               absl::Now()));
  return base::Base64Encode(ca.ChainPem(leaf));
}

aio::Task<absl::Status> Load::Answer(std::string name, std::string certificate) {
  const std::string target = fmt::format("{}/{}", kCsrs, http::PercentEncode(name));
  const std::string head = fmt::format(
      R"({{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":)"
      R"({{"name":"{}","labels":{{"app":"{}","k8s-app":"calico-system",)"
      R"("operator.tigera.io/csr":"calico-system"}}}},"status":{{"conditions":[{{"type":)"
      R"("Approved","status":"True","reason":"Load","message":"by csr_load"}}])",
      name, kLabel);
  CALICO_CO_RETURN_IF_ERROR((co_await Call("PUT", target + "/approval", head + "}}")).status());
  co_return (co_await Call("PUT", target + "/status",
                           fmt::format(R"({},"certificate":"{}"}}}})", head, certificate)))
      .status();
}

aio::Task<absl::Status> Load::ApproveAndSign() {
  CALICO_CO_ASSIGN_OR_RETURN(const std::string certificate, SignOne());
  CALICO_CO_ASSIGN_OR_RETURN(const json::object list, co_await ListRequests());
  std::vector<std::string> names;
  for (const json::value& csr : list.at("items").as_array()) {
    if (!IsIssued(csr)) names.push_back(NameOf(csr));
  }
  const absl::Time start = absl::Now();
  CALICO_CO_RETURN_IF_ERROR(co_await ForAll(static_cast<int>(names.size()),
                                            [&](int i) { return Answer(names[i], certificate); }));
  fmt::print("approved and signed {} requests: {:.1f} CSR/s\n", names.size(),
             static_cast<double>(names.size()) / Since(start));
  co_return absl::OkStatus();
}

// Counts from the first look to the last certificate, so that a signer that began earlier has no
// advantage from it.
aio::Task<absl::Status> Load::Measure() {
  CALICO_CO_ASSIGN_OR_RETURN(const json::object list, co_await ListRequests());
  const absl::Time start = absl::Now();
  std::set<std::string> issued;
  for (const json::value& csr : list.at("items").as_array()) {
    if (IsIssued(csr)) issued.insert(NameOf(csr));
  }
  const size_t before = issued.size();
  const std::string version(codec::View(list.at("metadata").at("resourceVersion").as_string()));
  http::Request request{"GET",
                        fmt::format("{}?watch=1&{}&resourceVersion={}", kCsrs, kSelector, version)};
  CALICO_CO_ASSIGN_OR_RETURN(request.authorization, config_.credentials->Authorization());
  CALICO_CO_ASSIGN_OR_RETURN(const auto stream, co_await http_.Open(request, kCallTimeout));
  codec::LineSplitter lines(4 << 20);
  while (issued.size() < static_cast<size_t>(options_.count)) {
    CALICO_CO_ASSIGN_OR_RETURN(const std::string piece, co_await stream->Read(kCallTimeout));
    if (piece.empty()) co_return absl::UnavailableError("the watch ended");
    CALICO_CO_RETURN_IF_ERROR(lines.Feed(piece, [&](std::string_view line) {
      if (line.find("\"certificate\":") == std::string_view::npos) return absl::OkStatus();
      CALICO_ASSIGN_OR_RETURN(const json::object event, codec::ParseJsonObject(line));
      issued.insert(NameOf(event.at("object")));
      return absl::OkStatus();
    }));
  }
  const size_t counted = issued.size() - before;
  fmt::print("{} of {} requests signed while watching, {:.2f} s: {:.1f} CSR/s\n", counted,
             issued.size(), Since(start), static_cast<double>(counted) / Since(start));
  co_return absl::OkStatus();
}

aio::Task<absl::Status> Load::Delete() {
  CALICO_CO_RETURN_IF_ERROR(co_await Call("DELETE", fmt::format("{}?{}", kCsrs, kSelector), ""));
  CALICO_CO_RETURN_IF_ERROR(co_await Call(
      "DELETE",
      fmt::format("/api/v1/namespaces/{}/pods?{}&gracePeriodSeconds=0", options_.ns, kSelector), "",
      {}, 404));
  for (const std::string_view target :
       {"/api/v1/nodes/csr-load", "/apis/rbac.authorization.k8s.io/v1/clusterroles/csr-load",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/csr-load"}) {
    CALICO_CO_RETURN_IF_ERROR(co_await Call("DELETE", std::string(target), "", {}, 404));
  }
  co_return absl::OkStatus();
}

config::ParsedFlags ParseOptions(int argc, const char* const* argv, Options* options) {
  config::Flags flags("csr_load", "Makes CertificateSigningRequests and measures their signing.");
  flags.Text({.name = "mode",
              .value = "MODE",
              .help = "what to do",
              .required = true,
              .choices = {"create", "approve-and-sign", "measure", "delete"}},
             &options->mode);
  flags.Number({.name = "count", .value = "N", .help = "requests"}, 1, 100'000, &options->count);
  flags.Number({.name = "connections", .value = "N", .help = "at the same time"}, 1, 512,
               &options->connections);
  flags.Text({.name = "kubeconfig", .value = "FILE", .help = "an administrator's"},
             &options->kubeconfig);
  flags.Text({.name = "signer-name", .value = "NAME", .help = "spec.signerName"},
             &options->signer_name);
  flags.Text({.name = "namespace", .value = "NAME", .help = "of the pods"}, &options->ns);
  flags.Text({.name = "service-account", .value = "NAME", .help = "of the pods"},
             &options->service_account);
  flags.Text({.name = "common-name", .value = "NAME", .help = "CN and DNS name"},
             &options->common_name);
  flags.Text(
      {.name = "key", .value = "KIND", .help = "of the requests", .choices = {"rsa", "ecdsa"}},
      &options->key);
  flags.Text({.name = "ca-cert", .value = "FILE", .help = "for approve-and-sign"},
             &options->ca_cert_file);
  flags.Text({.name = "ca-key", .value = "FILE", .help = "for approve-and-sign"},
             &options->ca_key_file);
  return flags.Parse(argc, argv, kube::ProcessEnvironment());
}

aio::Task<int> Main(aio::Executor executor, Options options, kube::RestConfig config) {
  Load load(executor, options, std::move(config));
  absl::Status status;
  if (options.mode == "create") {
    status = co_await load.Create();
  } else if (options.mode == "approve-and-sign") {
    status = co_await load.ApproveAndSign();
  } else if (options.mode == "measure") {
    status = co_await load.Measure();
  } else {
    status = co_await load.Delete();
  }
  if (status.ok()) co_return 0;
  fmt::print(stderr, "csr_load: {}\n", std::string(status.message()));
  co_return 1;
}

}  // namespace
}  // namespace calico

int main(int argc, char** argv) {
  using namespace calico;  // NOLINT(google-build-using-namespace): main only
  Options options;
  const config::ParsedFlags parsed = ParseOptions(argc, argv, &options);
  if (parsed.exit_code.has_value()) return parsed.Print();
  const base::Logger logger;
  absl::StatusOr<kube::RestConfig> config = kube::LoadRestConfig(
      {.kubeconfig = options.kubeconfig}, kube::ProcessEnvironment(), base::SystemClock(), logger);
  if (!config.ok()) {
    fmt::print(stderr, "csr_load: {}\n", std::string(config.status().message()));
    return 2;
  }
  aio::EventLoop loop;
  return loop.Run(Main(loop.executor(), options, *std::move(config)));
}
