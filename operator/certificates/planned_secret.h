// A Secret as it shall be, with what it tells about its certificate.
#ifndef CALICO_OPERATOR_CERTIFICATES_PLANNED_SECRET_H_
#define CALICO_OPERATOR_CERTIFICATES_PLANNED_SECRET_H_

#include <string>
#include <string_view>

#include "pkg/api/core/secret.h"
#include "pkg/codec/json.h"
#include "pkg/pki/certificate.h"

namespace calico::certificates {

struct PlannedSecret {
  enum class Write {
    kKeep,     // no new key in it: applied; an original only in place of what was read
    kLeave,    // needed as it is: neither written nor deleted
    kCreate,   // a new key: only if there is no such Secret
    kReplace,  // a new key: only in place of what was read
  };

  std::string name;
  std::string ns;
  std::string owner = "Installation";  // the kind of the object `default` that owns it
  Write write = Write::kKeep;
  // Of an original that was read.
  std::string uid;
  std::string resource_version;
  std::string type = std::string(api::kOpaqueSecret);
  bool is_restored = false;  // a new key for this Secret, and the one that pods have already
  api::StringMap labels;
  api::StringMap annotations;
  api::SecretData data;
};

// Labels and annotations by which people and the metrics of certificates find issuer and end, and
// the hash of the pair.
void Describe(const pki::Certificate& certificate, std::string_view hash_annotation,
              std::string_view hash, PlannedSecret& secret);

// apiVersion, kind, metadata (name, namespace, labels, annotations), type and data. It holds base64
// of the key: make it late, keep it shortly.
json::object ToObject(const PlannedSecret& secret);

}  // namespace calico::certificates

#endif  // CALICO_OPERATOR_CERTIFICATES_PLANNED_SECRET_H_
