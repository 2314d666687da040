#include "pkg/pki/verify.h"

#include <string>

#include <absl/algorithm/container.h>
#include <fmt/format.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "pkg/base/status_macros.h"
#include "pkg/openssl/error.h"
#include "pkg/openssl/handles.h"
#include "pkg/pki/ca/name_constraints.h"
#include "pkg/pki/internal/key_access.h"
#include "pkg/pki/internal/x509.h"

namespace calico::pki {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kAuthLevel = 2;  // 112 bits: RSA 2048, P-224, SHA-224

absl::Status Failed() {
  return openssl::TakeError(absl::StatusCode::kInternal, "verify certificate");
}

int PurposeId(ExtendedKeyUsage purpose) {
  switch (purpose) {
    case ExtendedKeyUsage::kServerAuth:
      return X509_PURPOSE_SSL_SERVER;
    case ExtendedKeyUsage::kClientAuth:
      return X509_PURPOSE_SSL_CLIENT;
    case ExtendedKeyUsage::kAny:
      break;
  }
  return X509_PURPOSE_ANY;
}

std::string_view PurposeName(ExtendedKeyUsage purpose) {
  switch (purpose) {
    case ExtendedKeyUsage::kServerAuth:
      return "serverAuth";
    case ExtendedKeyUsage::kClientAuth:
      return "clientAuth";
    case ExtendedKeyUsage::kAny:
      break;
  }
  return "any purpose";
}

// What the certificate at fault says about the failed check.
std::string Detail(int error, const Certificate& at_fault, ExtendedKeyUsage purpose) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format(", not after {}",
                         absl::FormatTime(at_fault.not_after(), absl::UTCTimeZone()));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format(", not before {}",
                         absl::FormatTime(at_fault.not_before(), absl::UTCTimeZone()));
    case X509_V_ERR_INVALID_PURPOSE: {
      std::string usages;
      for (const std::string& oid : at_fault.extended_key_usages()) {
        usages += fmt::format("{}{}", usages.empty() ? "" : ", ", ExtendedKeyUsageName(oid));
      }
      return fmt::format(", wanted for {}; extended key usages [{}], key usages [{}]",
                         PurposeName(purpose), usages, at_fault.key_usages().ToString());
    }
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format(", issuer {:?}", at_fault.issuer());
    default:
      return "";
  }
}

// The constraints of those above that the certificate at fault does not keep.
std::string ConstraintDetail(X509_STORE_CTX* context, const Certificate& at_fault) {
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  for (int i = X509_STORE_CTX_get_error_depth(context) + 1; i < sk_X509_num(chain); ++i) {
    const absl::StatusOr<Certificate> ca = internal::FromX509(sk_X509_value(chain, i));
    if (!ca.ok()) continue;
    const absl::Status names = CheckNameConstraints(
        {&*ca, 1}, at_fault.dns_names(), at_fault.ip_addresses(), at_fault.common_name());
    if (!names.ok()) return fmt::format("; {}", std::string(names.message()));
  }
  return "";
}

// A CA with anyExtendedKeyUsage limits nothing: Go says so and RFC 5280 4.2.1.12 allows it, OpenSSL
// looks for the one usage only.
int TakeAnyExtendedKeyUsage(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_INVALID_PURPOSE ||
      X509_STORE_CTX_get_error_depth(context) == 0) {
    return ok;
  }
  X509* ca = X509_STORE_CTX_get_current_cert(context);
  if ((X509_get_extension_flags(ca) & EXFLAG_XKUSAGE) == 0 ||
      (X509_get_extended_key_usage(ca) & XKU_ANYEKU) == 0 || X509_check_ca(ca) != 1) {
    return ok;
  }
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

absl::Status Explain(X509_STORE_CTX* context, ExtendedKeyUsage purpose) {
  const int error = X509_STORE_CTX_get_error(context);
  X509* current = X509_STORE_CTX_get_current_cert(context);
  std::string where;
  if (current != nullptr) {
    const absl::StatusOr<Certificate> at_fault = internal::FromX509(current);
    if (at_fault.ok()) {
      where =
          fmt::format(" (subject {:?}{})", at_fault->subject(), Detail(error, *at_fault, purpose));
      if (error == X509_V_ERR_PERMITTED_VIOLATION || error == X509_V_ERR_EXCLUDED_VIOLATION) {
        where += ConstraintDetail(context, *at_fault);
      }
    }
  }
  return absl::FailedPreconditionError(
      fmt::format("verify certificate: {}{}", X509_verify_cert_error_string(error), where));
}

bool Configure(X509_STORE_CTX* context, ExtendedKeyUsage purpose, absl::Time now) {
  X509_STORE_CTX_set_verify_cb(context, TakeAnyExtendedKeyUsage);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(param, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_depth(param, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(param, kAuthLevel);
  return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
         X509_VERIFY_PARAM_set_purpose(param, PurposeId(purpose)) == 1;
}

}  // namespace

absl::Status VerifyChain(const Certificate& leaf, const std::vector<Certificate>& intermediates,
                         const std::vector<Certificate>& roots, ExtendedKeyUsage purpose,
                         absl::Time now) {
  const openssl::ErrorScope scope;
  if (roots.empty()) return absl::InvalidArgumentError("verify certificate: no trusted roots");
  CALICO_ASSIGN_OR_RETURN(const openssl::CertificateStackPtr untrusted,
                          internal::ToX509Stack(intermediates));
  const openssl::X509StorePtr store(X509_STORE_new());
  const openssl::X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr) return Failed();
  for (const Certificate& root : roots) {
    if (X509_STORE_add_cert(store.get(), internal::CertificateAccess::Handle(root)) != 1) {
      return Failed();
    }
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), internal::CertificateAccess::Handle(leaf),
                          untrusted.get()) != 1 ||
      !Configure(context.get(), purpose, now)) {
    return Failed();
  }
  const int verdict = X509_verify_cert(context.get());
  if (verdict < 0) return Failed();
  return verdict == 1 ? absl::OkStatus() : Explain(context.get(), purpose);
}

bool IsIssuedBy(const Certificate& certificate, const Certificate& issuer) {
  const openssl::ErrorScope scope;
  X509* child = internal::CertificateAccess::Handle(certificate);
  X509* parent = internal::CertificateAccess::Handle(issuer);
  EVP_PKEY* key = internal::KeyAccess::Handle(issuer.public_key());
  return key != nullptr && X509_check_issued(parent, child) == X509_V_OK &&
         X509_verify(child, key) == 1;
}

absl::Status KeyMatches(const Certificate& certificate, const PublicKey& key) {
  if (certificate.public_key() == key) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "match certificate and key: the certificate {:?} is for another {} key than the "
      "given {} key",
      certificate.subject(), certificate.public_key().Description(), key.Description()));
}

absl::Status KeyMatches(const Certificate& certificate, const PrivateKey& key) {
  return KeyMatches(certificate, key.public_key());
}

absl::Status NamesMatch(const Certificate& certificate, const WantedNames& wanted) {
  if (certificate.common_name() != wanted.common_name) {
    return absl::FailedPreconditionError(fmt::format(
        "common name: '{}' instead of '{}'", certificate.common_name(), wanted.common_name));
  }
  for (const std::string& name : wanted.dns_names) {
    if (!absl::c_linear_search(certificate.dns_names(), name)) {
      return absl::FailedPreconditionError(fmt::format("DNS names: '{}' is missing", name));
    }
  }
  return absl::OkStatus();
}

}  // namespace calico::pki
