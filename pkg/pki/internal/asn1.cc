#include "pkg/pki/internal/asn1.h"

#include <openssl/objects.h>

namespace calico::pki::internal {

std::string OidOf(const ASN1_OBJECT* object) {
  char buffer[256];
  const int size = OBJ_obj2txt(buffer, sizeof(buffer), object, /*no_name=*/1);
  if (size <= 0) return "invalid";
  if (static_cast<size_t>(size) < sizeof(buffer)) return {buffer, static_cast<size_t>(size)};
  std::string text(static_cast<size_t>(size) + 1, '\0');
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  text.pop_back();
  return text;
}

}  // namespace calico::pki::internal
