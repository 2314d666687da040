#include "operator/calicert/cfssl/key_places.h"

#include <gtest/gtest.h>

namespace calico::calicert::cfssl {
namespace {

TEST(HintOfTest, NamesTheKeyOrThePlace) {
  struct Case {
    const char* key;
    Place place;
    const char* hint;
  };
  const Case kCases[] = {
      {"commonName", Place::kRequest, "did you mean \"CN\"?"},
      {"common_name", Place::kRequest, "did you mean \"CN\"?"},
      {"SANs", Place::kRequest, "did you mean \"hosts\"?"},
      {"subject_alt_names", Place::kRequest, "did you mean \"hosts\"?"},
      {"o", Place::kRequest, "it belongs into \"names\": [{\"O\": ...}]"},
      {"algo", Place::kRequest, "it belongs into \"key\": {\"algo\": ...}"},
      {"expiry", Place::kRequest, "it belongs into \"ca\": {\"expiry\": ...}"},
      {"usages", Place::kRequest, "it belongs into the signing configuration (-config)"},
      {"signing", Place::kRequest, "this is a signing configuration: give it with -config"},
      {"result", Place::kRequest, "this is an answer of a server, not a request"},
      {"bundle", Place::kRequest, "this is the output of a command, not a request"},
      {"hosts", Place::kKey, "it belongs beside \"names\": {\"hosts\": ..., \"names\": [...]}"},
      {"bits", Place::kKey, "did you mean \"size\"?"},
      {"CN", Place::kName, "it belongs beside \"names\": {\"CN\": ..., \"names\": [...]}"},
      {"Organization", Place::kName, "did you mean \"O\"?"},
      {"max_path_len", Place::kCa, "did you mean \"pathlen\"?"},
      {"profiles", Place::kConfig, "it belongs into \"signing\": {\"profiles\": ...}"},
      {"hosts", Place::kConfig, "this looks like a request (CSR JSON)"},
      {"usages", Place::kSigning, "it belongs into \"default\" or into a profile"},
      {"profile", Place::kSigning, "did you mean \"profiles\"?"},
      {"is_ca", Place::kProfile, "it belongs into \"ca_constraint\": {\"is_ca\": ...}"},
      {"hosts", Place::kProfile, "it belongs into the request (CSR JSON)"},
      {"extendedKeyUsage", Place::kProfile, "did you mean \"usages\"?"},
      {"pathlen", Place::kConstraint, "did you mean \"max_path_len\"?"},
      {"isCA", Place::kConstraint, "did you mean \"is_ca\"?"},
      {"colour", Place::kRequest, ""},
  };
  for (const Case& c : kCases) EXPECT_EQ(HintOf(c.key, c.place), c.hint) << c.key;
}

}  // namespace
}  // namespace calico::calicert::cfssl
