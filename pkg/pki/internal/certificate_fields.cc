#include "pkg/pki/internal/certificate_fields.h"

#include <fmt/format.h>

#include "pkg/openssl/error.h"
#include "pkg/pki/internal/key_access.h"

namespace calico::pki::internal {
namespace {

absl::Status Failed() {
  return openssl::TakeError(absl::StatusCode::kInternal, "issue certificate");
}

}  // namespace

absl::Status SetTime(ASN1_TIME* field, absl::Time time) {
  // UTCTime until 2049, GeneralizedTime after, as RFC 5280 4.1.2.5 wants; no year above 9999.
  if (ASN1_TIME_set(field, absl::ToTimeT(time)) == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("issue certificate: cannot encode the time {}",
                    absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone())));
  }
  return absl::OkStatus();
}

absl::Status SetPublicKey(X509_PUBKEY* target, const PublicKey& key) {
  const unsigned char* bits = nullptr;
  int size = 0;
  ASN1_OBJECT* oid = nullptr;
  X509_ALGOR* algorithm = nullptr;
  X509_ALGOR* target_algorithm = nullptr;
  if (X509_PUBKEY_get0_param(&oid, &bits, &size, &algorithm, KeyAccess::Info(key)) != 1) {
    return Failed();
  }
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(bits, static_cast<size_t>(size)));
  if (copy == nullptr) return Failed();
  if (X509_PUBKEY_set0_param(target, OBJ_dup(oid), V_ASN1_UNDEF, nullptr, copy, size) != 1) {
    OPENSSL_free(copy);
    return Failed();
  }
  if (X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &target_algorithm, target) != 1 ||
      X509_ALGOR_copy(target_algorithm, algorithm) != 1) {
    return Failed();
  }
  return absl::OkStatus();
}

}  // namespace calico::pki::internal
