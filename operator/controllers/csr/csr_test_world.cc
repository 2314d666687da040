#include "operator/controllers/csr/csr_test_world.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <absl/time/clock.h>
#include <fmt/format.h>

#include "pkg/aio/timer.h"
#include "pkg/api/meta/resources.h"
#include "pkg/base/base64.h"
#include "pkg/pki/verify.h"

namespace calico::csr {

namespace {

// 10.0.0.5 for node-1.
std::string AddressOf(const std::string& text, const std::string& pod) {
  if (text != kOwnAddress) return text;
  if (pod == "node-1") return "10.0.0.5";
  unsigned hash = 0;
  for (const char c : pod) hash = (hash * 31 + static_cast<unsigned char>(c)) % 65521;
  return fmt::format("10.1.{}.{}", hash / 256, hash % 256);
}

}  // namespace

CsrTest::CsrTest()
    : folder_(testing::TempDir() + "/" +
              testing::UnitTest::GetInstance()->current_test_info()->name()),
      ca_("test-ca", absl::Now()),
      key_(pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value()) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  PutFile("ca.crt", ca_.certificate_pem());
  PutFile("ca.key", ca_.key_pem());
}

void CsrTest::PutFile(const std::string& name, std::string_view content) const {
  std::ofstream(Path(name + ".new")) << content;
  std::filesystem::rename(Path(name + ".new"), Path(name));
}

void CsrTest::PutPod(const PodSpec& pod) {
  json::array ips;
  for (const std::string& ip : pod.ips) {
    ips.push_back(json::object{{"ip", AddressOf(ip, pod.name)}});
  }
  json::object metadata{{"name", pod.name}, {"namespace", pod.ns}, {"uid", pod.name + "-uid"}};
  if (pod.terminating) metadata["deletionTimestamp"] = "2026-11-22T19:42:02Z";
  server().Put({{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", std::move(metadata)},
                {"spec",
                 {{"serviceAccountName", pod.service_account},
                  {"nodeName", pod.node_name},
                  {"hostNetwork", pod.host_network}}},
                {"status", {{"phase", pod.phase}, {"podIPs", std::move(ips)}}}});
}

void CsrTest::PutService(std::string_view name, json::object spec, json::object status) {
  server().Put({{"apiVersion", "v1"},
                {"kind", "Service"},
                {"metadata", {{"name", name}, {"namespace", "default"}}},
                {"spec", std::move(spec)},
                {"status", std::move(status)}});
}

void CsrTest::PutNode(std::string_view name, std::string_view address) {
  server().Put(
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata", {{"name", name}, {"uid", fmt::format("{}-uid", name)}}},
       {"status",
        {{"addresses", json::array{json::object{{"type", "InternalIP"}, {"address", address}}}}}}});
}

std::string CsrTest::PutCsr(const CsrSpec& csr) {
  const std::string pod_uid = csr.pod + "-uid";
  const std::string name = csr.name.empty()
                               ? fmt::format("{}:{}:{}", kNamespace, csr.pod, pod_uid.substr(0, 6))
                               : csr.name;
  pki::CertificateRequestTemplate request{.common_name = csr.common_name,
                                          .dns_names = {csr.common_name}};
  if (!csr.organization.empty()) request.subject = {{"O", csr.organization}};
  for (const std::string& ip : csr.ips) {
    request.ip_addresses.push_back(base::IpAddress::Parse(AddressOf(ip, csr.pod)).value());
  }
  const std::string pem =
      std::string(csr.junk_bytes, '#') + pki::CreateCertificateRequest(key_, request).value();
  json::object object{{"apiVersion", "certificates.k8s.io/v1"},
                      {"kind", "CertificateSigningRequest"},
                      {"metadata",
                       {{"name", name},
                        {"uid", csr.uid},
                        {"labels", {{"k8s-app", "calico-system"}}},
                        {"annotations", {{"note", "kept"}}},
                        {"finalizers", {"example.com/kept"}}}},
                      {"spec",
                       {{"request", base::Base64Encode(pem)},
                        {"signerName", kSigner},
                        {"usages", json::array(csr.usages.begin(), csr.usages.end())},
                        {"username", csr.username},
                        {"extra",
                         {{"authentication.kubernetes.io/pod-name", json::array{csr.pod}},
                          {"authentication.kubernetes.io/pod-uid", json::array{pod_uid}}}}}}};
  if (!csr.is_bound) object["spec"].as_object().erase("extra");
  if (!csr.condition.empty()) {
    object["status"] = {{"conditions", json::array{json::object{{"type", csr.condition},
                                                                {"status", "True"},
                                                                {"reason", "ByHand"},
                                                                {"message", "by somebody"}}}}};
  }
  server().Put(std::move(object));
  return name;
}

api::CertificateSigningRequest CsrTest::Csr(const std::string& name) {
  const auto object = server().Find(api::kCertificateSigningRequests, {"", name});
  if (!object.has_value()) return {};
  return api::CertificateSigningRequest::Decode(*object).value();
}

aio::Task<bool> CsrTest::Eventually(std::function<bool()> condition) {
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > end || !(co_await aio::Sleep(absl::Milliseconds(2))).ok()) co_return false;
  }
  co_return true;
}

aio::Task<bool> CsrTest::Issued(std::string name) {
  return Eventually([this, name] { return Csr(name).IsIssued(); });
}

aio::Task<bool> CsrTest::Denied(std::string name) {
  return Eventually([this, name] { return Csr(name).IsDenied(); });
}

void CsrTest::ExpectGoodCertificate(const std::string& name) {
  const api::CertificateSigningRequest csr = Csr(name);
  EXPECT_TRUE(csr.IsApproved());
  EXPECT_FALSE(csr.IsDenied() || csr.IsFailed());
  const auto leaf = pki::Certificate::ParsePem(csr.certificate_pem);
  ASSERT_TRUE(leaf.ok()) << leaf.status();
  const auto request = pki::CertificateRequest::ParsePem(csr.request_pem);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(leaf->public_key(), request->public_key());
  EXPECT_EQ(leaf->common_name(), request->common_name());
  EXPECT_EQ(leaf->dns_names(), request->dns_names());
  EXPECT_EQ(leaf->ip_addresses(), request->ip_addresses());
  const absl::Status chain = pki::VerifyChain(*leaf, {}, {ca_.certificate()},
                                              pki::ExtendedKeyUsage::kClientAuth, absl::Now());
  EXPECT_TRUE(chain.ok()) << chain;
}

int CsrTest::Logged(std::string_view text) const {
  return static_cast<int>(std::count_if(log().begin(), log().end(), [&](const std::string& line) {
    return line.find(text) != std::string::npos;
  }));
}

}  // namespace calico::csr
