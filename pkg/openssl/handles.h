// One owning pointer for each OpenSSL type in use. See init.h for what holds for all who include
// it.
#ifndef CALICO_PKG_OPENSSL_HANDLES_H_
#define CALICO_PKG_OPENSSL_HANDLES_H_

#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace calico::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, Deleter<Free>>;

inline void FreeExtensionStack(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
inline void FreeCertificateStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
inline void FreeMemory(void* memory) { OPENSSL_free(memory); }

using Asn1BitStringPtr = Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using Asn1OctetStringPtr = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using AuthorityKeyIdPtr = Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using BasicConstraintsPtr = Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BioPtr = Handle<BIO, BIO_free_all>;
using BnCtxPtr = Handle<BN_CTX, BN_CTX_free>;
using BnPtr = Handle<BIGNUM, BN_clear_free>;
using BytesPtr = Handle<unsigned char, FreeMemory>;
using CertificateStackPtr = Handle<STACK_OF(X509), FreeCertificateStack>;
using EncoderCtxPtr = Handle<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free>;
using EvpPkeyCtxPtr = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpPkeyPtr = Handle<EVP_PKEY, EVP_PKEY_free>;
using ExtendedKeyUsagePtr = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using ExtensionStackPtr = Handle<STACK_OF(X509_EXTENSION), FreeExtensionStack>;
using GeneralNamePtr = Handle<GENERAL_NAME, GENERAL_NAME_free>;
using GeneralNamesPtr = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using Pkcs8Ptr = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using SslCtxPtr = Handle<SSL_CTX, SSL_CTX_free>;
using SslPtr = Handle<SSL, SSL_free>;
using StringPtr = Handle<char, FreeMemory>;
using X509Ptr = Handle<X509, X509_free>;
using X509PubkeyPtr = Handle<X509_PUBKEY, X509_PUBKEY_free>;
using X509ReqPtr = Handle<X509_REQ, X509_REQ_free>;
using X509StoreCtxPtr = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using X509StorePtr = Handle<X509_STORE, X509_STORE_free>;

}  // namespace calico::openssl

#endif  // CALICO_PKG_OPENSSL_HANDLES_H_
