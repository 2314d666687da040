// One owning pointer for each OpenSSL type that pki uses.
#ifndef CALICO_PKG_PKI_INTERNAL_OPENSSL_PTR_H_
#define CALICO_PKG_PKI_INTERNAL_OPENSSL_PTR_H_

#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace calico::pki::internal {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

template <class T, auto Free>
using OpensslPtr = std::unique_ptr<T, Deleter<Free>>;

inline void FreeExtensionStack(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
inline void FreeCertificateStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
inline void FreeOpenssl(void* memory) { OPENSSL_free(memory); }

using Asn1BitStringPtr = OpensslPtr<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using Asn1IntegerPtr = OpensslPtr<ASN1_INTEGER, ASN1_INTEGER_free>;
using Asn1OctetStringPtr = OpensslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using AuthorityKeyIdPtr = OpensslPtr<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using BasicConstraintsPtr = OpensslPtr<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BioPtr = OpensslPtr<BIO, BIO_free_all>;
using BnCtxPtr = OpensslPtr<BN_CTX, BN_CTX_free>;
using BnPtr = OpensslPtr<BIGNUM, BN_clear_free>;
using CertificateStackPtr = OpensslPtr<STACK_OF(X509), FreeCertificateStack>;
using EncoderCtxPtr = OpensslPtr<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free>;
using EvpMdCtxPtr = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using EvpPkeyCtxPtr = OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpPkeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;
using ExtendedKeyUsagePtr = OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using ExtensionStackPtr = OpensslPtr<STACK_OF(X509_EXTENSION), FreeExtensionStack>;
using GeneralNamePtr = OpensslPtr<GENERAL_NAME, GENERAL_NAME_free>;
using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using OpensslStringPtr = OpensslPtr<char, FreeOpenssl>;
using OpensslBytesPtr = OpensslPtr<unsigned char, FreeOpenssl>;
using Pkcs8Ptr = OpensslPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using X509Ptr = OpensslPtr<X509, X509_free>;
using X509PubkeyPtr = OpensslPtr<X509_PUBKEY, X509_PUBKEY_free>;
using X509ReqPtr = OpensslPtr<X509_REQ, X509_REQ_free>;
using X509StoreCtxPtr = OpensslPtr<X509_STORE_CTX, X509_STORE_CTX_free>;
using X509StorePtr = OpensslPtr<X509_STORE, X509_STORE_free>;

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_OPENSSL_PTR_H_
