#include "pkg/pki/compose/signature_name.h"

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/x509.h"

namespace calico::pki {
namespace {

std::string NameOf(int nid) {
  switch (nid) {
    case NID_sha1WithRSAEncryption:
      return "SHA1WithRSA";
    case NID_sha256WithRSAEncryption:
      return "SHA256WithRSA";
    case NID_sha384WithRSAEncryption:
      return "SHA384WithRSA";
    case NID_sha512WithRSAEncryption:
      return "SHA512WithRSA";
    case NID_ecdsa_with_SHA1:
      return "ECDSAWithSHA1";
    case NID_ecdsa_with_SHA256:
      return "ECDSAWithSHA256";
    case NID_ecdsa_with_SHA384:
      return "ECDSAWithSHA384";
    case NID_ecdsa_with_SHA512:
      return "ECDSAWithSHA512";
    case NID_ED25519:
      return "Ed25519";
    case NID_undef:
      return "unknown";
    default:
      return OBJ_nid2sn(nid);
  }
}

}  // namespace

std::string GoSignatureName(const Certificate& certificate) {
  const openssl::ErrorScope scope;
  return NameOf(X509_get_signature_nid(internal::CertificateAccess::Handle(certificate)));
}

std::string GoSignatureName(const CertificateRequest& request) {
  const openssl::ErrorScope scope;
  const auto decoded = internal::DecodeAll<openssl::X509ReqPtr>(d2i_X509_REQ, request.der());
  return decoded == nullptr ? "unknown" : NameOf(X509_REQ_get_signature_nid(decoded.get()));
}

}  // namespace calico::pki
