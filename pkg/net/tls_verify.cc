#include "pkg/net/tls_verify.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "pkg/base/ip_address.h"
#include "pkg/openssl/handles.h"

namespace calico::net {
namespace {

// Printable and short: a certificate's names come from the peer.
std::string Printable(std::string_view text) {
  std::string out(text.substr(0, 128));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

std::string CommonName(const X509_NAME* name) {
  char text[129] = "";
  X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text));
  return Printable(text);
}

std::string NameText(const GENERAL_NAME* name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(name, &type);
  if (type != GEN_DNS && type != GEN_IPADD) return "";
  const auto* text = static_cast<const ASN1_STRING*>(value);
  const auto* bytes = ASN1_STRING_get0_data(text);
  const auto size = static_cast<size_t>(ASN1_STRING_length(text));
  if (type == GEN_DNS) return Printable({reinterpret_cast<const char*>(bytes), size});
  const auto address = base::IpAddress::FromBytes({reinterpret_cast<const char*>(bytes), size});
  return address.ok() ? address->ToString() : "";
}

std::string SubjectAltNames(const X509* certificate) {
  constexpr int kMaxNames = 8;
  const openssl::GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < std::min(count, kMaxNames); ++i) {
    const std::string text = NameText(sk_GENERAL_NAME_value(names.get(), i));
    if (!text.empty()) out += (out.empty() ? "" : ", ") + text;
  }
  if (count > kMaxNames) out += ", ...";
  return out.empty() ? "no name" : out;
}

std::string TimeText(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return "an unreadable time";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

std::string ExplainRefusal(int code, const X509* certificate, std::string_view peer_name) {
  if (certificate == nullptr) return X509_verify_cert_error_string(code);
  const std::string subject = CommonName(X509_get_subject_name(certificate));
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("certificate \"{}\" has expired at {}", subject,
                         TimeText(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("certificate \"{}\" is not valid before {}", subject,
                         TimeText(X509_get0_notBefore(certificate)));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return fmt::format("certificate \"{}\" signed by unknown authority \"{}\"", subject,
                         CommonName(X509_get_issuer_name(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("name mismatch: certificate is for {}, not for {}",
                         SubjectAltNames(certificate), peer_name);
    default:
      return fmt::format("certificate \"{}\": {}", subject, X509_verify_cert_error_string(code));
  }
}

}  // namespace calico::net
