#include "operator/calicert/cluster/testing/cluster_test.h"

#include <utility>
#include <vector>

#include <absl/strings/str_split.h>

namespace calico::calicert {

Cluster& ClusterTest::cluster() {
  if (cluster_ == nullptr) {
    cluster_.reset(new Cluster{client(), terminal_, "default", absl::Seconds(10)});
  }
  return *cluster_;
}

const pki::PrivateKey& RequestKey() {
  static const pki::PrivateKey key =
      pki::PrivateKey::Generate(pki::KeyAlgorithm::kEcdsaP256).value();
  return key;
}

api::CertificateSigningRequest ServingRequest(std::string name) {
  api::CertificateSigningRequest csr;
  csr.meta.name = std::move(name);
  csr.request_pem =
      pki::CreateCertificateRequest(RequestKey(),
                                    {.common_name = "a.example",
                                     .subject = {{"O", "Example"}},
                                     .dns_names = {"a.example"},
                                     .ip_addresses = {base::IpAddress::Parse("10.0.0.1").value()}})
          .value();
  csr.signer_name = "example.com/serving";
  csr.usages = {"digital signature", "key encipherment", "server auth"};
  return csr;
}

json::object StoredRequest(std::string name, std::string_view conditions,
                           std::string_view certificate_pem) {
  api::CertificateSigningRequest csr = ServingRequest(std::move(name));
  csr.username = "jane";
  const absl::string_view words(conditions.data(), conditions.size());
  for (const absl::string_view type : absl::StrSplit(words, ',', absl::SkipEmpty())) {
    csr.conditions.push_back({.type = std::string(type),
                              .status = "True",
                              .reason = "Because",
                              .message = "it had to be"});
  }
  csr.certificate_pem = std::string(certificate_pem);
  return csr.Encode();
}

}  // namespace calico::calicert
