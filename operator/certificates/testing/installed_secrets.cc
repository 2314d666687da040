#include "operator/certificates/testing/installed_secrets.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "pkg/base/check.h"
#include "pkg/codec/yaml.h"

namespace calico::certificates {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  CALICO_CHECK(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

InstalledSecrets::InstalledSecrets(std::string_view file) {
  const std::string text = ReadAll(fmt::format("testdata/pki/installed_secrets/{}.yaml", file));
  const std::vector<json::value> documents = codec::ParseYamlDocuments(text).value();
  for (const json::value& document : documents) {
    const json::object& object = document.as_object();
    if (codec::TextAt(object, "kind") == "Secret") {
      secrets_.push_back(api::Secret::Decode(object).value());
    } else {
      config_maps_.push_back(object);
    }
  }
}

bool InstalledSecrets::Has(std::string_view ns, std::string_view name) const {
  for (const api::Secret& secret : secrets_) {
    if (secret.meta.ns == ns && secret.meta.name == name) return true;
  }
  return false;
}

const api::Secret& InstalledSecrets::Get(std::string_view ns, std::string_view name) const {
  CALICO_CHECK(Has(ns, name));
  for (const api::Secret& secret : secrets_) {
    if (secret.meta.ns == ns && secret.meta.name == name) return secret;
  }
  return secrets_.front();
}

std::optional<api::ConfigMap> InstalledSecrets::ConfigMap(std::string_view name) const {
  for (const json::object& object : config_maps_) {
    api::ConfigMap config_map = api::ConfigMap::Decode(object).value();
    if (config_map.meta.name == name) return config_map;
  }
  return std::nullopt;
}

api::StringMap InstalledSecrets::Annotations(std::string_view config_map) const {
  api::StringMap annotations;
  for (const json::object& object : config_maps_) {
    const json::object* metadata = codec::FindObject(object, "metadata");
    if (codec::TextAt(*metadata, "name") != config_map) continue;
    const json::object* members = codec::FindObject(*metadata, "annotations");
    if (members == nullptr) continue;
    for (const auto& member : *members) {
      annotations[std::string(codec::KeyOf(member))] =
          std::string(codec::View(member.value().as_string()));
    }
  }
  return annotations;
}

}  // namespace calico::certificates
