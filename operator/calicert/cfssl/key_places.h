// Where the keys of cfssl's files belong, to say so of one that stands elsewhere or under another
// name.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_KEY_PLACES_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_KEY_PLACES_H_

#include <string>
#include <string_view>

#include "operator/calicert/cfssl/json_fields.h"

namespace calico::calicert::cfssl {

// An object of a request, or of a signing configuration.
enum class Place {
  kRequest,
  kKey,         // "key" of a request
  kName,        // an entry of its "names"
  kCa,          // its "ca"
  kConfig,      // a whole configuration
  kSigning,     // its "signing"
  kProfile,     // "default", or an entry of "profiles"
  kConstraint,  // "ca_constraint" of one
};

// What to say of `key` that `place` does not have: "did you mean \"CN\"?" for another word for a
// key of it, "it belongs into ..." for a key of another place; empty when nobody knows. Letter case
// and underscores do not matter.
std::string HintOf(std::string_view key, Place place);

// The same for JsonFields::WarnOfOthers.
KeyHint HintsFor(Place place);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_KEY_PLACES_H_
