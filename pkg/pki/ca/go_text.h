// Text and times as Go's crypto/x509 takes them.
#ifndef CALICO_PKG_PKI_CA_GO_TEXT_H_
#define CALICO_PKG_PKI_CA_GO_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace calico::pki::internal {

// Why Go refuses a string of a name: "a PrintableString with '_'"; nothing when it takes it.
std::optional<std::string> GoTextFault(uint8_t tag, std::string_view content);

// A UTCTime or GeneralizedTime in a form that Go reads. Whether the day exists is not looked at.
bool IsGoTime(uint8_t tag, std::string_view content);

// A dNSName of a constraint: no empty label, printable.
bool IsGoDomain(std::string_view name);

bool IsAscii(std::string_view text);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_CA_GO_TEXT_H_
