#include "operator/render/testing/cases.h"

#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "operator/render/testing/objects.h"
#include "pkg/base/check.h"
#include "pkg/codec/yaml.h"
#include "pkg/pki/certificate.h"

namespace calico::render {

std::vector<json::object> LoadGoldenYaml(const std::string& path) {
  std::ifstream stream("testdata/golden/" + path, std::ios::binary);
  CALICO_CHECK(stream.is_open());
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  absl::StatusOr<std::vector<json::value>> documents = codec::ParseYamlDocuments(text);
  CALICO_CHECK(documents.ok());
  std::vector<json::object> objects;
  for (json::value& document : *documents) objects.push_back(std::move(document.as_object()));
  return objects;
}

ReferenceCase LoadReferenceCase(std::string_view name) {
  const std::string folder = fmt::format("reference/{}/", name);
  absl::StatusOr<api::Installation> installation =
      api::Installation::Decode(LoadGoldenYaml(folder + "installation.yaml").front());
  CALICO_CHECK(installation.ok());
  ReferenceCase result{.installation = *std::move(installation),
                       .inputs = {.owner_uid = "11111111-2222-3333-4444-555555555555",
                                  .operator_namespace = "tigera-operator",
                                  .api_endpoint = ApiEndpoint{"10.0.0.1", "443"},
                                  .typha_replicas = 2,
                                  .has_admission_policies = true},
                       .objects = LoadGoldenYaml(folder + "objects.yaml")};
  absl::StatusOr<std::vector<pki::Certificate>> ca =
      pki::Certificate::ParsePemBundle(result.installation.certificate_management->ca_cert_pem);
  CALICO_CHECK(ca.ok());
  result.inputs.ca_certificates = *std::move(ca);
  for (json::object& object : result.objects) {
    if (KindOf(object) != "Secret") continue;
    result.inputs.pull_secrets.push_back({std::string(NameOf(object)),
                                          std::string(TextAt(object, "type")),
                                          ObjectAt(object, {"data"})});
  }
  return result;
}

}  // namespace calico::render
