#include "operator/render/testing/cases.h"

#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "operator/defaults/complete_spec.h"
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

namespace {

api::Installation Decoded(json::object spec) {
  absl::StatusOr<api::Installation> installation = api::Installation::Decode(
      {{"metadata", {{"name", api::kInstallationName}}}, {"spec", std::move(spec)}});
  CALICO_CHECK(installation.ok());
  return *std::move(installation);
}

}  // namespace

api::Installation Completed(json::object spec, std::string_view release) {
  return Decoded(defaults::CompleteSpec(std::move(spec), {.release = std::string(release)}));
}

void SetField(ReferenceCase& c, std::string_view path, json::value value) {
  json::object spec = c.installation.spec;
  json::object* parent = &spec;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    parent = &EnsureObject(*parent, {path.substr(0, dot)});
    path.remove_prefix(dot + 1);
  }
  if (value.is_null()) {
    parent->erase(path);
  } else {
    (*parent)[path] = std::move(value);
  }
  c.installation = Decoded(std::move(spec));
}

ReferenceCase LoadReferenceCase(std::string_view name, std::string_view release) {
  const std::string folder = fmt::format("reference/{}/", name);
  json::object object = LoadGoldenYaml(folder + "installation.yaml").front();
  ReferenceCase result{.installation = Completed(ObjectAt(object, {"spec"}), release),
                       .inputs = {.owner_uid = "11111111-2222-3333-4444-555555555555",
                                  .operator_namespace = "tigera-operator",
                                  .api_endpoint = ApiEndpoint{"10.0.0.1", "443"},
                                  .typha_replicas = 2,
                                  .has_admission_policies = true}};
  absl::StatusOr<std::vector<pki::Certificate>> ca =
      pki::Certificate::ParsePemBundle(result.installation.certificate_management->ca_cert_pem);
  CALICO_CHECK(ca.ok());
  result.inputs.ca_certificates = *std::move(ca);
  if (result.installation.image_pull_secrets.empty()) return result;
  for (json::object& object : LoadGoldenYaml(folder + "pull-secrets.yaml")) {
    result.inputs.pull_secrets.push_back({std::string(NameOf(object)),
                                          std::string(TextAt(object, "type")),
                                          ObjectAt(object, {"data"})});
  }
  return result;
}

}  // namespace calico::render
