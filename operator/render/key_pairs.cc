#include "operator/render/key_pairs.h"

#include <algorithm>
#include <string_view>

#include "operator/certificates/annotation_hash.h"
#include "operator/certificates/plan.h"
#include "operator/render/names.h"

namespace calico::render {
namespace {

const certificates::KeyPair* Find(const Inputs& inputs, std::string_view name) {
  if (inputs.certificates == nullptr) return nullptr;
  const auto& pairs = inputs.certificates->key_pairs;
  const auto found =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.name == name; });
  return found == pairs.end() ? nullptr : &*found;
}

KeyPairUse UseOf(std::string_view name, std::string_view common_name, const json::object& spec,
                 const Inputs& inputs) {
  const certificates::KeyPair* const pair = Find(inputs, name);
  if (pair != nullptr) {
    return {.is_requested = pair->source == certificates::Source::kRequest,
            .common_name = pair->common_name,
            .uri_san = pair->uri_san,
            .hash_annotation = pair->hash_annotation,
            .hash = pair->hash,
            .issuer_pem = pair->issuer_pem};
  }
  return {.is_requested = codec::FindObject(spec, "certificateManagement") != nullptr,
          .common_name = std::string(common_name),
          .hash_annotation = certificates::HashAnnotation(inputs.operator_namespace, name)};
}

}  // namespace

KeyPairUse NodeKeyPairUse(const json::object& spec, const Inputs& inputs) {
  return UseOf(certificates::kNodeCerts, kNodeCommonName, spec, inputs);
}

KeyPairUse TyphaKeyPairUse(const json::object& spec, const Inputs& inputs) {
  return UseOf(certificates::kTyphaCerts, kTyphaCommonName, spec, inputs);
}

KeyPairUse ApiServerKeyPairUse(const json::object& spec, const Inputs& inputs) {
  return UseOf(certificates::kApiServerCerts, kApiServerCommonName, spec, inputs);
}

}  // namespace calico::render
