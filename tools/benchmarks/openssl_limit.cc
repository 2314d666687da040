// What OpenSSL alone needs for a key, a request and a certificate, a thousand times: the limit of
// `calicert gencert -batch`. The fewest calls that give the same: P-256 keys, the request signed,
// the certificate signed by a P-256 CA with the same extensions, everything in PEM on stdout.
//
// Usage: openssl_limit COUNT

#include <cstdio>
#include <cstdlib>
#include <string>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace {

void Must(bool done) {
  if (!done) std::abort();
}

void Name(X509_NAME* name, const std::string& common_name) {
  Must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                  reinterpret_cast<const unsigned char*>(common_name.data()),
                                  static_cast<int>(common_name.size()), -1, 0) == 1);
}

X509_EXTENSION* Extension(X509* issuer, X509* subject, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, subject, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Must(extension != nullptr);
  return extension;
}

void AddExtension(X509* issuer, X509* subject, int nid, const std::string& value) {
  X509_EXTENSION* extension = Extension(issuer, subject, nid, value);
  Must(X509_add_ext(subject, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

X509* Certificate(EVP_PKEY* key, const std::string& name, X509* issuer, EVP_PKEY* issuer_key) {
  X509* x509 = X509_new();
  unsigned char serial[20];
  Must(RAND_bytes(serial, sizeof(serial)) == 1);
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof(serial), nullptr);
  Must(X509_set_version(x509, X509_VERSION_3) == 1 && X509_set_pubkey(x509, key) == 1 &&
       BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != nullptr);
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(x509), -300);
  X509_gmtime_adj(X509_getm_notAfter(x509), 31'536'000);
  Name(X509_get_subject_name(x509), name);
  Must(X509_set_issuer_name(x509, X509_get_subject_name(issuer == nullptr ? x509 : issuer)) == 1);
  X509* above = issuer == nullptr ? x509 : issuer;
  AddExtension(above, x509, NID_key_usage, "critical,digitalSignature,keyEncipherment");
  if (issuer != nullptr) AddExtension(above, x509, NID_ext_key_usage, "serverAuth,clientAuth");
  AddExtension(above, x509, NID_basic_constraints,
               issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(above, x509, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) {
    AddExtension(above, x509, NID_authority_key_identifier, "keyid");
    AddExtension(above, x509, NID_subject_alt_name, "DNS:" + name);
  }
  Must(X509_sign(x509, issuer_key, EVP_sha256()) > 0);
  return x509;
}

X509_REQ* Request(EVP_PKEY* key, const std::string& name) {
  X509_REQ* request = X509_REQ_new();
  Must(X509_REQ_set_pubkey(request, key) == 1);
  Name(X509_REQ_get_subject_name(request), name);
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  sk_X509_EXTENSION_push(extensions,
                         Extension(nullptr, nullptr, NID_subject_alt_name, "DNS:" + name));
  Must(X509_REQ_add_extensions(request, extensions) == 1);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  Must(X509_REQ_sign(request, key, EVP_sha256()) > 0);
  return request;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  EVP_PKEY* ca_key = EVP_EC_gen("P-256");
  X509* ca = Certificate(ca_key, "CA", nullptr, ca_key);
  BIO* out = BIO_new_fp(stdout, BIO_NOCLOSE);
  for (int i = 0; i < count; ++i) {
    const std::string name = "leaf-" + std::to_string(i) + ".example.com";
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509_REQ* request = Request(key, name);
    X509* leaf = Certificate(key, name, ca, ca_key);
    Must(PEM_write_bio_X509(out, leaf) == 1 && PEM_write_bio_X509_REQ(out, request) == 1 &&
         PEM_write_bio_PrivateKey_traditional(out, key, nullptr, nullptr, 0, nullptr, nullptr) ==
             1);
    X509_free(leaf);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
  }
  BIO_free(out);
  X509_free(ca);
  EVP_PKEY_free(ca_key);
  return 0;
}
