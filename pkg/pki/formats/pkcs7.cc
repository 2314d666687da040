#include "pkg/pki/formats/pkcs7.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/pkcs7.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/der_reader.h"

namespace calico::pki {
namespace {

using Pkcs7Ptr = openssl::Handle<PKCS7, PKCS7_free>;

constexpr size_t kMaxBytes = 4 << 20;
constexpr int kMaxCertificates = 1024;
// 1.2.840.113549.1.7.2
constexpr std::string_view kSignedDataOid = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

absl::Status Refuse(std::string_view cause) {
  return absl::InvalidArgumentError(fmt::format("parse PKCS#7: {}", cause));
}

}  // namespace

bool LooksLikePkcs7(std::string_view der) {
  // The outer length may be indefinite, as some tools write it: so the first bytes are looked at.
  return der.starts_with('\x30') && der.substr(0, 24).find(kSignedDataOid) != der.npos;
}

absl::StatusOr<std::vector<Certificate>> ParsePkcs7(std::string_view der) {
  const openssl::ErrorScope scope;
  if (der.size() > kMaxBytes) return Refuse("too large");
  const auto pkcs7 = internal::DecodeAll<Pkcs7Ptr>(d2i_PKCS7, der);
  if (pkcs7 == nullptr) return Refuse("damaged, or bytes left over");
  if (!PKCS7_type_is_signed(pkcs7.get()) || pkcs7->d.sign == nullptr) {
    return Refuse("no signed data, which is what holds certificates");
  }
  const STACK_OF(X509)* stack = pkcs7->d.sign->cert;
  const int count = stack == nullptr ? 0 : sk_X509_num(stack);
  if (count == 0) return Refuse("no certificate in it");
  if (count > kMaxCertificates) {
    return Refuse(fmt::format("{} certificates, the limit is {}", count, kMaxCertificates));
  }
  std::vector<Certificate> certificates;
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<Certificate> certificate =
        Certificate::ParseDer(internal::Encode(i2d_X509, sk_X509_value(stack, i)));
    if (!certificate.ok()) {
      return base::Annotate(certificate.status(),
                            fmt::format("certificate {} of {}", i + 1, count));
    }
    certificates.push_back(*std::move(certificate));
  }
  return certificates;
}

}  // namespace calico::pki
