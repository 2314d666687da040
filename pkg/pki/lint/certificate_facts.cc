#include "pkg/pki/lint/certificate_facts.h"

#include <string_view>

#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/internal/asn1.h"
#include "pkg/pki/internal/names.h"
#include "pkg/pki/internal/x509.h"

namespace calico::pki {
namespace {

inline void FreeAccess(AUTHORITY_INFO_ACCESS* access) { AUTHORITY_INFO_ACCESS_free(access); }
inline void FreePoints(CRL_DIST_POINTS* points) { CRL_DIST_POINTS_free(points); }

using AccessPtr = openssl::Handle<AUTHORITY_INFO_ACCESS, FreeAccess>;
using PointsPtr = openssl::Handle<CRL_DIST_POINTS, FreePoints>;

template <class Ptr>
Ptr Extension(const X509* x509, int nid) {
  return Ptr(static_cast<typename Ptr::pointer>(X509_get_ext_d2i(x509, nid, nullptr, nullptr)));
}

void ReadSignature(const X509* x509, CertificateFacts& facts) {
  const int nid = X509_get_signature_nid(x509);
  facts.signature_algorithm = nid == NID_undef ? "unknown" : OBJ_nid2ln(nid);
  int digest = NID_undef;
  if (OBJ_find_sigid_algs(nid, &digest, nullptr) == 1) {
    facts.has_weak_signature = digest == NID_sha1 || digest == NID_md5 || digest == NID_md4 ||
                               digest == NID_md2 || digest == NID_md5_sha1;
  }
}

void ReadSerial(const X509* x509, CertificateFacts& facts) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(x509);
  const std::string_view content = internal::ContentOf(serial);
  facts.is_serial_negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;
  facts.is_serial_zero = content.find_first_not_of('\0') == content.npos;
  // The encoding has one octet more where the first bit is set.
  facts.serial_octets =
      content.size() +
      (!content.empty() && (static_cast<unsigned char>(content.front()) & 0x80) != 0 ? 1 : 0);
}

bool IsTimeByRfc(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return true;
  const bool is_late = parts.tm_year + 1900 >= 2050;
  return is_late == (ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME);
}

void ReadExtensionNames(const X509* x509, CertificateFacts& facts) {
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const ASN1_OBJECT* object = X509_EXTENSION_get_object(extension);
    const int nid = OBJ_obj2nid(object);
    const std::string oid = internal::OidOf(object);
    facts.extensions.push_back({.oid = oid,
                                .name = nid == NID_undef ? oid : OBJ_nid2ln(nid),
                                .is_critical = X509_EXTENSION_get_critical(extension) == 1});
  }
}

void AddUrl(const GENERAL_NAME* name, std::vector<std::string>& urls) {
  if (name->type == GEN_URI) urls.emplace_back(internal::ContentOf(name->d.ia5));
}

void ReadUrls(const X509* x509, CertificateFacts& facts) {
  const auto points = Extension<PointsPtr>(x509, NID_crl_distribution_points);
  for (int i = 0; points != nullptr && i < sk_DIST_POINT_num(points.get()); ++i) {
    const DIST_POINT_NAME* name = sk_DIST_POINT_value(points.get(), i)->distpoint;
    if (name == nullptr || name->type != 0) continue;
    for (int j = 0; j < sk_GENERAL_NAME_num(name->name.fullname); ++j) {
      AddUrl(sk_GENERAL_NAME_value(name->name.fullname, j), facts.crl_urls);
    }
  }
  const auto access = Extension<AccessPtr>(x509, NID_info_access);
  for (int i = 0; access != nullptr && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
    const ACCESS_DESCRIPTION* entry = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    const int method = OBJ_obj2nid(entry->method);
    if (method == NID_ad_OCSP) AddUrl(entry->location, facts.ocsp_urls);
    if (method == NID_ad_ca_issuers) AddUrl(entry->location, facts.issuer_urls);
  }
}

}  // namespace

const ExtensionFact* CertificateFacts::Find(std::string_view oid) const {
  for (const ExtensionFact& extension : extensions) {
    if (extension.oid == oid) return &extension;
  }
  return nullptr;
}

CertificateFacts ReadFacts(const Certificate& certificate) {
  const openssl::ErrorScope scope;
  const X509* x509 = internal::CertificateAccess::Handle(certificate);
  CertificateFacts facts;
  facts.version = static_cast<int>(X509_get_version(x509)) + 1;
  ReadSignature(x509, facts);
  ReadSerial(x509, facts);
  facts.has_times_by_rfc =
      IsTimeByRfc(X509_get0_notBefore(x509)) && IsTimeByRfc(X509_get0_notAfter(x509));
  ReadExtensionNames(x509, facts);
  ReadUrls(x509, facts);
  const auto names = Extension<openssl::GeneralNamesPtr>(x509, NID_subject_alt_name);
  if (names != nullptr) {
    const auto read = internal::ReadAlternativeNames(names.get());
    if (read.ok()) facts.other_name_kinds = read->other_kinds;
  }
  return facts;
}

std::string CertificateText(const Certificate& certificate) {
  const openssl::ErrorScope scope;
  const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      X509_print_ex(bio.get(), internal::CertificateAccess::Handle(certificate),
                    XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB, X509_FLAG_COMPAT) != 1) {
    return "";
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size <= 0 ? "" : std::string(data, static_cast<size_t>(size));
}

}  // namespace calico::pki
