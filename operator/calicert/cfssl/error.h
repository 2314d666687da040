// Errors with the numbers that cfssl gives them, which scripts match on: a thousand for the kind of
// thing, the rest for the reason.
#ifndef CALICO_OPERATOR_CALICERT_CFSSL_ERROR_H_
#define CALICO_OPERATOR_CALICERT_CFSSL_ERROR_H_

#include <optional>
#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace calico::calicert::cfssl {

inline constexpr int kCertificateUnknown = 1000;
inline constexpr int kCertificateDecode = 1002;
inline constexpr int kCertificateParse = 1003;
inline constexpr int kCertificateSelfSigned = 1100;
inline constexpr int kCertificateNotAuthority = 1210;
inline constexpr int kCertificateExpired = 1211;
inline constexpr int kUnknownAuthority = 1220;
inline constexpr int kKeyDecode = 2002;
inline constexpr int kKeyParse = 2003;
inline constexpr int kKeyEncrypted = 2100;
inline constexpr int kKeyMismatch = 2300;
inline constexpr int kKeyGeneration = 2400;
inline constexpr int kIntermediatesRead = 3001;
inline constexpr int kRootRead = 4001;
inline constexpr int kPolicyNoUsages = 5100;
inline constexpr int kPolicyInvalid = 5200;
inline constexpr int kPolicyRequest = 5300;
inline constexpr int kPolicyUnmatchedWhitelist = 5500;
inline constexpr int kRequestDecode = 9002;
inline constexpr int kRequestParse = 9003;
inline constexpr int kRequestBad = 9300;

// InvalidArgument with `code`.
absl::Status CodedError(int code, std::string_view message);
// The number of such an error.
std::optional<int> CodeOf(const absl::Status& error);
// What a command writes to stderr: `{"code":2400,"message":"..."}`, or the message alone of an
// error without a number.
std::string ErrorText(const absl::Status& error);

}  // namespace calico::calicert::cfssl

#endif  // CALICO_OPERATOR_CALICERT_CFSSL_ERROR_H_
