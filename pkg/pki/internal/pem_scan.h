// The line grammar of PEM without copies: pki/pem.h decodes blocks into strings with it, key.cc
// into memory that is wiped.
#ifndef CALICO_PKG_PKI_INTERNAL_PEM_SCAN_H_
#define CALICO_PKG_PKI_INTERNAL_PEM_SCAN_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace calico::pki::internal {

// Views into the scanned text.
struct RawPemBlock {
  std::string_view label;
  std::string_view headers;
  std::string_view body;  // base64 with its line breaks
  bool text_before = false;
};

struct RawPem {
  std::vector<RawPemBlock> blocks;
  bool text_after = false;
};

// Errors: as pki::ParsePem, except that bodies are not looked at.
absl::StatusOr<RawPem> ScanPem(std::string_view text, size_t max_text_bytes, size_t max_blocks);

// An upper bound of the bytes that DecodeBase64 writes.
constexpr size_t Base64Bound(std::string_view body) { return body.size() / 4 * 3 + 3; }

// Decodes `body`, white space skipped, into `out` of Base64Bound(body) bytes; the number of bytes
// written, or nothing if it is not strict base64 (padding, zero trailing bits).
std::optional<size_t> DecodeBase64(std::string_view body, char* out);

}  // namespace calico::pki::internal

#endif  // CALICO_PKG_PKI_INTERNAL_PEM_SCAN_H_
