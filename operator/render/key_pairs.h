// What rendering needs to know of a key pair: whether pods ask for it themselves, and by which
// names the other side knows them.
//
// It is from the plan of certificates. Without a plan every pair is as Calico's operator and its
// pods would make it: asked for with certificateManagement, from a Secret without.
#ifndef CALICO_OPERATOR_RENDER_KEY_PAIRS_H_
#define CALICO_OPERATOR_RENDER_KEY_PAIRS_H_

#include <string>

#include "operator/render/inputs.h"
#include "pkg/codec/json.h"

namespace calico::render {

struct KeyPairUse {
  bool is_requested = false;
  std::string common_name;  // one of these may be empty
  std::string uri_san;
  std::string hash_annotation;  // on pods that read the pair only when they start
  std::string hash;             // empty where it is asked for
  std::string issuer_pem;       // what clients trust; empty without a plan
};

// `spec` is the completed one.
KeyPairUse NodeKeyPairUse(const json::object& spec, const Inputs& inputs);
KeyPairUse TyphaKeyPairUse(const json::object& spec, const Inputs& inputs);
KeyPairUse ApiServerKeyPairUse(const json::object& spec, const Inputs& inputs);

}  // namespace calico::render

#endif  // CALICO_OPERATOR_RENDER_KEY_PAIRS_H_
