#include "pkg/pki/internal/kdf_cost.h"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/pkcs12.h>

namespace calico::pki::internal {
namespace {

using PbeParamPtr = openssl::Handle<PBEPARAM, PBEPARAM_free>;
using Pbe2ParamPtr = openssl::Handle<PBE2PARAM, PBE2PARAM_free>;
using Pbkdf2ParamPtr = openssl::Handle<PBKDF2PARAM, PBKDF2PARAM_free>;

// The parameters of `algorithm` decoded, or null.
template <class Ptr>
Ptr Parameters(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  const ASN1_OBJECT* oid = nullptr;
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(&oid, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return nullptr;
  return Ptr(static_cast<typename Ptr::pointer>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), item)));
}

int NidOf(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(oid);
}

}  // namespace

absl::Status KdfBudget::Spend(const ASN1_INTEGER* iterations) {
  int64_t count = 0;
  if (iterations == nullptr) return absl::OkStatus();
  if (ASN1_INTEGER_get_int64(&count, iterations) != 1 || count > left_) {
    return absl::ResourceExhaustedError(
        "it wants more than 10000000 iterations to derive its keys, which no tool writes");
  }
  left_ -= std::max<int64_t>(count, 0);
  return absl::OkStatus();
}

absl::Status KdfBudget::Spend(const X509_ALGOR* algorithm) {
  if (algorithm == nullptr) return absl::OkStatus();
  if (NidOf(algorithm) != NID_pbes2) {
    const auto parameters = Parameters<PbeParamPtr>(algorithm, ASN1_ITEM_rptr(PBEPARAM));
    return parameters == nullptr ? absl::OkStatus() : Spend(parameters->iter);
  }
  const auto pbes2 = Parameters<Pbe2ParamPtr>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
  if (pbes2 == nullptr || NidOf(pbes2->keyfunc) != NID_id_pbkdf2) return absl::OkStatus();
  const auto pbkdf2 = Parameters<Pbkdf2ParamPtr>(pbes2->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM));
  return pbkdf2 == nullptr ? absl::OkStatus() : Spend(pbkdf2->iter);
}

std::string EncryptionName(const X509_ALGOR* algorithm) {
  const auto name = [](const X509_ALGOR* part) -> std::string {
    const int nid = NidOf(part);
    return nid == NID_undef ? "an unknown algorithm" : OBJ_nid2ln(nid);
  };
  if (algorithm == nullptr) return "no algorithm";
  const auto pbes2 = NidOf(algorithm) == NID_pbes2
                         ? Parameters<Pbe2ParamPtr>(algorithm, ASN1_ITEM_rptr(PBE2PARAM))
                         : nullptr;
  return pbes2 == nullptr ? name(algorithm) : fmt::format("PBES2 ({})", name(pbes2->encryption));
}

}  // namespace calico::pki::internal
